// Dialback as the authoritative server does it: which keys it calls its own. The keys are those of its own streams.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr auto kind = PartnerKind::dialback_over_tls;

/// A key of the subject, as it sent it on a stream to us.
struct Key {
  std::string text, stream_id, id_before_tls;
};

/// `ids`: what the id of our stream begins with.
std::optional<Key> key_of_subject(Negotiation& n, const std::string& ids) {
  auto stream = n.called(kind, "for a key");
  if (!stream) return std::nullopt;
  stream->call_streams(ids);
  if (!stream->answer_header(starttls_required)) return std::nullopt;
  const auto before_tls = stream->header().id;
  if (!stream->accept_tls(*n.certificate(kind)) || !stream->answer_header(dialback_offered)) return std::nullopt;
  const auto result = stream->await_element("result", xmpp::ns::dialback);
  if (!result) return std::nullopt;
  return Key{result->text(), stream->header().id, before_tls};
}

/// A question of a receiving server: is that its key for this stream?
struct Question {
  std::string from, to, id, key;
};

constexpr char no_answer[] = "no answer";

/// What the subject says of a key: the type of its answer, or how it ended.
std::string verdict(PeerStream& stream, const Question& question) {
  stream.send(db_verify(question.from, question.to, question.id, question.key));
  const auto answer = stream.await_element();
  if (!answer) return no_answer;
  if (answer->ns() == xmpp::ns::streams) return "stream error";
  if (!answer->is("verify", xmpp::ns::dialback)) return answer->name();
  return answer->attribute("type").value_or("no type");
}

/// The same; on another stream where this one has ended behind an earlier answer, as nothing forbids.
std::string verdict(Negotiation& n, std::optional<PeerStream>& stream, const Question& question) {
  auto said = verdict(*stream, question);
  if (said != no_answer || !stream->is_over()) return said;
  stream = n.secured(kind, *n.certificate(kind));
  return stream ? verdict(*stream, question) : said;
}

void own_keys(Run& run) {
  Negotiation n(run);
  const auto ours = n.subject().domain();
  // The class of CVE-2016-0756: an id that holds the subject's domain, so that the fields of the key, joined, are the
  // same for another domain and another id.
  const std::string before = "x", behind = "y";
  const auto key = key_of_subject(n, before + ours + behind);
  if (!GIVEN(key, "the subject sends a key on a stream of its own")) return;
  auto stream = n.secured(kind, *n.certificate(kind));
  if (!GIVEN(stream, "the subject offers features inside TLS")) return;
  const Question own{n.domain(kind), ours, key->stream_id, key->text};
  const auto with = [&](auto change) {
    auto changed = own;
    change(changed);
    return verdict(n, stream, changed);
  };
  stream->send(db_verify(own.from, own.to, own.id, own.key));
  const auto answer = stream->await_element();
  const auto name = answer ? answer->name() : no_answer;
  if (!CONFORMS("XEP0220-2.2.2-4", "what answered db:verify on an unauthenticated stream", name, Eq("verify"))) return;
  const auto type = answer->attribute_or_empty("type");
  // A key that was made for another id is rightly called invalid: the fault is in the making.
  const bool early = type == "invalid" && with([&](auto& q) { q.id = key->id_before_tls; }) == "valid";
  if (!CONFORMS("RFC6120-5.4.3.3-1/id", "the key is made from the id of the stream before TLS", early, Eq(false)))
    return;
  CONFORMS("XEP0220-2.2.2-1", "the type of the answer for its own key", type, Eq("valid"));
  CONFORMS("XEP0220-2.2.2-1", "the addresses of the answer",
           answer->attribute_or_empty("from") + " > " + answer->attribute_or_empty("to"), Eq(ours + " > " + own.from));
  CONFORMS("XEP0220-2.2.2-1", "the id of the answer", answer->attribute_or_empty("id"), Eq(own.id));
  const auto changed = with([](auto& q) { q.key += "0"; });
  if (!CONFORMS("XEP0220-2.2.2-1", "a second question was answered", changed != no_answer, Eq(true))) return;
  // Who has another word for what is not valid has it for each of these.
  if (!CONFORMS("XEP0220-2.2.2-3", "the answer for a changed key", changed, Eq("invalid")) && changed != "valid")
    return;
  CONFORMS("XEP0220-2.2.2-3", "the answer for the key of another stream", with([](auto& q) { q.id = "another"; }),
           Eq("invalid"));
  CONFORMS("XEP0220-2.2.2-3", "the answer for the key of another domain",
           with([](auto& q) { q.from = "another." + q.from; }), Eq("invalid"));
  CONFORMS("SEC-DIALBACK-6", "the answer for a domain and an id that, joined, are the same", with([&](auto& q) {
             q.from += ours + before;
             q.id = q.id.substr(before.size() + ours.size());
           }),
           Eq("invalid"));
  if (CONFORMS("XEP0220-2.2.2-2", "the answer for a domain that is not served",
               with([](auto& q) { q.to = "nobody.invalid"; }), Eq("error")))
    CONFORMS("XEP0220-2.2.2-2", "the answer for its own key, behind that", verdict(n, stream, own), Eq("valid"));
}

CUTOVER_CASE(keys){
    .id = "dialback.own-keys",
    .title = "A server knows its own keys, and every change of key, stream id or domain makes them invalid",
    .procedure =
        "Take the key from a stream of the subject's own; ask the subject about it on an unauthenticated stream inside "
        "TLS: as it is, with another key, id and domain, with characters moved from the id to the domain, for a domain "
        "that it does not serve, and as it is once more.",
    .accepted = "valid for its own key, invalid for what differs, an error for the domain that it does not serve.",
    .likely_causes = "A key that leaves a field out, or joins the fields without a separator.",
    .judges = {{"XEP0220-2.2.2-4", {"xmpp.verify-needs-authentication", "xmpp.verify-not-answered"}},
               {"XEP0220-2.2.2-1",
                {"xmpp.valid-key-called-invalid", "xmpp.verify-answered-without-id", "xmpp.verify-not-turned-about",
                 "xmpp.second-question-unanswered"}},
               {"RFC6120-5.4.3.3-1", {"xmpp.dialback-key-with-pre-tls-id"}},
               {"XEP0220-2.2.2-3",
                {"xmpp.any-key-is-valid", "xmpp.dialback-key-without-stream-id", "xmpp.dialback-key-for-any-domain",
                 "xmpp.every-key-is-valid", "xmpp.keys-compared-by-their-beginning", "xmpp.keys-kept-for-a-pair",
                 "xmpp.invalid-keys-told-as-errors"}},
               {"SEC-DIALBACK-6", {"xmpp.any-key-is-valid", "xmpp.dialback-key-without-separators"}},
               {"XEP0220-2.2.2-2",
                {"xmpp.unserved-verify-ends-stream", "xmpp.unserved-verify-is-invalid",
                 "xmpp.unserved-verify-accepted"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = own_keys};

void questions_at_once(Run& run) {
  Negotiation n(run);
  const auto ours = n.subject().domain();
  const auto key = key_of_subject(n, "at-once");
  if (!GIVEN(key, "the subject sends a key on a stream of its own")) return;
  auto stream = n.secured(kind, *n.certificate(kind));
  if (!GIVEN(stream, "the subject offers features inside TLS")) return;
  stream->send(db_verify(n.domain(kind), ours, "another", key->text) +
               db_verify(n.domain(kind), ours, key->stream_id, key->text));
  std::vector<std::string> answers;
  while (answers.size() < 2) {
    const auto answer = stream->await_element("verify", xmpp::ns::dialback);
    if (!answer) break;
    answers.push_back(
        fmt::format("{} for {}", answer->attribute("type").value_or("no type"), answer->attribute_or_empty("id")));
  }
  const std::vector<std::string> due{"invalid for another", "valid for " + key->stream_id};
  // A stream that was ended behind an answer, as nothing forbids, has no other one.
  const testing::Matcher<std::vector<std::string>> at_most = testing::IsSubsetOf(due),
                                                   both = testing::UnorderedElementsAreArray(due);
  CONFORMS("XEP0220-2.2.2-1", "the answers to two questions that came in one write", answers,
           stream->is_over() && !answers.empty() ? at_most : both);
}

CUTOVER_CASE(at_once){
    .id = "dialback.questions-at-once",
    .title = "Two questions about keys that come at once are both answered, each by its id",
    .procedure =
        "Take the key from a stream of the subject's own; on an unauthenticated stream inside TLS ask in one write "
        "about "
        "it with another id, and as it is.",
    .accepted = "invalid for the first, valid for the second, in any order; the end of the stream behind an answer.",
    .likely_causes = "A place for one question a stream.",
    .judges = {{"XEP0220-2.2.2-1", {"xmpp.answers-one-question"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = questions_at_once};

}  // namespace
}  // namespace cutover::suites
