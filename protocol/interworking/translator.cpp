// Who may pass, and what goes where.
#include "protocol/interworking/translator.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/interworking/messaging.h"
#include "protocol/interworking/notifying.h"
#include "protocol/interworking/watching.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <array>

namespace cutover::interworking {

namespace {

constexpr char jid_escaping_feature[] = "jid\\20escaping";
constexpr std::array<std::string_view, 9> methods{"INVITE", "ACK",       "BYE",    "CANCEL", "MESSAGE",
                                                  "INFO",   "SUBSCRIBE", "NOTIFY", "OPTIONS"};

bool is_known_method(std::string_view method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

std::optional<Time> earliest(std::initializer_list<std::optional<Time>> times) {
  std::optional<Time> first;
  for (const auto& time : times) {
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

xml::Element disco_info() {
  xml::Element query("query", xmpp::ns::disco_info);
  xml::Element identity("identity", xmpp::ns::disco_info);
  identity.set_attribute("category", "gateway");
  identity.set_attribute("type", "sip");
  identity.set_attribute("name", "SIP gateway");
  query.add(std::move(identity));
  for (const std::string_view feature :
       {std::string_view(xmpp::ns::disco_info), std::string_view(xmpp::ns::ping), std::string_view(xmpp::ns::version),
        std::string_view(xmpp::ns::chat_states), std::string_view(jid_escaping_feature)}) {
    xml::Element element("feature", xmpp::ns::disco_info);
    element.set_attribute("var", feature);
    query.add(std::move(element));
  }
  return query;
}

xml::Element version_info() {
  xml::Element query("query", xmpp::ns::version);
  query.add(xml::Element("name", xmpp::ns::version).with_text("Cutover gateway"));
  query.add(xml::Element("version", xmpp::ns::version).with_text("1"));
  return query;
}

}  // namespace

struct Translator::Impl {
  explicit Impl(Settings settings) : core(std::move(settings)), messaging(core), watching(core), notifying(core) {}

  // XMPP.
  void on_stanza(const xml::Element& stanza, std::string_view sender_domain);
  [[nodiscard]] bool check(const xml::Element& stanza, const Address& from, const Address& to);
  void on_message(const xml::Element& stanza, const Address& from, const Address& to);
  void on_presence(const xml::Element& stanza, const Address& from, const Address& to);
  void on_iq(const xml::Element& stanza, const Address& to);
  [[nodiscard]] std::optional<xml::Element> iq_result(const xml::Element& stanza, const Address& to);
  [[nodiscard]] bool may_reach(const Address& xmpp, const Address& sip);

  // SIP.
  void on_request(sip::TransactionId id, const sip::Message& request);
  [[nodiscard]] std::optional<Status> check(const sip::Message& request);
  [[nodiscard]] std::optional<Status> check_addresses(const sip::Message& request, Address& from, Address& to);
  void on_in_dialog(sip::TransactionId id, const sip::Message& request);
  void on_no_dialog(sip::TransactionId id, const sip::Message& request);
  void on_out_of_dialog(sip::TransactionId id, const sip::Message& request);
  void on_options(sip::TransactionId id, const sip::Message& request);

  Core core;
  Messaging messaging;
  Watching watching;
  Notifying notifying;
};

// XMPP.

void Translator::Impl::on_stanza(const xml::Element& stanza, std::string_view sender_domain) {
  const auto from = parse_jid(stanza.attribute_or_empty("from"));
  const auto to = parse_jid(stanza.attribute_or_empty("to"));
  if (!from || !to) return;
  const auto authenticated = xmpp::prepare_domain(sender_domain);
  const bool forged = !authenticated || authenticated != xmpp::prepare_domain(from->domain);
  if (forged) return;  // RFC 6120 section 8.1.2.2: never translated
  if (!check(stanza, *from, *to)) return;
  if (stanza.name() == "message") on_message(stanza, *from, *to);
  if (stanza.name() == "presence") on_presence(stanza, *from, *to);
  if (stanza.name() == "iq") on_iq(stanza, *to);
}

bool Translator::Impl::check(const xml::Element& stanza, const Address& from, const Address& to) {
  if (core.breaks(Rule::realm_is_ours, !core.is_ours(to.domain))) {
    core.refuse(stanza, {"item-not-found", "cancel"});  // RFC 8048 section 8.1: one realm, no relay
    return false;
  }
  if (core.breaks(Rule::partner_is_allowed, !core.partner(from))) {
    core.refuse(stanza, {"forbidden", "auth"});
    return false;
  }
  // Our own mark on a stanza that is no answer: it has come round (RFC 7247 section 8). Servers that answer a
  // `subscribe` by themselves may repeat its id, too.
  const auto type = stanza.attribute_or_empty("type");
  const bool answer = type == "error" || type == "result" || type == "subscribed" || type == "unsubscribed";
  const bool own = !answer && stanza.attribute_or_empty("id").starts_with(core.mark() + "-");
  if (core.breaks(Rule::own_output_is_no_input, own)) {
    core.refuse(stanza, {"not-acceptable", "modify"});
    return false;
  }
  if (stanza.name() == "iq" || to.local.empty()) return true;
  if (!core.user_enabled(to)) {
    core.refuse(stanza, {"service-unavailable", "cancel"});  // no access policy reaches the user
    return false;
  }
  return true;
}

bool Translator::Impl::may_reach(const Address& xmpp, const Address& sip) {
  if (core.partner(xmpp) != PartnerType::public_unverified) return true;
  const auto found = core.consents.find({key(xmpp), key(sip)});  // lync-facts 4.1: the user must have added them
  const bool added = found != core.consents.end() && found->second.sip_sees_xmpp != Consent::none;
  return !core.breaks(Rule::contact_comes_first, !added);
}

void Translator::Impl::on_message(const xml::Element& stanza, const Address& from, const Address& to) {
  if (core.breaks(Rule::error_is_no_text, stanza.attribute_or_empty("type") == "error")) {
    messaging.on_error(stanza);
    return;
  }
  if (core.breaks(Rule::message_is_for_a_user, to.local.empty()) || !may_reach(from, to)) {
    core.refuse(stanza, {"service-unavailable", "cancel"});
    return;
  }
  messaging.on_message(stanza, from, to);
}

void Translator::Impl::on_presence(const xml::Element& stanza, const Address& from, const Address& to) {
  const std::string type = stanza.attribute_or_empty("type");
  // Presence of a server: the gateway has no state of its own.
  if (core.breaks(Rule::presence_is_for_a_user, to.local.empty())) return;
  if (type.empty() || type == "unavailable") {
    // RFC 7702 is another mapping: a join of a room that is a SIP user is refused.
    const bool joins = stanza.child("x", "http://jabber.org/protocol/muc") != nullptr;
    if (core.breaks(Rule::user_is_no_room, joins)) {
      core.refuse(stanza, {"service-unavailable", "cancel"});
      return;
    }
    notifying.on_presence(stanza, from, to);
    if (type.empty()) watching.on_available(from, to);
  } else if (type == "subscribe") {
    if (may_reach(from, to)) {
      watching.on_subscribe(stanza, from, to);
    } else {
      core.send_presence(to.bare(), from.bare(), "unsubscribed");
    }
  } else if (type == "unsubscribe") {
    watching.on_unsubscribe(from, to);
  } else if (type == "probe") {
    if (may_reach(from, to)) watching.on_probe(stanza, from, to);
  } else if (type == "subscribed") {
    notifying.on_subscribed(from, to);
  } else if (type == "unsubscribed") {
    notifying.on_unsubscribed(from, to);
  } else if (type == "error") {
    notifying.on_error(stanza, from, to);
  } else if (core.holds(Rule::presence_type_is_known)) {
    core.refuse(stanza, {"bad-request", "modify"});  // RFC 6121 section 4.7.1
  }
}

std::optional<xml::Element> Translator::Impl::iq_result(const xml::Element& stanza, const Address& to) {
  const xml::Element* payload = stanza.first_child();
  if (payload == nullptr || stanza.attribute_or_empty("type") != "get") return std::nullopt;
  const bool domain = to.local.empty();
  if (payload->is("query", xmpp::ns::disco_info)) return xmpp::make_result(stanza, disco_info());
  if (core.breaks(Rule::domain_answers_for_itself, !domain)) return std::nullopt;
  if (payload->is("query", xmpp::ns::disco_items)) {
    return xmpp::make_result(stanza, xml::Element("query", xmpp::ns::disco_items));
  }
  if (payload->is("query", xmpp::ns::version)) return xmpp::make_result(stanza, version_info());
  if (payload->is("ping", xmpp::ns::ping)) return xmpp::make_result(stanza);
  return std::nullopt;
}

void Translator::Impl::on_iq(const xml::Element& stanza, const Address& to) {
  const std::string type = stanza.attribute_or_empty("type");
  if (type != "get" && type != "set") return;  // RFC 6120 section 8.2.3: results and errors end an exchange
  if (auto result = iq_result(stanza, to)) {
    core.send(std::move(*result));
  } else {
    core.refuse(stanza, {"service-unavailable", "cancel"});
  }
}

// SIP.

std::optional<Status> Translator::Impl::check(const sip::Message& request) {
  const std::string scheme = lowered(request.request_uri.substr(0, request.request_uri.find(':')));
  const std::string to = lowered(request.header_or_empty("To"));
  // RFC 7247 section 8: a sips: address promises what XMPP cannot keep.
  const bool secure = scheme == "sips" || to.find("<sips:") != std::string::npos;
  if (core.breaks(Rule::sips_is_kept_out, secure)) return Status{416, reason_phrase(416), {}};
  const bool mapped = scheme == "sip" || scheme == "sips" || scheme == "im" || scheme == "pres";
  if (core.breaks(Rule::scheme_is_mapped, !mapped)) return Status{416, reason_phrase(416), {}};
  if (core.breaks(Rule::method_is_known, !is_known_method(request.method))) {
    return Status{405, reason_phrase(405), {{"Allow", allowed_methods}}};
  }
  if (core.breaks(Rule::own_output_is_no_input, request.header("User-Agent") == core.user_agent())) {
    return Status{482, reason_phrase(482), {}};  // our own mark
  }
  if (core.breaks(Rule::hops_are_left, request.header("Max-Forwards") == "0")) {
    return Status{483, reason_phrase(483), {}};
  }
  const auto required = request.all("Require");  // RFC 3261 section 8.2.2.3: we know no extension
  if (core.breaks(Rule::nothing_is_required, !required.empty())) {
    std::string unknown;
    for (const auto& option : required) unknown += (unknown.empty() ? "" : ", ") + header_text(option);
    return Status{420, reason_phrase(420), {{"Unsupported", unknown}}};
  }
  return std::nullopt;
}

std::optional<Status> Translator::Impl::check_addresses(const sip::Message& request, Address& from, Address& to) {
  const auto sender = core.jid_of_header(request.header_or_empty("From"));
  if (!sender) return Status{400, "Unmappable From", {}};
  const auto uri = parse_address_uri(request.request_uri);
  const auto target = uri ? core.jid_of(*uri) : std::nullopt;
  if (!target) return Status{404, reason_phrase(404), {}};  // RFC 7247 section 6: no JID, nobody there
  from = *sender;
  to = *target;
  // RFC 8048 section 8.1: no open relay.
  if (core.breaks(Rule::realm_is_ours, !core.is_ours(from.domain))) return Status{403, reason_phrase(403), {}};
  if (core.breaks(Rule::partner_is_allowed, !core.partner(to))) return Status{404, reason_phrase(404), {}};
  const bool users = !from.local.empty() && !to.local.empty();
  if (core.breaks(Rule::both_ends_are_users, !users)) return Status{404, reason_phrase(404), {}};
  if (!core.user_enabled(from)) return Status{403, reason_phrase(403), {}};
  return std::nullopt;
}

void Translator::Impl::on_request(sip::TransactionId id, const sip::Message& request) {
  if (request.method == "ACK") {
    static_cast<void>(messaging.on_in_dialog(id, request));
    return;
  }
  if (const auto refusal = check(request)) {
    core.respond(id, request, *refusal);
    return;
  }
  if (request.method == "NOTIFY") {
    watching.on_notify(id, request);
  } else if (request.method == "OPTIONS") {
    on_options(id, request);
  } else if (request.method == "CANCEL") {
    core.respond(id, request, 481);  // an INVITE is answered at once, so there is nothing left to cancel
  } else if (!to_tag(request).empty()) {
    on_in_dialog(id, request);
  } else {
    on_out_of_dialog(id, request);
  }
}

void Translator::Impl::on_in_dialog(sip::TransactionId id, const sip::Message& request) {
  const bool known =
      request.method == "SUBSCRIBE" ? notifying.on_in_dialog(id, request) : messaging.on_in_dialog(id, request);
  if (!known) on_no_dialog(id, request);
}

/// RFC 3261 sections 12.2.2 and 15.1.2.
void Translator::Impl::on_no_dialog(sip::TransactionId id, const sip::Message& request) {
  core.respond(id, request, core.holds(Rule::dialog_is_known) ? 481 : 200);
}

void Translator::Impl::on_out_of_dialog(sip::TransactionId id, const sip::Message& request) {
  if (request.method == "BYE") {
    on_no_dialog(id, request);
    return;
  }
  Address from, to;
  if (const auto refusal = check_addresses(request, from, to)) {
    core.respond(id, request, *refusal);
    return;
  }
  if (request.method == "MESSAGE") {
    messaging.on_message_request(id, request, from, to);
  } else if (request.method == "INVITE") {
    messaging.on_invite(id, request, from, to);
  } else if (request.method == "SUBSCRIBE") {
    notifying.on_subscribe(id, request, from, to);
  } else {
    on_no_dialog(id, request);  // INFO
  }
}

void Translator::Impl::on_options(sip::TransactionId id, const sip::Message& request) {
  core.respond(
      id, request,
      Status{200, "OK", {{"Allow", allowed_methods}, {"Accept", "text/plain, application/sdp, application/pidf+xml"}}});
}

// The engine.

Translator::Translator(Settings settings) {
  settings.departures.adjust(settings);
  impl_ = std::make_unique<Impl>(std::move(settings));
}
Translator::~Translator() = default;

void Translator::on_stanza(const xml::Element& stanza, std::string_view sender_domain, Time now) {
  impl_->core.now = now;
  impl_->on_stanza(stanza, sender_domain);
}

void Translator::on_undeliverable(const xml::Element& stanza, std::string_view condition, Time now) {
  impl_->core.now = now;
  auto error = xmpp::make_error(stanza, condition);
  const auto from = parse_jid(stanza.attribute_or_empty("from"));
  const auto to = parse_jid(stanza.attribute_or_empty("to"));
  if (!error || !from || !to) return;
  if (stanza.name() == "message") impl_->messaging.on_error(*error);
  if (stanza.name() == "presence") impl_->notifying.on_error(*error, *to, *from);
}

void Translator::on_request(sip::TransactionId id, const sip::Message& request, Time now) {
  impl_->core.now = now;
  impl_->on_request(id, request);
}

void Translator::on_response(ClientId id, const sip::Message& response, Time now) {
  impl_->core.now = now;
  impl_->core.on_response(id, response);
}

void Translator::on_failure(ClientId id, sip::TransactionFailure failure, Time now) {
  impl_->core.now = now;
  impl_->core.on_failure(id, failure);
}

void Translator::timeout(Time now) {
  impl_->core.now = now;
  impl_->messaging.timeout();
  impl_->watching.timeout();
  impl_->notifying.timeout();
}

std::optional<Output> Translator::poll() {
  auto& outputs = impl_->core.outputs;
  if (outputs.empty()) return std::nullopt;
  Output output = std::move(outputs.front());
  outputs.pop_front();
  return output;
}

std::optional<Time> Translator::deadline() const {
  return earliest({impl_->messaging.deadline(), impl_->watching.deadline(), impl_->notifying.deadline()});
}

void Translator::reconfigure(Settings settings) {
  settings.departures = impl_->core.settings.departures;
  settings.departures.adjust(settings);
  impl_->core.settings = std::move(settings);
}

std::vector<ConsentRow> Translator::consents() const {
  std::vector<ConsentRow> rows;
  for (const auto& [pair, consents] : impl_->core.consents) rows.push_back({pair.xmpp, pair.sip, consents});
  return rows;
}

void Translator::restore(const std::vector<ConsentRow>& rows) {
  for (const auto& row : rows) impl_->core.consents[{row.xmpp, row.sip}] = row.consents;
}

Translator::Counts Translator::counts() const {
  return {impl_->messaging.open_sessions(), impl_->watching.open_dialogs(), impl_->notifying.open_dialogs(),
          impl_->core.late_failures, impl_->core.untold_failures};
}

}  // namespace cutover::interworking
