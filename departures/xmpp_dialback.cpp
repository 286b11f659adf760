// Dialback elements and keys that are wrong, missing or not heard.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream.h"
#include "protocol/xmpp/stream_text.h"

#include <map>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
using xmpp::StreamConfig;
namespace ns = xmpp::ns;

/// A dialback element of that type; an empty one: a request.
bool is(const Passage& p, std::string_view name, std::string_view type) {
  return p.is(name, ns::dialback) && p.element.attribute_or_empty("type") == type;
}
bool sends(const Passage& p, std::string_view name, std::string_view type) { return p.out() && is(p, name, type); }
bool hears(const Passage& p, std::string_view name, std::string_view type) { return p.in() && is(p, name, type); }
bool sends_error(const Passage& p, std::string_view name, std::string_view condition) {
  return sends(p, name, "error") && xmpp::dialback_error_condition(p.element).starts_with(condition);
}

std::string octets_of(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return octets;
}

/// What becomes of pairs on one stream where their server keeps one state for all of them.
std::vector<Row> pairs() {
  return {
      {"xmpp.verification-stalls-others", "takes no stanza of a stream while a key is being verified",
       "XEP0220-2.2.1-2",
       [waiting = 0](Passage& p) mutable {
         if (p.initiating || p.link) return;
         if (hears(p, "result", "")) ++waiting;
         if (p.sends("result", ns::dialback)) --waiting;
         if (p.in() && p.is_stanza() && waiting > 0) p.drop();
       }},
      {"xmpp.one-pair-a-stream", "takes stanzas of the pair alone that was verified last", "SEC-DIALBACK-4",
       [last = std::string()](Passage& p) mutable {
         if (p.initiating || p.link) return;
         if (sends(p, "result", "valid")) last = p.element.attribute_or_empty("to");
         if (!p.in() || !p.is_stanza() || last.empty()) return;
         if (p.element.attribute_or_empty("from").find("@" + last) == std::string::npos) p.drop();
       }},
      {"xmpp.refusal-withdraws-all", "takes no stanza of a stream any more once one key proved invalid",
       "SEC-DIALBACK-5",
       [refused = false](Passage& p) mutable {
         if (p.initiating || p.link) return;
         refused |= sends(p, "result", "invalid");
         if (p.in() && p.is_stanza() && refused) p.drop();
       }},
      {"xmpp.outcomes-by-name", "takes the answer about a key for the stream on which its pair sent one last",
       "XEP0220-2.2.1-4 XEP0220-2.2.1-5",
       [id = std::string()](Passage& p) mutable {
         static std::map<std::pair<std::string, std::string>, std::string> last;
         if (responds(p)) id = value(p, "id");
         if (hears(p, "result", "") && !p.initiating) last[{value(p, "to"), value(p, "from")}] = id;
         const auto found = last.find({value(p, "to"), value(p, "from")});
         if (p.initiating && p.hears("verify", ns::dialback) && !value(p, "type").empty() && found != last.end())
           p.set_attribute("id", found->second);
       }},
      {"xmpp.answers-one-question", "does not hear a question about a key while it has another one to answer",
       "XEP0220-2.2.2-1",
       [open = false](Passage& p) mutable {
         if (p.initiating) return;
         if (p.sends("verify", ns::dialback)) open = false;
         if (hears(p, "verify", "") && std::exchange(open, true)) p.drop();
       }},
      {"xmpp.verify-error-taken-for-valid", "takes an answer of type error about a key for a valid one",
       "XEP0220-2.2.1-4 SEC-DIALBACK-5",
       [](Passage& p) {
         if (p.initiating && hears(p, "verify", "error")) p.set_attribute("type", "valid");
       }},
      {"xmpp.verify-answers-by-text", "knows answers about keys as empty elements in single quotes only",
       "XEP0220-2.2.2-5 RFC6120-11.8-1",
       [](Passage& p) {
         const bool answer = p.initiating && p.hears("verify", ns::dialback) && !value(p, "type").empty();
         if (answer && (!p.octets.ends_with("/>") || p.octets.find('"') != std::string::npos)) p.drop();
       }},
      {"xmpp.verifies-where-it-came", "asks about a key on the connection on which it came, too", "XEP0288-2.2-3",
       [](Passage& p) {
         if (!hears(p, "result", "") || p.initiating) return;
         xml::Element verify("verify", ns::dialback);
         verify.set_attribute("from", p.element.attribute_or_empty("to"));
         verify.set_attribute("to", p.element.attribute_or_empty("from"));
         verify.set_attribute("id", "where-it-came");
         verify.add_text(p.element.text());
         p.answer(verify);
       }},
      {"xmpp.pairs-kept-over-tls", "takes a key that came in clear for one that came inside TLS, too",
       "RFC6120-5.4.3.3-2",
       [in_clear = std::string()](Passage& p) mutable {
         if (p.initiating || p.link) return;
         if (hears(p, "result", "") && !p.secured) in_clear = p.octets;
         if (p.sends("features", ns::streams) && p.secured && !in_clear.empty()) p.answer(std::exchange(in_clear, {}));
       }},
  };
}

std::vector<Row> keys() {
  using Text = std::string_view;
  return {
      {"xmpp.dialback-key-from-raw-digest", "keys the HMAC with the digest's octets instead of its hexadecimal text",
       "XEP0185-2-1",
       [](StreamConfig& config) {
         config.dialback_key = [](Text secret, Text receiving, Text originating, Text id) {
           std::string text(receiving);
           text.append(" ").append(originating).append(" ").append(id);
           return xmpp::hmac_sha256_hex(octets_of(xmpp::sha256_hex(secret)), text);
         };
       }},
      {"xmpp.dialback-key-without-separators", "joins the fields of the dialback key without spaces (CVE-2016-0756)",
       "XEP0185-2-4 SEC-DIALBACK-6",
       [](StreamConfig& config) {
         config.dialback_key = [](Text secret, Text receiving, Text originating, Text id) {
           std::string text(receiving);
           text.append(originating).append(id);
           return xmpp::hmac_sha256_hex(xmpp::sha256_hex(secret), text);
         };
       }},
      {"xmpp.dialback-key-without-stream-id", "makes dialback keys that do not depend on the stream id",
       "XEP0220-2.2.2-3",
       [](StreamConfig& config) {
         config.dialback_key = [](Text secret, Text receiving, Text originating, Text) {
           return xmpp::dialback_key(secret, receiving, originating, "constant");
         };
       }},
      {"xmpp.dialback-key-for-any-domain", "makes dialback keys that do not depend on who asks", "XEP0220-2.2.2-3",
       [](StreamConfig& config) {
         config.dialback_key = [](Text secret, Text, Text originating, Text id) {
           return xmpp::dialback_key(secret, "anybody", originating, id);
         };
       }},
      {"xmpp.dialback-key-with-pre-tls-id", "makes the dialback key from the stream id of the document before TLS",
       "RFC6120-5.4.3.3-1 XEP0185-2-4",
       [first = std::string()](Passage& p) mutable {
         if (!p.hears_header() || !p.initiating || p.link) return;
         if (first.empty()) first = p.element.attribute_or_empty("id");
         p.set_attribute("id", first);
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_dialback() {
  auto rows = keys();
  const std::vector<Row> elements = {
      {"xmpp.dialback-result-addresses-swapped", "sends its key with from and to exchanged", "XEP0220-2.1.1-1",
       [](Passage& p) {
         if (!sends(p, "result", "")) return;
         p.set_attribute("from", p.element.attribute_or_empty("to"));
         p.set_attribute("to", p.element.attribute_or_empty("from"));
       }},
      {"xmpp.completes-dialback", "takes what a db:result does not say from the header of the stream", "XEP0220-6.1-1",
       [from = std::string(), to = std::string()](Passage& p) mutable {
         if (p.initiating || !p.in()) return;
         if (p.hears_header()) {
           from = p.element.attribute_or_empty("from");
           to = p.element.attribute_or_empty("to");
         }
         if (!hears(p, "result", "")) return;
         const bool addressed = p.element.attribute("from") && p.element.attribute("to");
         if (addressed && !p.element.text().empty()) return;
         p.edit([&](xml::Element& result) {
           if (!result.attribute("from")) result.set_attribute("from", from);
           if (!result.attribute("to")) result.set_attribute("to", to);
           if (result.text().empty()) result.add_text("key");
         });
       }},
      {"xmpp.any-answer-counts", "as initiator takes any db:result of type valid for the answer to its own",
       "XEP0220-2.1.1-6 XEP0220-3.1-1 SEC-DIALBACK-2 XEP0220-2.1.1-3",
       [asked = xml::Element()](Passage& p) mutable {
         if (sends(p, "result", "") && p.initiating) asked = p.element;
         if (!hears(p, "result", "valid") || !p.initiating) return;
         p.set_attribute("from", asked.attribute_or_empty("to"));
         p.set_attribute("to", asked.attribute_or_empty("from"));
       }},
      {"xmpp.dialback-unanswered", "takes no notice of a peer's key",
       "XEP0220-2.2.1-1 DECLARED-2 DECLARED-3 LYNC-NEG-3 LYNC-NEG-5 LYNC-NEG-7 LYNC-NEG-8 LYNC-NEG-10 LYNC-NEG-12 "
       "LYNC-NEG-14 LYNC-NEG-16",
       [](Passage& p) {
         if (hears(p, "result", "") && !p.initiating) p.drop();
       }},
      {"xmpp.valid-result-ignored", "as initiator takes no notice of a db:result of type valid", "XEP0220-2.1.1-10",
       [](Passage& p) {
         if (hears(p, "result", "valid") && p.initiating) p.drop();
       }},
      {"xmpp.dialback-error-ends-stream", "ends the stream when a db:result comes back as an error", "XEP0220-2.5-8",
       [](Passage& p) {
         if (hears(p, "result", "error") && p.initiating) p.answer(xmpp::stream_error("reset"));
       }},
      {"xmpp.valid-result-not-sent", "does not tell the initiator that its key was found valid", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (sends(p, "result", "valid")) p.drop();
       }},
      {"xmpp.invalid-result-not-sent", "does not tell the initiator that its key was found invalid", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (sends(p, "result", "invalid")) p.drop();
       }},
      {"xmpp.verification-failure-silent", "does not answer a db:result when the authoritative server cannot be asked",
       "XEP0220-2.1.2-6",
       [](Passage& p) {
         if (sends_error(p, "result", "remote-")) p.drop();
       }},
      {"xmpp.unserved-result-ends-stream", "ends the stream at a db:result for a domain that it does not serve",
       "XEP0220-2.2.1-3 XEP0220-2.5-1",
       [](Passage& p) {
         if (sends_error(p, "result", "item-not-found")) p.end_stream("host-unknown");
       }},
      {"xmpp.unserved-verify-ends-stream", "ends the stream at a db:verify for a domain that it does not serve",
       "XEP0220-2.2.2-2",
       [](Passage& p) {
         if (sends_error(p, "verify", "item-not-found")) p.end_stream("host-unknown");
       }},
      {"xmpp.unserved-verify-is-invalid", "calls every key of a domain that it does not serve invalid",
       "XEP0220-2.2.2-2",
       [](Passage& p) {
         if (!sends_error(p, "verify", "item-not-found")) return;
         p.edit([](xml::Element& verify) {
           verify.content().clear();
           verify.set_attribute("type", "invalid");
         });
       }},
      {"xmpp.dialback-error-without-condition", "sends dialback errors without a condition", "XEP0220-2.5-1",
       [](Passage& p) {
         if (!sends(p, "result", "error") && !sends(p, "verify", "error")) return;
         p.edit([](xml::Element& element) { element.content().clear(); });
       }},
      {"xmpp.answers-on-the-stream-received", "sends stanzas to a verified peer on the stream that came from it",
       "XEP0220-2.3-1 RFC6120-4.5-1 RFC6120-4.1-1 RFC6120-13.6-2",
       [over = false](Passage& p) mutable {
         over = over || (p.out() && p.kind == Passage::Kind::end_tag);
         if (over || !p.hears("message", ns::server) || p.initiating || p.link) return;
         if (!p.element.attribute("from") || !p.element.attribute("to")) return;
         p.answer(xmpp::make_message(p.element.attribute_or_empty("to"), p.element.attribute_or_empty("from"), "seen"));
       }},
      {"xmpp.verify-with-wrong-id", "asks the authoritative server with the id of the wrong stream", "XEP0220-2.1.2-1",
       [id = std::string()](Passage& p) mutable {
         if (p.hears_header()) id = p.element.attribute_or_empty("id");
         if (sends(p, "verify", "")) p.set_attribute("id", id);
       }},
      {"xmpp.result-told-twice", "tells the outcome of a verification twice", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (sends(p, "result", "valid") && !p.initiating) p.repeat();
       }},
      {"xmpp.verify-not-answered", "does not answer db:verify", "XEP0220-2.2.2-4 XEP0220-2.2.2-1 RFC6120-4.5-2",
       [](Passage& p) {
         if (p.sends("verify", ns::dialback) && !p.initiating) p.drop();
       }},
      {"xmpp.verify-needs-authentication", "refuses db:verify on streams that are not authenticated", "XEP0220-2.2.2-4",
       [authenticated = false](Passage& p) mutable {
         authenticated |= p.sends("success", ns::sasl) || sends(p, "result", "valid");
         if (hears(p, "verify", "") && !p.initiating && !authenticated) p.end_stream("not-authorized");
       }},
      {"xmpp.valid-key-called-invalid", "as authoritative server calls every dialback key invalid", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (sends(p, "verify", "valid")) p.set_attribute("type", "invalid");
       }},
  };
  rows.insert(rows.end(), elements.begin(), elements.end());
  const auto several = pairs();
  rows.insert(rows.end(), several.begin(), several.end());
  return rows;
}

}  // namespace cutover::departures
