// Invariants that hold in every run, as functions over what was sent and received, over the trace, and over the world.
// Each returns sentences: one for every violation, none when all is well.
#pragma once

#include "harness/worlds/world.h"

#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// One stanza or message between two parties. `pair` names sender and receiver; `text` identifies it within the pair (a
/// body, or a stanza id), and is unique among those that the pair sends.
struct Delivery {
  std::string pair;
  std::string text;
  auto operator<=>(const Delivery&) const = default;
};

/// What happened at the edges of the deployment.
struct Deliveries {
  std::vector<Delivery> sent;      ///< in the order of sending
  std::vector<Delivery> received;  ///< in the order of arrival
  std::vector<Delivery> returned;  ///< the sender got an error for it
};

/// What a deployment may do with a stanza.
struct DeliveryRules {
  bool may_lose = false;  ///< only where a text allows a silent loss, such as presence
  /// An error may come for what was delivered all the same: a server that lost its connection cannot know.
  bool may_doubt = false;
};

/// Per pair: nothing lost without an error, duplicated, invented, reordered, or both delivered and returned.
[[nodiscard]] std::vector<std::string> check_deliveries(const Deliveries& deliveries, DeliveryRules rules = {});

/// The nodes whose XMPP and SIP notes contain `marker`, in the order in which it came to them; a node twice in a row
/// counts once. Markers must not be prefixes of each other.
[[nodiscard]] std::vector<std::string> path_of(const Trace& trace, std::string_view marker);
/// How often `node` noted the arrival of something that contains `marker`.
[[nodiscard]] std::size_t arrivals_of(const Trace& trace, std::string_view marker, std::string_view node);
/// `marker` went by `path`, no other, and came to every node after the first exactly once.
[[nodiscard]] std::vector<std::string> check_path(const Trace& trace, std::string_view marker,
                                                  const std::vector<std::string>& path);
/// `marker` came to no node twice: neither a loop nor a copy.
[[nodiscard]] std::vector<std::string> check_no_loop(const Trace& trace, std::string_view marker);

/// Where `nodes` require TLS: no message, presence, iq or SIP message was noted on one of their connections before that
/// node noted that TLS is established on it. Negotiation (headers, features, STARTTLS, errors) may go in clear.
[[nodiscard]] std::vector<std::string> check_no_stanza_in_clear(const Trace& trace,
                                                                const std::vector<std::string>& nodes);

/// No message came to a node twice: the same message stanza, octet for octet and with an id, or the same SIP MESSAGE
/// request (Call-ID and CSeq).
[[nodiscard]] std::vector<std::string> check_nothing_twice(const Trace& trace);

/// Every XMPP connection of `nodes` on which a stream began has seen the end tags of both entities (RFC 6120 section
/// 4.4).
[[nodiscard]] std::vector<std::string> check_streams_ended(const Trace& trace, const std::vector<std::string>& nodes);

/// Every node has let go of all its connections.
[[nodiscard]] std::vector<std::string> check_all_closed(const World& world, const std::vector<const Node*>& nodes);

}  // namespace cutover::harness
