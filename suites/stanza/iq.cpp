// RFC 6120 section 8.2.3: an iq to a SIP user is answered once; an answer is never answered.
#include "protocol/xml/writer.h"
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

std::size_t answers(const Federated& f, const std::string& id) {
  const auto matches = [&](const xml::Element& stanza) { return stanza.attribute_or_empty("id") == id; };
  return static_cast<std::size_t>(std::ranges::count_if(f.romeo.iqs, matches) +
                                  std::ranges::count_if(f.romeo.errors, matches));
}

void iq(Run& run) {
  Federated f(run);
  f.partner.send(xmpp::make_iq(f.romeo_full, f.alice_jid, "get", "q1", xml::Element("query", "urn:example:unknown")));
  const auto error = f.error_for("q1");
  CONFORMS("RFC6120-8.2.3-iq", "the error that answers an iq get of an unknown kind",
           error ? error->condition : "no error", AnyOf("service-unavailable", "feature-not-implemented"));
  f.partner.send(xmpp::make_iq(f.romeo_full, f.alice_jid, "result", "r1"));
  if (!GIVEN(f.marker_reaches_alice() && f.marker_reaches_romeo(), "a later message went there and back")) return;
  CONFORMS("RFC6120-8.2.3-iq", "how many answers to the iq get came", answers(f, "q1"), Eq(1u));
  CONFORMS("RFC6120-8.2.3-iq2", "how many answers to the iq result came", answers(f, "r1"), Eq(0u));
}

CUTOVER_CASE(iq_answers){
    .id = "stanza.iq-answered-once",
    .title = "An iq to a SIP user gets exactly one answer, an iq result none",
    .procedure = "A partner's user sends an iq get of an unknown kind, then an iq result; then a marker.",
    .accepted = "service-unavailable or feature-not-implemented for the first; nothing for the second.",
    .likely_causes = "A gateway that knows message and presence only.",
    .judges = {{"RFC6120-8.2.3-iq", {"gateway.iq-unanswered", "gateway.iq-answered-twice"}},
               {"RFC6120-8.2.3-iq2", {"gateway.answers-iq-result"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = iq};

void disco(Run& run) {
  Federated f(run);
  constexpr char info[] = "http://jabber.org/protocol/disco#info";
  f.partner.send(xmpp::make_iq(f.romeo_full, "contoso.example", "get", "d1", xml::Element("query", info)));
  (void)f.until([&] { return answers(f, "d1") > 0; });
  const auto found = std::ranges::find_if(
      f.romeo.iqs, [](const xml::Element& stanza) { return stanza.attribute_or_empty("id") == "d1"; });
  const auto* query = found == f.romeo.iqs.end() ? nullptr : found->child("query", info);
  CONFORMS_THAT(
      "XEP0030-gw", "what the SIP domain answered to disco#info",
      query != nullptr && query->child("identity", info) != nullptr && query->child("feature", info) != nullptr,
      "a result with an identity and features", query == nullptr ? "no such result" : xml::write(*query));
}

CUTOVER_CASE(disco_of_the_gateway){.id = "stanza.gateway-disco",
                                   .title = "The SIP domain tells what its gateway maps",
                                   .procedure = "A partner's user asks the domain of the SIP users for disco#info.",
                                   .accepted = "A result with an identity and features.",
                                   .likely_causes = "A gateway that knows message and presence only.",
                                   .judges = {{"XEP0030-gw", {"gateway.disco-unanswered"}}},
                                   .needs = {Need::sip_side, Need::new_deployment},
                                   .budget = 1h,
                                   .body = disco};

}  // namespace
}  // namespace cutover::suites
