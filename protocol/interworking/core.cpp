// The shared part: every output leaves here, so that marks and errors have one place.
#include "protocol/interworking/core.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

namespace cutover::interworking {

namespace {

/// RFC 7247 section 7.2 note 1: a 301 hands on its first Contact, a 410 none.
std::string address_in(int status, const sip::Message* response) {
  if (response == nullptr || status < 300 || status > 399) return {};
  const auto contacts = response->all("Contact");
  if (contacts.empty()) return {};
  const auto contact = sip::parse_name_addr(contacts.front());
  return contact ? xml_text(contact->uri.text()) : std::string();
}

}  // namespace

Core::Core(Settings given) : settings(std::move(given)) { mark_ = "cg" + token(8); }

void Core::send(xml::Element stanza) {
  if (!stanza.attribute("id")) stanza.set_attribute("id", stanza_id());
  outputs.emplace_back(SendStanza{std::move(stanza)});
}

void Core::request(sip::Message message, OnOutcome on_outcome) {
  const ClientId id{++last_client_};
  clients_.emplace(id, std::move(on_outcome));
  if (!message.header("User-Agent")) message.add_header("User-Agent", user_agent());
  outputs.emplace_back(SendRequest{id, std::move(message)});
}

void Core::send_ack(sip::Message message) { outputs.emplace_back(SendRequest{ClientId::none, std::move(message)}); }

void Core::respond(sip::TransactionId transaction, sip::Message message) {
  if (transaction == sip::TransactionId::none) return;  // an ACK is not answered
  outputs.emplace_back(SendResponse{transaction, std::move(message)});
}

void Core::respond(sip::TransactionId transaction, const sip::Message& request, const Status& status,
                   const std::string& tag) {
  sip::Message response = sip::response_to(request, status.code, status.reason, tag.empty() ? token() : tag);
  for (const auto& [name, value] : status.headers) response.set_header(name, value);
  respond(transaction, std::move(response));
}

void Core::respond(sip::TransactionId transaction, const sip::Message& request, int status, const std::string& tag) {
  respond(transaction, request, Status{status, reason_phrase(status), {}}, tag);
}

void Core::refuse(const xml::Element& stanza, int status, const sip::Message* response) {
  const std::string text = response == nullptr ? std::string() : xml_text(response->reason);
  refuse(stanza, condition_of(status), text, address_in(status, response));
}

void Core::refuse(const xml::Element& stanza, const Condition& condition, const std::string& text,
                  const std::string& address) {
  auto error = xmpp::make_error(stanza, condition.condition, text, condition.type);
  if (!error) return;
  if (auto* holder = error->child("error", error->ns()); holder != nullptr) {
    if (auto* name = holder->child(condition.condition, xmpp::ns::stanza_errors); name && !address.empty()) {
      name->add_text(address);
    }
  }
  send(std::move(*error));
}

void Core::send_presence(const std::string& from, const std::string& to, std::string_view type) {
  send(xmpp::make_presence(from, to, type));
}

std::string Core::uri_of(const Address& address) const { return to_uri(address).text(); }

std::optional<Address> Core::jid_of(const sip::Uri& uri) const { return to_jid(uri, settings.departures).address; }

std::optional<Address> Core::jid_of_header(const std::string& name_addr) const {
  const auto parts = sip::split_name_addr(name_addr);
  const auto uri = parts ? parse_address_uri(parts->uri) : std::nullopt;
  return uri ? jid_of(*uri) : std::nullopt;
}

bool Core::is_ours(std::string_view domain) const {
  const auto wanted = xmpp::prepare_domain(domain);
  return wanted && std::any_of(settings.sip_domains.begin(), settings.sip_domains.end(),
                               [&](const std::string& ours) { return xmpp::prepare_domain(ours) == wanted; });
}

std::optional<PartnerType> Core::partner(const Address& xmpp) const {
  const auto domain = xmpp::prepare_domain(xmpp.domain);
  if (!domain) return std::nullopt;
  return settings.partner ? settings.partner(*domain) : std::nullopt;
}

bool Core::user_enabled(const Address& sip) const {
  return !breaks(Rule::user_has_policy, settings.user_enabled && !settings.user_enabled(key(sip)));
}

std::string Core::token(std::size_t digits) {
  static constexpr char alphabet[] = "0123456789abcdef";
  std::string out;
  while (out.size() < digits) out += alphabet[settings.random(16)];
  return out;
}

std::string Core::stanza_id(std::string_view hint) {
  return fmt::format("{}-{}", mark_, hint.empty() ? token(12) : header_text(hint));
}

sip::Message Core::new_request(std::string_view method, const Address& from, const Address& to,
                               const std::string& call_id, const std::string& tag, std::uint32_t cseq) {
  sip::Message message;
  message.method = method;
  message.request_uri = uri_of(to);
  message.add_header("Max-Forwards", "70");  // RFC 7247 section 8
  // The gr parameter stands inside the brackets; the examples of RFC 8048 and RFC 7573 put it outside by mistake.
  message.add_header("From", "<" + uri_of(from) + ">;tag=" + tag);
  message.add_header("To", "<" + uri_of(to.without_resource()) + ">");
  message.add_header("Call-ID", call_id);
  message.add_header("CSeq", fmt::format("{} {}", cseq, method));
  return message;
}

void Core::on_response(ClientId id, const sip::Message& response) {
  if (response.status < 200) return;  // RFC 7247 section 7: no counterpart
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const OnOutcome handler = std::move(found->second);
  clients_.erase(found);
  handler(Outcome{&response, response.status});
}

void Core::on_failure(ClientId id, sip::TransactionFailure failure) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const OnOutcome handler = std::move(found->second);
  clients_.erase(found);
  handler(Outcome{nullptr, failure == sip::TransactionFailure::timed_out ? 408 : 503});
}

std::string to_tag(const sip::Message& request) {
  const auto to = request.to();
  return to ? to->tag() : std::string();
}

std::string from_tag(const sip::Message& request) {
  const auto from = request.from();
  return from ? from->tag() : std::string();
}

std::optional<Duration> seconds_of(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  const std::string digits(trimmed(value->substr(0, value->find_first_of(";("))));
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::string seconds_text(Duration duration) {
  return fmt::format("{}", std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

bool equal_names(std::string_view a, std::string_view b) { return lowered(a) == lowered(b); }

std::string contact_address(std::string_view text) {
  const std::string clean = header_text(text);
  const bool fits = clean.find(':') != std::string::npos && clean.find_first_of("<>\" ,") == std::string::npos;
  return fits ? clean : std::string();
}

}  // namespace cutover::interworking
