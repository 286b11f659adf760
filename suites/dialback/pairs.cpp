// Several pairs of domains on one stream, and answers about them: each is verified by itself, by whom it concerns.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto kind = PartnerKind::dialback_over_tls;

std::string type_of(const std::optional<xml::Element>& answer) {
  return answer ? answer->attribute("type").value_or("no type") : "no answer";
}

/// One peer server with two domains, the second of which the subject has never met.
class Pairs {
 public:
  explicit Pairs(Negotiation& n) : first(n.domain(kind)), second(n.subject().another_peer(kind)), n_(n) {}

  const std::string first, second;

  /// A stream inside TLS with a certificate that proves nothing, so that keys are asked about; with a good one where
  /// the subject refuses such a peer, as it may.
  [[nodiscard]] std::optional<PeerStream> stream() {
    auto stream = n_.secured(kind, *n_.certificate(kind, tls::Flaw::self_signed));
    if (!stream) stream = n_.secured(kind, *n_.certificate(kind));
    (void)GIVEN(stream.has_value(), "the subject offers features inside TLS");
    return stream;
  }
  /// Sends a key of the domain's; the question about it, with the stream on which it came.
  [[nodiscard]] std::optional<std::pair<PeerStream, xml::Element>> ask(PeerStream& stream, const std::string& domain) {
    const auto key = fmt::format("key {}", ++keys_);
    stream.send(db_result(domain, n_.subject().domain(), key));
    while (auto asked = n_.asked(kind)) {
      if (asked->second.text() == key) return asked;
      asked->first.send(db_verify_answer(asked->second, "invalid"));
    }
    return std::nullopt;
  }
  /// Up to so many questions about keys, none of which is answered; fewer where the subject asks about one at a time.
  [[nodiscard]] std::vector<std::pair<PeerStream, xml::Element>> questions(std::size_t count) {
    std::vector<std::pair<PeerStream, xml::Element>> all;
    while (all.size() < count) {
      auto asked = n_.asked(kind);
      if (!asked) break;
      all.push_back(std::move(*asked));
    }
    return all;
  }
  /// ... and answers with that type; the type of the answer to db:result.
  [[nodiscard]] std::string verify(PeerStream& stream, const std::string& domain, std::string_view type) {
    auto asked = ask(stream, domain);
    if (asked) asked->first.send(db_verify_answer(asked->second, type));
    return type_of(stream.await_element("result", xmpp::ns::dialback));
  }
  /// A message of that domain's romeo to the user.
  void send(PeerStream& stream, const std::string& domain, const std::string& body) {
    if (!stream.wire().closed())
      stream.send(xmpp::make_message("romeo@" + domain, n_.subject().user(), body, "", body));
  }
  [[nodiscard]] bool arrives(PeerStream& stream, const std::string& domain, const std::string& body) {
    send(stream, domain, body);
    return n_.until([&] { return n_.subject().received(body) > 0; });
  }
  /// Sends a message that must not arrive, and proves that it was handled.
  [[nodiscard]] bool handled(PeerStream& stream, const std::string& domain, const std::string& body) {
    send(stream, domain, body);
    (void)n_.arrives(stream, body);
    return n_.given_marker();
  }

 private:
  Negotiation& n_;
  int keys_ = 0;
};

void multiplexed(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  if (!GIVEN(pairs.verify(*stream, pairs.first, "valid") == "valid", "the first pair is verified")) return;
  if (!CONFORMS("RFC6120-10.5.4-1", "the first message behind a key that was called valid arrived",
                pairs.arrives(*stream, pairs.first, "the first one"), Eq(true)))
    return;
  auto waiting = pairs.ask(*stream, pairs.second);
  if (!GIVEN(waiting, "the subject asks about the key of the second pair")) return;
  if (!CONFORMS("XEP0220-2.2.1-2", "a message of the first pair arrived while the second was being verified",
                pairs.arrives(*stream, pairs.first, "meanwhile"), Eq(true)))
    return;
  waiting->first.send(db_verify_answer(waiting->second, "valid"));
  const auto type = type_of(stream->await_element("result", xmpp::ns::dialback));
  if (!GIVEN(type == "valid", "the second pair is verified")) return;
  CONFORMS("SEC-DIALBACK-4", "a message of the second pair arrived once that was verified",
           pairs.arrives(*stream, pairs.second, "of the second"), Eq(true));
  CONFORMS("SEC-DIALBACK-4", "a message of the first pair arrived beside the second",
           pairs.arrives(*stream, pairs.first, "of the first"), Eq(true));
}

CUTOVER_CASE(side_by_side){
    .id = "dialback.pairs-on-one-stream",
    .title = "A second pair is verified on a stream while the first goes on, and both carry stanzas then",
    .procedure =
        "Verify a pair; a message of it; send the key of a second domain and let its verification wait; a message of "
        "the first pair; "
        "answer valid; a message of each.",
    .accepted = "Each message arrives; the answer to the second key once its verification is over.",
    .likely_causes = "One state of authentication for a whole stream; a reader that waits for a verification.",
    .judges = {{"RFC6120-10.5.4-1", {"xmpp.first-stanza-behind-an-outcome-lost"}},
               {"XEP0220-2.2.1-2", {"xmpp.verification-stalls-others"}},
               {"SEC-DIALBACK-4", {"xmpp.one-pair-a-stream"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = multiplexed};

/// From whom the user got the message with that text; "nobody" where it never came.
std::string sender_of(Negotiation& n, const std::string& body) {
  const auto user = n.subject().user();
  for (const auto& message : n.subject().account()->user(user.substr(0, user.find('@'))).messages)
    if (body_of(message) == body) return message.attribute_or_empty("from");
  return "nobody";
}

void users_of_each(Run& run) {
  Negotiation n(run, make_subject_with_account(run));
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  for (const auto& domain : {pairs.first, pairs.second})
    if (!GIVEN(pairs.verify(*stream, domain, "valid") == "valid", "both pairs are verified")) return;
  for (const auto& domain : {pairs.second, pairs.first}) {
    const auto body = "of " + domain;
    if (!GIVEN(pairs.arrives(*stream, domain, body), "messages of both pairs arrive")) return;
    CONFORMS("RFC6120-8.1.2.1-1", "the sender of a message of the user at " + domain, sender_of(n, body),
             Eq("romeo@" + domain));
  }
}

CUTOVER_CASE(users_of_each_pair){
    .id = "dialback.users-of-each-pair",
    .title = "What comes of a user of a further domain of a stream is said to come from there",
    .procedure = "Verify two pairs on one stream; a message of a user of each, whose localparts are alike.",
    .accepted = "Both messages, each from the address that it had.",
    .likely_causes = "A domain that is taken from the header, or from the key that came first.",
    .judges = {{"RFC6120-8.1.2.1-1", {"xmpp.senders-in-the-domain-of-the-header"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = users_of_each};

/// A question about a key, in words.
std::string question(const std::string& from, const std::string& to, const std::string& id, const std::string& key) {
  return fmt::format("{} asks {} about {} of stream {}", from, to, key, id);
}

std::vector<std::string> in_words(const std::vector<std::pair<PeerStream, xml::Element>>& questions) {
  std::vector<std::string> words;
  words.reserve(questions.size());
  for (const auto& [stream, asked] : questions)
    words.push_back(question(asked.attribute_or_empty("from"), asked.attribute_or_empty("to"),
                             asked.attribute_or_empty("id"), asked.text()));
  return words;
}

/// The pair that an answer to db:result is about, and its type.
std::string outcome(const std::optional<xml::Element>& answer) {
  return answer ? fmt::format("{} for {}", type_of(answer), answer->attribute_or_empty("to")) : "no answer";
}

void two_keys_of_one_stream(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  const auto us = n.subject().domain();
  stream->send(db_result(pairs.first, us, "the first key") + db_result(pairs.second, us, "the second key"));
  auto asked = pairs.questions(2);
  if (!GIVEN(!asked.empty(), "the subject asks about a key")) return;
  const auto expected = testing::IsSubsetOf({question(us, pairs.first, stream->id(), "the first key"),
                                             question(us, pairs.second, stream->id(), "the second key")});
  if (!CONFORMS("XEP0220-2.1.2-1", "the questions about two keys of one stream", in_words(asked), expected)) return;
  // That of the first pair is answered while the other one waits; a subject that asks about one at a time has one.
  std::stable_partition(asked.begin(), asked.end(),
                        [&](const auto& one) { return one.second.attribute_or_empty("to") == pairs.first; });
  const auto first = asked.front().second.attribute_or_empty("to");
  const auto second = first == pairs.first ? pairs.second : pairs.first;
  asked.front().first.send(db_verify_answer(asked.front().second, "valid"));
  if (!CONFORMS("XEP0220-2.2.1-4", "the outcome that was told first",
                outcome(stream->await_element("result", xmpp::ns::dialback)), Eq("valid for " + first)))
    return;
  if (asked.size() == 1) std::ranges::move(pairs.questions(1), std::back_inserter(asked));
  if (!CONFORMS("XEP0220-2.6.1-2", "how many keys of two domains on one stream were asked about", asked.size(), Eq(2U)))
    return;
  asked.back().first.send(db_verify_answer(asked.back().second, "valid"));
  CONFORMS("XEP0220-2.2.1-4", "the outcome that was told next",
           outcome(stream->await_element("result", xmpp::ns::dialback)), Eq("valid for " + second));
}

CUTOVER_CASE(keys_at_once){
    .id = "dialback.keys-of-one-stream",
    .title =
        "Two keys that come at once are each asked about for their own pair, and each pair is told its own outcome",
    .procedure =
        "Send the keys of two domains in one write; wait for the questions; answer the one about the first while the "
        "other waits, then that.",
    .accepted =
        "The questions in any order, on one connection or two, or the second once the first is answered; outcomes as "
        "the answers come.",
    .likely_causes = "A place for one key or one pair a stream; an outcome that is told to who asked last.",
    .judges = {{"XEP0220-2.1.2-1", {"xmpp.verifies-the-last-key"}},
               {"XEP0220-2.6.1-2", {"xmpp.second-pair-unanswered"}},
               {"XEP0220-2.2.1-4", {"xmpp.answers-the-last-pair"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = two_keys_of_one_stream};

void keys_of_two_streams(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  auto older = pairs.stream(), newer = pairs.stream();
  if (!older || !newer) return;
  const auto us = n.subject().domain();
  older->send(db_result(pairs.first, us, "the older key"));
  newer->send(db_result(pairs.first, us, "the newer key"));
  auto asked = pairs.questions(2);
  if (!GIVEN(!asked.empty(), "the subject asks about a key")) return;
  const auto expected = testing::IsSubsetOf({question(us, pairs.first, older->id(), "the older key"),
                                             question(us, pairs.first, newer->id(), "the newer key")});
  if (!CONFORMS("XEP0220-2.1.2-1", "the questions about keys of two streams", in_words(asked), expected)) return;
  const auto answer = [&](std::pair<PeerStream, xml::Element>& one) {
    const bool is_older = one.second.attribute_or_empty("id") == older->id();
    one.first.send(db_verify_answer(one.second, is_older ? "valid" : "invalid"));
  };
  for (auto& one : asked) answer(one);
  // Who allows a peer one stream ends the other, and who asks about one key at a time goes on to the other now.
  const auto settled = [&] { return newer->has_result() || newer->is_over(); };
  while (asked.size() < 2 && !settled()) {
    auto more = pairs.questions(1);
    if (more.empty()) break;
    answer(more.front());
    asked.push_back(more.front());
  }
  const auto told = [&](PeerStream& stream) {
    const auto result = stream.await_element("result", xmpp::ns::dialback);
    return !result && stream.is_over() ? "the end of the stream" : outcome(result);
  };
  CONFORMS("XEP0220-2.2.1-4", "the outcome on the stream whose key was called valid", told(*older),
           AnyOf("valid for " + pairs.first, "the end of the stream"));
  CONFORMS("XEP0220-2.2.1-4", "the outcome on the stream whose key was called invalid", told(*newer),
           AnyOf("invalid for " + pairs.first, "error for " + pairs.first, "the end of the stream"));
  if (!pairs.handled(*newer, pairs.first, "by the invalid key")) return;
  CONFORMS("XEP0220-2.2.1-5", "how often a message arrived on the stream whose key was called invalid",
           n.subject().received("by the invalid key"), Eq(0U));
}

CUTOVER_CASE(keys_beside){
    .id = "dialback.keys-of-two-streams",
    .title = "Of two streams of one domain that wait for their verification each has its own key and outcome",
    .procedure =
        "On two streams of one domain send a key each; wait for the questions; call the older key valid and the newer "
        "one invalid; a message on the stream of that; a marker.",
    .accepted =
        "The questions in any order, or one behind the other; valid, and invalid or error, each on its stream; the "
        "end of either stream. The message never arrives.",
    .likely_causes = "Verifications that are kept by the names of the two domains, and not by the id of the stream.",
    .judges = {{"XEP0220-2.1.2-1", {"xmpp.verifies-the-last-key"}},
               {"XEP0220-2.2.1-4", {"xmpp.outcomes-by-name"}},
               {"XEP0220-2.2.1-5", {"xmpp.invalid-result-authorises"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = keys_of_two_streams};

void unverified_sender(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  const auto below = "rooms." + pairs.first;
  for (const auto& [sender, body] : {std::pair(pairs.second, "of another domain"), std::pair(below, "from below")}) {
    auto stream = pairs.stream();
    if (!stream) return;
    if (!GIVEN(pairs.verify(*stream, pairs.first, "valid") == "valid", "a pair is verified")) return;
    if (!GIVEN(pairs.arrives(*stream, pairs.first, fmt::format("before one {}", body)),
               "a message of the verified pair arrived"))
      return;
    pairs.send(*stream, sender, body);
    const auto ending = stream->await_ending();
    CONFORMS("RFC6120-8.1.2.2-2", fmt::format("what came of a message {}", body), ending, HasEndedWithAnError());
    if (!n.given_marker()) return;
    const auto requirements =
        sender == below ? std::vector{"SEC-FROM-SPOOF-1"} : std::vector{"XEP0220-2.6.1-2", "SEC-DIALBACK-4"};
    for (const auto* requirement : requirements)
      CONFORMS(requirement, fmt::format("how often the message {} arrived", body), n.subject().received(body), Eq(0U));
  }
}

CUTOVER_CASE(each_its_own){
    .id = "dialback.pair-not-verified",
    .title = "A verified pair lets no other domain of the same server in, nor one below the verified one",
    .procedure =
        "Verify a pair; a message of it, which arrives; then a message of another domain, and on a further stream one "
        "of a domain below the first. A marker behind each.",
    .accepted = "invalid-from, or another stream error, and the end of the stream; the messages never arrive.",
    .likely_causes = "One state of authentication for a whole stream; names compared by their endings.",
    .judges = {{"RFC6120-8.1.2.2-2", {"xmpp.spoofed-from-delivered", "xmpp.no-stream-error"}},
               {"XEP0220-2.6.1-2", {"xmpp.spoofed-from-delivered"}},
               {"SEC-DIALBACK-4", {"xmpp.spoofed-from-delivered"}},
               {"SEC-FROM-SPOOF-1", {"xmpp.names-below-taken-for-their-parent"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = unverified_sender};

void later_invalid(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  const bool verified = pairs.verify(*stream, pairs.first, "valid") == "valid";
  if (!GIVEN(verified, "the first pair is verified")) return;
  if (!GIVEN(pairs.arrives(*stream, pairs.first, "before it"), "a message of the first pair arrived")) return;
  auto asked = pairs.ask(*stream, pairs.second);
  if (!GIVEN(asked, "the subject asks about the key of the second pair")) return;
  asked->first.send(db_verify_answer(asked->second, "invalid"));
  const auto type = type_of(stream->await_element("result", xmpp::ns::dialback));
  CONFORMS("SEC-DIALBACK-5", "the type of the answer to a key that proved invalid", type, Ne("valid"));
  // Who ends a stream for one invalid key leaves no pair in a doubtful state.
  if (!stream->is_over()) {
    const bool arrived = pairs.arrives(*stream, pairs.first, "of the first");
    if (!stream->is_over() || arrived)
      CONFORMS("SEC-DIALBACK-5", "a message of the first pair arrived behind the refusal of the second", arrived,
               Eq(true));
  }
  if (!pairs.handled(*stream, pairs.second, "of the refused")) return;
  CONFORMS("SEC-DIALBACK-5", "how often a message of the pair arrived whose key proved invalid",
           n.subject().received("of the refused"), Eq(0U));
}

CUTOVER_CASE(refused_alone){
    .id = "dialback.pair-refused-alone",
    .title = "A key that proves invalid refuses its own pair, and no other one of the stream",
    .procedure = "Verify a pair; answer the question about the key of a second domain with invalid; a message of each.",
    .accepted =
        "db:result of type invalid or error, and the message of the first pair alone arrives; or the end of the "
        "stream.",
    .likely_causes = "One state of authentication for a whole stream.",
    .judges = {{"SEC-DIALBACK-5", {"xmpp.invalid-result-authorises", "xmpp.refusal-withdraws-all"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = later_invalid};

void verification_error(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  if (!GIVEN(pairs.verify(*stream, pairs.first, "valid") == "valid", "the first pair is verified")) return;
  auto asked = pairs.ask(*stream, pairs.second);
  if (!GIVEN(asked, "the subject asks about the key of the second pair")) return;
  const auto empty = db_verify_answer(asked->second, "error");
  asked->first.send(empty.substr(0, empty.rfind("/>")) +
                    "><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                    "</db:verify>");
  const auto result = stream->await_element("result", xmpp::ns::dialback);
  CONFORMS("XEP0220-2.2.1-4", "the outcome of a key about which an error was told",
           !result && stream->is_over() ? "the end of the stream" : outcome(result),
           AnyOf("error for " + pairs.second, "invalid for " + pairs.second, "the end of the stream"));
  if (!stream->is_over()) {
    const bool arrived = pairs.arrives(*stream, pairs.first, "of the first");
    if (!stream->is_over() || arrived)
      CONFORMS("SEC-DIALBACK-5", "a message of the first pair arrived behind the error about the second", arrived,
               Eq(true));
  }
  if (!pairs.handled(*stream, pairs.second, "of the unknown")) return;
  CONFORMS("SEC-DIALBACK-5", "how often a message of the pair arrived about whose key an error was told",
           n.subject().received("of the unknown"), Eq(0U));
}

CUTOVER_CASE(error_alone){
    .id = "dialback.verification-error",
    .title = "An error about a key is no word for it, and concerns no other pair of the stream",
    .procedure =
        "Verify a pair; answer the question about the key of a second domain with an error; a message of each pair.",
    .accepted =
        "db:result of type error or invalid, and the message of the first pair alone arrives; or the end of the "
        "stream.",
    .likely_causes = "Every answer but invalid taken for valid; one state of authentication for a whole stream.",
    .judges = {{"XEP0220-2.2.1-4", {"xmpp.verify-error-taken-for-valid"}},
               {"SEC-DIALBACK-5", {"xmpp.verify-error-taken-for-valid"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = verification_error};

/// The answer that the key is valid, in other forms than that of an empty element in single quotes.
std::string valid_in_form(const xml::Element& asked, std::string_view form) {
  const auto from = asked.attribute_or_empty("from"), to = asked.attribute_or_empty("to"),
             id = xml::escape(asked.attribute_or_empty("id"));
  if (form == "in double quotes")
    return fmt::format("<db:verify type=\"valid\"\n id=\"{}\" to=\"{}\" from=\"{}\" />", id, from, to);
  return fmt::format("<db:verify from='{}' to='{}' id='{}' type='valid'>{}</db:verify>", to, from, id,
                     form == "with the key" ? asked.text() : "");
}

void answers_in_forms(Run& run) {
  Negotiation n(run);
  Pairs pairs(n);
  for (const auto& [requirement, form] : {std::pair("RFC6120-11.8-1", "in double quotes"),
                                          {"RFC6120-11.8-1", "with an end tag"},
                                          {"XEP0220-2.2.2-5", "with the key"}}) {
    auto stream = pairs.stream();
    if (!stream) return;
    auto asked = pairs.ask(*stream, pairs.first);
    if (!GIVEN(asked, "the subject asks about a key")) return;
    asked->first.send(valid_in_form(asked->second, form));
    CONFORMS(requirement, fmt::format("the outcome of a key that was called valid {}", form),
             outcome(stream->await_element("result", xmpp::ns::dialback)), Eq("valid for " + pairs.first));
  }
}

CUTOVER_CASE(answer_forms){
    .id = "dialback.forms-of-answers",
    .title = "An answer about a key is understood in whatever form it is written",
    .procedure =
        "Send a key three times; answer the questions with valid: in double quotes and another order, with an end tag, "
        "and with the key.",
    .accepted = "db:result of type valid each time.",
    .likely_causes = "Answers that are searched as text.",
    .judges = {{"RFC6120-11.8-1", {"xmpp.verify-answers-by-text"}},
               {"XEP0220-2.2.2-5", {"xmpp.verify-answers-by-text"}}},
    .needs = {Need::dialback},
    .budget = 2min,
    .body = answers_in_forms};

void answered_by_the_peer(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  Pairs pairs(n);
  if (pairs.first == pairs.second) run.unsupported("no second domain can be made");
  auto stream = pairs.stream();
  if (!stream) return;
  if (!GIVEN(pairs.verify(*stream, pairs.first, "valid") == "valid", "the peer's own pair is verified")) return;
  auto waiting = pairs.ask(*stream, pairs.second);
  if (!GIVEN(waiting, "the subject asks about the key of the second pair")) return;
  // The stream on which the key came knows all that the right answer says.
  stream->send(db_verify_answer(waiting->second, "valid"));
  if (!pairs.handled(*stream, pairs.second, "by its own word")) return;
  CONFORMS("SEC-DIALBACK-3", "how often a message arrived whose sender answered for its own key",
           n.subject().received("by its own word"), Eq(0U));
  auto twin = pairs.stream();
  if (!twin) return;
  if (GIVEN(pairs.verify(*twin, pairs.second, "valid") == "valid",
            "the second pair is verified where the answer comes from whom was asked"))
    (void)GIVEN(pairs.arrives(*twin, pairs.second, "by the right word"), "its message arrived");
}

CUTOVER_CASE(not_asked){
    .id = "security.dialback-answered-by-the-peer",
    .title = "An answer to db:verify counts on the stream alone on which it was asked",
    .procedure =
        "Verify a pair; send the key of a second domain, let the question about it wait, and send the answer to it on "
        "the stream of the key; a message of that domain; a marker. Then the same with the answer where it was asked, "
        "which lets the message through.",
    .accepted = "A stream error, or no notice; the message never arrives.",
    .likely_causes = "Answers that are matched by domains and id alone (CVE-2012-3525).",
    .judges = {{"SEC-DIALBACK-3", {"xmpp.unsolicited-answer-authorises"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 2min,
    .body = answered_by_the_peer};

void on_which_connection(Run& run) {
  Negotiation n(run);
  Pairs pairs(n);
  auto stream = pairs.stream();
  if (!stream) return;
  stream->send(db_verify(n.domain(kind), n.subject().domain(), "some-id", "some-key"));
  CONFORMS("RFC6120-4.5-2", "what came on the connection on which db:verify was sent",
           goes_on_with(stream->await_element()), Eq("verify"));
  auto other = pairs.stream();
  if (!other || !GIVEN(pairs.ask(*other, pairs.first), "the subject asks the authoritative server about the key"))
    return;
  CONFORMS("XEP0288-2.2-3", "db:verify came on the connection on which the key had come",
           other->wire().take_element("verify", xmpp::ns::dialback).has_value(), Eq(false));
}

CUTOVER_CASE(connections){
    .id = "dialback.connections",
    .title = "A question about a key is answered where it was asked, and never asked where the key came from",
    .procedure = "On a stream of the peer's: db:verify; on another one: db:result, which the subject asks about.",
    .accepted = "db:verify of any type on the first stream, none on the second.",
    .likely_causes = "Answers that are routed like stanzas; a verification over whatever stream is open.",
    .judges = {{"RFC6120-4.5-2", {"xmpp.verify-not-answered"}}, {"XEP0288-2.2-3", {"xmpp.verifies-where-it-came"}}},
    .needs = {Need::dialback},
    .budget = 1min,
    .body = on_which_connection};

void same_wrong_certificate(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  const auto wrong = n.certificate(kind, tls::Flaw::wrong_name);
  auto stream = n.secured(kind, *wrong);
  bool valid = false;
  if (stream) {
    stream->send(db_result(n.domain(kind), n.subject().domain(), "a-key"));
    // Both ends of the domain show the same certificate, which is another name's: the key decides alone.
    if (const auto asked = n.answer_verify(kind, "invalid", "a-key", &*stream); !asked)
      valid = type_of(stream->await_element("result", xmpp::ns::dialback)) == "valid";
  }
  CONFORMS("XEP0344-2.6-1", "a key was called valid without a question, by a certificate of another name", valid,
           Eq(false));
}

CUTOVER_CASE(same_certificate){
    .id = "dialback.certificate-of-another-name",
    .title = "A certificate of another name is no short cut for a key",
    .procedure = "Send db:result on a stream with a certificate of another name; answer a question with invalid.",
    .accepted =
        "A question to the authoritative server, an error, a refused handshake; never valid without a question.",
    .likely_causes = "Certificates that are compared with each other, and not with the domain.",
    .judges = {{"XEP0344-2.6-1", {"xmpp.dialback-without-verifying"}}},
    .needs = {Need::dialback, Need::user_account, Need::authority},
    .budget = 1min,
    .body = same_wrong_certificate};

void connection_lost(Run& run) {
  Negotiation n(run);
  auto stream = n.called(kind, "lost on its way");
  if (!GIVEN(stream && n.lead_to_tls(*stream, *n.certificate(kind), dialback_offered) && stream->await_element(),
             "the subject sends its key"))
    return;
  stream->wire().abort();
  // It may try again before it gives up.
  const bool again = n.goes_on_to(kind);
  CONFORMS("XEP0220-2.1.1-9", "what became of a message whose stream was lost while its key was being verified",
           again ? "tried again" : n.told("lost on its way"), Ne("nothing"));
}

CUTOVER_CASE(lost){
    .id = "dialback.own-key-unanswered",
    .title = "Where the connection breaks while a key is being verified, the stanza is sent again or returned",
    .procedure = "Let the user write; read the subject's key; reset the connection.",
    .accepted = "A further connection, or an error for the user, however late.",
    .likely_causes = "A queue that is dropped with its stream.",
    .judges = {{"XEP0220-2.1.1-9", {"xmpp.undeliverable-silent"}}},
    .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
    .budget = 5min,
    .body = connection_lost};

void known_in_clear(Run& run) {
  Negotiation n(run);
  if (!n.given_marker()) return;
  auto clear = n.connect(kind);
  if (!GIVEN(clear.open(), "the subject answers a header with features")) return;
  clear.send(db_result(n.domain(kind), n.subject().domain(), "key in clear"));
  // Where the policy lets it, the subject asks about the key at once.
  (void)n.answer_verify(kind, "valid", "key in clear", &clear);
  (void)clear.await_element("result", xmpp::ns::dialback);
  if (clear.start_tls(*n.certificate(kind)) && clear.open()) {
    // Who carries the request over asks now, and says what came of it; the message must not overtake that.
    if (n.answer_verify(kind, "valid", "key in clear")) (void)clear.await_element("result", xmpp::ns::dialback);
    clear.send(n.message(kind, "known from before TLS"));
    (void)n.until([&] { return n.subject().received("known from before TLS") > 0 || clear.is_over(); });
  }
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-5.4.3.3-2", "how often a message arrived inside TLS whose sender was verified in clear alone",
           n.subject().received("known from before TLS"), Eq(0U));
}

CUTOVER_CASE(before_tls){
    .id = "security.knowledge-from-before-tls",
    .title = "What dialback proved in clear is forgotten inside TLS",
    .procedure =
        "In clear: db:result, and valid where the subject asks about the key; then STARTTLS, a new header, a message; "
        "a "
        "marker.",
    .accepted =
        "A refusal of dialback or of STARTTLS, a stream error, or no notice of the message, which does not arrive.",
    .likely_causes = "A set of verified pairs that belongs to the connection instead of the stream.",
    .judges = {{"RFC6120-5.4.3.3-2", {"xmpp.pairs-kept-over-tls"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 1min,
    .body = known_in_clear};

}  // namespace
}  // namespace cutover::suites
