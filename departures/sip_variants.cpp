// What the documents allow of the form of SIP messages, and the reference does not show.
#include "departures/rows.h"
#include "protocol/sip/endpoint.h"
#include "protocol/sip/passage.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using Sip = sip::Passage;

/// Changes the first of a text in the octets of a message that is said.
void rewrite(Sip& p, std::string_view text, std::string_view by) {
  if (!p.out()) return;
  p.edit([text = std::string(text), by = std::string(by)](std::string& octets) {
    if (const auto at = octets.find(text); at != std::string::npos) octets.replace(at, text.size(), by);
  });
}

/// A provisional answer to an INVITE before the 2xx: of the same dialog, without a description.
void before_the_answer(Sip& p, int status, std::string_view reason) {
  if (!p.answers("INVITE", 200, 299)) return;
  const auto last = p.message;
  p.message.status = status;
  p.message.reason = reason;
  p.message.body.clear();
  p.message.remove_header("Content-Type");
  p.message.set_header("Content-Length", "0");
  p.follow(last);
}

}  // namespace

std::vector<Row> sip_variants() {
  return variants(
      gateways,
      {{
          {"sip.compact-headers", "writes the compact forms of headers (RFC 3261 7.3.3)", "RFC3428-4-1",
           [](Sip& p) {
             for (const auto& [name, compact] : {std::pair{"\r\nFrom:", "\r\nf:"},
                                                 {"\r\nTo:", "\r\nt:"},
                                                 {"\r\nCall-ID:", "\r\ni:"},
                                                 {"\r\nVia:", "\r\nv:"},
                                                 {"\r\nContact:", "\r\nm:"},
                                                 {"\r\nContent-Type:", "\r\nc:"},
                                                 {"\r\nContent-Length:", "\r\nl:"},
                                                 {"\r\nEvent:", "\r\no:"}})
               rewrite(p, name, compact);
           }},
          {"sip.headers-in-small-letters", "writes the names of headers in small letters (RFC 3261 7.3.1)",
           "RFC3428-4-1",
           [](Sip& p) {
             for (const auto& [name, small] : {std::pair{"\r\nFrom:", "\r\nfrom :"},
                                               {"\r\nTo:", "\r\nto:"},
                                               {"\r\nCSeq:", "\r\ncseq:"},
                                               {"\r\nCall-ID:", "\r\ncall-id:"},
                                               {"\r\nSubscription-State:", "\r\nsubscription-state:"}})
               rewrite(p, name, small);
           }},
          {"sip.folded-headers", "continues headers on a second line (RFC 3261 7.3.1)", "RFC3428-4-1",
           [](Sip& p) {
             rewrite(p, "\r\nCSeq: ", "\r\nCSeq:\r\n ");
             rewrite(p, "\r\nContent-Type: ", "\r\nContent-Type:\r\n\t");
           }},
          {"sip.says-who-it-is", "has further headers in whatever it says (RFC 3261 7.3.1)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (!p.out()) return;
             p.message.add_header(p.message.is_request ? "User-Agent" : "Server", "odd/1.0 (comment)");
             p.message.add_header("X-Odd", "a; b=\"c, d\"");
             p.message.add_header("Date", "Sat, 13 Nov 2010 23:29:00 GMT");
           }},
          {"sip.other-reason-phrases", "has words of its own for statuses (RFC 3261 7.2)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (p.says_response()) p.message.reason = "Whatever";
           }},
          {"sip.trying-first", "answers each INVITE with 100 at once (RFC 3261 17.2.1)", "RFC7573-4-1",
           [](Sip& p) {
             // Inside a dialog the tag of the 100 would be that of before another variant has seen the request.
             const bool first = p.message.header_or_empty("To").find(";tag=") == std::string::npos;
             if (p.hears("INVITE") && first) p.answer(sip::response_to(p.message, 100, "Trying", {}));
           }},
          {"sip.accepted-instead-of-ok", "answers MESSAGE with 202 instead of 200", "RFC3428-7-1",
           [](Sip& p) {
             if (p.answers("MESSAGE", 200, 200)) p.message.status = 202;
           }},
          {"sip.warns-about-refusals", "has a Warning in its refusals (RFC 3261 20.43)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (p.says_response() && p.message.status >= 400 && !p.message.header("Warning"))
               p.message.add_header("Warning", "399 gateway.example \"no reason at all\"");
           }},
          {"sip.contact-says-more", "has parameters in its Contact (RFC 3261 20.10)", "RFC3428-4-1",
           [](Sip& p) {
             if (!p.out() || !p.message.header("Contact")) return;
             p.message.set_header("Contact", p.message.header_or_empty("Contact") + ";+sip.instance=\"<urn:uuid:1>\"");
           }},
          {"sip.tells-its-extensions", "lists the extensions that it supports (RFC 3261 20.37)", "RFC3428-4-1",
           [](Sip& p) {
             if (p.out() && p.message.is_request && p.message.method != "ACK")
               p.message.set_header("Supported", "eventlist, gruu, outbound");
           }},
          {"sip.names-in-from", "has a display name in From (RFC 3261 20.20)", "RFC3428-4-1",
           [](Sip& p) {
             const auto from = p.message.header_or_empty("From");
             if (p.out() && p.message.is_request && from.starts_with('<') && p.message.to() &&
                 p.message.to()->tag().empty())
               p.message.set_header("From", "\"Romeo \\\"<x>\" " + from);
           }},
          // Requests and responses.
          {"sip.headers-in-another-order", "sorts its headers by their names (RFC 3261 7.3.1)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (p.out()) std::ranges::stable_sort(p.message.headers, {}, &sip::Header::name);
           }},
          {"sip.wide-headers", "has white space around the values of headers (RFC 3261 7.3.1)", "RFC3428-4-1",
           [](Sip& p) {
             for (const std::string name : {"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Event", "Expires"})
               rewrite(p, "\r\n" + name + ": ", "\r\n" + name + " \t:   ");
           }},
          {"sip.line-breaks-between-messages", "sends a line break before each message (RFC 3261 7.5)",
           "RFC3261-18.3-2",
           [](Sip& p) {
             if (p.out()) p.edit([](std::string& octets) { octets.insert(0, "\r\n"); });
           }},
          {"sip.no-reason-phrase", "leaves the reason phrase of responses empty (RFC 3261 25.1)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (!p.says_response()) return;
             p.edit([reason = p.message.reason](std::string& octets) {
               const auto line = octets.find("\r\n");
               if (const auto at = octets.find(reason); !reason.empty() && at < line) octets.erase(at, reason.size());
             });
           }},
          {"sip.via-says-more", "has parameters in its Via (RFC 3581, RFC 5923)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (p.out() && p.message.is_request && !p.message.headers.empty())
               for (auto& header : p.message.headers) {
                 if (header.name != "Via") continue;
                 header.value += ";rport;alias";
                 break;
               }
           }},
          {"sip.vias-in-one-line", "writes all Vias of a response in one header (RFC 3261 7.3.1)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             const auto vias = p.message.all("Via");
             if (!p.says_response() || vias.size() < 2) return;
             std::string joined;
             for (const auto& via : vias) joined += (joined.empty() ? "" : ", ") + via;
             p.message.remove_header("Via");
             p.message.prepend_header("Via", joined);
           }},
          {"sip.few-hops", "lets its requests go over ten hops (RFC 3261 20.22)", "RFC3428-4-1",
           [](Sip& p) {
             if (!p.out() || !p.message.is_request) return;
             if (p.message.header("Max-Forwards") == "70") p.message.set_header("Max-Forwards", "10");
           }},
          {"sip.names-in-to", "has a display name in To (RFC 3261 20.39)", "RFC3428-4-1",
           [](Sip& p) {
             const auto to = p.message.header_or_empty("To");
             if (p.out() && p.message.is_request && to.starts_with('<') && p.message.to() &&
                 p.message.to()->tag().empty())
               p.message.set_header("To", "\"Alice, of \\\"Wonder;land\\\"\" " + to);
           }},
          {"sip.names-in-contact", "has a display name in Contact (RFC 3261 20.10)", "RFC3428-4-1",
           [](Sip& p) {
             const auto contact = p.message.header_or_empty("Contact");
             if (p.out() && p.message.status < 300 && contact.starts_with('<'))
               p.message.set_header("Contact", "\"odd <gw>\" " + contact);
           }},
          {"sip.contact-names-transport", "names the transport in the URI of its Contact (RFC 3261 19.1.1)",
           "RFC3428-4-1",
           [](Sip& p) {
             auto contact = p.message.header_or_empty("Contact");
             const auto end = contact.find('>');
             // That of a redirection is somebody else's.
             if (!p.out() || p.message.status >= 300 || end == std::string::npos ||
                 contact.find("transport=") != std::string::npos)
               return;
             p.message.set_header("Contact", contact.insert(end, ";transport=tls"));
           }},
          {"sip.lists-its-methods", "lists methods, event packages and media types in whatever it says (RFC 3261 20.5)",
           "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (!p.out() || p.message.method == "ACK") return;
             for (const auto& [name, value] :
                  {std::pair{"Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, NOTIFY"},
                   {"Allow-Events", "presence"},
                   {"Accept-Language", "en"}}) {
               if (!p.message.header(name)) p.message.add_header(name, value);
             }
           }},
          {"sip.asserts-identities", "asserts who writes (RFC 3325)", "RFC3428-4-1",
           [](Sip& p) {
             if (p.out() && p.message.is_request && p.message.from())
               p.message.add_header("P-Asserted-Identity", "<" + p.message.from()->uri.text() + ">");
           }},
          // Numbers and tags are the gateway's to choose; what comes back carries them.
          {"sip.counts-from-a-thousand", "begins its CSeq numbers at a thousand (RFC 3261 8.1.1.5)", "RFC3261-12.2.1.1",
           [](Sip& p) {
             const bool ours = p.message.is_request ? p.out() : p.in();
             if (!ours || p.message.cseq_method().empty()) return;
             const auto number = p.message.cseq_number() + (p.out() ? 1000U : -1000U);
             p.message.set_header("CSeq", std::to_string(number) + " " + p.message.cseq_method());
           }},
          {"sip.long-tags", "has tags of 64 characters and of all signs that they may have (RFC 3261 19.3)",
           "RFC3261-8.2.6.2",
           // A tag that somebody else made up comes back as it came.
           [made_up = std::set<std::string>()](Sip& p) mutable {
             const std::string more = ".%!*_+`'~-" + std::string(54, 'x');
             const char* name = p.message.is_request == p.out() ? "From" : "To";
             auto value = p.message.header_or_empty(name);
             const auto at = value.find(";tag=");
             if (at == std::string::npos) return;
             const auto end = std::min(value.find(';', at + 1), value.size());
             if (p.in() && p.message.is_request && value.find(more, at) == std::string::npos)
               made_up.insert(value.substr(at, end - at));
             if (p.out() && made_up.contains(value.substr(at, end - at))) return;
             if (p.out())
               value.insert(end, more);
             else if (const auto extra = value.find(more, at); extra < end)
               value.erase(extra, more.size());
             p.message.set_header(name, value);
           }},
          // Further responses.
          {"sip.rings-first", "answers INVITE with 180 before 200 (RFC 3261 13.3.1.1)", "RFC7573-4-1",
           [](Sip& p) { before_the_answer(p, 180, "Ringing"); }},
          {"sip.makes-progress-first", "answers INVITE with 183 before 200 (RFC 3261 13.3.1.1)", "RFC7573-4-1",
           [](Sip& p) { before_the_answer(p, 183, "Session Progress"); }},
          {"sip.says-why-it-ends", "has a Reason in BYE (RFC 3326)", "RFC7573-5-1",
           [](Sip& p) {
             if (p.sends("BYE")) p.message.add_header("Reason", "SIP;cause=200;text=\"over, and out\"");
           }},
          {"sip.says-when-to-try-again", "says in refusals when to try again (RFC 3261 20.33)", "RFC3261-8.2.6.2",
           [](Sip& p) {
             if (p.says_response() && (p.message.status == 404 || p.message.status == 480 || p.message.status == 503) &&
                 !p.message.header("Retry-After"))
               p.message.add_header("Retry-After", "60 (soon);duration=3600");
           }},
      }});
}

}  // namespace cutover::departures
