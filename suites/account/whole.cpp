// What crosses a server is whole, whatever it is: stanzas of many shapes, drawn by the seed, both ways.
#include "harness/standing/crossing.h"
#include "protocol/xmpp/namespaces.h"
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>

namespace cutover::suites {
namespace {

using namespace harness;
using standing::Rule;
using testing::Eq;

constexpr std::size_t count = 12;  // each way
constexpr char ns_server[] = "jabber:server", ns_odd[] = "urn:example:odd", ns_forward[] = "urn:xmpp:forward:0";

constexpr std::array texts{
    "plain words",
    "Gr\xc3\xbc\xc3\x9f"
    "e, \xc3\xa9t\xc3\xa9",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd8\xb3\xd9\x84\xd8\xa7\xd9\x85",  // right to left
    "e\xcc\x81 and o\xcc\x88, combining",
    "\xf0\x9f\x98\x80 \xf0\x9d\x94\x98 \xf0\xa0\x80\x80",  // supplementary planes
    "<b>&amp; ]]> '\"</b>",
    "two\nlines,\tand a tab",
    "  space before and behind  ",
};
constexpr std::array types{"chat", "normal", "headline", ""};
constexpr std::array languages{"", "de", "ar", "zh-Hant-TW", "en"};
constexpr std::array resources{"home", "Home", "b\xc3\xbcro", "a/b@c", "two words"};

template <std::size_t n>
const char* pick(Run& run, const std::array<const char*, n>& all) {
  return all.at(run.random(n));
}

/// One place of each shape is certain to be taken, the others are drawn.
struct Shape {
  std::string text, type, language;
  bool is_long = false, several_bodies = false, has_payload = false, has_nest = false, to_bare = false;
};
Shape shape(Run& run, std::size_t number) {
  Shape drawn;
  drawn.text = number < texts.size() ? texts.at(number) : pick(run, texts);
  drawn.type = pick(run, types);
  drawn.language = number == 1 ? "de" : pick(run, languages);
  drawn.is_long = number == 2 || run.random(4) == 0;
  drawn.several_bodies = number == 3 || run.random(3) == 0;
  drawn.has_payload = number == 4 || run.random(2) == 0;
  drawn.has_nest = number == 5 || run.random(4) == 0;
  drawn.to_bare = run.random(2) == 0;
  return drawn;
}

xml::Element text_element(const char* name, const std::string& text, const char* language = "") {
  xml::Element element(name, ns_server);
  if (*language != '\0') element.set_attribute("lang", language, xmpp::ns::xml);
  element.add_text(text);
  return element;
}

xml::Element payload(const std::string& text) {
  xml::Element odd("Odd", ns_odd);
  odd.set_attribute("kind", "<&'\">");
  odd.set_attribute("hint", text.substr(0, text.find_first_of("\n\t")), "urn:example:attributes");
  odd.add(xml::Element("inner", "urn:example:inner")).add_text(text);
  odd.add(xml::Element("empty", ns_odd));
  return odd;
}

xml::Element forwarded() {
  xml::Element nest("forwarded", ns_forward);
  auto& inner = nest.add(xml::Element("message", xmpp::ns::client));
  inner.add(xml::Element("body", xmpp::ns::client)).add_text("inside");
  return nest;
}

xml::Element stanza_of(const Shape& shape, std::string id) {
  xml::Element stanza("message", ns_server);
  stanza.set_attribute("id", std::move(id));
  if (!shape.type.empty()) stanza.set_attribute("type", shape.type);
  if (!shape.language.empty()) stanza.set_attribute("lang", shape.language, xmpp::ns::xml);
  stanza.add(text_element("subject", "About " + shape.text));
  std::string body = shape.text;
  while (shape.is_long && body.size() < 3000) body += " " + shape.text;  // far below the 10,000 octets of section 13.12
  stanza.add(text_element("body", body));
  if (shape.several_bodies) stanza.add(text_element("body", "dasselbe: " + shape.text, "de-AT"));
  stanza.add(text_element("thread", "Thread-" + std::to_string(shape.text.size())));
  if (shape.has_payload) stanza.add(payload(shape.text));
  if (shape.has_payload) stanza.add(xml::Element("flag", "urn:example:flags"));  // whose presence is what it says
  if (shape.has_nest) stanza.add(forwarded());
  return stanza;
}

xml::Element error_of(const std::string& id, const Accounts& a) {
  auto stanza = xmpp::make_message(a.romeo_full, a.juliet_full, "what could not be delivered", "error", id);
  auto error = xmpp::make_error_element("service-unavailable");
  error.add(xml::Element("why", ns_odd)).add_text("nobody is here");
  stanza.add(std::move(error));
  return stanza;
}

/// By id; empty where the stanza came never, or twice.
const xml::Element* only(const std::vector<xml::Element>& stanzas, const std::string& id) {
  const auto is_it = [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; };
  return std::ranges::count_if(stanzas, is_it) == 1 ? &*std::ranges::find_if(stanzas, is_it) : nullptr;
}

/// What was sent one way, and where it is to come.
struct Way {
  const char* words;
  std::vector<xml::Element> sent;
};

void judge(const Way& way, const std::vector<xml::Element>& got, std::map<Rule, std::pair<int, std::string>>& broken,
           std::map<Rule, int>& judged) {
  std::size_t came = 0;
  for (const auto& sent : way.sent) {
    const auto* arrived = only(got, sent.attribute_or_empty("id"));
    if (arrived == nullptr) continue;
    ++came;
    for (const auto& [rule, lost] : standing::compare_crossed(sent, *arrived)) {
      ++judged[rule];
      if (lost.empty()) continue;
      auto& [times, first] = broken[rule];
      if (times++ == 0) first = fmt::format("in {}: {}", sent.attribute_or_empty("id"), lost);
    }
  }
  CONFORMS("RFC6120-10.5.4-1", fmt::format("how many of {} messages {} came, each once", way.sent.size(), way.words),
           came, Eq(way.sent.size()));
}

void crosses(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;  // both streams are there: what waits for one is the matter of other cases
  Way in{"from the peer's user", {}}, out{"from the subject's user", {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto inward = shape(run, i), outward = shape(run, i);
    in.sent.push_back(stanza_of(inward, fmt::format("In-{}'&\"", i)));
    in.sent.back().set_attribute("from", a.romeo_bare + "/" + pick(run, resources));
    in.sent.back().set_attribute("to", inward.to_bare ? a.juliet_bare : a.juliet_full);
    a.peer().send(in.sent.back());
    out.sent.push_back(stanza_of(outward, fmt::format("Out-{}<>", i)));
    out.sent.back().set_attribute("to", outward.to_bare ? a.romeo_bare : a.romeo_full);
    a.subject().send(a.account, out.sent.back());
  }
  // An error is a message like the others: it is for the resource that it names (RFC 6121 section 8.5.3.1), and
  // whoever does not know its condition passes it on (RFC 6120 section 8.3.2).
  in.sent.push_back(error_of("In-error", a));
  a.peer().send(in.sent.back());
  if (!a.given_markers()) return;
  std::map<Rule, std::pair<int, std::string>> broken;
  std::map<Rule, int> judged;
  std::vector<xml::Element> came(a.juliet().messages.begin(), a.juliet().messages.end());
  came.insert(came.end(), a.juliet().errors.begin(), a.juliet().errors.end());
  judge(in, came, broken, judged);
  judge(out, a.romeo().messages, broken, judged);
  for (const auto& [rule, times] : judged) {
    const auto& row = standing::row_of(rule);
    const auto& [breaches, first] = broken[rule];
    CONFORMS_THAT(std::string(row.requirement).c_str(), std::string(row.sentence), breaches == 0, "always",
                  fmt::format("not in {} of {} stanzas, first {}", breaches, times, first));
  }
}

CUTOVER_CASE(whole){
    .id = "account.whatever-crosses",
    .title = "Messages of many shapes come out as they went in, both ways",
    .procedure =
        "Once messages pass both ways, users of the peer and of the subject send each other messages with several "
        "bodies, languages, long and odd texts, foreign elements and stanzas inside of them, drawn by the seed, and "
        "the peer's user an error.",
    .accepted =
        "Each arrives once, whole, its children in any order; a server may add a language, a delay and elements of "
        "its own.",
    .likely_causes = "A server that writes stanzas anew from what it knows of them.",
    .judges = {{"RFC6120-10.5.4-1",
                {"xmpp.duplicates-stanzas", "xmpp.errors-heard-lost", "xmpp.messages-heard-twice",
                 "xmpp.message-ids-replaced"}},
               {"INV-4",
                {"xmpp.keeps-one-body", "xmpp.cuts-long-bodies", "xmpp.type-becomes-normal",
                 "xmpp.loses-supplementary-planes", "xmpp.subjects-lost", "xmpp.threads-lost", "xmpp.bodies-trimmed",
                 "xmpp.line-breaks-lost", "xmpp.escapes-twice", "xmpp.spaces-collapsed", "xmpp.type-becomes-chat"}},
               {"RFC6121-8.5.2.1.1-4", {"account.bare-to-rewritten"}},
               {"RFC7622-3.4-1", {"xmpp.resources-in-small-letters"}},
               {"RFC6120-8.4-2",
                {"account.payloads-lost", "xmpp.loses-supplementary-planes", "xmpp.payloads-lost",
                 "xmpp.empty-payloads-lost", "xmpp.payload-attributes-lost", "xmpp.payload-contents-lost"}},
               {"RFC6120-4.8.3-4", {"xmpp.rescopes-what-is-inside-payloads"}},
               {"RFC6120-4.7.4-6", {"xmpp.loses-language", "xmpp.languages-replaced", "xmpp.languages-heard-lost"}}},
    .needs = {Need::user_account},
    .budget = 1min,
    .body = crosses};

}  // namespace
}  // namespace cutover::suites
