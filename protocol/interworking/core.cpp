// The shared part: every output leaves here, so that marks, errors and the defects of whole outputs have one place.
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

/// The statuses and conditions that have a defect of their own, so that each row of the tables has something that a
/// check can be killed by.
constexpr int statuses_with_defect[] = {301, 302, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 415,
                                        416, 420, 421, 423, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489,
                                        491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606};

bool has_defect(int status) {
  return std::find(std::begin(statuses_with_defect), std::end(statuses_with_defect), status) !=
         std::end(statuses_with_defect);
}

void swap_addresses(xml::Element& stanza) {
  const std::string from = stanza.attribute_or_empty("from"), to = stanza.attribute_or_empty("to");
  stanza.set_attribute("from", to);
  stanza.set_attribute("to", from);
}

/// RFC 7247 section 7.2 note 1: a 301 hands on its first Contact, a 410 none.
std::string address_in(int status, const sip::Message* response) {
  if (response == nullptr || status == 410 || status < 300 || status > 399) return {};
  const auto contacts = response->all("Contact");
  if (contacts.empty()) return {};
  const auto contact = sip::parse_name_addr(contacts.front());
  return contact ? xml_text(contact->uri.text()) : std::string();
}

}  // namespace

Core::Core(Settings given) : settings(std::move(given)) { mark_ = "cg" + token(8); }

void Core::send(xml::Element stanza) {
  if (!stanza.attribute("id")) stanza.set_attribute("id", stanza_id());
  const bool message = stanza.name() == "message" && stanza.attribute_or_empty("type") != "error";
  // RFC 7572 Table 2 rows From and Request-URI.
  if (message && quirk("gateway.swaps-addresses")) swap_addresses(stanza);
  if (message && quirk("gateway.reorders-to-xmpp")) {
    // RFC 7572 section 4: order per pair.
    if (!withheld_) {
      withheld_ = SendStanza{std::move(stanza)};
      return;
    }
    outputs.emplace_back(SendStanza{std::move(stanza)});
    outputs.emplace_back(*std::exchange(withheld_, std::nullopt));
    return;
  }
  outputs.emplace_back(SendStanza{stanza});
  if (message && quirk("gateway.doubles-message-to-xmpp")) outputs.emplace_back(SendStanza{std::move(stanza)});
}

void Core::request(sip::Message message, OnOutcome on_outcome) {
  const ClientId id{++last_client_};
  clients_.emplace(id, std::move(on_outcome));
  if (!message.header("User-Agent")) message.add_header("User-Agent", user_agent());
  if (quirk("gateway.raises-max-forwards")) message.set_header("Max-Forwards", "255");  // RFC 3261 section 8.1.1.6
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
  for (const auto& [name, value] : status.headers) {
    if (name == "Allow" && quirk("gateway.405-without-allow")) continue;    // RFC 3261 section 21.4.6
    if (name == "Accept" && quirk("gateway.415-without-accept")) continue;  // RFC 3261 section 21.4.13
    response.set_header(name, value);
  }
  respond(transaction, std::move(response));
}

void Core::respond(sip::TransactionId transaction, const sip::Message& request, int status, const std::string& tag) {
  respond(transaction, request, Status{status, reason_phrase(status), {}}, tag);
}

void Core::refuse(const xml::Element& stanza, int status, const sip::Message* response) {
  Condition condition = condition_of(status);
  // RFC 7247 section 7.2: each row of the table.
  const bool wrong = has_defect(status) ? quirk(fmt::format("gateway.wrong-condition-{}", status))
                                        : quirk("gateway.wrong-condition-of-class");
  if (wrong) condition = {"conflict", "cancel"};  // which no row has
  if (status == 410 && quirk("gateway.gone-with-address")) {
    refuse(stanza, condition, {}, "sip:elsewhere@invalid");  // note 1: a 410 has no address
    return;
  }
  const std::string address = quirk("gateway.loses-new-address") ? std::string() : address_in(status, response);
  const std::string text = response == nullptr ? std::string() : xml_text(response->reason);
  refuse(stanza, condition, text, address);
}

void Core::refuse(const xml::Element& stanza, const Condition& condition, const std::string& text,
                  const std::string& address) {
  if (quirk("gateway.swallows-errors")) return;  // RFC 7247 section 7: the sender learns of the failure
  auto error = xmpp::make_error(stanza, condition.condition, text, condition.type);
  if (!error && quirk("gateway.answers-error-with-error")) {  // RFC 6120 section 8.3.1
    error = xmpp::make_message(stanza.attribute_or_empty("to"), stanza.attribute_or_empty("from"), {}, "error",
                               stanza.attribute_or_empty("id"));
    error->add(xmpp::make_error_element(condition.condition));
  }
  if (!error) return;
  if (auto* holder = error->child("error", error->ns()); holder != nullptr) {
    if (auto* name = holder->child(condition.condition, xmpp::ns::stanza_errors); name && !address.empty()) {
      name->add_text(address);
    }
    if (quirk("gateway.error-without-type")) holder->remove_attribute("type");  // RFC 6120 section 8.3.2
  }
  if (quirk("gateway.error-with-new-id")) error->set_attribute("id", stanza_id());  // RFC 6120 section 8.3.1
  if (quirk("gateway.error-not-swapped")) swap_addresses(*error);                   // RFC 6120 section 8.3.1
  send(std::move(*error));
  if (quirk("gateway.doubles-error")) outputs.push_back(outputs.back());  // one report for each message
}

void Core::send_presence(const std::string& from, const std::string& to, std::string_view type) {
  send(xmpp::make_presence(from, to, type));
}

std::string Core::uri_of(const Address& address) const {
  Address written = address;
  if (quirk("gateway.drops-gr")) written.resource.clear();                            // RFC 7247 section 6.5 step 8
  if (quirk("gateway.lowercases-addresses")) written.local = lowered(written.local);  // RFC 7247 section 6.2 step 2
  sip::Uri uri = to_uri(written);
  if (quirk("gateway.sip-user-unescaped")) uri.user = written.local;  // RFC 7247 section 6.2 step 3
  if (quirk("gateway.keeps-jid-escapes")) uri.user = to_uri({escape_localpart(written.local), "x", {}}).user;
  if (quirk("gateway.percent-lower-case")) uri.user = lowered(uri.user);
  return uri.text();
}

std::optional<Address> Core::jid_of(const sip::Uri& uri) const {
  auto result = to_jid(uri);
  if (!result.address) return std::nullopt;
  if (quirk("gateway.jid-unescaped")) {  // RFC 7247 section 6.4 step 5
    result.address->local = percent_decode(uri.user).value_or(uri.user);
  }
  if (quirk("gateway.ignores-gr")) result.address->resource.clear();             // RFC 7247 section 6.3
  if (quirk("gateway.keeps-percent-escapes")) result.address->local = uri.user;  // RFC 7247 section 6.4 step 3
  return result.address;
}

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
  const auto type = settings.partner ? settings.partner(*domain) : std::nullopt;
  if (!type && quirk("gateway.open-relay")) return PartnerType::federated;  // RFC 8048 section 8.1
  return type;
}

bool Core::user_enabled(const Address& sip) const {
  return !settings.user_enabled || quirk("gateway.ignores-access-policy") || settings.user_enabled(key(sip));
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
  std::string written = "<" + uri_of(from) + ">";
  if (quirk("gateway.gr-as-header-parameter") && !from.resource.empty()) {
    written = "<" + uri_of(from.without_resource()) + ">;gr=" + to_uri(from).parameter("gr").value_or("");
  }
  message.add_header("From", written + ";tag=" + tag);
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
