// Addresses that cross a gateway with the wrong escapes, or without a part.
#include "departures/rows.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;

/// Changes the sender of a request of ours.
void edit_from(Sip& p, const std::function<void(sip::NameAddr&)>& change) {
  auto from = p.out() && p.message.is_request ? p.message.from() : std::nullopt;
  if (!from) return;
  change(*from);
  p.message.set_header("From", from->text());
}

/// Changes the localparts of both addresses of a stanza.
void edit_localparts(Stanza& p, const std::function<std::string(const std::string&)>& change) {
  if (!p.is_stanza()) return;
  for (const char* name : {"from", "to"}) {
    auto address = interworking::parse_jid(p.element.attribute_or_empty(name));
    if (!address || address->local.empty()) continue;
    address->local = change(address->local);
    p.set_attribute(name, address->full());
  }
}

void erase_gr(std::vector<std::pair<std::string, std::string>>& parameters) {
  std::erase_if(parameters, [](const auto& parameter) { return interworking::lowered(parameter.first) == "gr"; });
}

std::string with_lower_escapes(std::string text) {
  for (auto at = text.find('%'); at != std::string::npos; at = text.find('%', at + 1)) {
    text.replace(at, 3, interworking::lowered(text.substr(at, 3)));
  }
  return text;
}

}  // namespace

std::vector<Row> gateway_addresses() {
  return {
      // JID to URI.
      {"gateway.drops-gr", "leaves the resource out of the From URI", "RFC7572-4-n1",
       [](Sip& p) { edit_from(p, [](sip::NameAddr& from) { erase_gr(from.uri.parameters); }); }, gateways},
      {"gateway.gr-as-header-parameter", "writes gr outside the brackets", "RFC7572-4-n1 RFC7247-6.5-9",
       [](Sip& p) {
         edit_from(p, [](sip::NameAddr& from) {
           if (const auto gr = from.uri.parameter("gr")) from.parameters.insert(from.parameters.begin(), {"gr", *gr});
           erase_gr(from.uri.parameters);
         });
       },
       gateways},
      {"gateway.lowercases-addresses", "changes the case of addresses", "RFC7247-6.2-2",
       [](Sip& p) { edit_from(p, [](sip::NameAddr& from) { from.uri.user = interworking::lowered(from.uri.user); }); },
       gateways},
      {"gateway.percent-lower-case", "writes percent escapes in lower case", "RFC7247-6.2-8",
       [](Sip& p) { edit_from(p, [](sip::NameAddr& from) { from.uri.user = with_lower_escapes(from.uri.user); }); },
       gateways},
      {"gateway.sip-user-unescaped", "writes reserved characters into a SIP user part",
       "RFC7247-6.2-3 RFC7247-6.2-c23 RFC7247-6.2-c5b RFC7247-6.2-c7c",
       [](Sip& p) {
         edit_from(p, [](sip::NameAddr& from) {
           from.uri.user = interworking::percent_decode(from.uri.user).value_or(from.uri.user);
         });
       },
       gateways},
      {"gateway.keeps-jid-escapes", "carries XEP-0106 escapes into SIP",
       "RFC7247-6.2-1 RFC7247-6.2-c20 RFC7247-6.2-c26 RFC7247-6.2-c27 RFC7247-6.2-c2f",
       [](Stanza& p) {
         if (p.in()) edit_localparts(p, interworking::escape_localpart);  // once more than they were
       },
       gateways},

      {"gateway.plus-escaped", "writes a plus in a SIP user part as %2B, which is another user (RFC 3261 19.1.4)",
       "RFC7247-6.2-c2b",
       [](Sip& p) {
         edit_from(p, [](sip::NameAddr& from) {
           if (const auto at = from.uri.user.find('+'); at != std::string::npos) from.uri.user.replace(at, 1, "%2B");
         });
       },
       gateways},

      // URI to JID.
      {"gateway.plus-is-a-space", "takes a plus in a SIP user part for a space", "RFC7247-6.2-c2b",
       [](Stanza& p) {
         if (!p.out()) return;
         edit_localparts(p, [](const std::string& local) {
           const auto at = local.find('+');
           return at == std::string::npos ? local : local.substr(0, at) + "\\20" + local.substr(at + 1);
         });
       },
       gateways},
      {"gateway.ignores-gr", "drops the gr parameter of a Request-URI instead of making it a resource",
       "RFC7247-6.3-1 RFC7247-6.4-8 RFC7247-7.1-feature-not-implemented-full RFC7247-7.1-forbidden-full "
       "RFC7247-7.1-item-not-found-full RFC7247-7.1-not-acceptable-full RFC7247-7.1-recipient-unavailable-full",
       [](Sip& p) {
         auto uri =
             p.in() && p.message.is_request ? interworking::parse_address_uri(p.message.request_uri) : std::nullopt;
         if (!uri || !uri->parameter("gr")) return;
         erase_gr(uri->parameters);
         p.message.request_uri = uri->text();
       },
       gateways},
      {"gateway.jid-unescaped", "writes decoded octets into a localpart",
       "RFC7247-6.2-4 RFC7247-6.2-c20 RFC7247-6.2-c26 RFC7247-6.2-c27 RFC7247-6.2-c2f",
       [](Stanza& p) {
         if (p.out()) edit_localparts(p, interworking::unescape_localpart);
       },
       gateways},
      {"gateway.keeps-percent-escapes", "carries percent escapes into a JID",
       "RFC7247-6.2-1 RFC7247-6.2-c20 RFC7247-6.2-c23 RFC7247-6.2-c26 "
       "RFC7247-6.2-c27 RFC7247-6.2-c2f RFC7247-6.2-c5b RFC7247-6.2-c7c",
       [](Stanza& p) {
         if (!p.out()) return;
         edit_localparts(p, [](const std::string& local) { return interworking::to_uri({local, "x", {}}).user; });
       },
       gateways},
  };
}

}  // namespace cutover::departures
