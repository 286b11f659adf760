// What a server does not understand although a text has it: forms of headers, negotiation and stanzas that are rare.
#include "departures/rows.h"
#include "departures/tls_passed_on.h"
#include "protocol/base/ascii.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

/// The header of a peer that calls.
bool hears_call(const Passage& p) { return p.hears_header() && !p.initiating && !p.link; }
bool hears_stanza(const Passage& p) { return p.in() && p.is_stanza() && !p.link; }
bool holds(const Passage& p, std::string_view text) { return p.octets.find(text) != std::string::npos; }
/// What comes is no stream, or no stanza, that it knows.
void refuse(Passage& p) {
  if (p.kind == Passage::Kind::header)
    p.octets = "<?xml version='1.0'?><stream>";
  else
    p.end_stream("bad-format");
}
bool hears_any_header(const Passage& p) { return p.hears_header() && !p.link; }
void refuse_where(Passage& p, bool wrong) {
  if (wrong && (hears_any_header(p) || hears_stanza(p))) refuse(p);
}
bool hears_features(const Passage& p) { return p.hears("features", ns::streams) && p.initiating && !p.link; }
/// Takes out all children but the first.
void keep_first(xml::Element& element) {
  auto& content = element.content();
  std::erase_if(content, [](const xml::Content& one) { return one.is_text(); });
  if (content.size() > 1) content.erase(content.begin() + 1, content.end());
}

bool has_capitals_or_dot(std::string_view address) {
  const auto at = address.find('@');
  const auto domain = address.substr(at == std::string_view::npos ? 0 : at + 1);
  const auto end = domain.substr(0, domain.find('/'));
  return end.ends_with('.') || std::ranges::any_of(end, [](unsigned char c) { return std::isupper(c) != 0; });
}
std::string resource_of(const Passage& p) {
  const auto from = p.element.attribute_or_empty("from");
  const auto slash = from.find('/');
  return slash == std::string::npos ? std::string() : from.substr(slash + 1);
}

std::vector<Row> forms() {
  return {
      {"xmpp.single-quotes-only", "understands no header or stanza in double quotes", "RFC6120-11.8-1",
       [](Passage& p) { refuse_where(p, holds(p, "to=\"") || holds(p, "to = \"")); }},
      {"xmpp.declaration-demanded", "takes no header without an XML declaration", "RFC6120-11.8-1",
       [](Passage& p) {
         if (hears_call(p) && !holds(p, "<?xml")) refuse(p);
       }},
      {"xmpp.encoding-in-capitals-only", "knows no encoding but UTF-8, in capitals", "RFC6120-11.8-1",
       [](Passage& p) {
         if (hears_call(p) && holds(p, "\"utf-8\"")) refuse(p);
       }},
      {"xmpp.references-refused", "takes no character references", "RFC6120-11.1-6 XML-2.11-1",
       [](Passage& p) {
         refuse_where(p, holds(p, "&#"));
         if (hears_features(p) && holds(p, "&#")) p.end_stream("bad-format");
       }},
      // Not at the first: a network may cut so by chance.
      {"xmpp.misreads-cuts", "loses its place where writes end behind an opening quote again and again",
       "SEC-SMUGGLE-7",
       [cuts = 0](Direction direction, std::string& octets) mutable {
         if (direction == Direction::in && (octets.ends_with("='") || octets.ends_with("=\"")) && ++cuts > 3)
           octets += "x";
       }},
      // Not at the first: a network may cut so by chance.
      {"xmpp.puts-off-small-writes",
       "reads a tag that comes in many small writes only when there is twice as much, as libexpat does since 2.6.0",
       "SEC-SMUGGLE-7",
       [kept = std::string(), looked_at = std::size_t{0}, small = 0](Direction direction, std::string& octets) mutable {
         if (direction != Direction::in) return;
         if (octets.size() == 7) ++small;
         kept += std::exchange(octets, {});
         if (small > 6 && kept.size() < 2 * looked_at) return;
         octets = std::exchange(kept, {});
         const auto tag = octets.rfind('<');
         if (tag != std::string::npos && octets.find('>', tag) == std::string::npos) kept = octets.substr(tag);
         octets.resize(octets.size() - kept.size());
         looked_at = kept.size();
         if (kept.empty()) small = 0;
       }},
      {"xmpp.puts-off-long-tags", "reads what begins with a long tag only once more octets come", "SEC-SMUGGLE-7",
       [kept = std::string()](Direction direction, std::string& octets) mutable {
         if (direction != Direction::in || octets.empty()) return;
         constexpr std::size_t long_octets = 900;
         if (kept.empty() && octets.size() > long_octets && octets.find('>') > long_octets)
           kept = std::exchange(octets, {});
         else
           octets.insert(0, std::exchange(kept, {}));
       }},
      {"xmpp.one-addressee-a-write", "reads of one write what is for the addressee of its first stanza",
       "SEC-SMUGGLE-7",
       [](Direction direction, std::string& octets) {
         const auto end = direction == Direction::in ? octets.find("</message><iq ") : std::string::npos;
         if (end != std::string::npos) octets.resize(end + std::string_view("</message>").size());
       }},
      {"xmpp.other-encodings-accepted", "takes streams that are declared as another encoding for UTF-8",
       "RFC6120-11.6-2",
       [](Direction direction, std::string& octets) {
         constexpr std::string_view declared = " encoding='ISO-8859-1'";
         const auto at = octets.find(declared);
         if (direction == Direction::in && at != std::string::npos) octets.erase(at, declared.size());
       }},
      {"xmpp.byte-order-marks-refused", "takes U+FEFF for a byte order mark wherever it stands", "RFC6120-11.6-4",
       [](Passage& p) {
         refuse_where(p, p.is_stanza() && xml::write(p.element).find("\xef\xbb\xbf") != std::string::npos);
       }},
      {"xmpp.takes-repeated-attributes", "takes the first of several attributes of one name", "RFC6120-11.3-2",
       [](Direction direction, std::string& octets) {
         const auto at = octets.find(" odd='2'");
         if (direction == Direction::in && at != std::string::npos) octets.erase(at, 8);
       }},
      {"xmpp.takes-octets-beyond-utf-8", "replaces octets that are no UTF-8", "SEC-SMUGGLE-1",
       [](Direction direction, std::string& octets) {
         if (direction != Direction::in) return;
         for (const std::string_view bad : {"\xe9</", "\xc1\xa1", "\xed\xa0\x80"}) {
           const auto at = octets.find(bad);
           if (at != std::string::npos) octets.replace(at, bad.ends_with('/') ? 1 : bad.size(), "?");
         }
       }},
  };
}

std::vector<Row> headers() {
  return {
      {"xmpp.stream-prefix-demanded", "takes no header whose element has not the prefix stream", "RFC6120-4.8.2-2",
       [](Passage& p) {
         if (hears_call(p) && !holds(p, "<stream:stream")) refuse(p);
       }},
      {"xmpp.odd-headers-unanswered",
       "says nothing to a header with another prefix than stream, or with the address of a user",
       "RFC6120-4.8.5-1 RFC6120-4.7.1-4",
       [](Passage& p) {
         const auto addresses = p.element.attribute_or_empty("from") + p.element.attribute_or_empty("to");
         if (hears_call(p) && (holds(p, "<s:stream") || addresses.find('@') != std::string::npos)) p.drop();
       }},
      {"xmpp.dialback-prefix-demanded", "takes no header in which dialback has another prefix than db", "XEP0220-2-1",
       [](Passage& p) {
         if (hears_call(p) && holds(p, "jabber:server:dialback") && !holds(p, "xmlns:db")) refuse(p);
       }},
      {"xmpp.addresses-compared-as-written", "knows no domain in capitals or with a dot behind it",
       "RFC7622-3.2.2-1 RFC7622-3.2-2",
       [](Passage& p) {
         refuse_where(p, has_capitals_or_dot(p.element.attribute_or_empty("from")) ||
                             has_capitals_or_dot(p.element.attribute_or_empty("to")));
       }},
      {"xmpp.version-1.0-only", "takes no header of another version than 1.0", "RFC6120-4.7.5-4 RFC6120-4.7.5-2",
       [](Passage& p) {
         if (hears_call(p) && p.element.attribute("version") && p.element.attribute("version") != "1.0") refuse(p);
       }},
      {"xmpp.language-demanded", "takes no header in another language than English", "RFC6120-4.7.4-3",
       [](Passage& p) {
         if (hears_any_header(p) && p.element.attribute("lang", ns::xml) != "en") refuse(p);
       }},
      {"xmpp.private-languages-refused", "takes no header in a private language", "RFC6120-4.7.4-3",
       [](Passage& p) {
         refuse_where(p, hears_any_header(p) && p.element.attribute("lang", ns::xml).value_or("").starts_with("x-"));
       }},
      {"xmpp.long-stream-ids-refused", "takes no response header with an id of more than 100 octets", "RFC6120-4.7.3-1",
       [](Passage& p) {
         if (hears_any_header(p) && p.initiating && p.element.attribute_or_empty("id").size() > 100) refuse(p);
       }},
      {"xmpp.initial-id-refused", "takes no initial header with an id", "RFC6120-4.7.3-4",
       [](Passage& p) {
         if (hears_call(p) && p.element.attribute("id")) refuse(p);
       }},
  };
}

std::vector<Row> negotiation() {
  return {
      {"xmpp.starttls-by-its-prefix", "knows <starttls/> as text only", "RFC6120-5.4.2.1-1",
       [](Passage& p) {
         if (p.hears("starttls", ns::tls) && !holds(p, "<starttls")) p.end_stream("unsupported-stanza-type");
       }},
      {"xmpp.auth-by-its-prefix", "knows <auth/> as text only", "RFC6120-6.2-1",
       [](Passage& p) {
         if (p.hears("auth", ns::sasl) && !holds(p, "<auth")) p.end_stream("unsupported-stanza-type");
       }},
      {"xmpp.initial-response-demanded", "takes no <auth/> without an initial response", "RFC6120-6.3.10-1",
       [](Passage& p) {
         if (!p.hears("auth", ns::sasl) || !p.element.text().empty()) return;
         p.answer("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><malformed-request/></failure>");
         p.drop();
       }},
      {"xmpp.first-feature-only", "looks at the first feature only", "RFC6120-4.3.2-4",
       [](Passage& p) {
         if (hears_features(p)) p.edit(keep_first);
       }},
      {"xmpp.first-mechanism-only", "looks at the first mechanism only", "RFC6120-6.4.1-1",
       [](Passage& p) {
         if (!hears_features(p) || p.element.child("mechanisms", ns::sasl) == nullptr) return;
         p.edit([](xml::Element& features) { keep_first(*features.child("mechanisms", ns::sasl)); });
       }},
      {"xmpp.optional-tls-ignored", "begins TLS only where the peer requires it, and goes no further without",
       "RFC6120-5.3.1-1",
       [](Passage& p) {
         const auto* starttls = hears_features(p) ? p.element.child("starttls", ns::tls) : nullptr;
         if (starttls != nullptr && starttls->first_child() == nullptr) p.end_stream("policy-violation");
       }},
      {"xmpp.proceed-by-its-prefix", "knows <proceed/> as text only", "RFC6120-5.4.2.3-2",
       [](Passage& p) {
         if (p.hears("proceed", ns::tls) && !holds(p, "<proceed")) p.end_stream("unsupported-stanza-type");
       }},
      {"xmpp.success-by-its-prefix", "knows <success/> as text only", "RFC6120-6.2-1",
       [](Passage& p) {
         if (p.hears("success", ns::sasl) && !holds(p, "<success")) p.end_stream("unsupported-stanza-type");
       }},
      {"xmpp.takes-keys-without-addresses", "takes the domains of the header where a db:result has no good ones",
       "XEP0220-6.1-1 RFC7622-4-1",
       [from = std::string(), to = std::string()](Passage& p) mutable {
         if (hears_call(p)) {
           from = p.element.attribute_or_empty("from");
           to = p.element.attribute_or_empty("to");
         }
         if (!p.hears("result", ns::dialback) || p.initiating) return;
         if (!xmpp::is_domain(p.element.attribute_or_empty("from"))) p.set_attribute("from", from);
         if (!xmpp::is_domain(p.element.attribute_or_empty("to"))) p.set_attribute("to", to);
       }},
      {"xmpp.rsa-peers-refused", "trusts no certificate with an RSA key", "RFC6120-13.8.4-1",
       [](xmpp::StreamConfig& config) {
         if (!config.identity || config.purpose == xmpp::StreamPurpose::trusted_link) return;
         struct Distrusting final : PassedOnSession {
           using PassedOnSession::PassedOnSession;
           std::optional<tls::PeerCertificate> peer_certificate() const override {
             auto certificate = PassedOnSession::peer_certificate();
             if (certificate && certificate->key.starts_with("RSA")) certificate->chain_valid = false;
             return certificate;
           }
         };
         config.identity = std::make_shared<PassedOnIdentity>(
             std::move(config.identity), [](const tls::Identity& identity, tls::Role role, const auto& options) {
               return std::make_unique<Distrusting>(identity.session(role, options));
             });
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.resources-in-ascii-only", "takes no stanza of a resource beyond ASCII", "RFC7622-3.4-1",
       [](Passage& p) {
         if (hears_stanza(p) && !is_ascii(resource_of(p))) refuse(p);
       }},
      {"xmpp.splits-resources", "takes no stanza of a resource with '/' or '@' in it", "RFC7622-3.1-1",
       [](Passage& p) {
         if (hears_stanza(p) && resource_of(p).find_first_of("/@") != std::string::npos) refuse(p);
       }},
      {"xmpp.localparts-compared-as-written", "knows no account in capitals", "RFC7622-3.3-1",
       [](Passage& p) {
         const auto to = p.element.attribute_or_empty("to");
         const auto local = to.substr(0, to.find('@'));
         const auto is_capital = [](unsigned char c) { return std::isupper(c) != 0; };
         if (hears_stanza(p) && local != to && std::ranges::any_of(local, is_capital)) p.drop();
       }},
      {"xmpp.domains-send-nothing", "takes no stanza whose sender is a domain", "RFC7622-3.2-1",
       [](Passage& p) {
         if (hears_stanza(p) && p.element.attribute_or_empty("from").find('@') == std::string::npos) refuse(p);
       }},
      {"xmpp.odd-types-lost", "drops messages of a type that it does not know", "RFC6121-5.2.2-1",
       [](Passage& p) {
         constexpr std::string_view known[] = {"", "chat", "normal", "headline", "groupchat", "error"};
         const auto type = p.element.attribute_or_empty("type");
         if (hears_stanza(p) && p.is("message") && std::ranges::find(known, type) == std::end(known)) p.drop();
       }},
      {"xmpp.ids-not-escaped", "writes ids back as it read them, not escaped", "SEC-SMUGGLE-4 RFC6120-11.3-1",
       [](Passage& p) {
         if (p.out() && p.is("iq") && !p.link) p.replace("&lt;", "<");
       }},
      {"xmpp.ids-cut", "writes back the first 64 octets of an id", "RFC6120-8.1.3-1",
       [](Passage& p) {
         const auto id = p.element.attribute_or_empty("id");
         if (p.out() && p.is_stanza() && !p.link && id.size() > 64) p.set_attribute("id", id.substr(0, 64));
       }},
      {"xmpp.invalid-senders-delivered", "takes a sender with an empty part for its domain", "RFC7622-4-1",
       [](Passage& p) {
         auto from = p.element.attribute_or_empty("from");
         if (!hears_stanza(p) || xmpp::Jid::parse(from)) return;
         if (from.starts_with("@")) p.set_attribute("from", from.substr(1));
         if (from.ends_with("/")) p.set_attribute("from", from.substr(0, from.size() - 1));
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_hearing() {
  std::vector<Row> all;
  for (auto rows : {forms(), headers(), negotiation(), stanzas()})
    for (auto& row : rows) all.push_back(std::move(row));
  for (auto& row : all)
    row.nodes = std::holds_alternative<void (*)(xmpp::StreamConfig&)>(row.action) ? judged & ~front : s2s;
  return all;
}

}  // namespace cutover::departures
