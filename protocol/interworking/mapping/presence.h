// <presence/> <-> PIDF: RFC 8048 section 6 Tables 1 and 2, RPID activities, and the availability numbers of the
// product.
#pragma once

#include "protocol/xml/element.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cutover::interworking {

/// The presence of one resource (XMPP) or tuple (PIDF).
struct Presence {
  std::string resource;  ///< empty: the bare JID, a tuple without a usable id
  bool available = true;
  std::string show;  ///< away, chat, dnd, xa; empty for none
  std::string status, language;
  std::optional<int> priority;  ///< 0..127; a negative one is not mapped (RFC 8048 section 6.2 note 6)
  bool operator==(const Presence&) const = default;
};

/// A presence stanza without type or of type unavailable; `resource` is the sender's.
[[nodiscard]] Presence presence_of(const xml::Element& stanza, std::string_view resource);
/// Writes type, <show/>, <status/>, <priority/>, xml:lang into a stanza that has its addresses.
void put_presence(xml::Element& stanza, const Presence& presence);

/// A complete PIDF document (RFC 3863): one tuple a resource, <show/> in jabber:client, RPID activity of the most
/// restrictive resource in <person>. `entity_uri` is the user and host of the presentity ("juliet@xmpp.example").
[[nodiscard]] std::string to_pidf(std::string_view entity, std::string_view contact_uri,
                                  const std::map<std::string, Presence>& resources);
/// The document that says that nobody is there.
[[nodiscard]] std::string closed_pidf(std::string_view entity, std::string_view contact_uri);

struct NotPidf {
  std::string what;
};
/// Every tuple that has a basic status. Evidence for show, strongest first: jabber:client, RPID (dnd > xa > away), the
/// product's availability number; basic closed beats all.
[[nodiscard]] std::variant<std::vector<Presence>, NotPidf> read_pidf(std::string_view document);

/// RFC 8048 section 6.2 note 2: a stable xs:ID out of any resource, and back.
[[nodiscard]] std::string tuple_id(std::string_view resource);
[[nodiscard]] std::string resource_of_tuple(std::string_view id);

/// RFC 8048 section 6.2 note 6: 0..127 as 0..1 with three decimals, and back; nothing for a value out of range.
[[nodiscard]] std::string contact_priority(int priority);
[[nodiscard]] std::optional<int> priority_of_contact(std::string_view text);

/// The show of an RPID activity (RFC 4480 section 3.2); empty for none. The choice is this profile's.
[[nodiscard]] std::string_view show_of_activity(std::string_view activity);
/// The RPID activity of a show; empty for none.
[[nodiscard]] std::string_view activity_of_show(std::string_view show);

/// One class of the product's availability (lync-facts 4.2). The numbers are documented, the XMPP side is our choice.
struct AvailabilityRow {
  int from;  ///< the first number of the class
  std::string_view name;
  bool open;
  std::string_view activity;  ///< RPID, as a pool publishes it; empty for none
  std::string_view show;
};
[[nodiscard]] const AvailabilityRow& availability(int number);

inline constexpr char pidf_media[] = "application/pidf+xml";

}  // namespace cutover::interworking
