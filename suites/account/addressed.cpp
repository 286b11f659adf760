// What is addressed to the judged server itself, and errors on their way to its user.
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::StartsWith;

const std::vector<Need> needs{Need::user_account};

xml::Element ping() { return {"ping", "urn:xmpp:ping"}; }

void to_domain(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto answered = AnyOf(Eq("result"), StartsWith("error/"));
  CONFORMS("RFC6120-10.5.1-1", "the answer to a ping of the domain", kind_of(a.ask(a.domain, "to-domain", ping())),
           answered);
  CONFORMS("RFC6120-10.5.2-1", "the answer to a ping of a resource of the domain",
           kind_of(a.ask(a.domain + "/admin", "to-resource", ping())), answered);
}

CUTOVER_CASE(served_domain){
    .id = "account.addressed-to-the-server",
    .title = "A request to the domain, or to a resource of it, is answered",
    .procedure = "A peer's user pings the domain, and the resource `admin` of it.",
    .accepted = "A result, or any error.",
    .likely_causes = "A router that knows users alone.",
    .judges = {{"RFC6120-10.5.1-1", {"xmpp.requests-unanswered"}},
               {"RFC6120-10.5.2-1", {"xmpp.requests-unanswered", "xmpp.requests-to-its-resources-lost"}}},
    .needs = needs,
    .budget = 1min,
    .body = to_domain};

/// The same resource in letters of the other case, which is another one (RFC 7622 section 3.4).
std::string in_other_letters(std::string jid) {
  for (auto at = jid.find('/'); at < jid.size(); ++at)
    if (std::isalpha(static_cast<unsigned char>(jid[at])) != 0) jid[at] = static_cast<char>(jid[at] ^ 0x20);
  return jid;
}

/// What came back to romeo from the user's addresses, by kind.
std::vector<std::string> came_from(Accounts& a, const std::string& jid) {
  std::vector<std::string> kinds;
  for (const auto* list : {&a.romeo().presences, &a.romeo().errors})
    for (const auto& stanza : *list)
      if (stanza.name() == "presence" && stanza.attribute_or_empty("from").starts_with(jid))
        kinds.push_back(kind_of(stanza));
  return kinds;
}

/// How often the user got a message with that id.
std::ptrdiff_t got(Accounts& a, const std::string& id) {
  return std::ranges::count_if(a.juliet().messages,
                               [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; });
}

constexpr const char* to_nobody_else[] = {"normal", "headline", "groupchat"};

/// The id, and the text, of the message of that type.
std::string id_of(const std::string& type, const std::string& to) { return fmt::format("{} to {}", type, to); }

/// Sends a message of each type that no other resource may get; the types that the user got all the same.
std::optional<std::vector<std::string>> delivered(Accounts& a, const std::string& to) {
  for (const std::string type : to_nobody_else)
    a.peer().send(xmpp::make_message(a.romeo_full, to, id_of(type, to), type, id_of(type, to)));
  if (!a.given_markers()) return std::nullopt;
  std::vector<std::string> types;
  for (const std::string type : to_nobody_else)
    if (got(a, id_of(type, to)) > 0) types.push_back(type);
  return types;
}

void to_absent_resource(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto gone = a.juliet_bare + "/no-such-resource";
  const auto by_account = delivered(a, gone);
  if (!by_account) return;
  CONFORMS("RFC6121-8.5.3.2.1-1", "the types of messages to a resource that is not there that the user got",
           *by_account, IsEmpty());
  for (const std::string type : to_nobody_else)
    if (got(a, id_of(type, gone)) == 0)
      CONFORMS("RFC6121-8.5.3.2.1-1", "the answer to a message of type " + type, kinds_of(a.answers(id_of(type, gone))),
               AnyOf(IsEmpty(), ElementsAre("error/service-unavailable")));
  // What reaches any resource says nothing of how they are compared; a request does.
  const auto other = in_other_letters(a.juliet_full);
  auto by_letters = delivered(a, other);
  if (!by_letters) return;
  std::erase_if(*by_letters, [&](const auto& type) { return std::ranges::count(*by_account, type) > 0; });
  (void)a.ask(other, "in other letters", {"query", "urn:example:unknown"});
  if (std::ranges::any_of(a.juliet().iqs,
                          [](const auto& iq) { return iq.attribute_or_empty("id") == "in other letters"; }))
    by_letters->emplace_back("a request");
  CONFORMS("RFC7622-3.4-1", "what the user got that was for her resource in other letters", *by_letters, IsEmpty());
  for (const auto* type : {"", "unavailable", "subscribed", "unsubscribe", "unsubscribed"})
    a.peer().send(xmpp::make_presence(type[0] == '\0' ? a.romeo_full : a.romeo_bare, gone, type));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-8.5.3.2.2-1", "what came back for presence to a resource that is not there",
           came_from(a, a.juliet_bare), IsEmpty());
}

CUTOVER_CASE(absent_resource){
    .id = "account.absent-resource",
    .title = "What is for a resource that is not there reaches no other one, and presence to it is not answered",
    .procedure =
        "A peer's user sends a message of types normal, headline and groupchat to a resource that is not there, and to "
        "the one that is there in other letters, and a request to that; then presence of each kind to the first. "
        "Markers behind each.",
    .accepted = "service-unavailable for a message, or nothing; nothing for presence.",
    .likely_causes =
        "A fall-back to the account that does not look at the type; resources that are compared by letters "
        "of one case.",
    .judges = {{"RFC6121-8.5.3.2.1-1", {"account.any-resource-will-do"}},
               {"RFC7622-3.4-1", {"account.resources-in-small-letters"}},
               {"RFC6121-8.5.3.2.2-1", {"account.presence-to-absent-resource-answered"}}},
    .needs = needs,
    .budget = 2min,
    .body = to_absent_resource};

void odd_errors(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto send = [&](const std::string& id, const xml::Element* more) {
    auto message = xmpp::make_message(a.romeo_full, a.juliet_full, {}, "error", id);
    xml::Element error("error", "jabber:server");
    error.set_attribute("type", "cancel");
    error.add({"service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas"});
    if (more != nullptr) error.add(*more);
    message.add(error);
    a.peer().send(std::move(message));
  };
  const auto came = [&](const std::string& id) {
    return a.until([&] {
      return std::ranges::any_of(a.juliet().errors,
                                 [&](const auto& one) { return one.attribute_or_empty("id") == id; });
    });
  };
  const xml::Element application("odd", "urn:example:odd");
  send("usual", nullptr);
  if (!GIVEN(came("usual"), "an error reaches the subject's user")) return;
  send("of-an-application", &application);
  CONFORMS("RFC6120-8.3.4-1", "an error with an element of an application reached the user", came("of-an-application"),
           Eq(true));
  (void)GIVEN(a.markers_pass(), "messages pass behind them");
}

CUTOVER_CASE(errors_pass){
    .id = "account.errors-that-say-more",
    .title = "An error that says more than its condition is passed on like any other",
    .procedure =
        "A peer's user returns errors to the full JID of the subject's user: a usual one, and one "
        "with an element of an application.",
    .accepted = "Each comes to the user, as an error.",
    .likely_causes = "A list of conditions that is taken for the schema.",
    .judges = {{"RFC6120-8.3.4-1", {"xmpp.odd-errors-lost"}}},
    .needs = needs,
    .budget = 1min,
    .body = odd_errors};

}  // namespace
}  // namespace cutover::suites
