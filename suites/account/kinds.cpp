// What crosses a server is whole, also where it is no message: presence and iqs with payloads, both ways.
#include "harness/standing/crossing.h"
#include "protocol/xmpp/namespaces.h"
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

namespace cutover::suites {
namespace {

using namespace harness;
using standing::Rule;

constexpr char ns_server[] = "jabber:server", ns_data[] = "urn:example:data";

/// A text in a language; without one where that is empty.
xml::Element in_language(const char* name, const char* text, const char* language) {
  xml::Element element(name, ns_server);
  if (*language != '\0') element.set_attribute("lang", language, xmpp::ns::xml);
  element.add_text(text);
  return element;
}

xml::Element data() {
  xml::Element form("data", ns_data);
  form.set_attribute("kind", "<&'\">\n");
  form.set_attribute("kind", "2", "urn:example:attributes");
  form.add(xml::Element("field", ns_data).with("var", "a")).add_text(" \xf0\x9f\x98\x80 ]]> ");
  form.add(xml::Element("empty", ns_data));
  return form;
}

xml::Element presence(const char* type) {
  xml::Element stanza("presence", ns_server);
  if (*type != '\0') stanza.set_attribute("type", type);
  if (*type == '\0') stanza.add(xml::Element("show", ns_server)).add_text("dnd");
  stanza.add(in_language("status", "busy & <away>", ""));
  stanza.add(in_language("status",
                         "besch\xc3\xa4"
                         "ftigt",
                         "de-AT"));
  if (*type == '\0') stanza.add(xml::Element("priority", ns_server)).add_text("-5");
  stanza.add(data());
  stanza.add(xml::Element("flag", "urn:example:flags"));
  return stanza;
}

xml::Element iq(const char* type) {
  xml::Element stanza("iq", ns_server);
  stanza.set_attribute("type", type);
  stanza.add(data());
  if (std::string_view(type) != "error") return stanza;
  auto error = xmpp::make_error_element("not-acceptable");
  auto& text = error.add(xml::Element("text", xmpp::ns::stanza_errors));
  text.set_attribute("lang", "de", xmpp::ns::xml);
  text.add_text("so nicht: <&>");
  error.add(xml::Element("why", ns_data)).add_text("too late");
  stanza.add(std::move(error));
  return stanza;
}

/// RFC 6120 section 8.3.3.5: where somebody has gone to stands in the condition itself.
xml::Element gone() {
  auto stanza = iq("result");
  stanza.set_attribute("type", "error");
  xml::Element error("error", ns_server);
  error.set_attribute("type", "cancel");
  error.add(xml::Element("gone", xmpp::ns::stanza_errors)).add_text("xmpp:romeo%40home@new.example?message;body=a&b");
  stanza.add(std::move(error));
  return stanza;
}

/// Stanzas of each kind, with the words for it; their ids are "KIND WAY".
std::vector<xml::Element> each_kind(const std::string& way) {
  const std::vector<std::pair<const char*, xml::Element>> kinds{{"presence", presence("")},
                                                                {"iq-get", iq("get")},
                                                                {"iq-set", iq("set")},
                                                                {"iq-result", iq("result")},
                                                                {"iq-error", iq("error")},
                                                                {"iq-gone", gone()},
                                                                {"unavailable", presence("unavailable")}};
  std::vector<xml::Element> all;
  for (const auto& [kind, stanza] : kinds) {
    all.push_back(stanza);
    all.back().set_attribute("id", fmt::format("{} {}", kind, way));
  }
  return all;
}

/// By id and kind; null where it came never, or twice.
const xml::Element* only(const mocks::PartnerUser& user, const xml::Element& sent) {
  std::vector<const xml::Element*> found;
  for (const auto* list : {&user.presences, &user.iqs, &user.errors})
    for (const auto& one : *list)
      if (one.name() == sent.name() && one.attribute_or_empty("id") == sent.attribute_or_empty("id") &&
          one.attribute_or_empty("type") == sent.attribute_or_empty("type"))
        found.push_back(&one);
  return found.size() == 1 ? found.front() : nullptr;
}

/// What came of all that was compared.
struct Compared {
  std::map<Rule, std::string> first;  ///< that was lost; empty where nothing was
  std::map<std::string, bool> came;   ///< by id

  void add(const std::vector<xml::Element>& stanzas, const mocks::PartnerUser& user) {
    for (const auto& sent : stanzas) {
      const auto* arrived = only(user, sent);
      came[sent.attribute_or_empty("id")] = arrived != nullptr;
      if (arrived == nullptr) continue;
      for (const auto& [rule, lost] : standing::compare_crossed(sent, *arrived)) {
        auto& said = first[rule];
        if (said.empty() && !lost.empty()) said = sent.attribute_or_empty("id") + ": " + lost;
      }
    }
  }
};

void crosses(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  auto out = each_kind("out"), in = each_kind("in");
  // The user's directed presence first: who has it may be answered (RFC 6121 section 8.5.3.1).
  for (auto& stanza : out) {
    if (stanza.attribute_or_empty("type") == "unavailable") continue;
    stanza.set_attribute("to", a.romeo_full);
    a.subject().send(a.account, stanza);
  }
  if (!a.given_markers()) return;
  for (auto& stanza : in) {
    stanza.set_attribute("from", a.romeo_bare + "/Home");
    stanza.set_attribute("to", a.juliet_full);
    a.peer().send(stanza);
  }
  if (!a.given_markers()) return;
  out.back().set_attribute("to", a.romeo_full);
  a.subject().send(a.account, out.back());
  if (!a.given_markers()) return;
  Compared compared;
  compared.add(out, a.romeo());
  compared.add(in, a.juliet());
  for (const auto* answer : {"iq-result", "iq-error", "iq-gone"}) {
    std::vector<std::string> lost;
    for (const auto* way : {"in", "out"})
      if (const auto id = fmt::format("{} {}", answer, way); !compared.came[id]) lost.push_back(id);
    CONFORMS("RFC6121-8.5.3.1-2", fmt::format("which {} did not come to the resource that it names", answer), lost,
             testing::IsEmpty());
  }
  for (const auto& [rule, lost] : compared.first) {
    const auto& row = standing::row_of(rule);
    CONFORMS_THAT(std::string(row.requirement).c_str(), std::string(row.sentence), lost.empty(), "always", lost);
  }
}

CUTOVER_CASE(kinds){
    .id = "account.each-kind-crosses",
    .title = "Presence and iqs come out as they went in, both ways",
    .procedure =
        "Users of the subject and of a peer send each other presence that shows and says much, iqs of all types with "
        "payloads, and presence of type unavailable; what comes is compared whole.",
    .accepted =
        "What comes is whole, its children in any order; a server may add a language, a delay and elements of its own. "
        "Results and errors come. Requests of strangers may be refused, and presence of theirs kept.",
    .likely_causes = "Stanzas that are written anew from what a server knows of their kind.",
    .judges = {{"RFC6121-8.5.3.1-2", {"xmpp.iq-answers-heard-lost"}},
               {"INV-4",
                {"xmpp.priorities-lost", "xmpp.one-status", "xmpp.error-texts-lost", "xmpp.new-addresses-lost"}},
               {"RFC6120-8.4-2", {"xmpp.presence-payloads-lost", "xmpp.iq-payloads-emptied"}},
               {"XML-2.11-1", {"xmpp.attributes-on-one-line"}},
               {"RFC6121-8.5.2.1.1-4", {"xmpp.answers-to-bare-addresses"}},
               {"RFC7622-3.4-1", {"xmpp.resources-in-small-letters"}}},
    .needs = {Need::user_account},
    .budget = 1min,
    .body = crosses};

}  // namespace
}  // namespace cutover::suites
