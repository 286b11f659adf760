// SIP status <-> stanza error: the two tables of RFC 7247 section 7.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::interworking {

/// A stanza error as RFC 6120 section 8.3 spells it.
struct Condition {
  std::string condition;
  std::string type;
  bool operator==(const Condition&) const = default;
};
/// RFC 7247 section 7.2, Table 3; a status that it does not list counts as the x00 of its class. For 300 to 699.
[[nodiscard]] Condition condition_of(int status);

/// What a SIP answer needs beside its status.
struct Status {
  int code = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;  ///< those that RFC 3261 demands with the status
};
/// RFC 7247 section 7.1, Table 2. `address` is the text of <gone/> or <redirect/>, `full_jid` whether the failed stanza
/// was sent to a full JID. Limits of other texts: 401 and 407 need a challenge that a gateway does not have (RFC 3261
/// sections 21.4.2 and 21.4.8), hence 403; 408 is for INVITE only (RFC 4320 section 4.2), hence 504;
/// <service-unavailable/> is never 503 (note 9).
[[nodiscard]] Status status_of(std::string_view condition, std::string_view address, bool full_jid, bool invite);
/// The usual reason phrase of a status (RFC 3261 section 21 and the texts that extend it).
[[nodiscard]] std::string reason_phrase(int status);
/// The methods that the gateway takes: the value of Allow.
inline constexpr char allowed_methods[] = "INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, SUBSCRIBE, NOTIFY, OPTIONS";

}  // namespace cutover::interworking
