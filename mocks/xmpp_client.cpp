// RFC 6120 sections 4 to 7 from the client's side, as little of it as one account needs.
#include "mocks/xmpp_client.h"

#include "protocol/base/base64.h"
#include "protocol/base/check.h"
#include "protocol/tls/identity.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"

#include <algorithm>
#include <utility>

namespace cutover::mocks {

namespace {

namespace ns = xmpp::ns;
constexpr char bind_ns[] = "urn:ietf:params:xml:ns:xmpp-bind";
constexpr char roster_ns[] = "jabber:iq:roster";

std::string bare(std::string_view jid) { return std::string(jid.substr(0, jid.find('/'))); }

bool holds(const xml::Element& element, const std::string& text) {
  return element.text().find(text) != std::string::npos ||
         std::ranges::any_of(element.children(), [&](const auto* child) { return holds(*child, text); });
}

/// An element of SASL as the trace may have it: what a password could be tried against is left out. The words of a
/// failure stay, unless they hold it.
std::string without_data(xml::Element element, const std::string& password) {
  const bool words = element.name() == "mechanisms" || element.name() == "failure";
  auto shown = xml::write(element, ns::client, true);
  if (element.content().empty() || (words && !holds(element, password))) return shown;
  element.content() = {{.text = "[not shown]", .element = {}}};
  return xml::write(element, ns::client, true);
}

bool offers(const xml::Element& mechanisms, std::string_view name) {
  return std::ranges::any_of(mechanisms.children(), [&](const auto* each) { return each->text() == name; });
}

}  // namespace

XmppClient::XmppClient(Config config) : config_(std::move(config)) {}

XmppClient::~XmppClient() {
  if (context_ != nullptr) context_->forget(*this);
}

void XmppClient::start(Context& context) {
  context_ = &context;
  if (config_.sign_in_at_start) sign_in();
}

void XmppClient::sign_in() {
  CUTOVER_CHECK(context_ != nullptr);
  CUTOVER_CHECK(state_ == State::offline || state_ == State::failed);
  session_.reset();
  secured_ = authenticated_ = closing_ = false;
  failure_.clear();
  full_jid_.clear();
  state_ = State::connecting;
  connection_ = context_->connect(*this, config_.server);
}

void XmppClient::sign_out() {
  if (state_ == State::offline || state_ == State::failed || closing_) return;
  if (online()) send_presence({}, "unavailable");
  closing_ = true;
  write("</stream:stream>", "end of stream");
}

std::string XmppClient::next_id() { return "c" + std::to_string(++ids_); }

void XmppClient::fail(std::string reason) {
  if (state_ == State::failed) return;
  state_ = State::failed;
  failure_ = std::move(reason);
  note(Layer::event, Direction::none, "client failed", failure_);
  if (connection_ != ConnectionId::none) context_->abort(std::exchange(connection_, ConnectionId::none));
}

// Octets.

void XmppClient::note(Layer layer, Direction direction, std::string_view summary, std::string_view detail) {
  context_->note({.layer = layer,
                  .direction = direction,
                  .connection = connection_,
                  .summary = std::string(summary),
                  .detail = std::string(detail)});
}

void XmppClient::write(std::string_view octets, std::string_view summary) {
  if (connection_ == ConnectionId::none) return;
  note(Layer::xmpp, Direction::out, summary, octets);
  transmit(octets);
}

void XmppClient::write_sasl(const xml::Element& element, const std::string& summary) {
  note(Layer::xmpp, Direction::out, summary, without_data(element, config_.password));
  transmit(xml::write(element, ns::client, true));
}

void XmppClient::transmit(std::string_view octets) {
  if (!secured_) return context_->send(connection_, octets);
  session_->write(octets);
  context_->send(connection_, session_->take_cipher());
}

void XmppClient::open_stream() {
  reader_ = xml::Reader();
  raw_.clear();
  state_ = State::negotiating;
  write("<?xml version='1.0'?><stream:stream to='" + xml::escape(config_.domain) + "' version='1.0' xmlns='" +
            ns::client + "' xmlns:stream='" + ns::streams + "'>",
        "stream header");
}

void XmppClient::on_connected(ConnectionId id) {
  if (id != connection_) return;
  config_.direct_tls&& config_.identity ? begin_tls() : open_stream();
}

void XmppClient::on_connect_failed(ConnectionId id, std::string_view reason) {
  if (id != connection_) return;
  connection_ = ConnectionId::none;
  fail("cannot connect: " + std::string(reason));
}

void XmppClient::on_received(ConnectionId id, std::string_view bytes) {
  if (id != connection_) return;
  if (!session_) return on_plain(bytes);
  session_->put_cipher(bytes);
  pump_tls();
}

void XmppClient::begin_tls() {
  tls::SessionOptions options{.server_name = config_.domain, .wall_clock = context_->wall_clock()};
  if (config_.direct_tls) options.alpn = {"xmpp-client"};
  session_ = config_.identity->session(tls::Role::client, options);
  pump_tls();
}

void XmppClient::pump_tls() {
  const auto progress = session_->handshake();
  const bool begins = progress == tls::Progress::established && !secured_;
  const auto cipher = session_->take_cipher();
  if (!cipher.empty()) context_->send(connection_, cipher);
  if (progress == tls::Progress::failed) return fail("TLS: " + session_->failure());
  if (begins) {
    secured_ = true;
    note(Layer::tls, Direction::none, "established " + session_->version(), session_->cipher_suite());
    if (const auto reason = distrust(); !reason.empty()) return fail(reason);
    open_stream();
  }
  if (!secured_) return;
  const auto plain = session_->read();
  const auto more = session_->take_cipher();
  if (!more.empty()) context_->send(connection_, more);
  on_plain(plain);
}

std::string XmppClient::distrust() const {
  const auto shown = session_->peer_certificate();
  if (!shown) return "the server shows no certificate";
  if (!config_.fingerprint.empty()) {
    if (shown->fingerprint == config_.fingerprint) return {};
    return "the server shows another certificate than the one that is expected; its fingerprint is " +
           shown->fingerprint;
  }
  if (tls::authenticates(*shown, config_.domain)) return {};
  return "the server's certificate is not " +
         (shown->chain_valid ? "for " + config_.domain : "trusted: " + shown->chain_error) +
         " (where it is the right server's all the same, expect its fingerprint " + shown->fingerprint + ")";
}

void XmppClient::on_plain(std::string_view bytes) {
  const auto connection = connection_;
  while (!bytes.empty()) {
    std::size_t consumed = 0;
    const auto item = reader_.feed(bytes, consumed);
    raw_ += bytes.substr(0, consumed);
    bytes.remove_prefix(std::min(consumed, bytes.size()));
    if (!item) return;
    const bool clear = session_ == nullptr;
    note_item(*item, std::exchange(raw_, {}));
    on_item(*item);
    if (connection_ != connection || state_ == State::failed) return;
    // Octets behind <proceed/> would be somebody else's (RFC 6120 section 5.4.3.3).
    if (clear && session_) return;
  }
}

void XmppClient::on_eof(ConnectionId id) {
  if (id == connection_) context_->shutdown(id);
}

void XmppClient::on_closed(ConnectionId id, std::string_view reason) {
  if (id != connection_) return;
  connection_ = ConnectionId::none;
  if (closing_) {
    state_ = State::offline;
  } else {
    fail("connection closed: " + std::string(reason));
  }
}

/// What the server said, octet for octet but for secrets.
void XmppClient::note_item(const xml::Item& item, const std::string& octets) {
  std::string summary = "stream header";
  if (const auto* element = std::get_if<xml::Element>(&item)) {
    if (element->ns() == ns::sasl)
      return note(Layer::xmpp, Direction::in, element->name(), without_data(*element, config_.password));
    summary = element->name();
  } else if (std::holds_alternative<xml::StreamEnd>(item)) {
    summary = "end of stream";
  }
  note(Layer::xmpp, Direction::in, summary, octets);
}

// Signing in.

void XmppClient::on_item(const xml::Item& item) {
  if (const auto* element = std::get_if<xml::Element>(&item)) return on_element(*element);
  if (const auto* fault = std::get_if<xml::Fault>(&item)) return fail("unreadable stream: " + fault->condition);
  if (std::holds_alternative<xml::StreamEnd>(item)) {
    if (!closing_) {
      write("</stream:stream>", "end of stream");
      closing_ = true;
    }
    state_ = State::offline;
    if (session_) {
      session_->close();
      context_->send(connection_, session_->take_cipher());
    }
    context_->shutdown(connection_);
  }
}

void XmppClient::on_element(const xml::Element& element) {
  if (element.is("error", ns::streams)) {
    const auto* condition = element.first_child();
    const auto* text = element.child("text", ns::stream_errors);
    return fail("stream error " + (condition == nullptr ? std::string("without condition") : condition->name()) +
                (text == nullptr ? "" : ": '" + text->text() + "'"));
  }
  if (element.is("features", ns::streams)) return on_features(element);
  if (element.is("proceed", ns::tls) && !session_ && config_.identity) return begin_tls();
  if (element.is("failure", ns::tls)) return fail("STARTTLS refused");
  if (element.ns() == ns::sasl) return on_sasl(element);
  if (element.ns() == ns::client) return on_stanza(element);
}

void XmppClient::on_features(const xml::Element& features) {
  if (!secured_ && config_.identity && features.child("starttls", ns::tls) != nullptr) {
    return write(xml::write(xml::Element("starttls", ns::tls), ns::client, true), "starttls");
  }
  if (authenticated_) {
    if (features.child("bind", bind_ns) == nullptr) return fail("no resource binding offered");
    return bind();
  }
  const auto* mechanisms = features.child("mechanisms", ns::sasl);
  if (mechanisms == nullptr) return fail("no SASL mechanism offered");
  authenticate(*mechanisms);
}

void XmppClient::authenticate(const xml::Element& mechanisms) {
  if (!secured_ && !config_.plain_in_clear)
    return fail("the server offers no TLS, and the password is not to be used without");
  state_ = State::authenticating;
  std::string mechanism, response;
  if (offers(mechanisms, "SCRAM-SHA-1")) {
    std::string nonce;
    for (int i = 0; i < 24; ++i) nonce += static_cast<char>('a' + context_->random(26));
    scram_.emplace(config_.user, config_.password, nonce);
    mechanism = "SCRAM-SHA-1";
    response = scram_->client_first();
  } else if (offers(mechanisms, "PLAIN")) {
    scram_.reset();
    mechanism = "PLAIN";
    response = std::string(1, '\0') + config_.user + std::string(1, '\0') + config_.password;  // RFC 4616
  } else {
    return fail("no usable SASL mechanism offered");
  }
  write_sasl(xml::Element("auth", ns::sasl).with("mechanism", mechanism).with_text(to_base64(response)),
             "auth " + mechanism);
}

void XmppClient::on_sasl(const xml::Element& element) {
  if (element.name() == "failure") {
    const auto* condition = element.first_child();
    return fail("authentication failed: " + (condition == nullptr ? std::string("no condition") : condition->name()));
  }
  if (state_ != State::authenticating) return fail("SASL out of place");
  const auto data = from_base64_strict(element.text());
  if (!data) return fail("SASL data is not base64");
  if (element.name() == "challenge" && scram_) {
    const auto final = scram_->client_final(*data);
    if (!final) return fail("bad SCRAM challenge");
    return write_sasl(xml::Element("response", ns::sasl).with_text(to_base64(*final)), "response");
  }
  if (element.name() != "success") return fail("unexpected SASL element " + element.name());
  if (scram_ && !scram_->verify(*data)) return fail("the server does not know the password");
  authenticated_ = true;
  open_stream();
}

void XmppClient::bind() {
  state_ = State::binding;
  xml::Element request("bind", bind_ns);
  request.add(xml::Element("resource", bind_ns).with_text(config_.resource));
  send(xml::Element("iq", ns::client).with("type", "set").with("id", "bind").with(std::move(request)));
}

void XmppClient::on_bound(const xml::Element& iq) {
  const auto* bound = iq.child("bind", bind_ns);
  const auto* jid = bound == nullptr ? nullptr : bound->child("jid", bind_ns);
  if (iq.attribute_or_empty("type") != "result" || jid == nullptr) return fail("resource not bound");
  full_jid_ = jid->text();
  state_ = State::online;
  // RFC 6121 section 2.2: the roster before presence, so that it tells of every change afterwards.
  roster_id_ = send_iq({}, "get", xml::Element("query", roster_ns));
  if (config_.send_presence) send_presence();
}

// Stanzas.

void XmppClient::on_stanza(const xml::Element& stanza) {
  const auto id = stanza.attribute_or_empty("id");
  if (state_ == State::binding && stanza.name() == "iq" && id == "bind") return on_bound(stanza);
  if (stanza.name() == "iq" && answers_iq(stanza)) return;
  if (stanza.name() == "presence" && stanza.attribute_or_empty("type") == "subscribe" && config_.accept_subscriptions) {
    send_presence(bare(stanza.attribute_or_empty("from")), "subscribed");
  }
  if (inbox_.push_back(stanza)) note(Layer::event, Direction::none, "so many stanzas that the oldest are not kept", {});
  if (config_.on_stanza) config_.on_stanza(stanza);
}

/// Roster results and pushes, and pings: what any client does without its user.
bool XmppClient::answers_iq(const xml::Element& iq) {
  const auto type = iq.attribute_or_empty("type");
  const auto id = iq.attribute_or_empty("id");
  const bool answer = type == "result" || type == "error";
  if (answer && id == roster_id_ && !id.empty()) {
    read_roster(iq);
    return true;
  }
  if (answer) return false;
  auto reply = xml::Element("iq", ns::client).with("id", id);
  const auto from = iq.attribute_or_empty("from");
  if (!from.empty()) reply.set_attribute("to", from);
  const bool push = type == "set" && iq.child("query", roster_ns) != nullptr;
  // RFC 6121 section 2.1.6: a push comes from the own account alone.
  if (push && (from.empty() || bare(from) == bare_jid())) {
    read_roster(iq);
    reply.set_attribute("type", "result");
    send(reply);
    return true;
  }
  if (type == "get" && iq.child("ping", ns::ping) != nullptr) {
    reply.set_attribute("type", "result");
    send(reply);
    return true;
  }
  reply.set_attribute("type", "error");
  reply.add(xml::Element("error", ns::client)
                .with("type", "cancel")
                .with(xml::Element("service-unavailable", ns::stanza_errors)));
  send(reply);
  return false;
}

void XmppClient::read_roster(const xml::Element& iq) {
  const auto* query = iq.child("query", roster_ns);
  if (query == nullptr) return;
  for (const auto* item : query->children()) {
    const auto subscription = item->attribute_or_empty("subscription");
    if (subscription == "remove") {
      roster_.erase(item->attribute_or_empty("jid"));
    } else {
      roster_[item->attribute_or_empty("jid")] = subscription.empty() ? "none" : subscription;
    }
  }
}

void XmppClient::send(const xml::Element& stanza) { write(xml::write(stanza, ns::client, true), stanza.name()); }

std::string XmppClient::send_message(std::string_view to, std::string_view body, std::string_view type) {
  auto id = next_id();
  send(xml::Element("message", ns::client)
           .with("to", to)
           .with("type", type)
           .with("id", id)
           .with(xml::Element("body", ns::client).with_text(body)));
  return id;
}

void XmppClient::send_presence(std::string_view to, std::string_view type, std::string_view show,
                               std::string_view status) {
  xml::Element presence("presence", ns::client);
  if (!to.empty()) presence.set_attribute("to", to);
  if (!type.empty()) presence.set_attribute("type", type);
  if (!show.empty()) presence.add(xml::Element("show", ns::client).with_text(show));
  if (!status.empty()) presence.add(xml::Element("status", ns::client).with_text(status));
  send(presence);
}

std::string XmppClient::send_iq(std::string_view to, std::string_view type, xml::Element payload) {
  auto id = next_id();
  auto iq = xml::Element("iq", ns::client).with("type", type).with("id", id).with(std::move(payload));
  if (!to.empty()) iq.set_attribute("to", to);
  send(iq);
  return id;
}

std::optional<xml::Element> XmppClient::take(const std::function<bool(const xml::Element&)>& condition) {
  const auto& kept = inbox_.items();
  const auto it = std::ranges::find_if(kept, condition);
  return it == kept.end() ? std::nullopt : std::optional(inbox_.take(it));
}

std::optional<xml::Element> XmppClient::take_message(std::string_view body) {
  return take([&](const xml::Element& stanza) {
    const auto* text = stanza.child("body", ns::client);
    return stanza.name() == "message" && text != nullptr && text->text() == body;
  });
}

std::optional<xml::Element> XmppClient::take_presence(std::string_view from, std::string_view type) {
  return take([&](const xml::Element& stanza) {
    const auto sender = stanza.attribute_or_empty("from");
    return stanza.name() == "presence" && stanza.attribute_or_empty("type") == type &&
           (sender == from || bare(sender) == from);
  });
}

}  // namespace cutover::mocks
