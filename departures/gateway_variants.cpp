// What the documents allow of a gateway on its SIP side and in what it makes of either, and the reference does not
// show.
#include "departures/rows.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/settings.h"
#include "protocol/sip/endpoint.h"
#include "protocol/sip/passage.h"
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

Row variant(std::string_view name, std::string_view sentence, std::string_view requirements, Action action,
            const char* file = __builtin_FILE()) {
  return {name, sentence, requirements, std::move(action), gateways, Nature::variant, file};
}

using OnSip = std::function<void(Sip&)>;
using OnXmpp = std::function<void(Stanza&)>;

/// Changes the first of a text in the octets of a message that is said.
void rewrite(Sip& p, std::string_view text, std::string_view by) {
  if (!p.out()) return;
  p.edit([text = std::string(text), by = std::string(by)](std::string& octets) {
    if (const auto at = octets.find(text); at != std::string::npos) octets.replace(at, text.size(), by);
  });
}

bool says_text(const Sip& p) {
  return p.sends("MESSAGE") && p.message.header_or_empty("Content-Type").starts_with("text/plain");
}
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; });
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

std::vector<Row> forms() {
  return {
      variant("sip.compact-headers", "writes the compact forms of headers (RFC 3261 7.3.3)", "RFC3428-4-1",
              OnSip([](Sip& p) {
                for (const auto& [name, compact] : {std::pair{"\r\nFrom:", "\r\nf:"},
                                                    {"\r\nTo:", "\r\nt:"},
                                                    {"\r\nCall-ID:", "\r\ni:"},
                                                    {"\r\nVia:", "\r\nv:"},
                                                    {"\r\nContact:", "\r\nm:"},
                                                    {"\r\nContent-Type:", "\r\nc:"},
                                                    {"\r\nContent-Length:", "\r\nl:"},
                                                    {"\r\nEvent:", "\r\no:"}})
                  rewrite(p, name, compact);
              })),
      variant("sip.headers-in-small-letters", "writes the names of headers in small letters (RFC 3261 7.3.1)",
              "RFC3428-4-1", OnSip([](Sip& p) {
                for (const auto& [name, small] : {std::pair{"\r\nFrom:", "\r\nfrom :"},
                                                  {"\r\nTo:", "\r\nto:"},
                                                  {"\r\nCSeq:", "\r\ncseq:"},
                                                  {"\r\nCall-ID:", "\r\ncall-id:"},
                                                  {"\r\nSubscription-State:", "\r\nsubscription-state:"}})
                  rewrite(p, name, small);
              })),
      variant("sip.folded-headers", "continues headers on a second line (RFC 3261 7.3.1)", "RFC3428-4-1",
              OnSip([](Sip& p) {
                rewrite(p, "\r\nCSeq: ", "\r\nCSeq:\r\n ");
                rewrite(p, "\r\nContent-Type: ", "\r\nContent-Type:\r\n\t");
              })),
      variant("sip.says-who-it-is", "has further headers in whatever it says (RFC 3261 7.3.1)", "RFC3261-8.2.6.2",
              OnSip([](Sip& p) {
                if (!p.out()) return;
                p.message.add_header(p.message.is_request ? "User-Agent" : "Server", "odd/1.0 (comment)");
                p.message.add_header("X-Odd", "a; b=\"c, d\"");
                p.message.add_header("Date", "Sat, 13 Nov 2010 23:29:00 GMT");
              })),
      variant("sip.other-reason-phrases", "has words of its own for statuses (RFC 3261 7.2)", "RFC3261-8.2.6.2",
              OnSip([](Sip& p) {
                if (p.says_response()) p.message.reason = "Whatever";
              })),
      variant("sip.trying-first", "answers each INVITE with 100 at once (RFC 3261 17.2.1)", "RFC7573-4-1",
              OnSip([](Sip& p) {
                if (p.hears("INVITE")) p.answer(sip::response_to(p.message, 100, "Trying", {}));
              })),
      variant("sip.accepted-instead-of-ok", "answers MESSAGE with 202 instead of 200", "RFC3428-7-1", OnSip([](Sip& p) {
                if (p.answers("MESSAGE", 200, 200)) p.message.status = 202;
              })),
      variant("sip.warns-about-refusals", "has a Warning in its refusals (RFC 3261 20.43)", "RFC3261-8.2.6.2",
              OnSip([](Sip& p) {
                if (p.says_response() && p.message.status >= 400 && !p.message.header("Warning"))
                  p.message.add_header("Warning", "399 gateway.example \"no reason at all\"");
              })),
      variant(
          "sip.contact-says-more", "has parameters in its Contact (RFC 3261 20.10)", "RFC3428-4-1", OnSip([](Sip& p) {
            if (!p.out() || !p.message.header("Contact")) return;
            p.message.set_header("Contact", p.message.header_or_empty("Contact") + ";+sip.instance=\"<urn:uuid:1>\"");
          })),
      variant("sip.tells-its-extensions", "lists the extensions that it supports (RFC 3261 20.37)", "RFC3428-4-1",
              OnSip([](Sip& p) {
                if (p.out() && p.message.is_request && p.message.method != "ACK")
                  p.message.set_header("Supported", "eventlist, gruu, outbound");
              })),
      variant("sip.names-in-from", "has a display name in From (RFC 3261 20.20)", "RFC3428-4-1", OnSip([](Sip& p) {
                const auto from = p.message.header_or_empty("From");
                if (p.out() && p.message.is_request && from.starts_with('<') && p.message.to() &&
                    p.message.to()->tag().empty())
                  p.message.set_header("From", "\"Romeo \\\"<x>\" " + from);
              })),
  };
}

std::vector<Row> contents() {
  return {
      variant("gateway.text-without-charset", "leaves the charset of text to its default", "RFC7572-4-T1-body",
              OnSip([](Sip& p) {
                if (says_text(p) && is_ascii(p.message.body)) p.message.set_header("Content-Type", "text/plain");
              })),
      variant("gateway.text-with-charset-in-quotes", "writes the charset of text in quotes", "RFC7572-4-T1-body",
              OnSip([](Sip& p) {
                if (says_text(p)) p.message.set_header("Content-Type", "text/plain ; charset=\"utf-8\"");
              })),
      variant("gateway.pidf-with-time", "tells the time in its presence documents", "RFC3863-4.1.1", OnSip([](Sip& p) {
                if (says_pidf(p)) put_before(p, "</tuple>", "<timestamp>2010-11-13T23:29:00Z</timestamp>");
              })),
      variant("gateway.pidf-with-person", "tells of the person in its presence documents, too (RFC 4479)",
              "RFC3863-4.1.1", OnSip([](Sip& p) {
                if (says_pidf(p))
                  put_before(p, "</presence>",
                             "<person xmlns='urn:ietf:params:xml:ns:pidf:data-model' id='p1'><note>n</note></person>");
              })),
      variant("gateway.pidf-with-status-of-its-own", "has more than the basic status in its tuples", "RFC3863-4.1.1",
              OnSip([](Sip& p) {
                if (says_pidf(p)) put_before(p, "</status>", "<im xmlns='urn:ietf:params:xml:ns:pidf:im'>busy</im>");
              })),
      variant("gateway.subscription-state-says-more", "has a parameter of its own in Subscription-State",
              "RFC6665-4.2.2", OnSip([](Sip& p) {
                if (p.sends("NOTIFY"))
                  p.message.set_header("Subscription-State",
                                       p.message.header_or_empty("Subscription-State") + ";odd=1");
              })),
      variant("gateway.sdp-says-more", "has more lines in its session descriptions", "RFC7573-4-1", OnSip([](Sip& p) {
                if (p.out() && p.message.header_or_empty("Content-Type") == "application/sdp" &&
                    !p.message.body.empty())
                  p.message.body += "a=sendrecv\r\na=odd:1\r\n";
              })),
      variant("gateway.maps-no-priority", "maps no priority in either direction (RFC 8048 Table 1, note 6)",
              "RFC8048-6.2-T1-priority RFC8048-6.3-T2-priority", OnXmpp([](Stanza& p) {
                if (p.is("presence"))
                  p.edit([](xml::Element& stanza) { stanza.remove_children("priority", stanza.ns()); });
              })),
      variant("gateway.presence-from-bare-address", "merges all tuples into presence from the bare address",
              "RFC8048-6.3-4 RFC8048-6.3-T2-from",
              OnXmpp([open = std::map<std::string, std::set<std::string>>()](Stanza& p) mutable {
                const bool available = p.sends_presence("");
                if (!available && !p.sends_presence("unavailable")) return;
                const auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
                if (!from || from->is_bare()) return;
                auto& resources = open[from->bare() + " " + p.element.attribute_or_empty("to")];
                available ? (void)resources.insert(from->resource) : (void)resources.erase(from->resource);
                if (!available && !resources.empty()) return p.drop();
                p.set_attribute("from", from->bare());
              })),
      variant("gateway.error-with-text", "explains stanza errors in words", "RFC6120-8.3.1-gw4", OnXmpp([](Stanza& p) {
                change_error(p, [](xml::Element& error) {
                  if (error.child("text", ns::stanza_errors) == nullptr)
                    error.add(xml::Element("text", ns::stanza_errors).with_text("No."));
                });
              })),
      variant("gateway.error-of-another-type", "chooses other error types", "RFC6120-8.3.1-gw4", OnXmpp([](Stanza& p) {
                change_error(p, [](xml::Element& error) {
                  error.set_attribute("type", error.attribute_or_empty("type") == "cancel" ? "modify" : "cancel");
                });
              })),
      variant("gateway.error-of-an-application", "adds conditions of its own to stanza errors", "RFC6120-8.3.1-gw4",
              OnXmpp([](Stanza& p) {
                change_error(p, [](xml::Element& error) { error.add(xml::Element("odd", "urn:example:errors")); });
              })),
      variant("gateway.link-to-an-image", "tells of images in words (RFC 7572 7: a matter of implementation)",
              "RFC7572-7-4", OnSip([](Sip& p) {
                if (!p.hears("MESSAGE") || !p.message.header_or_empty("Content-Type").starts_with("image/")) return;
                p.message.set_header("Content-Type", "text/plain");
                p.message.body = "an image: https://files.contoso.example/1";
              })),
      variant("gateway.sender-with-a-resource",
              "names the sender's device where it knows it (RFC 7572 Table 2, note 1)", "RFC7572-5-T2-From",
              OnXmpp([](Stanza& p) {
                const auto from = p.element.attribute_or_empty("from");
                if (says_text(p) && p.element.attribute_or_empty("type").empty() && from.find('/') == std::string::npos)
                  p.set_attribute("from", from + "/device");
              })),
      variant("gateway.text-of-type-normal", "says of pager messages that they are of type normal", "RFC7572-5-T2-From",
              OnXmpp([](Stanza& p) {
                if (says_text(p) && p.element.attribute_or_empty("type").empty()) p.set_attribute("type", "normal");
              })),
      variant("gateway.text-with-origin", "adds an id of its own to the messages that it makes (XEP-0359)",
              "RFC7572-5-T2-From", OnXmpp([](Stanza& p) {
                if (says_text(p))
                  p.edit([](xml::Element& message) { message.add(xml::Element("origin-id", "urn:xmpp:sid:0")); });
              })),
      variant("gateway.text-is-for-archives", "adds hints for archives to the messages that it makes (XEP-0334)",
              "RFC7572-5-T2-From", OnXmpp([](Stanza& p) {
                if (says_text(p))
                  p.edit([](xml::Element& message) { message.add(xml::Element("store", "urn:xmpp:hints")); });
              })),
      variant("gateway.timeout-is-our-fault", "answers 500 where a partner's server did not answer in time",
              "RFC4320-4.2-1", OnSip([](Sip& p) {
                if (p.answers("MESSAGE", 504, 504)) p.message.status = 500;
              })),
  };
}

std::vector<Row> settings() {
  return {
      variant("gateway.service-unavailable-is-405", "answers 405 for service-unavailable",
              "RFC7247-7.1-service-unavailable", Action([](Settings& s) { s.service_unavailable = 405; })),
      variant("gateway.service-unavailable-is-480", "answers 480 for service-unavailable",
              "RFC7247-7.1-service-unavailable", Action([](Settings& s) { s.service_unavailable = 480; })),
      variant("gateway.notifies-slowly", "leaves ten seconds between two presence documents", "RFC3856-6.10",
              Action([](Settings& s) { s.notify_spacing = 10s; })),
      variant("gateway.subscribes-for-an-hour", "asks for subscriptions of an hour", "RFC8048-5.2.1-1",
              Action([](Settings& s) { s.subscription_refresh = 3600s; })),
      variant("gateway.grants-an-hour", "grants subscriptions of an hour at most", "RFC3261-423",
              Action([](Settings& s) { s.subscription_max = 3600s; })),
      variant("gateway.refreshes-early", "renews subscriptions at half their time", "RFC8048-5.2.2-1",
              Action([](Settings& s) { s.refresh_percent = 50; })),
      variant("gateway.ends-idle-sessions-late", "keeps idle sessions for twenty minutes", "RFC7573-5-1",
              Action([](Settings& s) { s.session_idle = 1200s; })),
      variant("gateway.waits-longer-for-errors", "waits four seconds for an error before it answers a MESSAGE",
              "RFC3428-7-1", Action([](Settings& s) { s.message_hold = 4s; })),
  };
}

}  // namespace

std::vector<Row> gateway_variants() {
  auto rows = forms();
  for (auto& some : {contents(), settings()}) rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

}  // namespace cutover::departures
