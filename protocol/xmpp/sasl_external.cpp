// The initial response of EXTERNAL, and its one rule.
#include "protocol/xmpp/sasl_external.h"

#include "protocol/base/base64.h"
#include "protocol/xmpp/jid.h"

namespace cutover::xmpp {

std::string encode_authzid(std::string_view domain) {
  return domain.empty() ? "=" : to_base64(domain);  // RFC 6120 section 6.4.2
}

std::optional<std::string> decode_authzid(std::string_view text) {
  // RFC 6120 section 13.9.1: an octet outside the alphabet or a pad in the middle is refused, never skipped.
  return text == "=" ? std::string() : from_base64_strict(text);
}

bool may_act_as(std::string_view authzid, std::string_view stream_from) {
  if (authzid.empty()) return true;
  const auto jid = Jid::parse(authzid);
  // RFC 6120 section 6.3.8: between servers an authorisation identity is a bare domain.
  return jid && jid->is_domain() && jid->domain() == stream_from;
}

}  // namespace cutover::xmpp
