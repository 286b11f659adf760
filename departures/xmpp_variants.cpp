// What the documents allow of streams and stanzas, and the reference does not show: nobody may be blamed for it.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "departures/tls_passed_on.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/sasl_external.h"
#include "protocol/xmpp/server.h"
#include "protocol/xmpp/stream.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>

namespace cutover::departures {

namespace {

using xmpp::Passage;
using xmpp::ServerConfig;
using xmpp::StreamConfig;
namespace ns = xmpp::ns;
using namespace std::chrono_literals;

bool sends_header(const Passage& p) { return p.sends_header() && !p.link; }
bool response(const Passage& p) { return sends_header(p) && !p.initiating; }
bool offers(const Passage& p) { return p.sends("features", ns::streams) && !p.link; }
bool sends_stanza(const Passage& p) { return p.out() && p.is_stanza() && !p.link; }
bool sends_text(const Passage& p) {
  return sends_stanza(p) && p.element.name() == "message" && p.element.child("body", ns::server) != nullptr;
}
bool sends_stream_error(const Passage& p) { return p.sends("error", ns::streams) && !p.link; }
bool sends_dialback(const Passage& p) {
  return p.out() && p.kind == Passage::Kind::element && p.element.ns() == ns::dialback;
}

std::vector<Row> headers() {
  return {
      {"xmpp.content-namespace-on-each-element",
       "declares no content namespace in its headers and names it on each element (prefix-free canonicalization)",
       "RFC6120-4.8.2-1 RFC6120-4.8.3-2",
       [](Passage& p) {
         if (sends_header(p)) p.set_attribute("xmlns", ns::streams);
         if (sends_stanza(p)) p.set_attribute("xmlns", ns::server);
         if (sends_dialback(p)) p.replace("<error ", "<error xmlns='jabber:server' ");
       }},
      {"xmpp.response-from-another-name", "answers headers in the name of another domain that it serves",
       "RFC6120-4.7.1-2",
       [ours = std::string()](Passage& p) mutable {
         constexpr std::string_view other = "conference.";
         if (p.hears_header() && !p.initiating && !p.link) {
           ours = p.element.attribute_or_empty("to");
           if (ours.starts_with(other)) p.set_attribute("to", ours = ours.substr(other.size()));
         }
         if (response(p) && p.element.attribute_or_empty("from") == ours)
           p.set_attribute("from", std::string(other) + ours);
       }},
      {"xmpp.header-in-double-quotes", "writes its headers with double quotes", "RFC6120-4.7.1-2",
       [](Passage& p) {
         if (sends_header(p)) p.replace("'", "\"");
       }},
      {"xmpp.header-on-many-lines", "writes each attribute of its headers on a line of its own", "RFC6120-4.7.1-2",
       [](Passage& p) {
         if (sends_header(p)) p.replace("' ", "'\n    ");
       }},
      {"xmpp.header-with-foreign-attribute", "has an attribute of another namespace in its headers", "RFC6120-4.8.4-3",
       [](Passage& p) {
         if (!sends_header(p)) return;
         p.set_attribute("xmlns:odd", "urn:example:odd");
         p.set_attribute("odd:note", "hello");
       }},
      {"xmpp.declares-its-encoding", "names UTF-8 in its XML declaration", "RFC6120-11.6-1",
       [](Passage& p) {
         if (sends_header(p)) p.replace("<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-8'?>");
       }},
      {"xmpp.speaks-another-language", "has another default language", "RFC6120-4.7.4-2",
       [](Passage& p) {
         if (sends_header(p)) p.set_attribute("xml:lang", "de-CH");
       }},
      {"xmpp.other-dialback-prefix", "declares and uses another prefix for dialback", "XEP0220-2.4.1-1",
       [](Passage& p) {
         if (sends_header(p)) p.replace("xmlns:db=", "xmlns:dialback=");
         if (!sends_dialback(p)) return;
         p.replace("<db:", "<dialback:");
         p.replace("</db:", "</dialback:");
       }},
      {"xmpp.content-namespace-said-again", "declares its content namespace once more on each stanza",
       "RFC6120-4.8.5-1",
       [](Passage& p) {
         if (sends_stanza(p)) p.set_attribute("xmlns", ns::server);
       }},
  };
}

std::vector<Row> features() {
  const auto put_in = [](Passage& p, std::string_view features) {
    open_empty_element(p);
    put_last(p, features);
  };
  return {
      {"xmpp.offers-bidi", "offers bidirectional streams, in clear, too", "XEP0288-2.1-1 RFC6120-5.3.1-2",
       [put_in](Passage& p) {
         if (offers(p)) put_in(p, "<bidi xmlns='urn:xmpp:features:bidi'/>");
       }},
      {"xmpp.offers-stream-management", "offers stream management where SASL is over, or dialback is left",
       "XEP0198-2-1",
       [put_in](Passage& p) {
         if (offers(p) && p.secured && p.element.child("mechanisms", ns::sasl) == nullptr)
           put_in(p, "<sm xmlns='urn:xmpp:sm:3'><optional/></sm>");
       }},
      {"xmpp.announces-limits", "announces its limits inside TLS", "XEP0478-3.1-1",
       [put_in](Passage& p) {
         if (offers(p) && p.secured)
           put_in(p, "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes></limits>");
       }},
      {"xmpp.announces-capabilities", "tells its capabilities among the features inside TLS", "RFC6120-4.3.2-2",
       [put_in](Passage& p) {
         if (offers(p) && p.secured)
           put_in(p,
                  "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/>"
                  "<odd xmlns='urn:example:odd'><optional/></odd>");
       }},
      {"xmpp.offers-more-mechanisms", "offers further SASL mechanisms behind EXTERNAL", "RFC6120-6.3.4-2",
       [](Passage& p) {
         if (offers(p))
           p.replace("<mechanism>EXTERNAL</mechanism>",
                     "<mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-1</mechanism>");
       }},
      {"xmpp.mechanisms-say-more", "has an element of another namespace among its mechanisms (RFC 6120 6.3.5)",
       "RFC6120-6.3.4-2",
       [](Passage& p) {
         if (offers(p))
           p.replace("</mechanisms>", "<hostname xmlns='urn:xmpp:domain-based-name:1'>x</hostname></mechanisms>");
       }},
      {"xmpp.features-in-another-order", "lists its features in another order", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (offers(p) && p.element.children().size() > 1)
           p.edit([](xml::Element& features) { std::ranges::reverse(features.content()); });
       }},
      {"xmpp.features-on-many-lines", "writes each feature on a line of its own", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (offers(p)) p.replace("><", ">\n  <");
       }},
  };
}

/// Refuses in the handshake who shows no certificate that it could believe, instead of in SASL.
class Demanding final : public PassedOnSession {
 public:
  using PassedOnSession::PassedOnSession;
  tls::Progress handshake() override {
    const auto progress = PassedOnSession::handshake();
    if (progress != tls::Progress::established) return progress;
    const auto certificate = peer_certificate();
    refused_ = !certificate || !certificate->chain_valid;
    return refused_ ? tls::Progress::failed : progress;
  }
  std::string read() override { return refused_ ? std::string() : PassedOnSession::read(); }
  std::string failure() const override { return refused_ ? "bad certificate" : PassedOnSession::failure(); }

 private:
  bool refused_ = false;
};

std::unique_ptr<tls::Session> demanding(const tls::Identity& identity, tls::Role role,
                                        const tls::SessionOptions& options) {
  return std::make_unique<Demanding>(identity.session(role, options));
}

/// Names no server in its handshakes.
std::unique_ptr<tls::Session> nameless(const tls::Identity& identity, tls::Role role, tls::SessionOptions options) {
  options.server_name.clear();
  return identity.session(role, options);
}

/// Demands a certificate, whoever issued it.
std::unique_ptr<tls::Session> insisting(const tls::Identity& identity, tls::Role role, tls::SessionOptions options) {
  options.require_client_certificate = role == tls::Role::server;
  return identity.session(role, options);
}

std::unique_ptr<tls::Session> giving_tickets(const tls::Identity& identity, tls::Role role,
                                             tls::SessionOptions options) {
  options.tickets = true;
  return identity.session(role, options);
}

/// Streams with partners have their sessions made so.
void make_sessions(StreamConfig& config, const PassedOnIdentity::Make& make) {
  if (!config.identity || config.purpose == xmpp::StreamPurpose::trusted_link) return;
  config.identity = std::make_shared<PassedOnIdentity>(std::move(config.identity), make);
}

std::vector<Row> securing() {
  return {
      {"xmpp.demands-a-certificate", "ends the handshake with a peer that shows no certificate",
       "RFC6120-13.7.2-1 XEP0178-3-2",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::receiving) make_sessions(config, insisting);
       }},
      {"xmpp.gives-tickets", "gives tickets by which a TLS session can be resumed (RFC 8446 section 4.6.1)",
       "RFC6120-5.4.2.1-1",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::receiving) make_sessions(config, giving_tickets);
       }},
      {"xmpp.refuses-in-the-handshake", "ends the handshake with a peer whose certificate it cannot trust",
       "RFC6120-13.7.2-1 XEP0178-3-2",
       [](StreamConfig& config) {
         if (config.role != xmpp::StreamRole::receiving || !config.identity) return;
         if (config.purpose == xmpp::StreamPurpose::trusted_link) return;
         config.identity = std::make_shared<PassedOnIdentity>(std::move(config.identity), demanding);
       }},
      {"xmpp.names-no-server", "sends no SNI behind STARTTLS", "RFC7590-3.5-1",
       [](StreamConfig& config) {
         if (config.role != xmpp::StreamRole::initiating || config.direct_tls || !config.identity) return;
         if (config.purpose == xmpp::StreamPurpose::trusted_link) return;
         config.identity = std::make_shared<PassedOnIdentity>(std::move(config.identity), nameless);
       }},
      {"xmpp.empty-authzid", "as initiator acts for itself and names no authorisation identity",
       "RFC6120-6.3.8-1 XEP0178-3-3",
       [](Passage& p) {
         if (!p.sends("auth", ns::sasl)) return;
         p.edit([](xml::Element& auth) {
           auth.content().clear();
           auth.add_text("=");
         });
       }},
      {"xmpp.auth-without-response", "as initiator sends <auth/> without initial response", "RFC6120-6.4.2-2",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.edit([](xml::Element& auth) { auth.content().clear(); });
       }},
      {"xmpp.settles-external-at-once", "takes <auth/> without initial response for an empty one", "RFC6120-6.4.4-1",
       [](Passage& p) {
         if (!p.hears("auth", ns::sasl) || !p.element.content().empty()) return;
         p.edit([](xml::Element& auth) { auth.add_text("="); });
       }},
      {"xmpp.sasl-failure-with-text", "explains SASL failures in words", "RFC6120-6.4.5-1",
       [](Passage& p) {
         if (p.sends("failure", ns::sasl)) put_last(p, "<text xml:lang='en'>No.</text>");
       }},
      {"xmpp.known-by-its-certificate",
       "asks nobody about the key of a peer whose certificate proves its domain (XEP-0220 2.2.1)", "XEP0220-2.2.1-1",
       [](StreamConfig& config) { config.certificate_is_enough = true; }},
      {"xmpp.closes-after-sasl-failure", "ends the stream behind a SASL failure (XEP-0178 section 3)",
       "RFC6120-6.4.5-2 XEP0178-3-5",
       [ended = false](Passage& p) mutable {
         if (ended && p.out()) return p.drop();  // the engine's own end tag, for the one that is answered here
         if (!p.sends("failure", ns::sasl)) return;
         ended = true;
         p.octets += xmpp::end_tag;
         p.answer(xmpp::end_tag);
       }},
      {"xmpp.one-try-at-sasl", "allows no second try at SASL", "RFC6120-6.4.5-2",
       [](StreamConfig& config) { config.sasl_tries_max = 1; }},
      {"xmpp.six-tries-at-sasl", "allows five retries of SASL", "RFC6120-6.4.5-2",
       [](StreamConfig& config) { config.sasl_tries_max = 6; }},
  };
}

std::vector<Row> errors() {
  return {
      {"xmpp.stream-error-with-text", "explains stream errors in words", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (sends_stream_error(p) && p.octets.find("<text") == std::string::npos)
           put_last(p, "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>No.</text>");
       }},
      {"xmpp.stream-error-of-an-application", "adds conditions of its own to stream errors", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (sends_stream_error(p)) put_last(p, "<odd xmlns='urn:example:errors'/>");
       }},
      {"xmpp.host-gone", "knew the domains that it does not serve", "RFC6120-4.9.3.6-1 RFC6120-8.1.1.2-2",
       [](Passage& p) {
         if (sends_stream_error(p)) p.replace("host-unknown", "host-gone");
       }},
      {"xmpp.strangers-are-not-authorized", "tells strangers that they are not authorized", "LYNC-ARCH-4",
       [negotiated = false](Passage& p) mutable {
         negotiated |= offers(p);
         if (sends_stream_error(p) && !negotiated) p.replace("<policy-violation", "<not-authorized");
       }},
      {"xmpp.strangers-fail-to-authenticate",
       "answers the header of a stranger, and refuses its certificate and its key", "LYNC-ARCH-4",
       [](StreamConfig& config) { config.strangers_meet = StreamConfig::StrangersMeet::refusal_of_proof; }},
      {"xmpp.strangers-say-nothing", "lets strangers authenticate, and ends the stream at their first stanza",
       "LYNC-ARCH-4",
       [](StreamConfig& config) { config.strangers_meet = StreamConfig::StrangersMeet::refusal_of_stanzas; }},
      {"xmpp.bad-format", "says bad-format of XML that is not well-formed (RFC 6120 4.9.3.1)", "RFC6120-4.9.3.13-1",
       [](Passage& p) {
         if (!sends_stream_error(p)) return;
         p.replace("not-well-formed", "bad-format");
         p.replace("bad-namespace-prefix", "bad-format");
       }},
      {"xmpp.not-well-formed-prefix", "says not-well-formed of an unbound prefix", "RFC6120-11.3-3",
       [](Passage& p) {
         if (sends_stream_error(p)) p.replace("bad-namespace-prefix", "not-well-formed");
       }},
      {"xmpp.unsupported-stanza-type", "says unsupported-stanza-type of a stanza in jabber:client", "RFC6120-4.8.4-3",
       [foreign = false](Passage& p) mutable {
         if (p.in() && p.is_stanza()) foreign = p.element.ns() == ns::client;
         if (foreign && sends_stream_error(p)) p.replace("invalid-namespace", "unsupported-stanza-type");
       }},
      {"xmpp.foreign-elements-ignored", "takes no notice of stanzas in jabber:client (RFC 6120 4.8.4)",
       "RFC6120-4.8.4-3 RFC6120-4.8.3-1",
       [](Passage& p) {
         if (p.in() && p.is_stanza() && p.element.ns() == ns::client) p.drop();
       }},
      {"xmpp.white-space-between-stanzas", "ends each stanza with a line break", "RFC6120-11.7-1",
       [](Passage& p) {
         if (sends_stanza(p)) p.octets += "\n";
       }},
  };
}

std::vector<Row> dialback() {
  return {
      {"xmpp.key-of-another-form", "makes its dialback keys otherwise than XEP-0185 recommends", "XEP0220-2.2.2-3",
       [](StreamConfig& config) {
         config.dialback_key = [](std::string_view secret, std::string_view receiving, std::string_view originating,
                                  std::string_view id) {
           const auto text = std::string(id) + "|" + std::string(originating) + "|" + std::string(receiving);
           return xmpp::hmac_sha256_hex(secret, text).substr(0, 40);
         };
       }},
      {"xmpp.long-keys", "makes dialback keys of 512 characters", "XEP0220-2.2.2-3",
       [](StreamConfig& config) {
         config.dialback_key = [](std::string_view secret, std::string_view receiving, std::string_view originating,
                                  std::string_view id) {
           std::string key;
           for (const char* part : {"a", "b", "c", "d", "e", "f", "g", "h"})
             key += xmpp::hmac_sha256_hex(
                 secret, std::string(id) + "|" + std::string(originating) + "|" + std::string(receiving) + "|" + part);
           return key;
         };
       }},
      {"xmpp.keys-with-odd-signs", "has signs in its dialback keys that XML escapes", "XEP0220-2.2.2-3",
       [](StreamConfig& config) {
         config.dialback_key = [](std::string_view secret, std::string_view receiving, std::string_view originating,
                                  std::string_view id) {
           const auto text = std::string(id) + "|" + std::string(originating) + "|" + std::string(receiving);
           return "<&>+/=" + xmpp::hmac_sha256_hex(secret, text);
         };
       }},
      {"xmpp.forbidden-instead-of-invalid", "tells a peer with a forged key forbidden (XEP-0220 2.1.2)",
       "XEP0220-2.2.1-4 XEP0220-2.2.1-6",
       [](Passage& p) {
         if (p.initiating || !p.sends("result", ns::dialback)) return;
         if (p.element.attribute_or_empty("type") != "invalid") return;
         p.octets =
             xmpp::dialback_element("result", p.element.attribute_or_empty("from"), p.element.attribute_or_empty("to"),
                                    {}, "error", xmpp::dialback_error("forbidden"));
       }},
      {"xmpp.improper-keys-answered",
       "answers db:result without from or to with a dialback error instead of a stream error", "XEP0220-6.1-1",
       [us = std::string(), peer = std::string()](Passage& p) mutable {
         if (p.initiating) return;
         if (p.sends_header()) {
           us = p.element.attribute_or_empty("from");
           peer = p.element.attribute_or_empty("to");
         }
         if (!p.hears("result", ns::dialback) || (p.element.attribute("from") && p.element.attribute("to"))) return;
         p.answer(xmpp::dialback_element("result", us, peer, {}, "error", xmpp::dialback_error("bad-request")));
         p.drop();
       }},
      {"xmpp.verify-echoes-the-key", "repeats the key in its answer to db:verify", "XEP0220-2.2.2-1",
       [key = std::string()](Passage& p) mutable {
         if (p.hears("verify", ns::dialback)) key = p.element.text();
         if (p.initiating || !p.sends("verify", ns::dialback) || p.element.attribute_or_empty("type") == "error")
           return;
         open_empty_element(p);
         put_last(p, xml::escape(key));
       }},
      {"xmpp.dialback-with-more-attributes", "has attributes of other namespaces on dialback elements",
       "XEP0220-2.1.1-1 XEP0220-2.1.2-1",
       [](Passage& p) {
         if (!sends_dialback(p)) return;
         p.set_attribute("xmlns:odd", "urn:example:odd");
         p.set_attribute("odd:trace", "1");
       }},
      {"xmpp.key-on-many-lines", "writes white space around the attributes of dialback elements", "XEP0220-2.1.1-1",
       [](Passage& p) {
         if (sends_dialback(p)) p.replace("' ", "'\n    ");
       }},
      {"xmpp.dialback-error-of-another-type", "chooses other error types for dialback errors", "XEP0220-2.5-1",
       [](Passage& p) {
         if (!sends_dialback(p)) return;
         if (!p.replace("<error type='cancel'", "<error type='auth'"))
           p.replace("<error type='wait'", "<error type='cancel'");
       }},
      {"xmpp.remote-connection-failed", "tells a peer that the authoritative server could not be reached",
       "XEP0220-2.5-3 XEP0220-2.1.2-6",
       [](Passage& p) {
         if (sends_dialback(p)) p.replace("remote-server-timeout", "remote-connection-failed");
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.text-in-cdata", "writes text as CDATA", "RFC6120-11.1-1",
       [](Passage& p) {
         if (!sends_text(p)) return;
         const auto begin = p.octets.find("<body>"), end = p.octets.find("</body>");
         if (begin == std::string::npos || end == std::string::npos) return;
         if (p.octets.substr(begin, end - begin).find_first_of("&<", 1) != std::string::npos) return;
         p.octets.insert(end, "]]>");
         p.octets.insert(begin + 6, "<![CDATA[");
       }},
      {"xmpp.text-in-references", "writes the first letter of each text as a character reference", "RFC6120-11.1-5",
       [](Passage& p) {
         if (!sends_text(p)) return;
         const auto at = p.octets.find("<body>");
         if (at == std::string::npos || p.octets.size() < at + 7) return;
         const auto letter = static_cast<unsigned char>(p.octets[at + 6]);
         if (letter < 'A' || letter > 'z') return;
         p.octets.replace(at + 6, 1, "&#" + std::to_string(letter) + ";");
       }},
      {"xmpp.stanza-in-double-quotes", "writes the tags of stanzas with double quotes and line breaks",
       "RFC6120-11.1-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         const auto end = p.octets.find('>');
         auto tag = p.octets.substr(0, end);
         if (tag.find('"') != std::string::npos || tag.find('&') != std::string::npos) return;
         std::ranges::replace(tag, '\'', '"');
         p.octets.replace(0, end, tag);
       }},
      {"xmpp.stanza-id-added", "adds an id of its own to the messages that it delivers (XEP-0359)", "RFC6120-8.4-2",
       [](Passage& p) {
         if (sends_text(p)) put_last(p, "<stanza-id xmlns='urn:xmpp:sid:0' by='a.example' id='1'/>");
       }},
      {"xmpp.language-added", "adds a language to stanzas that have none", "RFC6120-4.7.4-5",
       [](Passage& p) {
         if (sends_stanza(p) && p.octets.find("xml:lang=") == std::string::npos) p.set_attribute("xml:lang", "en");
       }},
      {"xmpp.presence-with-capabilities", "sends presence with capabilities and an avatar", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!p.sends_presence("") || p.link) return;
         // Among what is written: another variant may have given the stanza another form.
         const std::string more = "<c xmlns='http://jabber.org/protocol/caps'/><x xmlns='vcard-temp:x:update'/>";
         const bool empty = p.octets.ends_with("/>");
         if (!p.replace("</presence>", more + "</presence>") && empty)
           p.octets.replace(p.octets.size() - 2, 2, ">" + more + "</presence>");
       }},
      {"xmpp.stanzas-say-more", "has an attribute of another namespace on stanzas", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         p.set_attribute("xmlns:odd", "urn:example:odd");
         p.set_attribute("odd:note", "1");
       }},
  };
}

std::vector<Row> times() {
  return {
      {"xmpp.closes-idle-streams-soon", "closes streams that were idle for half a minute", "RFC6120-4.6.3-1",
       [](StreamConfig& config) { config.inactivity_timeout = 30s; }},
      {"xmpp.closes-idle-streams-late", "keeps idle streams six times as long", "RFC6120-4.6.3-1",
       [](StreamConfig& config) { config.inactivity_timeout *= 6; }},
      {"xmpp.little-time-to-negotiate", "gives a peer twenty seconds to negotiate", "SEC-SLOW-1",
       [](StreamConfig& config) { config.establishment_timeout = 20s; }},
      {"xmpp.waits-long-for-the-end", "waits five minutes for the end tag of its peer", "RFC6120-4.4-4",
       [](StreamConfig& config) { config.close_timeout = 5min; }},
      {"xmpp.much-time-to-negotiate", "gives a peer ten times as long to negotiate", "SEC-SLOW-1",
       [](StreamConfig& config) { config.establishment_timeout *= 10; }},
      {"xmpp.large-limit", "takes stanzas of four megabytes", "RFC6120-13.12-5",
       [](StreamConfig& config) { config.reader_limits.element_octets = std::size_t{4} << 20U; }},
      {"xmpp.waits-long-for-a-connection", "tries an address for a minute", "RFC6120-3.2.1-4",
       [](ServerConfig& config) { config.connect_timeout = 1min; }},
      {"xmpp.calls-back", "opens a stream of its own to whoever has authenticated, before it has anything to say",
       "RFC6120-4.1-1", [](ServerConfig& config) { config.calls_back = true; }},
      {"xmpp.connects-twice", "calls a target twice at once and keeps one connection (RFC 8305)", "RFC6120-3.2.1-4",
       [](ServerConfig& config) { config.connects_twice = true; }},
      {"xmpp.verifies-on-an-open-stream", "asks about a key on a stream that is open already", "XEP0220-2.1.2-2",
       [](ServerConfig& config) { config.verifies_on_open = true; }},
      {"xmpp.closes-without-waiting-long", "waits a second for the end tag of its peer", "RFC6120-4.4-4",
       [](StreamConfig& config) { config.close_timeout = 1s; }},
      {"xmpp.smallest-limit", "takes no stanza of more than 10 000 octets", "RFC6120-13.12-4",
       [](StreamConfig& config) { config.reader_limits.element_octets = 10000; }},
      {"xmpp.shallow-stanzas", "takes ten levels of elements", "RFC6120-13.12-5",
       [](StreamConfig& config) {
         config.reader_limits.depth = std::min(config.reader_limits.depth, std::size_t{10});
       }},
      {"xmpp.gives-up-connecting-soon", "tries an address for three seconds", "RFC6120-3.2.1-4",
       [](ServerConfig& config) { config.connect_timeout = 3s; }},
  };
}

}  // namespace

std::vector<Row> xmpp_variants() {
  return variants(s2s, {headers(), features(), securing(), errors(), dialback(), stanzas(), times()});
}

}  // namespace cutover::departures
