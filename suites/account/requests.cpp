// Requests to the judged server, its user and nobody: RFC 6120 sections 8.2.3 and 8.3, RFC 6121 section 8.5.
#include "protocol/xml/writer.h"
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;

constexpr char ns_server[] = "jabber:server", ns_ping[] = "urn:xmpp:ping", ns_unknown[] = "urn:example:unknown";
constexpr char ns_info[] = "http://jabber.org/protocol/disco#info",
               ns_items[] = "http://jabber.org/protocol/disco#items";
const std::vector<Need> needs{Need::user_account};

xml::Element ping() { return {"ping", ns_ping}; }

/// An attribute of the answer to an iq; where none came, that.
std::string attribute(const xml::Element& answer, const char* name) {
  return answer.attribute(name).value_or(answer.name() == "iq" ? "none" : answer.name());
}

/// Each identity says of what category and type it is, each feature which it is (XEP-0030 section 3.1).
bool is_formed(const xml::Element& query) {
  return std::ranges::all_of(query.children(), [](const auto* child) {
    const auto has = [&](const char* name) { return !child->attribute_or_empty(name).empty(); };
    if (child->is("identity", ns_info)) return has("category") && has("type");
    return !child->is("feature", ns_info) || has("var");
  });
}

bool lists(const xml::Element* query, std::string_view feature) {
  return query != nullptr && std::ranges::any_of(query->children(), [&](const auto* child) {
           return child->attribute_or_empty("var") == feature;
         });
}

void to_server(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto pong = kind_of(a.ask(a.domain, "ping", ping()));
  if (!CONFORMS("XEP0199-4.3-1", "the answer to a ping", pong, AnyOf("result", "error/service-unavailable")) &&
      pong == no_answer)
    return;
  CONFORMS("RFC6120-8.4-1", "the answer to an unknown query",
           kind_of(a.ask(a.domain, "unknown", {"query", ns_unknown})), Eq("error/service-unavailable"));
  const auto info = a.ask(a.domain, "info", {"query", ns_info});
  const auto* query = info.child("query", ns_info);
  const bool complete = lists(query, ns_info) && query->child("identity", ns_info) != nullptr && is_formed(*query);
  CONFORMS_THAT("XEP0030-3.1-1", "the answer to disco#info", complete || kind_of(info).starts_with("error/"),
                "identity, with category and type, and the feature disco#info, or an error",
                query == nullptr ? kind_of(info) : xml::write(*query));
  // Who answers no service discovery has nothing to list it in.
  CONFORMS_THAT("XEP0199-5-1", "pings that are answered in disco#info",
                !complete || pong != "result" || lists(query, ns_ping), "listed", "not there");
  const auto items = kind_of(a.ask(a.domain, "items", {"query", ns_items}));
  CONFORMS("RFC6120-8.2.3-3", "the answer to disco#items", items, AnyOf("result", testing::StartsWith("error/")));
  // Who has items lists them, who has none lists none; an error is for who does not know service discovery, or does
  // not tell this one (section 7).
  const bool is_refused =
      std::ranges::any_of(std::array{"forbidden", "not-allowed", "not-authorized"},
                          [&](const auto* reason) { return items == std::string("error/") + reason; });
  CONFORMS_THAT("XEP0030-4.1-1", "the answer to disco#items of who answers disco#info",
                !complete || items == "result" || is_refused, "result, or an error that refuses", items);
  constexpr char node[] = "urn:example:no-such-node";
  for (const char* ns : {ns_info, ns_items}) {
    xml::Element asked("query", ns);
    asked.set_attribute("node", node);
    const auto answer = a.ask(a.domain, std::string("node-of-") + (ns == ns_info ? "info" : "items"), asked);
    const auto* of_node = answer.child("query", ns);
    const auto named = of_node == nullptr ? kind_of(answer) : of_node->attribute("node").value_or("none");
    CONFORMS_THAT("XEP0030-3.2-1", fmt::format("the node in the answer to {} of a node", ns),
                  named == node || of_node == nullptr || kind_of(answer) != "result", "that node, or an error", named);
  }

  // It may be answered or kept: the markers below show that it harms nothing.
  a.peer().send(xmpp::make_message(a.romeo_full, a.domain, "to whom it may concern", {}, "to-the-server"));
  a.peer().send(xmpp::make_iq(a.romeo_full, a.domain, "result", "stray-result"));
  auto error = xmpp::make_iq(a.romeo_full, a.domain, "error", "stray-error");
  error.add(xmpp::make_error_element("service-unavailable"));
  a.peer().send(std::move(error));
  if (!a.given_markers()) return;
  for (const std::string id : {"ping", "unknown", "info", "items"})
    CONFORMS("RFC6120-8.2.3-3", "how many answers came to the request " + id, a.answers(id).size(), Eq(1U));
  CONFORMS("RFC6120-8.2.3-4", "the answer to a result", kinds_of(a.answers("stray-result")), IsEmpty());
  CONFORMS("RFC6120-8.2.3-4", "the answer to an error", kinds_of(a.answers("stray-error")), IsEmpty());

  // Last: a server that validates may end the stream instead (section 4.9.3.11; bad-format by section 4.9.3.1).
  a.peer().send(xmpp::make_iq(a.romeo_full, a.domain, "frob", "odd-type", ping()));
  (void)a.until([&] { return !a.answers("odd-type").empty() || !a.stream_error().empty(); });
  CONFORMS("RFC6120-8.2.3-2", "the answer to an iq of an unknown type",
           a.stream_error().empty() ? kind_of(a.answer("odd-type")) : "stream error " + a.stream_error(),
           AnyOf("error/bad-request", "stream error invalid-xml", "stream error bad-format"));
  CONFORMS("RFC6120-4.1-1", "the stanzas that came on a stream that the peer initiated", a.came_back(), IsEmpty());
}

CUTOVER_CASE(requests_to_server){
    .id = "account.requests-to-server",
    .title = "The server answers each request to itself exactly once, and never an answer",
    .procedure =
        "A peer's user sends ping, an unknown query, disco#info and disco#items to the domain, the last two also for a "
        "node that it does not have, a message, a result and an error that nobody asked for; then markers both ways; "
        "then an iq of a type that does not exist.",
    .accepted =
        "Ping: result or service-unavailable. Unknown: service-unavailable. disco#info: identity and feature, a ping "
        "that is answered among them, or an "
        "error; then disco#items too, or an error that refuses. With a node: an error, or a result with that node. "
        "Unknown type: bad-request, "
        "or the end of the stream with invalid-xml or bad-format. Nothing for "
        "answers.",
    .likely_causes = "Modules that answer beside each other, or none that feels responsible.",
    .judges = {{"XEP0199-4.3-1", {"account.iq-unanswered", "xmpp.requests-unanswered"}},
               {"RFC6120-8.4-1", {"account.unknown-query-accepted"}},
               {"XEP0030-3.1-1",
                {"account.disco-without-identity", "xmpp.disco-without-identity", "xmpp.disco-without-itself",
                 "xmpp.disco-identity-without-type", "xmpp.disco-in-the-namespace-of-the-stanza"}},
               {"XEP0199-5-1", {"xmpp.ping-not-listed"}},
               {"XEP0030-4.1-1", {"xmpp.disco-items-refused"}},
               {"XEP0030-3.2-1", {"xmpp.disco-node-lost"}},
               {"RFC6120-4.1-1", {"xmpp.answers-on-the-peers-stream"}},
               {"RFC6120-8.2.3-2", {"account.odd-iq-ignored"}},
               {"RFC6120-8.2.3-3", {"account.iq-answered-twice", "xmpp.requests-answered-twice"}},
               {"RFC6120-8.2.3-4", {"account.iq-answers-answered", "xmpp.results-answered"}}},
    .needs = needs,
    .budget = 2min,
    .body = to_server};

void that_set(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  for (const auto& [words, to] : {std::pair("the server", a.domain), {"the account", a.juliet_bare}}) {
    const auto id = fmt::format("set {}", words);
    a.peer().send(xmpp::make_iq(a.romeo_full, to, "set", id, xml::Element("query", ns_unknown)));
    CONFORMS("RFC6120-8.2.3-3", fmt::format("the answer to a set to {}, of a kind that nobody knows", words),
             kind_of(a.answer(id)), AnyOf(testing::StartsWith("error/"), Eq("result")));
  }
}

CUTOVER_CASE(requests_that_set){
    .id = "account.requests-that-set",
    .title = "What is set is answered as well as what is asked",
    .procedure = "A peer's user sends the domain and the account a set of a kind that nobody knows.",
    .accepted = "Any answer.",
    .likely_causes = "Handlers that are found by type and payload, and nobody for what has none.",
    .judges = {{"RFC6120-8.2.3-3", {"xmpp.sets-unanswered"}}},
    .needs = needs,
    .budget = 1min,
    .body = that_set};

void of_one_id(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const std::string id = "one-id";
  auto& mercutio = a.peer().add_user("mercutio");
  const auto mercutio_full = a.peer().full_jid("mercutio");
  for (const auto& from : {a.romeo_full, mercutio_full})
    for (const auto& to : {a.domain, a.juliet_bare})
      a.peer().send(xmpp::make_iq(from, to, "get", id, xml::Element("query", ns_unknown)));
  const auto answered_by = [&](const mocks::PartnerUser& user) {
    std::vector<std::string> from;
    for (const auto* list : {&user.iqs, &user.errors})
      for (const auto& iq : *list)
        if (iq.name() == "iq" && iq.attribute_or_empty("id") == id) from.push_back(iq.attribute_or_empty("from"));
    return from;
  };
  (void)a.until([&] { return answered_by(a.romeo()).size() > 1 && answered_by(mercutio).size() > 1; });
  for (const auto& [words, user] : {std::pair("the one", &a.romeo()), {"the other", &mercutio}})
    CONFORMS("RFC6120-8.2.3-3",
             fmt::format("who answered {} user, both of whose requests had the id of the other's", words),
             answered_by(*user), testing::UnorderedElementsAre(a.domain, a.juliet_bare));
}

CUTOVER_CASE(requests_of_one_id){
    .id = "account.requests-of-one-id",
    .title = "Requests of two users that have one id are each answered, whoever they are for",
    .procedure = "Two users of a peer each send a query with the same id to the domain, and one to the account.",
    .accepted = "Four answers of any type, each from whom was asked to who asked.",
    .likely_causes = "A list of requests by their ids alone.",
    .judges = {{"RFC6120-8.2.3-3", {"xmpp.repeated-ids-unanswered"}}},
    .needs = needs,
    .budget = 1min,
    .body = of_one_id};

/// What is wrong with a stanza that refuses the one that romeo sent with that id.
std::vector<std::string> faults_of(const xml::Element& error) {
  std::vector<std::string> faults;
  if (error.name() == no_answer) return {no_answer};
  if (error.attribute_or_empty("type") != "error") faults.emplace_back("not of type error");
  const auto* child = error.child("error", ns_server);
  if (child == nullptr) faults.emplace_back("no error element");
  return faults;
}

/// Messages and presence that romeo got from an address, by kind; since the last call.
std::vector<std::string> from_nobody(Accounts& a, const std::string& nobody) {
  std::vector<std::string> kinds;
  for (auto* list : {&a.romeo().messages, &a.romeo().presences, &a.romeo().errors}) {
    for (const auto& stanza : *list) {
      if (!stanza.attribute_or_empty("from").starts_with(nobody) || stanza.name() == "iq") continue;
      const auto kind = kind_of(stanza);
      kinds.push_back(kind.starts_with("error/") ? stanza.name() + "/" + kind : kind);
    }
    erase_if(*list, [&](const auto& stanza) { return stanza.attribute_or_empty("from").starts_with(nobody); });
  }
  return kinds;
}

void to_nobody(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto nobody = "nobody@" + a.domain;
  const auto error = a.ask(nobody, "n1", {"query", ns_unknown});
  // One that came without its id is found by who it is from.
  const auto& all = a.romeo().errors;
  const bool nameless = error.name() == no_answer && std::ranges::any_of(all, [&](const auto& one) {
                          return one.attribute_or_empty("from") == nobody && one.attribute_or_empty("id").empty();
                        });
  if (nameless) {
    CONFORMS("RFC6120-8.1.3-1", "the id of the refusal", "none", Eq("n1"));
    return;
  }
  if (!CONFORMS("RFC6120-8.3.1-1", "the type of the refusal", attribute(error, "type"), Eq("error"))) return;
  if (!CONFORMS("RFC6120-8.3.1-3", "what is wrong with the form of the refusal", faults_of(error), IsEmpty())) return;
  CONFORMS("RFC6120-8.3.3.7-1", "the answer to a query to an unknown account", kind_of(error),
           testing::Ne("error/item-not-found"));
  CONFORMS("RFC6120-10.5.3.1-1", "the answer to a query to an unknown account", kind_of(error),
           Eq("error/service-unavailable"));
  CONFORMS("RFC6120-8.1.3-1", "the id of the refusal", attribute(error, "id"), Eq("n1"));
  CONFORMS("RFC6120-8.3.1-2", "the addresses of the refusal", attribute(error, "from") + " > " + attribute(error, "to"),
           Eq(nobody + " > " + a.romeo_full));
  const auto* child = error.child("error", ns_server);
  CONFORMS("RFC6120-8.3.2-1", "the error type of the refusal",
           child == nullptr ? "no error element" : child->attribute_or_empty("type"),
           AnyOf("auth", "cancel", "continue", "modify", "wait"));
  // A request that the server would answer for an account, too.
  CONFORMS("RFC6121-8.5.1-1", "the answer to a ping to an unknown account", kind_of(a.ask(nobody, "n2", ping())),
           Eq("error/service-unavailable"));

  a.peer().send(xmpp::make_message(a.romeo_full, nobody, "is anybody there?", "chat", "n3"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6120-10.5.3.1-2", "what came back for a message to an unknown account", from_nobody(a, nobody),
           AnyOf(IsEmpty(), ElementsAre("message/error/service-unavailable")));
  for (const auto* type : {"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed"})
    a.peer().send(xmpp::make_presence(type[0] == '\0' ? a.romeo_full : a.romeo_bare, nobody, type, "n4"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-8.5.1-2", "what came back for presence to an unknown account", from_nobody(a, nobody), IsEmpty());
  a.peer().send(xmpp::make_presence(a.romeo_bare, nobody, "probe", "n5"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-8.5.1-3", "what came back for a probe of an unknown account", from_nobody(a, nobody),
           AnyOf(IsEmpty(), ElementsAre("presence/unsubscribed")));
}

CUTOVER_CASE(requests_to_nobody){
    .id = "account.unknown-account",
    .title = "A request to an account that does not exist is refused in form, a message at most, presence never",
    .procedure =
        "A peer's user sends a query, a ping, a message, presence of every kind and a probe to an account that does "
        "not exist; "
        "then markers both ways.",
    .accepted =
        "iq: one error with service-unavailable, the same id and swapped addresses. Message: the same or nothing. "
        "Probe: unsubscribed or nothing. Presence: nothing.",
    .likely_causes = "One reaction for every kind of stanza; errors that tell which accounts exist.",
    .judges = {{"RFC6120-10.5.3.1-1", {"account.unknown-account-revealed"}},
               {"RFC6121-8.5.1-1", {"account.unknown-account-revealed"}},
               {"RFC6120-8.3.3.7-1", {"account.unknown-account-revealed"}},
               {"RFC6120-8.3.1-1", {"account.unknown-account-silent"}},
               {"RFC6120-8.3.1-3", {"account.error-without-child"}},
               {"RFC6120-8.1.3-1", {"account.error-without-id"}},
               {"RFC6120-8.3.1-2", {"account.error-from-domain"}},
               {"RFC6120-8.3.2-1", {"account.error-of-odd-type", "xmpp.stanza-error-without-type"}},
               {"RFC6120-10.5.3.1-2", {"account.unknown-account-revealed"}},
               {"RFC6121-8.5.1-2", {"account.unknown-account-presence-answered"}},
               {"RFC6121-8.5.1-3", {"account.unknown-account-presence-answered"}}},
    .needs = needs,
    .budget = 2min,
    .body = to_nobody};

void to_user(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto bare = kind_of(a.ask(a.juliet_bare, "bare", {"query", ns_unknown}));
  CONFORMS("RFC6121-8.5.2.1.3-1", "the answer to a query to the bare JID", bare, testing::StartsWith("error/"));
  if (bare != no_answer)
    CONFORMS("XEP0030-8-1", "the answer to disco#info to the bare JID of who has not let the asker see her presence",
             kind_of(a.ask(a.juliet_bare, "who-is-it", {"query", ns_info})), Eq("error/service-unavailable"));
  const auto other = a.juliet_bare + "/no-such-resource";
  const auto refused = "error/service-unavailable from " + other;
  const auto asked = [&](const char* id, xml::Element payload) {
    const auto answer = a.ask(other, id, std::move(payload));
    return kind_of(answer) + " from " + attribute(answer, "from");
  };
  CONFORMS("RFC6121-8.5.3.2.3-1", "the answer to a query to a resource that is not there",
           asked("absent", {"query", ns_unknown}), Eq(refused));
  CONFORMS("XEP0199-7-1", "the answer to a ping to a resource that is not there", asked("ping", ping()), Eq(refused));
  // juliet asks romeo: the answer must find her resource.
  a.subject().send(a.account, xmpp::make_iq({}, a.romeo_full, "get", "hers", ping()));
  const auto came = [&] {
    return std::ranges::any_of(a.juliet().iqs, [](const auto& iq) {
      return iq.attribute_or_empty("id") == "hers" && iq.attribute_or_empty("type") == "result";
    });
  };
  CONFORMS("RFC6121-8.5.3.1-2", "the answer to the user's own ping reached its client", a.until(came), Eq(true));
  if (!a.given_markers()) return;
  const auto leaked =
      std::ranges::count_if(a.juliet().iqs, [](const auto& iq) { return iq.attribute_or_empty("id") == "bare"; });
  CONFORMS("RFC6121-8.5.2.1.3-1", "how often the client got the query to the bare JID", leaked, Eq(0));
}

CUTOVER_CASE(requests_to_user){
    .id = "account.requests-to-user",
    .title =
        "The server answers for an account, refuses for a resource that is not there, and hands answers to the asker",
    .procedure =
        "A peer's user sends a query and disco#info to the bare JID, and a query and a ping to a resource that is not "
        "there; the "
        "subject's user pings the peer's.",
    .accepted = "An error by the server that the user never sees; service-unavailable from that full JID; the result.",
    .likely_causes = "Requests handed to whatever client is online.",
    .judges = {{"RFC6121-8.5.2.1.3-1", {"account.bare-iq-delivered", "account.iq-unanswered"}},
               {"RFC6121-8.5.3.2.3-1", {"account.iq-unanswered"}},
               {"XEP0199-7-1", {"account.iq-unanswered"}},
               {"XEP0030-8-1", {"account.disco-reveals"}},
               {"RFC6121-8.5.3.1-2", {"account.iq-answers-lost"}}},
    .needs = needs,
    .budget = 2min,
    .body = to_user};

}  // namespace
}  // namespace cutover::suites
