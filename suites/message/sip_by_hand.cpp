// RFC 3261 sections 17.1, 17.2 and 18, RFC 5626: connections and transactions below the text, from the place of the
// pool.
#include "suites/support/sip_by_hand.h"
#include "reference/gateway.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::Ne;
using testing::StartsWith;

constexpr char came[] = "a message of the partner's user comes to the pool";
const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

std::string condition_of(Federated& f, const std::string& id) {
  const auto error = f.error_for(id);
  return error ? error->condition : "no error";
}

void connections(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  const auto request = pool.request("MESSAGE", f.romeo_uri, "by name");
  if (!GIVEN(pool.said_and_answered(request).starts_with("2"), "a MESSAGE is answered 2xx")) return;
  const auto via = pool.answers(request).front().header_or_empty("Via");
  CONFORMS("RFC3261-18.2.1", "the Via of the answer to a request whose Via has a name", via,
           HasSubstr(";received=" + f.deployment.world().address_of(SipByHand::by_hand)));
  pool.say("\r\n\r\n");
  CONFORMS("RFC5626-4.4.1-1", "CRLF came for CRLF CRLF",
           f.until([&] { return pool.heard().ends_with("\r\n\r\n\r\n"); }), Eq(true));
  f.partner.send(f.message("one", {}, "m1"));
  const auto octets = [&] {
    return pool.node().accepted_count() == 0 ? std::string_view() : pool.node().accepted(0).received_in_tls();
  };
  if (!GIVEN(f.until([&] { return octets().ends_with("\r\n\r\none"); }), came)) return;
  if (!CONFORMS("RFC3261-18.3-2", "a MESSAGE with a text of three octets", std::string(octets()),
                testing::ContainsRegex("\r\n(Content-Length|l) ?: ?3\r\n")))
    return;
  const auto first = pool.asked("MESSAGE");
  if (!GIVEN(first.body == "one", "it can be read")) return;
  pool.answer(first, 200);
  f.partner.send(f.message("two", {}, "m2"));
  const auto second = pool.asked("MESSAGE", 2);
  if (!GIVEN(second.body == "two", "a second message comes")) return;
  CONFORMS("RFC3261-18-1", "the second MESSAGE came by the connection of the first",
           &pool.connection_of(first) == &pool.connection_of(second), Eq(true));
  pool.answer(second, 200);
}

CUTOVER_CASE(of_connections){
    .id = "message.sip-connections",
    .title =
        "A connection is used for the next request, its keep-alives are answered, and an answer says whence it came",
    .procedure =
        "From the place of the pool: a MESSAGE whose Via names the pool; CRLF CRLF. Then a partner's user sends two.",
    .accepted = "received beside that Via; CRLF; both messages by one connection.",
    .likely_causes = "A connection for each request; a Via that is repeated as it came.",
    .judges = {{"RFC3261-18.2.1", {"sip.no-received-parameter"}},
               {"RFC5626-4.4.1-1", {"sip.ignores-keep-alive"}},
               {"RFC3261-18.3-2", {"sip.content-length-too-small"}},
               {"RFC3261-18-1", {"sip.opens-a-connection-each-time"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 2s,
    .body = connections};

void strange_answers(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  f.partner.send(f.message("one", {}, "m1"));
  const auto request = pool.asked("MESSAGE");
  if (!CONFORMS("RFC7572-4-1", "the text of the first MESSAGE", request.body, Eq("one"))) return;
  // Of the same call, but of no request.
  pool.answer(request, 200, [&](sip::Message& answer) {
    answer.set_header("Via", "SIP/2.0/TLS gateway.contoso.example:5098;branch=" + pool.new_branch());
  });
  pool.answer(request, 404);
  CONFORMS("RFC3261-17.1.3", "the error for a message that was refused, behind a 200 to no request",
           condition_of(f, "m1"), Ne("no error"));
  f.partner.send(f.message("two", {}, "m2"));
  const auto second = pool.asked("MESSAGE", 2);
  if (!GIVEN(!second.method.empty(), came)) return;
  pool.connection_of(second).abort();
  CONFORMS("RFC3261-17.1.4", "the error for a message whose connection broke before its answer", condition_of(f, "m2"),
           Ne("no error"));
  f.partner.send(f.message("three", {}, "m3"));
  const auto third = pool.asked("MESSAGE", 3);
  if (CONFORMS("RFC7572-4-1", "the text of the MESSAGE behind it", third.body, Eq("three"))) pool.answer(third, 200);
}

CUTOVER_CASE(of_answers){
    .id = "message.sip-answers",
    .title = "An answer to no request answers none; where the connection breaks the sender is told",
    .procedure =
        "In the place of the pool: a MESSAGE gets 200 with another branch, then 404; the connection of the next one is "
        "reset before its answer.",
    .accepted = "An error for each of the two senders; the third message comes.",
    .likely_causes = "Answers found by their Call-ID; open requests forgotten with their connection.",
    .judges = {{"RFC3261-17.1.3", {"sip.believes-any-answer"}},
               {"RFC3261-17.1.4", {"sip.silent-about-lost-connections"}},
               {"RFC7572-4-1", {"gateway.drops-message-to-sip"}}},
    .needs = needs,
    .budget = 1h,
    .body = strange_answers};

void silence(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  f.partner.send(f.message("one", {}, "m1"));
  const auto request = pool.asked("MESSAGE");
  if (!GIVEN(!request.method.empty(), came)) return;
  const auto told = [&] { return f.error_stanza("m1") != nullptr; };
  CONFORMS("RFC3261-17.1.2.2", "the sender of a message without an answer was told within a minute",
           f.deployment.world().run_until(told, 60s), Eq(true));
}

CUTOVER_CASE(no_answer){.id = "message.sip-silence",
                        .title = "Where no answer comes the sender is told",
                        .procedure = "In the place of the pool: a MESSAGE of a partner's user gets no answer.",
                        .accepted = "An error for its sender within a minute; the text says 32 seconds.",
                        .likely_causes = "A request without an end holds its conversation for ever.",
                        .judges = {{"RFC3261-17.1.2.2", {"sip.never-gives-up"}}},
                        .needs = needs,
                        .live = false,
                        .budget = 1h,
                        .body = silence};

void by_two_ways(Run& run) {
  Federated f(run, Repeats::by_hand);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  const auto first = pool.request("MESSAGE", f.romeo_uri, "by two ways");
  auto second = first;
  second.set_header("Via", std::string("SIP/2.0/TLS ") + SipByHand::host + ":5061;branch=" + pool.new_branch());
  pool.say(first);
  pool.say(second);
  const bool both = f.until([&] { return pool.answers(first).size() == 2; });
  if (!GIVEN(both, "both are answered")) return;
  std::vector<int> statuses;
  for (const auto& answer : pool.answers(first)) statuses.push_back(answer.status);
  CONFORMS("RFC3261-482", "the answers to one MESSAGE by two ways", status_texts(statuses),
           testing::UnorderedElementsAre(StartsWith("2"), status_text(482)));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reaches the partner's user")) return;
  const auto copies =
      std::ranges::count_if(f.romeo.messages, [](const auto& m) { return body_of(m) == "by two ways"; });
  CONFORMS("RFC3261-482", "how often the partner's user got it", copies, Eq(1));
}

CUTOVER_CASE(merged){.id = "message.sip-by-two-ways",
                     .title = "A request that comes by two ways is taken once",
                     .procedure = "From the place of the pool: a MESSAGE, and at once the same with another branch.",
                     .accepted = "2xx and 482; one stanza.",
                     .likely_causes = "Requests are told apart by their branch alone.",
                     .judges = {{"RFC3261-482", {"gateway.accepts-merged-requests"}}},
                     .needs = needs,
                     .budget = 1h,
                     .takes = 3s,
                     .body = by_two_ways};

void for_the_domain(Run& run) {
  Federated f(run);
  f.partner.send(xmpp::make_message(f.romeo_full, "contoso.example", "to the domain", {}, "d1"));
  CONFORMS("DEL-LOST", "the error for a message to the domain itself", condition_of(f, "d1"), Ne("no error"));
  auto nobody = f.pager("for a domain");
  nobody.request_uri = "sip:fabrikam.example";
  f.alice.send_raw(std::move(nobody));
  CONFORMS("DEL-LOST", "the answer to a MESSAGE for a domain", f.answer_to("for a domain"),
           AnyOf(StartsWith("4"), StartsWith("5"), StartsWith("6")));
  f.partner.send(xmpp::make_presence(f.romeo_bare, "contoso.example", "subscribe", "s1"));
  // Whoever is ours may: what is refused is refused because nobody is there.
  auto settings = f.deployment.gateway().settings();
  settings.policies.global = {true, true};
  f.deployment.gateway().apply(std::move(settings));
  f.partner.send(xmpp::make_message(f.romeo_full, "nobody@contoso.example", "to nobody", {}, "n1"));
  CONFORMS("DEL-LOST", "the error for a message to a user who is not there", condition_of(f, "n1"), Ne("no error"));
  f.alice.send_message("sip:romeo@stranger.example", "to a stranger");
  CONFORMS("DEL-LOST", "the answer to a MESSAGE to a domain that is no partner", f.answer_to("to a stranger"),
           AnyOf(StartsWith("4"), StartsWith("5"), StartsWith("6")));
  if (!f.given_markers()) return;
  CONFORMS("DEL-LOST", "how many texts the SIP user got, the marker among them", f.alice.texts().size(), Eq(1U));
}

CUTOVER_CASE(domains){
    .id = "message.for-nobody",
    .title =
        "A message for a domain, for a user who is not there or for a stranger's reaches no user, and its sender is "
        "told",
    .procedure =
        "A partner's user writes and subscribes to our domain, and writes to a user who is not there; a SIP user "
        "writes to the partner's domain and to a user of a domain that is no partner.",
    .accepted = "A stanza error, a refusal, of whoever on the way.",
    .likely_causes = "An empty name is a name, or nobody's; each leaves the refusal to the other.",
    .judges = {{"DEL-LOST", {"gateway.swallows-errors"}}},
    .needs = needs,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = for_the_domain};

void foreign_errors(Run& run) {
  Federated f(run);
  auto& other = f.deployment.partner("litware.example");
  const auto error_by = [](const xml::Element& refused, const std::string& from) {
    auto error = xmpp::make_error(refused, "item-not-found").value_or(xml::Element());
    error.set_attribute("from", from);
    return error;
  };
  if (!GIVEN(f.marker_reaches_romeo() && f.marker_reaches_alice(), "messages pass both ways")) return;
  other.send_message("juliet", f.alice_jid, "warms the stream up");
  if (!GIVEN(f.until([&] { return f.alice.texts().size() == 2; }), "a message of another partner's user comes")) return;
  const auto stanza = f.stanza_for(f.pager("to romeo"));
  if (!GIVEN(stanza.has_value(), "a message reaches the partner's user")) return;
  other.send(error_by(*stanza, "juliet@litware.example/home"));
  CONFORMS("PRAC-MSG-DEFER", "the answer to a MESSAGE that another partner's user refused", f.answer_to("to romeo"),
           StartsWith("2"));
  const auto again = f.stanza_for(f.pager("once more"));
  if (!GIVEN(again.has_value(), "a message reaches the partner's user")) return;
  f.partner.send(error_by(*again, f.romeo_bare));
  (void)GIVEN(f.answer_to("once more") == status_text(604) || f.answer_to("once more").starts_with("4"),
              "a refusal by who was written to is told");
}

CUTOVER_CASE(of_others){
    .id = "message.refused-by-a-stranger",
    .title = "A message is refused by who it went to, and by nobody else",
    .procedure =
        "A SIP user writes to a partner's user; a user of another partner sends an error with the id of that message. "
        "Then the same, refused by who was written to.",
    .accepted = "2xx; an error for the second.",
    .likely_causes = "Errors are found by their id alone.",
    .judges = {{"PRAC-MSG-DEFER", {"gateway.believes-foreign-errors"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 3s,
    .body = foreign_errors};

}  // namespace
}  // namespace cutover::suites
