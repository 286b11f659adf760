// JID <-> SIP URI on raw octets: the table of RFC 7247 section 6 with the escapes of XEP-0106.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/sip/message.h"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace cutover::interworking {

/// The three parts of a JID as they were written: case and escapes kept, so that what the other side accepts crosses
/// unchanged (RFC 7247 section 6.2). Compare with key(), which is canonical.
struct Address {
  std::string local, domain, resource;  ///< empty where absent
  [[nodiscard]] std::string bare() const;
  [[nodiscard]] std::string full() const;
  [[nodiscard]] bool is_bare() const { return resource.empty(); }
  [[nodiscard]] Address without_resource() const { return {local, domain, {}}; }
  auto operator<=>(const Address&) const = default;
};

/// Splits a JID and checks that it is one (RFC 7622 section 3). Nothing where it is not.
[[nodiscard]] std::optional<Address> parse_jid(std::string_view text);
/// The canonical bare JID, for comparisons and as key of state; the written form where it cannot be prepared.
[[nodiscard]] std::string key(const Address&);

/// A URI as written in a SIP header or a PIDF: scheme sip, sips, im or pres in any case. The user part ends at the
/// first
/// "@" and may hold ";" and "?" (RFC 3261 section 25.1); a password is dropped. Nothing for any other scheme or form.
[[nodiscard]] std::optional<sip::Uri> parse_address_uri(std::string_view text);

/// Why a SIP URI has no JID.
enum class AddressFault { none, scheme, escape, encoding, control, edge_space, length, host };

struct JidResult {
  std::optional<Address> address;
  AddressFault fault = AddressFault::none;
};
/// RFC 7247 section 6.4: percent-decodes, then escapes what a localpart cannot hold; `gr` with a value becomes the
/// resource.
[[nodiscard]] JidResult to_jid(const sip::Uri&, const Departures& = {});
/// RFC 7247 section 6.5: undoes XEP-0106, then percent-encodes what a SIP user part cannot hold; a resource becomes the
/// URI parameter `gr`. The domain is written as A-labels.
[[nodiscard]] sip::Uri to_uri(const Address&);

/// XEP-0106 section 4.2: the ten characters, and a backslash only before one of the ten codes.
[[nodiscard]] std::string escape_localpart(std::string_view octets);
/// XEP-0106 section 4.3: the ten defined sequences and nothing else.
[[nodiscard]] std::string unescape_localpart(std::string_view localpart);
/// %HH to octets; nothing where a "%" is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
/// Whether the octets are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view octets);

}  // namespace cutover::interworking
