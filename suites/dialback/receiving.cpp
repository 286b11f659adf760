// Dialback as the receiving server does it: whom it asks about a key, and what follows from each answer.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto kind = PartnerKind::dialback_over_tls;

/// A stream whose features inside TLS were read; a precondition of what is judged on it. Its certificate proves
/// nothing, for who proves its domain by a certificate need not be asked about (XEP-0220 section 2.2.1: "some
/// out-of-band method"); one that does where the subject takes no other.
struct Begun {
  std::optional<PeerStream> stream;
  bool proved = false;
  explicit operator bool() const { return stream.has_value(); }
  PeerStream* operator->() { return &*stream; }
  PeerStream& operator*() { return *stream; }
};

Begun inside_tls(Negotiation& n, xml::Element* features = nullptr) {
  Begun begun{n.secured(kind, *n.certificate(kind, tls::Flaw::self_signed), features)};
  if (!begun) begun = {n.secured(kind, *n.certificate(kind), features), true};
  (void)GIVEN(begun, "the subject offers features inside TLS");
  return begun;
}

/// A precondition of what is judged once the key was asked about.
constexpr char asked_about[] = "the subject asks the authoritative server about the key";

std::string type_of(const std::optional<xml::Element>& answer) {
  return answer ? answer->attribute("type").value_or("no type") : "no answer";
}

/// Whether the features say that dialback errors are used (XEP-0220 section 2.4.2). A server without the feature may
/// know dialback all the same: its namespace in the header says so.
bool announces_errors(const xml::Element& features) {
  const auto* dialback = features.child("dialback", xmpp::ns::dialback_feature);
  return dialback != nullptr && dialback->child("errors", xmpp::ns::dialback_feature) != nullptr;
}

/// The stanzas among what came on a stream.
std::vector<std::string> stanzas_on(PeerStream& stream) {
  std::vector<std::string> names;
  for (const auto& item : stream.wire().items()) {
    const auto* element = std::get_if<xml::Element>(&item);
    if (element != nullptr && xmpp::is_stanza(*element)) names.push_back(element->name());
  }
  return names;
}

void verified(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "the-key"));
  const auto met = n.peer(kind).accepted_count();
  const auto request = n.answer_verify(kind, "valid", {}, &*stream);
  // Who begins a stream to the authoritative server, and does not come as far as its question, has another fault.
  if (!request && n.peer(kind).accepted_count() > met && !GIVEN(stream->has_result(), asked_about)) return;
  const bool by_certificate = !request && stream.proved && stream->has_result();
  if (!CONFORMS("XEP0220-2.2.1-1", "what proved the identity of the peer",
                request          ? "the answer of the authoritative server"
                : by_certificate ? "its certificate"
                                 : "nothing",
                Ne("nothing")))
    return;
  const auto verify = request.value_or(xml::Element("no question", ""));
  if (!CONFORMS("XEP0220-2.1.2-1", "the id in db:verify",
                by_certificate ? stream->id() : verify.attribute_or_empty("id"), Eq(stream->id())))
    return;
  if (request) {
    CONFORMS("XEP0220-2.1.2-1", "the addresses of db:verify",
             verify.attribute_or_empty("from") + " > " + verify.attribute_or_empty("to"),
             Eq(n.subject().domain() + " > " + n.domain(kind)));
    CONFORMS("XEP0220-2.1.2-1", "the key in db:verify", verify.text(), Eq("the-key"));
  }
  const auto answer = stream->await_element("result", xmpp::ns::dialback);
  if (!CONFORMS("XEP0220-2.2.1-4", "the type of the answer to db:result", type_of(answer), Eq("valid"))) return;
  stream->send(n.message(kind, "verified by dialback"));
  const auto arrived = [&] { return n.subject().received("verified by dialback") == 1; };
  (void)n.until(arrived);
  // Who takes the second one took the pair for verified: the first was lost, whatever it was.
  bool second_alone = false;
  if (!arrived() && !stream->is_over()) {
    stream->send(n.message(kind, "the second one"));
    second_alone = n.until([&] { return n.subject().received("the second one") == 1; });
  }
  if (!CONFORMS("RFC6120-10.5.4-1", "the second message of the verified pair arrived, and not the first", second_alone,
                Eq(false)))
    return;
  CONFORMS("RFC6120-4.3.2-6", "how often the message of the verified pair reached the user",
           n.subject().received("verified by dialback"), Eq(1U));
  // The other direction: what the user writes waits until the subject has negotiated for itself.
  n.subject().send_message(n.romeo(kind), "the other way");
  const auto own_way = n.goes_on_to(kind);
  if (GIVEN(own_way || !stanzas_on(*stream).empty(), "the subject goes on to its peer"))
    for (const auto* requirement : {"XEP0220-2.3-1", "RFC6120-13.6-2"})
      CONFORMS(requirement, "the stanzas that came on the stream of the peer", stanzas_on(*stream), testing::IsEmpty());
}

CUTOVER_CASE(valid){
    .id = "dialback.verified",
    .title =
        "A key is sent to the authoritative server with the id of the stream; valid lets the pair's stanzas through",
    .procedure =
        "Send db:result inside TLS, with a certificate that proves nothing; answer the db:verify that comes to the "
        "domain's server, send a message; let the user write back.",
    .accepted =
        "Any further attribute; a verify over a stream that is open already; no verify where the subject takes only "
        "certificates that prove the domain; what the user writes on any stream of the subject's own.",
    .likely_causes = "The id of the stream before TLS; addresses that are not swapped.",
    .judges = {{"XEP0220-2.2.1-1", {"xmpp.dialback-without-verifying"}},
               {"XEP0220-2.1.2-1", {"xmpp.verify-with-wrong-id", "xmpp.verify-without-key"}},
               {"XEP0220-2.2.1-4", {"xmpp.valid-result-not-sent"}},
               {"RFC6120-4.3.2-6", {"gateway.proxy-drops-inbound"}},
               {"RFC6120-10.5.4-1", {"xmpp.first-stanza-behind-an-outcome-lost"}},
               {"XEP0220-2.3-1", {"xmpp.answers-on-the-stream-received"}},
               {"RFC6120-13.6-2", {"xmpp.answers-on-the-stream-received"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = verified};

void invalid(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "a-forged-key"));
  const auto request = n.answer_verify(kind, "invalid");
  if (!GIVEN(request, asked_about)) return;
  if (!GIVEN(request->attribute_or_empty("id") == stream->id(), "it asks with the id of the stream")) return;
  const auto answer = stream->await_element("result", xmpp::ns::dialback);
  CONFORMS("XEP0220-2.2.1-4", "the type of the answer to db:result", type_of(answer), AnyOf("invalid", "error"));
  // A server that sends the error `forbidden` instead may leave the stream open (XEP-0220 sections 2.1.2 and 2.5).
  const bool error = type_of(answer) == "error";
  const bool ended = !error && stream->await_ending().ended();
  CONFORMS("XEP0220-2.2.1-6", "what became of the stream",
           error   ? "an error was sent instead"
           : ended ? "its end"
                   : "it stays",
           AnyOf("its end", "an error was sent instead"));
  if (!stream->wire().closed()) stream->send(n.message(kind, "forged"));
  if (!n.given_marker()) return;
  CONFORMS("XEP0220-2.2.1-5", "how often the message with the forged key reached the user",
           n.subject().received("forged"), Eq(0U));
}

CUTOVER_CASE(forged){
    .id = "dialback.forged-key",
    .title = "A key that the authoritative server calls invalid is reported, lets nothing through and ends the stream",
    .procedure = "Send db:result, answer the db:verify with invalid, send a message behind; then a marker.",
    .accepted = "db:result of type invalid and the end of the stream, or of type error; the message never arrives.",
    .likely_causes = "A pair that counts as verified once an answer came, whatever it says.",
    .judges = {{"XEP0220-2.2.1-4", {"xmpp.invalid-result-not-sent", "xmpp.invalid-result-told-as-valid"}},
               {"XEP0220-2.2.1-6", {"xmpp.open-after-invalid-result"}},
               {"XEP0220-2.2.1-5", {"xmpp.invalid-result-authorises", "xmpp.any-verify-answer-is-valid"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = invalid};

void unserved(Run& run) {
  Negotiation n(run);
  // With a verified pair: the first request of a stream may as well be refused like a header.
  xml::Element features;
  auto stream = inside_tls(n, &features);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "key"));
  const bool asked = n.answer_verify(kind, "valid").has_value();
  const bool paired = asked && type_of(stream->await_element("result", xmpp::ns::dialback)) == "valid";
  if (!GIVEN(paired, "the subject verifies a pair")) return;
  stream->send(db_result(n.domain(kind), "nobody.invalid", "key"));
  const auto answer = stream->await_element();
  const bool error_sent = answer && answer->is("result", xmpp::ns::dialback) && type_of(answer) == "error";
  CONFORMS_THAT("XEP0220-2.4.2-1", "the announcement of dialback errors", !error_sent || announces_errors(features),
                "<errors/> in the features of who sends them",
                !error_sent ? "no dialback error was sent" : "a dialback error, and no such feature");
  if (!CONFORMS("XEP0220-2.2.1-3", "what answered db:result for a domain that is not served",
                answer ? answer->name() : "no answer", Eq("result")))
    return;
  const auto* error = answer->child("error", xmpp::ns::server);
  const auto* condition = error == nullptr ? nullptr : error->first_child();
  CONFORMS("XEP0220-2.5-1", "the answer holds an error with a stanza error condition",
           condition != nullptr && condition->ns() == xmpp::ns::stanza_errors, Eq(true));
}

CUTOVER_CASE(not_served){
    .id = "dialback.unserved-target",
    .title = "A db:result for a domain that is not served is answered with a dialback error, and the stream stays open",
    .procedure = "On a stream with a verified pair send db:result to nobody.invalid.",
    .accepted = "db:result of type error with a stanza error condition, by a server that announces dialback errors.",
    .likely_causes = "The stream error host-unknown of the days before dialback errors.",
    .judges = {{"XEP0220-2.2.1-3", {"xmpp.unserved-result-ends-stream", "xmpp.unserved-result-accepted"}},
               {"XEP0220-2.5-1", {"xmpp.dialback-error-without-condition"}},
               {"XEP0220-2.4.2-1", {"xmpp.dialback-not-advertised", "xmpp.dialback-errors-not-advertised"}}},
    .needs = {Need::dialback},
    .body = unserved};

void unsolicited(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  // The advisory of 2012-08-21: an answer that nobody asked for must not open the door.
  for (const char* name : {"result", "verify"}) {
    stream->send(fmt::format("<db:{} from='{}' to='{}' id='{}' type='valid'/>", name, n.domain(kind),
                             n.subject().domain(), stream->id()));
  }
  stream->send(n.message(kind, "unsolicited"));
  if (!n.given_marker()) return;
  for (const auto* requirement : {"XEP0220-3.1-1/receiving", "SEC-DIALBACK-1"})
    CONFORMS(requirement, "how often the message of the unverified pair reached the user",
             n.subject().received("unsolicited"), Eq(0U));
}

CUTOVER_CASE(not_asked){
    .id = "security.unsolicited-dialback",
    .title = "Dialback answers that nobody asked for authorise nothing",
    .procedure =
        "Inside TLS send db:result and db:verify of type valid, then a message; then a marker on another stream.",
    .accepted = "Anything but the message's arrival.",
    .likely_causes = "CVE-2012-3525 and its relatives.",
    .judges = {{"XEP0220-3.1-1", {"xmpp.unsolicited-answer-authorises"}},
               {"SEC-DIALBACK-1", {"xmpp.unsolicited-answer-authorises"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = unsolicited};

void mismatched(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "key"));
  auto verify = n.asked(kind);
  if (!GIVEN(verify, asked_about)) return;
  verify->first.send(fmt::format("<db:verify from='{}' to='{}' id='another-stream' type='valid'/>", n.domain(kind),
                                 n.subject().domain()));
  verify->first.close();
  (void)n.until([&] { return verify->first.is_over(); });  // by then the answer has been handled
  stream->send(n.message(kind, "mismatched"));
  stream->close();
  (void)n.until([&] { return stream->is_over(); });
  // The first one may overtake a message for which the user must be called.
  if (!n.given_marker() || !n.given_marker()) return;
  CONFORMS("XEP0220-2.1.2-4/id", "how often the message of the unverified pair reached the user",
           n.subject().received("mismatched"), Eq(0U));
}

CUTOVER_CASE(other_id){
    .id = "dialback.answer-for-another-stream",
    .title = "An answer counts only for the stream whose id it names",
    .procedure = "Answer the db:verify with valid and another id; send a message on the stream; then a marker.",
    .accepted = "Silence, a dialback error, the end of the stream; the message does not arrive.",
    .likely_causes = "Answers that are matched by the connection or the domains alone.",
    .judges = {{"XEP0220-2.1.2-4", {"xmpp.verify-answer-not-matched"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = mismatched};

/// No text says how long a server may go on asking.
constexpr Duration further_tries_max = 150s;

void unreachable(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "key"));
  auto verify = n.asked(kind);
  if (!GIVEN(verify, asked_about)) return;
  verify->first.wire().abort();
  const auto answer = stream->await_element("result", xmpp::ns::dialback, further_tries_max);
  CONFORMS("XEP0220-2.1.2-6", "the type of the answer to db:result", type_of(answer), Eq("error"));
}

CUTOVER_CASE(broken_off){
    .id = "dialback.verification-breaks-off",
    .title = "Where the authoritative server breaks off, the initiating server is told so by a dialback error",
    .procedure = "Send db:result; reset the connection on which db:verify came.",
    .accepted = "db:result of type error, at once or after further tries, however late.",
    .likely_causes = "A verification that nobody waits for any more; the initiator hangs.",
    .judges = {{"XEP0220-2.1.2-6", {"xmpp.verification-failure-silent"}}},
    .needs = {Need::dialback, Need::unmet_peers},
    .budget = 5min,
    .body = unreachable};

void authority_by_dns(Run& run) {
  Negotiation n(run);
  // The authoritative server is elsewhere: the address from which the stream comes proves nothing.
  const auto elsewhere = n.subject().free_host();
  auto& authority = n.subject().world().add("authority", elsewhere, std::make_unique<mocks::RawPeer>());
  n.subject().names().set("_xmpp-server._tcp." + n.domain(kind), dns::Type::srv, 60,
                          {"0 0 5269 elsewhere." + n.domain(kind)});
  n.subject().names().set("elsewhere." + n.domain(kind), dns::Type::a, 60, {n.subject().world().address_of(elsewhere)});
  auto stream = inside_tls(n);
  if (!stream) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "key"));
  (void)n.until(
      [&] { return authority.accepted_count() > 0 || n.peer(kind).accepted_count() > 0 || stream->has_result(); });
  const bool by_certificate = stream.proved && stream->has_result() && authority.accepted_count() == 0;
  if (by_certificate && !GIVEN(n.peer(kind).accepted_count() > 0, asked_about)) return;
  CONFORMS("XEP0220-2.1.2-2", "where the subject asked about the key",
           authority.accepted_count() > 0      ? "at the host that DNS names"
           : n.peer(kind).accepted_count() > 0 ? "at the peer that sent it"
                                               : "nowhere",
           Eq("at the host that DNS names"));
}

CUTOVER_CASE(by_dns){.id = "dialback.authority-by-dns",
                     .title = "The authoritative server is the one that DNS names, not the peer that sent the key",
                     .procedure = "Let the zone name another host; send db:result; see which of the two is asked.",
                     .accepted = "A connection to the host that the SRV record names.",
                     .likely_causes = "The peer's address used again.",
                     .judges = {{"XEP0220-2.1.2-2", {"xmpp.verifies-at-peer-address"}}},
                     .needs = {Need::dialback, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
                     .body = authority_by_dns};

void against_policy(Run& run) {
  Negotiation n(run);
  constexpr auto external = PartnerKind::sasl_external;
  auto stream = n.secured(external, *n.certificate(external, tls::Flaw::wrong_name));
  if (!GIVEN(stream, "the subject offers features inside TLS")) return;
  stream->send(db_result(n.domain(external), n.subject().domain(), "key"));
  const auto asked = n.accepted(external);
  CONFORMS("SEC-DIALBACK-8", "the authoritative server was asked about the key", asked.has_value(), Eq(false));
}

CUTOVER_CASE(switched_off){
    .id = "dialback.switched-off",
    .title = "Where dialback is switched off for a partner, db:result authorises nothing and nobody is asked",
    .procedure = "As a partner that must use EXTERNAL, with a certificate of another name: send db:result.",
    .accepted = "A dialback error, the end of the stream; no connection to the authoritative server.",
    .likely_causes = "A policy that hides the feature and still answers the element.",
    .judges = {{"SEC-DIALBACK-8", {"xmpp.dialback-against-policy"}}},
    .needs = {Need::sasl_external, Need::partner_list},
    .live = false,
    .body = against_policy};

}  // namespace
}  // namespace cutover::suites
