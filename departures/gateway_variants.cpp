// What the documents allow a gateway to make of either side, and the reference does not show.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "protocol/base/ascii.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/settings.h"
#include "protocol/sip/passage.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;
using interworking::Settings;
namespace ns = xmpp::ns;
using namespace std::chrono_literals;

bool says_text(const Sip& p) {
  return p.sends("MESSAGE") && p.message.header_or_empty("Content-Type").starts_with("text/plain");
}
bool says_pidf(const Sip& p) { return p.sends("NOTIFY") && p.message.body.find("</presence>") != std::string::npos; }
void put_before(Sip& p, std::string_view end, std::string_view what) {
  if (const auto at = p.message.body.find(end); at != std::string::npos) p.message.body.insert(at, what);
}

bool says_text(const Stanza& p) {
  return p.sends("message") && !p.has_type("error") && p.element.child("body", p.element.ns()) != nullptr;
}
bool says_error(const Stanza& p) { return p.out() && p.has_type("error"); }
void change_error(Stanza& p, const std::function<void(xml::Element&)>& change) {
  if (!says_error(p)) return;
  p.edit([&](xml::Element& stanza) {
    if (auto* error = stanza.child("error", stanza.ns())) change(*error);
  });
}

std::vector<Row> contents() {
  return {
      {"gateway.text-without-charset", "leaves the charset of text to its default", "RFC7572-4-T1-body",
       [](Sip& p) {
         if (says_text(p) && is_ascii(p.message.body)) p.message.set_header("Content-Type", "text/plain");
       }},
      {"gateway.text-with-charset-in-quotes", "writes the charset of text in quotes", "RFC7572-4-T1-body",
       [](Sip& p) {
         if (says_text(p)) p.message.set_header("Content-Type", "text/plain ; charset=\"utf-8\"");
       }},
      {"gateway.pidf-with-time", "tells the time in its presence documents", "RFC3863-4.1.1",
       [](Sip& p) {
         if (says_pidf(p)) put_before(p, "</tuple>", "<timestamp>2010-11-13T23:29:00Z</timestamp>");
       }},
      {"gateway.pidf-with-person", "tells of the person in its presence documents, too (RFC 4479)", "RFC3863-4.1.1",
       [](Sip& p) {
         if (says_pidf(p))
           put_before(p, "</presence>",
                      "<person xmlns='urn:ietf:params:xml:ns:pidf:data-model' id='p1'><note>n</note></person>");
       }},
      {"gateway.pidf-with-status-of-its-own", "has more than the basic status in its tuples", "RFC3863-4.1.1",
       [](Sip& p) {
         if (says_pidf(p)) put_before(p, "</status>", "<im xmlns='urn:ietf:params:xml:ns:pidf:im'>busy</im>");
       }},
      {"gateway.subscription-state-says-more", "has a parameter of its own in Subscription-State", "RFC6665-4.2.2",
       [](Sip& p) {
         if (p.sends("NOTIFY"))
           p.message.set_header("Subscription-State", p.message.header_or_empty("Subscription-State") + ";odd=1");
       }},
      {"gateway.sdp-says-more", "has more lines in its session descriptions", "RFC7573-4-1",
       [](Sip& p) {
         if (p.out() && p.message.header_or_empty("Content-Type") == "application/sdp" && !p.message.body.empty())
           p.message.body += "a=sendrecv\r\na=odd:1\r\n";
       }},
      {"gateway.presence-from-bare-address", "merges all tuples into presence from the bare address",
       "RFC8048-6.3-4 RFC8048-6.3-T2-from",
       [open = std::map<std::string, std::set<std::string>>()](Stanza& p) mutable {
         const bool available = p.sends_presence("");
         if (!available && !p.sends_presence("unavailable")) return;
         const auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
         if (!from || from->is_bare()) return;
         auto& resources = open[from->bare() + " " + p.element.attribute_or_empty("to")];
         available ? (void)resources.insert(from->resource) : (void)resources.erase(from->resource);
         if (!available && !resources.empty()) return p.drop();
         p.set_attribute("from", from->bare());
       }},
      {"gateway.error-with-text", "explains stanza errors in words", "RFC6120-8.3.1-gw4",
       [](Stanza& p) {
         change_error(p, [](xml::Element& error) {
           if (error.child("text", ns::stanza_errors) == nullptr) explain(error);
         });
       }},
      {"gateway.error-of-another-type", "chooses other error types", "RFC6120-8.3.1-gw4",
       [](Stanza& p) {
         change_error(p, [](xml::Element& error) {
           error.set_attribute("type", error.attribute_or_empty("type") == "cancel" ? "modify" : "cancel");
         });
       }},
      {"gateway.error-of-an-application", "adds conditions of its own to stanza errors", "RFC6120-8.3.1-gw4",
       [](Stanza& p) {
         change_error(p, [](xml::Element& error) { error.add(xml::Element("odd", "urn:example:errors")); });
       }},
      {"gateway.maps-no-priority", "maps no priority in either direction (RFC 8048 Table 1, note 6)",
       "RFC8048-6.2-T1-priority RFC8048-6.3-T2-priority",
       [](Stanza& p) {
         if (p.is("presence")) p.edit([](xml::Element& stanza) { stanza.remove_children("priority", stanza.ns()); });
       }},
      {"gateway.link-to-an-image", "tells of images in words (RFC 7572 7: a matter of implementation)", "RFC7572-7-4",
       [](Sip& p) {
         if (!p.hears("MESSAGE") || !p.message.header_or_empty("Content-Type").starts_with("image/")) return;
         p.message.set_header("Content-Type", "text/plain");
         p.message.body = "an image: https://files.contoso.example/1";
       }},
      {"gateway.sender-with-a-resource", "names the sender's device where it knows it (RFC 7572 Table 2, note 1)",
       "RFC7572-5-T2-From",
       [](Stanza& p) {
         const auto from = p.element.attribute_or_empty("from");
         if (says_text(p) && p.element.attribute_or_empty("type").empty() && from.find('/') == std::string::npos)
           p.set_attribute("from", from + "/device");
       }},
      {"gateway.text-of-type-normal", "says of pager messages that they are of type normal", "RFC7572-5-T2-From",
       [](Stanza& p) {
         if (says_text(p) && p.element.attribute_or_empty("type").empty()) p.set_attribute("type", "normal");
       }},
      {"gateway.text-with-origin", "adds an id of its own to the messages that it makes (XEP-0359)",
       "RFC7572-5-T2-From",
       [](Stanza& p) {
         if (says_text(p))
           p.edit([](xml::Element& message) { message.add(xml::Element("origin-id", "urn:xmpp:sid:0")); });
       }},
      {"gateway.text-is-for-archives", "adds hints for archives to the messages that it makes (XEP-0334)",
       "RFC7572-5-T2-From",
       [](Stanza& p) {
         if (says_text(p)) p.edit([](xml::Element& message) { message.add(xml::Element("store", "urn:xmpp:hints")); });
       }},
      {"gateway.timeout-is-our-fault", "answers 500 where a partner's server did not answer in time", "RFC4320-4.2-1",
       [](Sip& p) {
         if (p.answers("MESSAGE", 504, 504)) p.message.status = 500;
       }},
  };
}

/// Tells of each client by itself (RFC 8048 section 6.2): a tuple that was told as it is in this dialog is left out
/// beside others that are new.
void tell_news_only(Sip& p, std::map<std::string, std::map<std::string, std::string>>& told) {
  if (!says_pidf(p)) return;
  auto document = xml::parse(p.message.body);
  auto* root = std::get_if<xml::Element>(&document);
  if (root == nullptr) return;
  auto& before = told[p.message.call_id()];
  std::vector<xml::Content> news;
  std::map<std::string, std::string> now;
  for (auto& content : root->content()) {
    const bool tuple = !content.is_text() && content.element[0].name() == "tuple";
    if (!tuple) continue;
    const auto id = content.element[0].attribute_or_empty("id"), text = xml::write(content.element[0]);
    if (const auto known = before.find(id); known == before.end() || known->second != text) news.push_back(content);
    now[id] = text;
  }
  before = now;
  if (news.empty() || news.size() == now.size()) return;
  root->content() = std::move(news);
  p.message.body = xml::write(*root);
}

std::string in_capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string tag_of(std::string open, std::string_view name, char end) {
  open += name;
  return open + end;
}

/// Gives the elements of PIDF a prefix; those of other namespaces declare their own.
void write_with_prefix(std::string& body) {
  constexpr std::string_view declared = " xmlns='urn:ietf:params:xml:ns:pidf'";
  const auto at = body.find(declared);
  if (at == std::string::npos || body.find("<person") != std::string::npos) return;
  body.replace(at, declared.size(), " xmlns:p='urn:ietf:params:xml:ns:pidf'");
  for (const std::string name : {"presence", "tuple", "status", "basic", "contact", "note", "timestamp"}) {
    for (const std::string open : {"<", "</"}) {
      for (const char end : {'>', ' ', '/'}) {
        const auto tag = tag_of(open, name, end), with = tag_of(open + "p:", name, end);
        for (auto found = body.find(tag); found != std::string::npos; found = body.find(tag, found + with.size()))
          body.replace(found, tag.size(), with);
      }
    }
  }
}

std::vector<Row> documents() {
  return {
      {"gateway.document-for-each-client", "tells of each client by itself: what did not change is not told again",
       "RFC8048-6.2-8",
       [told = std::map<std::string, std::map<std::string, std::string>>()](Sip& p) mutable {
         tell_news_only(p, told);
       }},
      {"gateway.pidf-with-prefix", "gives the elements of its presence documents a prefix", "RFC3863-4.1.1",
       [](Sip& p) {
         if (says_pidf(p)) write_with_prefix(p.message.body);
       }},
      {"gateway.pidf-on-many-lines", "writes each element of its presence documents on a line of its own",
       "RFC3863-4.1.1",
       [](Sip& p) {
         if (!says_pidf(p)) return;
         for (auto at = p.message.body.find("><"); at != std::string::npos; at = p.message.body.find("><", at + 4))
           p.message.body.insert(at + 1, "\r\n  ");
       }},
      {"gateway.pidf-with-comments", "has comments in its presence documents", "RFC3863-4.1.1",
       [](Sip& p) {
         if (says_pidf(p)) put_before(p, "</presence>", "<!-- <tuple id='none'/> -->");
       }},
      {"gateway.pidf-without-declaration", "sends presence documents without an XML declaration", "RFC3863-4.1.1",
       [](Sip& p) {
         const auto end = p.message.body.find("?>");
         if (says_pidf(p) && p.message.body.starts_with("<?xml") && end != std::string::npos)
           p.message.body.erase(0, end + 2);
       }},
      {"gateway.tuples-in-another-order", "lists tuples in another order", "RFC3863-4.1.1",
       [](Sip& p) {
         if (!says_pidf(p)) return;
         auto document = xml::parse(p.message.body);
         auto* root = std::get_if<xml::Element>(&document);
         if (root == nullptr || root->children().size() < 2) return;
         // Notes and what else there is stay behind them, as the schema has it.
         auto& content = root->content();
         const auto end = std::ranges::find_if(
             content, [](const auto& one) { return !one.is_text() && one.element.front().name() != "tuple"; });
         std::reverse(content.begin(), end);
         p.message.body = xml::write(*root);
       }},
      {"gateway.media-types-in-capitals", "writes media types in large letters (RFC 2045 section 5.1)",
       "RFC3428-4-1 RFC3863-4.1.1",
       [](Sip& p) {
         const auto type = p.message.header_or_empty("Content-Type");
         if (!p.out() || type.empty()) return;
         const auto end = std::min(type.find(';'), type.size());
         p.message.set_header("Content-Type", in_capitals(type.substr(0, end)) + type.substr(end));
       }},
      {"gateway.subscription-state-in-capitals", "writes states of subscriptions in large letters (RFC 3261 7.3.1)",
       "RFC6665-4.2.2",
       [](Sip& p) {
         const auto state = p.message.header_or_empty("Subscription-State");
         if (p.sends("NOTIFY") && !state.empty()) p.message.set_header("Subscription-State", in_capitals(state));
       }},
      {"gateway.spaces-in-subscription-state", "has white space around the parts of Subscription-State",
       "RFC6665-4.2.2",
       [](Sip& p) {
         auto state = p.message.header_or_empty("Subscription-State");
         if (!p.sends("NOTIFY")) return;
         for (auto at = state.find(';'); at != std::string::npos; at = state.find(';', at + 3))
           state.replace(at, 1, " ; ");
         for (auto at = state.find('='); at != std::string::npos; at = state.find('=', at + 3))
           state.replace(at, 1, " = ");
         p.message.set_header("Subscription-State", state);
       }},
  };
}

std::vector<Row> stanzas() {
  constexpr std::string_view mark = "{0-a.B_9}:";
  return {
      {"gateway.ids-of-another-form", "has ids of another form on the stanzas that it makes", "RFC6120-8.1.3-1",
       [mark](Stanza& p) {
         const auto id = p.element.attribute_or_empty("id"), type = p.element.attribute_or_empty("type");
         if (!p.is_stanza() || id.empty()) return;
         const bool answer = type == "error" || type == "result";
         if (p.out() && !answer) p.set_attribute("id", std::string(mark) + id);
         if (p.in() && answer && id.starts_with(mark)) p.set_attribute("id", id.substr(mark.size()));
       }},
      {"gateway.errors-with-the-original", "sends back what a stanza held with its error (RFC 6120 8.3.1)",
       "RFC6120-8.3.1-gw4",
       [held = std::map<std::string, xml::Element>()](Stanza& p) mutable {
         if (p.in() && p.is_stanza()) held[p.element.attribute_or_empty("id")] = p.element;
         const auto original = held.find(p.element.attribute_or_empty("id"));
         if (!says_error(p) || original == held.end() || original->second.name() != p.element.name()) return;
         if (p.element.children().size() > 1) return;
         p.edit([&](xml::Element& stanza) {
           auto children = original->second.content();
           stanza.content().insert(stanza.content().begin(), children.begin(), children.end());
         });
       }},
      {"gateway.presence-with-more", "adds a delay and capabilities to the presence that it makes", "RFC8048-6.3-4",
       [](Stanza& p) {
         if (!p.sends_presence("")) return;
         p.edit([](xml::Element& presence) {
           presence.add(xml::Element("delay", "urn:xmpp:delay").with("stamp", "2010-11-13T23:29:00Z"));
           presence.add(xml::Element("c", "http://jabber.org/protocol/caps").with("ver", "x"));
         });
       }},
      {"gateway.subscribes-by-name", "names who subscribes or approves (XEP-0172)", "RFC8048-5.3.1-1",
       [](Stanza& p) {
         if (!p.sends_presence("subscribe") && !p.sends_presence("subscribed")) return;
         p.edit([](xml::Element& presence) {
           presence.add(xml::Element("nick", "http://jabber.org/protocol/nick").with_text("Alice"));
         });
       }},
      {"gateway.unavailable-with-status", "says in words that a user is gone (RFC 6121 4.7.2.2)", "RFC8048-6.3-4",
       [](Stanza& p) {
         if (!p.sends_presence("unavailable")) return;
         p.edit([](xml::Element& presence) {
           if (presence.child("status", presence.ns()) == nullptr)
             presence.add(xml::Element("status", presence.ns()).with_text("gone"));
         });
       }},
      {"gateway.text-with-formatting", "adds the same in XHTML to the messages that it makes (XEP-0071)",
       "RFC7572-5-T2-From",
       [](Stanza& p) {
         if (!says_text(p)) return;
         p.edit([](xml::Element& message) {
           xml::Element body("body", "http://www.w3.org/1999/xhtml");
           body.add(xml::Element("p", body.ns()).with_text(message.child("body", message.ns())->text()));
           message.add(xml::Element("html", "http://jabber.org/protocol/xhtml-im").with(std::move(body)));
         });
       }},
  };
}

std::vector<Row> settings() {
  return {
      {"gateway.service-unavailable-is-405", "answers 405 for service-unavailable", "RFC7247-7.1-service-unavailable",
       [](Settings& s) { s.service_unavailable = 405; }},
      {"gateway.service-unavailable-is-480", "answers 480 for service-unavailable", "RFC7247-7.1-service-unavailable",
       [](Settings& s) { s.service_unavailable = 480; }},
      {"gateway.notifies-slowly", "leaves ten seconds between two presence documents", "RFC3856-6.10",
       [](Settings& s) { s.notify_spacing = 10s; }},
      {"gateway.subscribes-for-an-hour", "asks for subscriptions of an hour", "RFC8048-5.2.1-1",
       [](Settings& s) { s.subscription_refresh = 3600s; }},
      {"gateway.grants-an-hour", "grants subscriptions of an hour at most", "RFC3261-423",
       [](Settings& s) { s.subscription_max = 3600s; }},
      {"gateway.refreshes-early", "renews subscriptions at half their time", "RFC8048-5.2.2-1",
       [](Settings& s) { s.refresh_percent = 50; }},
      {"gateway.ends-idle-sessions-late", "keeps idle sessions for twenty minutes", "RFC7573-5-1",
       [](Settings& s) { s.session_idle = 1200s; }},
      {"gateway.refreshes-late", "renews subscriptions at 95 percent of their time", "RFC8048-5.2.2-1",
       [](Settings& s) { s.refresh_percent = 95; }},
      {"gateway.ends-idle-sessions-soon", "ends sessions that were idle for five minutes", "RFC7573-5-1",
       [](Settings& s) { s.session_idle = 300s; }},
      {"gateway.tries-again-late", "waits five minutes before it tries a failed subscription again",
       "RFC6665-4.1.3-none", [](Settings& s) { s.retry = 300s; }},
      {"gateway.small-pagers", "sends no MESSAGE of more than 1000 octets outside of a session", "RFC7572-6-1",
       [](Settings& s) { s.pager_size_max_octets = 1000; }},
      {"gateway.waits-longer-for-errors", "waits four seconds for an error before it answers a MESSAGE", "RFC3428-7-1",
       [](Settings& s) { s.message_hold = 4s; }},
  };
}

}  // namespace

std::vector<Row> gateway_variants() { return variants(gateways, {contents(), documents(), stanzas(), settings()}); }

}  // namespace cutover::departures
