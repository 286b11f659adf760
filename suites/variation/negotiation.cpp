// Negotiations that a peer leads in every form that the texts allow, and in forms that they forbid.
#include "suites/support/variation.h"
#include "suites/support/varied_peer.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;

constexpr char established[] = "a stream that is led as usual carries a message to the user";

const Grammar& by_external() {
  static const Grammar grammar({"connection", "header", "starttls", "auth"});
  return grammar;
}
const Grammar& by_dialback() {
  static const Grammar grammar({"connection", "header", "starttls", "result"}, {"an RSA key"});
  return grammar;
}

/// One stream for each.
void judge_legal(Run& run, PartnerKind kind, const Grammar& grammar) {
  VariedPeer peer(run, make_subject(run), kind);
  Variation(run, grammar, established, 1, [&](const std::vector<Combination>& all) {
    std::vector<Tried> results;
    for (const auto& one : all) {
      auto led = peer.negotiate(grammar, one);
      auto& result = results.emplace_back();
      if (!led.ready) {
        result.refused = led.got;
        result.refused_for = refused_for_cuts(led.got);
      } else if (!peer.marker_passes(*led.stream, grammar, one)) {
        result.refused = "no message came to the user";
      }
      if (led.stream) peer.end(*led.stream, grammar, one);
    }
    return results;
  }).judge();
}

void legal_by_external(Run& run) { judge_legal(run, PartnerKind::sasl_external, by_external()); }
void legal_by_dialback(Run& run) { judge_legal(run, PartnerKind::dialback_over_tls, by_dialback()); }

constexpr char what_is_done[] =
    "A stream for each combination of TLS version and key, forms of the header, <starttls/> and what authenticates, "
    "and "
    "cuts of what is sent (`--depth`), and a message on it. What fails is tried again with less of it, until nothing "
    "can be left out.";
constexpr char what_is_accepted[] = "The message reaches the user. A failure names the smallest combination.";

CUTOVER_CASE(external){
    .id = "variation.negotiation-by-external",
    .title = "A peer that authenticates by EXTERNAL is understood in whatever form it writes",
    .procedure = what_is_done,
    .accepted = what_is_accepted,
    .likely_causes = "Tags that are compared as text; addresses that are compared before they are prepared.",
    .judges = {{"RFC9325-3.1.1-2", {"xmpp.tls-1.2-not-spoken"}},
               {"RFC6120-13.8.4-1", {"xmpp.rsa-peers-refused"}},
               {"SEC-SMUGGLE-7", {"xmpp.misreads-cuts", "xmpp.puts-off-small-writes"}},
               {"RFC6120-11.8-1",
                {"xmpp.single-quotes-only", "xmpp.declaration-demanded", "xmpp.encoding-in-capitals-only"}},
               {"RFC6120-4.8.2-2", {"xmpp.stream-prefix-demanded"}},
               {"XEP0220-2-1", {"xmpp.dialback-prefix-demanded"}},
               {"RFC7622-3.2.2-1", {"xmpp.addresses-compared-as-written"}},
               {"RFC7622-3.2-2", {"xmpp.addresses-compared-as-written"}},
               {"RFC6120-11.1-6", {"xmpp.references-refused"}},
               {"RFC6120-4.7.5-4", {"xmpp.version-1.0-only"}},
               {"RFC6120-4.7.5-2", {"xmpp.version-1.0-only"}},
               {"RFC6120-4.7.4-3", {"xmpp.language-demanded", "xmpp.private-languages-refused"}},
               {"RFC6120-4.7.3-4", {"xmpp.initial-id-refused"}},
               {"RFC6120-5.4.2.1-1", {"xmpp.starttls-by-its-prefix"}},
               {"RFC6120-6.2-1", {"xmpp.auth-by-its-prefix"}},
               {"XEP0178-3-3", {}},
               {"RFC6120-6.3.10-1", {"xmpp.initial-response-demanded"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 2min,
    .body = legal_by_external};

CUTOVER_CASE(dialback){
    .id = "variation.negotiation-by-dialback",
    .title = "A peer that authenticates by dialback is understood in whatever form it writes",
    .procedure = what_is_done,
    .accepted = what_is_accepted,
    .likely_causes = "Dialback elements that are known by the prefix db; keys that are read as they are written.",
    .judges = {{"RFC9325-3.1.1-2", {"xmpp.tls-1.2-not-spoken"}},
               {"SEC-SMUGGLE-7", {"xmpp.misreads-cuts", "xmpp.puts-off-small-writes"}},
               {"RFC6120-11.8-1", {"xmpp.single-quotes-only"}},
               {"RFC6120-4.8.2-2", {"xmpp.stream-prefix-demanded"}},
               {"XEP0220-2-1", {"xmpp.dialback-prefix-demanded"}},
               {"RFC7622-3.2.2-1", {"xmpp.addresses-compared-as-written"}},
               {"RFC7622-3.2-2", {"xmpp.addresses-compared-as-written"}},
               {"RFC6120-11.1-6", {"xmpp.references-refused"}},
               {"RFC6120-4.7.5-4", {"xmpp.version-1.0-only"}},
               {"RFC6120-4.7.5-2", {"xmpp.version-1.0-only"}},
               {"RFC6120-4.7.4-3", {"xmpp.language-demanded", "xmpp.private-languages-refused"}},
               {"RFC6120-4.7.3-4", {"xmpp.initial-id-refused"}},
               {"RFC6120-5.4.2.1-1", {"xmpp.starttls-by-its-prefix"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = legal_by_dialback};

/// What came of a negotiation that should not come to its end.
Refused refused(VariedPeer& peer, const Grammar& grammar, const Combination& one) {
  // What must not be taken is not waited for: a message tells.
  auto led = peer.negotiate(grammar, one, one == grammar.usual() ? Pace::patient : Pace::quick);
  Refused result;
  if (!led.stream) return result;
  if (!led.ready && !led.stream->is_over() && led.got.starts_with("in answer to db:result")) {
    result.taken = peer.marker_slips_through(*led.stream);
    result.goes_on = !led.stream->is_over();
  }
  if (led.ready) {
    result.taken = peer.marker_passes(*led.stream, grammar, one);
    peer.end(*led.stream, grammar, one);
    return result;
  }
  result.taken |= led.got.starts_with("in answer to the header behind SASL");
  if (const auto failure = led.got.find(" failure "); failure != std::string::npos)
    result.sasl_condition = led.got.substr(failure + 9);
  if (result.sasl_condition.empty() && !result.goes_on) result.ending = led.stream->await_ending();
  peer.end(*led.stream, grammar, one);
  return result;
}

void forbidden_by_external(Run& run) {
  VariedPeer peer(run, make_subject(run), PartnerKind::sasl_external);
  static const Grammar grammar({"header", "auth"});
  judge_refusals(run, grammar, established, [&](const Combination& one) { return refused(peer, grammar, one); });
}

CUTOVER_CASE(forbidden){
    .id = "variation.refused-headers",
    .title = "A header or <auth/> of a form that no text allows is refused, and its twin is taken",
    .procedure =
        "A stream for each forbidden value of header and <auth/>, otherwise as usual; before and behind them one with "
        "nothing out of the usual, which carries a message.",
    .accepted =
        "What the requirement of each has: a stream error and the end of the stream, a failure of SASL, or in whatever "
        "way not to be taken. Which condition is another check.",
    .likely_causes = "An XML parser with its defaults; a base64 decoder that skips what it does not know.",
    .judges = {{"RFC6120-11.6-2", {"xmpp.other-encodings-accepted"}},
               {"RFC6120-4.9.3.22-1", {}},
               {"RFC6120-11.5-4", {"xmpp.no-stream-error"}},
               {"RFC6120-4.9.3.13-1", {"xmpp.wrong-stream-condition"}},
               {"RFC6120-11.1-2", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-3", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-4", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-7", {}},
               {"RFC6120-11.1-5", {"xmpp.no-stream-error"}},
               {"RFC6120-11.3-2", {"xmpp.no-stream-error"}},
               {"RFC6120-11.3-3", {"xmpp.no-stream-error"}},
               {"RFC6120-4.8.5-1", {"xmpp.odd-headers-unanswered"}},
               {"RFC6120-4.7.1-4", {"xmpp.odd-headers-unanswered"}},
               {"RFC6120-6.5.7-1", {}},
               {"RFC6120-13.9.1-2", {"xmpp.bad-base64-accepted"}},
               {"RFC6120-13.9.1-1", {"xmpp.bad-base64-accepted"}},
               {"RFC6120-6.5.5-1", {}},
               {"RFC6120-6.3.8-2", {"xmpp.foreign-authzid-accepted"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 2min,
    .body = forbidden_by_external};

void forbidden_dialback(Run& run) {
  VariedPeer peer(run, make_subject(run), PartnerKind::dialback_over_tls);
  static const Grammar grammar({"result"});
  // Who proves its domain by a certificate need not be asked about (XEP-0220 section 2.2.1).
  peer.show(tls::Flaw::self_signed);
  if (!peer.negotiate().ready) {
    peer.show(tls::Flaw::none);
    (void)peer.negotiate();
    if (!GIVEN(peer.keys_asked_about() > 0, "the subject asks the authoritative server about the key")) return;
  }
  judge_refusals(run, grammar, established, [&](const Combination& one) { return refused(peer, grammar, one); });
}

CUTOVER_CASE(forbidden_keys){
    .id = "variation.refused-keys",
    .title = "A db:result of a form that no text allows authorises nobody, and its twin does",
    .procedure =
        "A stream for each forbidden value of db:result, otherwise as usual; before and behind them one with nothing "
        "out of the usual, which carries a message.",
    .accepted = "Whatever leaves the pair unauthorised; for a comment a stream error and the end of the stream.",
    .likely_causes = "Addresses that are taken from the header where they are missing.",
    .judges = {{"XEP0220-6.1-1", {"xmpp.takes-keys-without-addresses"}},
               {"RFC7622-4-1", {"xmpp.takes-keys-without-addresses"}},
               {"RFC6120-11.1-2", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-7", {}},
               {"XEP0220-2.2.1-5", {"xmpp.any-verify-answer-is-valid"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = forbidden_dialback};

}  // namespace
}  // namespace cutover::suites
