// The S2S stream engine. Top-down: inputs, headers, the initiating side, the receiving side, stanzas, TLS, the end.
#include "protocol/xmpp/stream.h"

#include "protocol/tls/identity.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/sasl_external.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <charconv>

namespace cutover::xmpp {

namespace {

constexpr int sasl_tries_max = 3;  // RFC 6120 section 6.4.5: 2 to 5 tries
constexpr std::string_view end_tag = "</stream:stream>";

/// After these the peer has no reason to doubt what was said before; after every other one it may have stopped reading.
constexpr std::string_view orderly_conditions[] = {"system-shutdown", "connection-timeout", "reset", "host-gone"};
bool is_orderly(std::string_view condition) {
  return condition.empty() || std::ranges::find(orderly_conditions, condition) != std::end(orderly_conditions);
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "='" + xml::escape(value) + "'";
}

std::string dialback_element(std::string_view name, std::string_view from, std::string_view to, std::string_view id,
                             std::string_view type, std::string_view inside) {
  std::string out = "<db:" + std::string(name) + attribute("from", from) + attribute("to", to);
  if (!id.empty()) out += attribute("id", id);
  if (!type.empty()) out += attribute("type", type);
  return out + (inside.empty() ? "/>" : ">" + std::string(inside) + "</db:" + std::string(name) + ">");
}

std::string dialback_error(std::string_view condition) {
  return "<error type='" + std::string(usual_error_type(condition)) + "'><" + std::string(condition) + " xmlns='" +
         ns::stanza_errors + "'/></error>";
}

/// The condition inside a dialback element of type error (XEP-0220 section 2.5).
std::string condition_in(const xml::Element& element) {
  const auto* error = element.child("error", ns::server);
  if (!error) return "undefined-condition";
  for (const auto* child : error->children()) {
    if (child->ns() == ns::stanza_errors && child->name() != "text") return child->name();
  }
  return "undefined-condition";
}

std::string stream_error(std::string_view condition, std::string_view text) {
  std::string out = "<stream:error><" + std::string(condition) + " xmlns='" + ns::stream_errors + "'/>";
  if (!text.empty()) {
    out += "<text xml:lang='en' xmlns='" + std::string(ns::stream_errors) + "'>" + xml::escape(text) + "</text>";
  }
  return out + "</stream:error>";
}

std::string stream_error_condition(const xml::Element& error) {
  for (const auto* child : error.children()) {
    if (child->ns() == ns::stream_errors && child->name() != "text") return child->name();
  }
  return "undefined-condition";  // RFC 6120 section 4.9.2: an unknown condition ends the stream all the same
}

std::string summarise(const xml::Element& element) {
  std::string_view prefix;
  if (element.ns() == ns::streams) prefix = "stream:";
  if (element.ns() == ns::dialback) prefix = "db:";
  auto out = std::string(prefix) + summary_of(element);
  if (element.is("error", ns::streams)) out += " " + stream_error_condition(element);
  return out;
}

/// "1.0" as two integers (RFC 6120 section 4.7.5); nothing where it is not a version.
std::optional<std::pair<int, int>> parse_version(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
    return value;
  };
  const auto major = number(text.substr(0, dot)), minor = number(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

bool declares(const xml::StreamHeader& header, std::string_view ns) {
  return std::ranges::any_of(header.prefixes, [&](const auto& declared) { return declared.second == ns; });
}

/// A defect: drops comments, processing instructions and document types instead of refusing them.
/// Returns what may become such a form once more octets come; it is taken out of `in`.
std::string strip_restricted(std::string& in) {
  constexpr std::pair<std::string_view, std::string_view> forms[] = {
      {"<!--", "-->"}, {"<!DOCTYPE", "]>"}, {"<?", "?>"}};
  for (const auto& [open, close] : forms) {
    for (auto at = in.find(open); at != std::string::npos; at = in.find(open, at)) {
      const auto end = in.find(close, at);
      if (end == std::string::npos) break;
      if (in.compare(at, 5, "<?xml") == 0) {
        at = end;
      } else {
        in.erase(at, end + close.size() - at);
      }
    }
  }
  auto begun = in.find("<!");
  for (auto at = in.find("<?"); at != std::string::npos && at < begun; at = in.find("<?", at + 1)) {
    if (in.compare(at, 5, "<?xml") != 0) begun = at;
  }
  if (begun == std::string::npos && in.ends_with('<')) begun = in.size() - 1;
  if (begun == std::string::npos) return {};
  auto held = in.substr(begun);
  in.erase(begun);
  return held;
}

}  // namespace

std::string_view to_string(StreamState state) {
  switch (state) {
    case StreamState::header:
      return "header";
    case StreamState::features:
      return "features";
    case StreamState::proceed:
      return "proceed";
    case StreamState::tls:
      return "tls";
    case StreamState::sasl:
      return "sasl";
    case StreamState::open:
      return "open";
    case StreamState::closing:
      return "closing";
    case StreamState::closed:
      return "closed";
  }
  return "unknown";
}

Stream::Stream(StreamConfig config, Time now) : config_(std::move(config)), now_(now) {
  config_.departures.adjust(config_);
  if (!quirk("xmpp.no-establishment-timeout")) establishment_deadline_ = now + config_.establishment_timeout;
  if (initiating()) {
    local_ = config_.local_domain;
    remote_ = config_.remote_domain;
    if (config_.policy) policy_ = config_.policy(remote_);
    methods_ = methods_of(policy_);
  }
  seam_ = Seam::of(config_.departures, initiating(), trusted());
  restart();
  if (config_.direct_tls || trusted()) {
    start_tls();
  } else if (initiating()) {
    put_header();
  }
}

Stream::~Stream() = default;

// --- Inputs -------------------------------------------------------------------------------------------------------

void Stream::receive(std::string_view octets, Time now) {
  now_ = now;
  if (finished()) return;
  // Liveness comes from octets, not from events: white space between stanzas is a keep-alive (RFC 6120 section 4.6.1).
  if (silence_deadline_) silence_deadline_ = now + config_.keep_alive_interval;
  if (tls_) {
    tls_->put_cipher(octets);
    pump_tls();
  } else {
    take_in(octets);
  }
  parse();
  if (tls_ && handshake_done_ && !finished() && tls_->peer_closed()) receive_eof(now);
}

void Stream::receive_eof(Time now) {
  now_ = now;
  if (finished()) return;
  if (peer_end_seen_ || quirk("xmpp.truncation-is-clean")) return finish(!in_doubt_);
  // RFC 6120 section 4.4: an end without end tag and close_notify is truncation, never an end.
  push(StreamFailed{"truncated", "the connection ended inside the stream", false});
  finish(false);
}

void Stream::connection_lost(Time now) {
  now_ = now;
  if (finished()) return;
  if (!peer_end_seen_) push(StreamFailed{"truncated", "the connection was lost", false});
  finish(false);
}

void Stream::timeout(Time now) {
  now_ = now;
  const auto due = [now](const std::optional<Time>& when) { return when && now >= *when; };
  if (finished()) return;
  if (due(seam_due_)) {
    seam_due_.reset();
    return parse();
  }
  if (due(close_deadline_)) return finish(false);
  if (due(establishment_deadline_)) return fail("connection-timeout", "the stream was not established in time");
  if (due(silence_deadline_)) return fail("connection-timeout", "no keep-alive");
  if (due(idle_deadline_)) return begin_closing({}, {});  // nothing is wrong: no stream error
  if (due(keep_alive_due_)) put_noted("keep-alive", " ");
}

void Stream::authorise(const DomainPair& pair, Time now) {
  now_ = now;
  if (!initiating() || state_ != StreamState::open || authorised_.contains(pair)) return;
  if (!asked_.insert(pair).second) return;  // XEP-0220 section 2.1.1: one request at a time for a pair
  touch();
  // XEP-0185: the key binds the id of the latest response header, the one inside TLS.
  const auto& id = config_.departures.inner(Inner::dialback_key_with_pre_tls_id) ? first_id_ : id_;
  const auto key = dialback_key(config_.dialback_secret, pair.target, pair.sender, id, config_.departures);
  put_noted("db:result " + pair.sender + " > " + pair.target,
            quirk("xmpp.dialback-result-addresses-swapped")
                ? dialback_element("result", pair.target, pair.sender, {}, {}, key)
                : dialback_element("result", pair.sender, pair.target, {}, {}, key));
}

void Stream::verify(const DomainPair& pair, std::string_view id, std::string_view key, Time now) {
  now_ = now;
  if (!initiating() || state_ != StreamState::open) return;
  touch();
  verifications_.push_back({pair, std::string(id)});
  // XEP-0220 section 2.1.2: from is the target domain, to the sender domain, id the one that we gave to the initiator.
  const auto asked_id = quirk("xmpp.verify-with-wrong-id") ? id_ : std::string(id);
  put_noted("db:verify " + pair.target + " > " + pair.sender,
            dialback_element("verify", pair.target, pair.sender, asked_id, {}, xml::escape(key)));
}

bool Stream::send(const xml::Element& stanza, Time now) {
  const auto from = Jid::parse(stanza.attribute_or_empty("from")), to = Jid::parse(stanza.attribute_or_empty("to"));
  return from && to && send(stanza, {from->domain(), to->domain()}, now);
}

bool Stream::send(const xml::Element& stanza, const DomainPair& pair, Time now) {
  now_ = now;
  if (!may_send(pair)) return false;
  touch();
  auto octets = xml::write(stanza, ns::server, true);
  put(octets);
  if (config_.note) note(Layer::xmpp, Direction::out, summary_of(stanza), std::move(octets));
  return true;
}

void Stream::close(std::string_view condition, Time now) {
  now_ = now;
  begin_closing(condition, {});
}

// --- Outputs ------------------------------------------------------------------------------------------------------

std::string Stream::take_output() { return std::exchange(out_, {}); }

std::optional<StreamEvent> Stream::poll() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::optional<Time> Stream::deadline() const {
  std::optional<Time> first;
  for (const auto* one : {&establishment_deadline_, &idle_deadline_, &keep_alive_due_, &silence_deadline_,
                          &close_deadline_, &seam_due_}) {
    if (*one && (!first || **one < *first)) first = *one;
  }
  return first;
}

bool Stream::secured() const { return tls_ && handshake_done_; }
std::string Stream::tls_version() const { return secured() ? tls_->version() : std::string(); }

bool Stream::may_send(const DomainPair& pair) const {
  if (state_ != StreamState::open) return false;
  if (trusted()) return true;
  if (!initiating()) return false;  // RFC 6120 section 4.5: the other direction has a stream of its own
  return authorised_.contains(pair) || (negotiated_ && quirk("xmpp.stanzas-before-dialback-result"));
}

// --- Octets in ----------------------------------------------------------------------------------------------------

void Stream::parse() {
  // Asked once more behind every item: one tag can be two items ("<stream:stream/>").
  for (bool again = !rest().empty(); again && state_ != StreamState::closed && state_ != StreamState::tls;) {
    if (quirk("xmpp.accepts-restricted-xml")) {
      in_ = std::exchange(held_, {}) + in_.substr(at_);
      at_ = 0;
      held_ = strip_restricted(in_);
    }
    std::size_t used = 0;
    auto item = reader_->feed(rest(), used);
    raw_ += rest().substr(0, used);
    at_ += used;
    if (refuse_nested_header()) continue;
    again = item.has_value();
    if (!item) break;
    on_item(*item);
    raw_.clear();
  }
  if (rest().empty() || finished()) {
    in_.clear();
    at_ = 0;
  }
}

/// A second header where no restart is due would open an element that swallows the stream (OF-1913, Prosody #468).
bool Stream::refuse_nested_header() {
  if (!header_seen_ || state_ == StreamState::closing) return false;
  const auto start = raw_.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) return false;
  const bool header = raw_.compare(start, 14, "<stream:stream") == 0;
  if ((header || raw_.compare(start, 6, "<?xml ") == 0) && quirk("xmpp.duplicate-header-accepted")) {
    in_ = raw_.substr(start) + std::string(rest());
    at_ = 0;
    restart();
    return true;
  }
  if (!header) return false;
  note(Layer::xmpp, Direction::in, "stream header, not due", raw_);
  fail("bad-format", "a stream header where none is due");
  return true;
}

void Stream::on_item(xml::Item& item) {
  if (const auto* header = std::get_if<xml::StreamHeader>(&item)) return on_header(*header);
  if (auto* element = std::get_if<xml::Element>(&item)) return on_element(*element);
  if (const auto* fault = std::get_if<xml::Fault>(&item)) {
    note(Layer::xmpp, Direction::in, "unreadable: " + fault->condition, raw_);
    if (state_ != StreamState::closing) fail(fault->condition, fault->text);
    // Nothing more can be read, so the peer's end tag cannot be awaited.
    if (!quirk("xmpp.open-after-stream-error")) finish(false);
    return;
  }
  note(Layer::xmpp, Direction::in, "end of stream", raw_);
  on_end();
}

void Stream::on_header(const xml::StreamHeader& header) {
  note(Layer::xmpp, Direction::in,
       "stream header " + header.tag.attribute_or_empty("from") + " > " + header.tag.attribute_or_empty("to"), raw_);
  header_seen_ = true;
  if (state_ == StreamState::closing) return;
  const auto version = header.tag.attribute("version");
  const auto parsed = parse_version(version.value_or("0.9"));
  peer_has_version_ = parsed && parsed->first >= 1 && config_.send_version;
  peer_version_ = version.value_or("");
  peer_declares_dialback_ = declares(header, ns::dialback);
  if (initiating()) {
    if (const auto fault = judge_header_form(header); !fault.empty()) return fail(fault);
    return on_response_header(header);
  }
  on_initial_header(header);
}

std::string_view Stream::judge_header_form(const xml::StreamHeader& header) const {
  if (quirk("xmpp.wrong-header-namespace-accepted")) return {};
  if (header.tag.ns() != ns::streams) return "invalid-namespace";
  if (header.tag.name() != "stream") return "bad-format";
  if (header.content_ns != ns::server) return "invalid-namespace";
  const auto version = header.tag.attribute("version");
  if (version && !parse_version(*version) && !quirk("xmpp.ignores-version")) return "unsupported-version";
  return {};
}

/// What is wrong with the addresses of an initial header; sets local_ and remote_ as far as they are right.
std::string_view Stream::judge_initial_header(const xml::Element& tag) {
  const auto from_text = tag.attribute("from"), to_text = tag.attribute("to");
  const auto to = Jid::parse(to_text.value_or("")), from = Jid::parse(from_text.value_or(""));
  if (to && to->is_domain() && (serves(to->domain()) || trusted())) local_ = to->domain();
  if (from && from->is_domain()) remote_ = from->domain();
  if (!to || !to->is_domain()) return "improper-addressing";
  if (local_.empty()) {
    if (holds(Rule::to_is_served)) return "host-unknown";
    local_ = config_.domains.empty() ? to->domain() : config_.domains.front();
  }
  if (from_text && remote_.empty()) return "improper-addressing";
  if (trusted()) return {};
  if (serves(remote_)) return "invalid-from";  // nobody else speaks for a domain that is served here
  // RFC 6120 section 4.3.3: a restart is for the same stream. Nothing learnt in clear is believed, but a change is
  // refused.
  if (!quirk("xmpp.restart-with-other-from-accepted")) {
    if (!first_to_.empty() && first_to_ != local_) return "improper-addressing";
    if (!first_from_.empty() && !remote_.empty() && first_from_ != remote_) return "invalid-from";
  }
  return {};
}

void Stream::on_initial_header(const xml::StreamHeader& header) {
  local_.clear();
  remote_.clear();
  if (const auto fault = judge_header_form(header); !fault.empty()) return fail(fault);
  if (const auto fault = judge_initial_header(header.tag); !fault.empty()) return fail(fault);
  if (remote_.empty() && sasl_ == Sasl::done) remote_ = first_from_;
  if (sasl_ == Sasl::done && quirk("xmpp.restart-with-other-from-accepted")) authorised_.insert({remote_, local_});
  first_to_ = local_;
  if (!remote_.empty()) first_from_ = remote_;
  // COMPAT(legacy): peers of RFC 3920's time send no from. What they may do is judged at their db:result.
  policy_ = remote_.empty() || !config_.policy
                ? PeerPolicy{.tls = Negotiation::optional, .sasl = Negotiation::not_supported}
                : config_.policy(remote_);
  methods_ = methods_of(policy_);
  if (!policy_.allowed && !trusted() && !quirk("xmpp.strangers-accepted"))
    return fail("policy-violation", "not an allowed partner");
  if (!peer_has_version_ && !trusted() && !methods_.dialback(secured()) && !quirk("xmpp.ignores-version") &&
      config_.send_version) {
    return fail("unsupported-version", "this policy needs features, and XMPP 0.9 has none");
  }
  put_header();
  push(HeadersExchanged{local_, remote_, id_});
  if (peer_has_version_ || trusted()) {
    const auto features = feature_list();
    if (!quirk("xmpp.no-features")) put_noted("stream:features", features);
  }
  state_ = StreamState::open;
  if (trusted()) negotiated(AuthenticationMethod::sasl_external);
}

void Stream::on_response_header(const xml::StreamHeader& header) {
  id_ = header.tag.attribute_or_empty("id");
  if (first_id_.empty()) first_id_ = id_;
  push(HeadersExchanged{local_, remote_, id_});
  if (peer_has_version_ || trusted()) {
    state_ = StreamState::features;
    return;
  }
  // COMPAT(legacy): XMPP 0.9 has no features; only dialback in clear, announced by its namespace (XEP-0220
  // section 2.4.1).
  if (methods_.dialback(secured()) || config_.purpose == StreamPurpose::verification) {
    return negotiated(AuthenticationMethod::none);
  }
  if (config_.send_version) fail("unsupported-version", "the peer speaks XMPP 0.9, and this policy needs features");
}

void Stream::on_element(xml::Element& element) {
  if (!is_stanza(element)) note(Layer::xmpp, Direction::in, summarise(element), raw_);
  if (element.is("error", ns::streams)) return on_peer_error(element);
  if (is_stanza(element) && (state_ == StreamState::open || state_ == StreamState::closing)) return on_stanza(element);
  if (state_ == StreamState::closing) return;
  if (element.ns() == ns::dialback && state_ == StreamState::open && !trusted()) return on_dialback(element);
  switch (state_) {
    case StreamState::features:
      return on_features(element);
    case StreamState::proceed:
      return on_proceed(element);
    case StreamState::sasl:
      return on_sasl_answer(element);
    default:
      break;
  }
  if (initiating()) return;  // RFC 6120 section 4.8.4: what nobody asked for is ignored
  if (element.ns() == ns::tls) return on_starttls(element);
  if (element.ns() == ns::sasl && !trusted()) return on_auth(element);
  fail("unsupported-stanza-type");
}

void Stream::on_end() {
  peer_end_seen_ = true;
  if (!end_sent_) {
    push(ClosingBegan{false});
    if (!quirk("xmpp.no-end-tag-reply")) put_noted("end of stream", end_tag);
    end_sent_ = true;
  }
  finish(!in_doubt_);
}

void Stream::on_peer_error(const xml::Element& error) {
  const auto condition = stream_error_condition(error);
  const auto* text = error.child("text", ns::stream_errors);
  if (!is_orderly(condition)) in_doubt_ = true;
  push(StreamFailed{condition, text ? text->text() : std::string(), false});
  begin_closing({}, {});  // RFC 6120 section 4.9.1.1: the receiver of a stream error closes its side too
}

// --- The initiating side ------------------------------------------------------------------------------------------

void Stream::on_features(const xml::Element& features) {
  if (!features.is("features", ns::streams)) return fail("unsupported-stanza-type", "features were expected");
  if (trusted()) return negotiated(AuthenticationMethod::sasl_external);
  const bool wanted = policy_.tls != Negotiation::not_supported && config_.identity;
  const auto* starttls = features.child("starttls", ns::tls);
  if (!secured() && starttls && wanted && !quirk("xmpp.never-starts-tls")) {
    state_ = StreamState::proceed;
    return put_noted("starttls", std::string("<starttls xmlns='") + ns::tls + "'/>");
  }
  if (!secured() && policy_.tls == Negotiation::required && !quirk("xmpp.goes-on-without-tls")) {
    return fail("policy-violation", "TLS is required, and the peer does not offer it");
  }
  if (!secured() && starttls && starttls->child("required", ns::tls)) {
    return fail("policy-violation", "the peer requires TLS");
  }
  const auto* dialback = features.child("dialback", ns::dialback_feature);
  peer_dialback_errors_ = dialback && dialback->child("errors", ns::dialback_feature);
  choose_method(features.child("mechanisms", ns::sasl), dialback || peer_declares_dialback_);
}

void Stream::choose_method(const xml::Element* mechanisms, bool dialback_offered) {
  if (config_.purpose == StreamPurpose::verification) return negotiated(AuthenticationMethod::none);
  if (sasl_ == Sasl::done && quirk("xmpp.waits-behind-empty-features")) return;
  if (sasl_ == Sasl::done) return negotiated(AuthenticationMethod::sasl_external);
  bool external = false;
  if (mechanisms) {
    for (const auto* one : mechanisms->children())
      external |= one->is("mechanism", ns::sasl) && one->text() == "EXTERNAL";
  }
  // RFC 6120 section 13.7.2.1: the certificate must cover the domain of our own to, whatever SRV or the peer's from
  // say.
  const bool peer_proved =
      secured() && (certificate_authenticates(remote_) || quirk("xmpp.peer-certificate-not-checked"));
  if (external && peer_proved && methods_.sasl_over_tls && sasl_failures_ == 0) {
    state_ = StreamState::sasl;
    return put_noted("auth EXTERNAL", std::string("<auth xmlns='") + ns::sasl + "' mechanism='EXTERNAL'>" +
                                          encode_authzid(quirk("xmpp.authzid-is-a-user") ? "user@" + local_ : local_) +
                                          "</auth>");
  }
  const bool permitted = methods_.dialback(secured()) || (!secured() && quirk("xmpp.goes-on-without-tls"));
  if (permitted && dialback_offered) return negotiated(AuthenticationMethod::none);
  if (secured() && !peer_proved) return fail("not-authorized", "the peer's certificate does not authenticate it");
  fail("unsupported-feature", "the peer offers no authentication that the policy allows");
}

void Stream::on_proceed(const xml::Element& element) {
  if (element.is("proceed", ns::tls)) {
    // A TLS server never speaks first: octets behind <proceed/> were smuggled in (class of CVE-2011-0411).
    if (!rest().empty() && !quirk("xmpp.plaintext-after-proceed-kept")) {
      push(StreamFailed{"policy-violation", "octets in clear after <proceed/>", true});
      return finish(false);
    }
    return start_tls();
  }
  if (!element.is("failure", ns::tls)) return fail("unsupported-stanza-type", "<proceed/> was expected");
  push(StreamFailed{"tls-failure", "the peer refused STARTTLS", false});
  failed_ = true;
  begin_closing({}, {});
}

void Stream::on_sasl_answer(const xml::Element& element) {
  if (element.is("challenge", ns::sasl)) {
    return put_noted("response",
                     std::string("<response xmlns='") + ns::sasl + "'>" + encode_authzid(local_) + "</response>");
  }
  if (element.is("success", ns::sasl)) {
    sasl_ = Sasl::done;
    if (quirk("xmpp.no-restart-after-success")) return negotiated(AuthenticationMethod::sasl_external);
    restart();
    return put_header();
  }
  if (!element.is("failure", ns::sasl)) return fail("unsupported-stanza-type", "the outcome of SASL was expected");
  ++sasl_failures_;
  if (quirk("xmpp.sends-despite-failure")) return negotiated(AuthenticationMethod::sasl_external);
  // XEP-0178 section 3: what remains is dialback, on this stream while the peer leaves it open.
  if (methods_.dialback(secured()) && peer_declares_dialback_) return negotiated(AuthenticationMethod::none);
  fail("not-authorized", "the peer refused EXTERNAL");
}

void Stream::negotiated(AuthenticationMethod method) {
  state_ = StreamState::open;
  negotiated_ = true;
  method_ = method;
  push(Negotiated{method});
  if (trusted()) return became_established();
  if (method != AuthenticationMethod::sasl_external) return;
  authorised_.insert({local_, remote_});
  became_established();
  push(PairAuthorised{{local_, remote_}, method});
}

void Stream::on_result_answer(const xml::Element& result) {
  // From the target domain to the sender domain; counts only for a pair that was asked for on this stream.
  const DomainPair pair{prepare_domain(result.attribute_or_empty("to")).value_or(""),
                        prepare_domain(result.attribute_or_empty("from")).value_or("")};
  const bool asked = asked_.erase(pair) > 0;
  if (!asked && !quirk("xmpp.unsolicited-result-authorises")) return;
  touch();
  const auto type = result.attribute_or_empty("type");
  if (type == "valid" && quirk("xmpp.valid-result-ignored")) return;
  if (type == "valid") {
    authorised_.insert(pair);
    if (method_ == AuthenticationMethod::none) method_ = AuthenticationMethod::dialback;
    became_established();
    return push(PairAuthorised{pair, AuthenticationMethod::dialback});
  }
  push(PairRefused{pair, type == "error" ? condition_in(result) : "invalid"});
  // XEP-0220 section 2.5: a dialback error is not the end of the stream.
  if (type == "error" && quirk("xmpp.dialback-error-ends-stream")) fail("undefined-condition");
}

void Stream::on_verify_answer(const xml::Element& verify) {
  const DomainPair pair{prepare_domain(verify.attribute_or_empty("from")).value_or(""),
                        prepare_domain(verify.attribute_or_empty("to")).value_or("")};
  const auto id = verify.attribute_or_empty("id");
  const bool careless = quirk("xmpp.verify-answer-not-matched");
  const auto match = std::ranges::find_if(
      verifications_, [&](const auto& one) { return careless || (one.pair == pair && one.id == id); });
  if (match == verifications_.end()) return;  // XEP-0220 section 2.1.2: an answer that nobody awaits is dropped
  const auto asked = *match;
  verifications_.erase(match);
  touch();
  const auto type = verify.attribute_or_empty("type");
  if (type == "valid") return push(VerificationAnswered{asked.pair, asked.id, Verdict::valid, {}});
  if (type == "error") return push(VerificationAnswered{asked.pair, asked.id, Verdict::error, condition_in(verify)});
  push(VerificationAnswered{asked.pair, asked.id, Verdict::invalid, {}});
}

// --- The receiving side -------------------------------------------------------------------------------------------

bool Stream::offers_external() const {
  if (sasl_ == Sasl::done) return false;
  if (!secured()) return quirk("xmpp.external-offered-in-clear");
  if (!methods_.sasl_over_tls || remote_.empty()) return false;
  // XEP-0178 section 3 step 7: offered only to a peer whose certificate authenticates the header's from.
  return certificate_authenticates(remote_) || quirk("xmpp.external-offered-without-match");
}

std::string Stream::feature_list() {
  std::string out = "<stream:features>";
  const bool tls_usable = config_.identity && policy_.tls != Negotiation::not_supported;
  const bool starttls = !trusted() && tls_usable && (!secured() || quirk("xmpp.starttls-offered-inside-tls"));
  const bool tls_required = starttls && !secured() && policy_.tls == Negotiation::required;
  if (starttls && !quirk("xmpp.starttls-not-offered")) {
    out += std::string("<starttls xmlns='") + ns::tls + "'>";
    if (tls_required && !quirk("xmpp.starttls-without-required")) out += "<required/>";
    out += "</starttls>";
  }
  if (!trusted() && offers_external()) {
    out += std::string("<mechanisms xmlns='") + ns::sasl + "'><mechanism>EXTERNAL</mechanism></mechanisms>";
  }
  // RFC 6120 section 5.3.1: where TLS is mandatory, it is alone in the first features.
  if (!trusted() && !tls_required && methods_.dialback(secured()) && !quirk("xmpp.dialback-not-advertised")) {
    out += std::string("<dialback xmlns='") + ns::dialback_feature + "'><errors/></dialback>";
  }
  if (quirk("xmpp.features-in-content-namespace")) out += "<limits/>";
  return out + "</stream:features>";
}

void Stream::on_starttls(const xml::Element& element) {
  const bool offered = !secured() && !trusted() && config_.identity && policy_.tls != Negotiation::not_supported &&
                       sasl_ == Sasl::none && authorised_.empty();
  // Octets in the same segment behind <starttls/> cannot be TLS: the peer has not seen <proceed/> yet.
  const bool smuggled = !rest().empty() && !quirk("xmpp.plaintext-after-starttls-kept");
  if (quirk("xmpp.starttls-not-answered")) return;
  if (element.name() == "starttls" && offered && !smuggled) {
    put_noted("proceed", std::string("<proceed xmlns='") + ns::tls + "'/>");
    return start_tls();
  }
  put_noted("failure", std::string("<failure xmlns='") + ns::tls + "'/>");
  push(StreamFailed{"tls-failure", smuggled ? "octets in clear after <starttls/>" : "STARTTLS was not offered", true});
  failed_ = true;
  begin_closing({}, {});
  finish(false);
}

void Stream::on_auth(const xml::Element& element) {
  if (sasl_ == Sasl::done) return fail("unsupported-stanza-type", "already authenticated");
  if (element.name() == "abort" && quirk("xmpp.abort-ignored")) return;
  if (element.name() == "abort") return sasl_failure("aborted");
  if (element.name() == "response" && sasl_ == Sasl::challenged) return judge_authzid(element.text());
  if (element.name() != "auth") return sasl_failure("malformed-request");
  sasl_ = Sasl::none;  // RFC 6120 section 6.4.2: a second <auth/> starts over
  const bool external = element.attribute_or_empty("mechanism") == "EXTERNAL";
  if (!external && !quirk("xmpp.any-mechanism-accepted")) return sasl_failure("invalid-mechanism");
  if (!secured() && !offers_external()) return sasl_failure("encryption-required");
  if (element.text().empty() && element.content().empty()) {
    sasl_ = Sasl::challenged;
    return put_noted("challenge", std::string("<challenge xmlns='") + ns::sasl + "'/>");
  }
  judge_authzid(element.text());
}

void Stream::judge_authzid(std::string_view text) {
  sasl_ = Sasl::none;
  auto authzid = decode_authzid(text);
  if (!authzid && quirk("xmpp.bad-base64-accepted")) authzid = std::string();
  if (!authzid) return sasl_failure("incorrect-encoding");
  const bool proved = methods_.sasl_over_tls && !remote_.empty() && certificate_authenticates(remote_);
  if (!proved) return sasl_failure("not-authorized");
  if (!may_act_as(*authzid, remote_)) {
    if (!quirk("xmpp.foreign-authzid-accepted")) return sasl_failure("invalid-authzid");
    first_from_ = remote_ = prepare_domain(*authzid).value_or(remote_);
  }
  sasl_ = Sasl::done;
  method_ = AuthenticationMethod::sasl_external;
  authorised_.insert({remote_, local_});
  put_noted("success", std::string("<success xmlns='") + ns::sasl + "'/>");
  push(PairAuthorised{{remote_, local_}, method_});
  became_established();
  restart();
}

void Stream::sasl_failure(std::string_view condition) {
  sasl_ = Sasl::none;
  put_noted("failure " + std::string(condition),
            std::string("<failure xmlns='") + ns::sasl + "'>" +
                (quirk("xmpp.failure-without-condition") ? "" : "<" + std::string(condition) + "/>") + "</failure>");
  if (++sasl_failures_ >= sasl_tries_max && !quirk("xmpp.sasl-tries-unlimited")) {
    return fail("policy-violation", "too many SASL failures");
  }
  // XEP-0178 section 3 step 10: without dialback nothing is left for a peer whose certificate is not good.
  if (condition == "not-authorized" && !methods_.dialback(secured())) begin_closing({}, {});
}

void Stream::on_dialback(const xml::Element& element) {
  const bool answer = element.attribute("type").has_value();
  const bool result = element.name() == "result";
  if (!result && element.name() != "verify") return fail("unsupported-stanza-type");
  if (initiating()) {
    // A request in this direction would need bidi (XEP-0288), which was not negotiated.
    if (!answer) return;
    return result ? on_result_answer(element) : on_verify_answer(element);
  }
  if (answer) {
    // XEP-0220 section 3.1: unsolicited answers change nothing (the advisory of 2012-08-21).
    if (!quirk("xmpp.unsolicited-answer-authorises") || element.attribute_or_empty("type") != "valid") return;
    authorised_.insert({element.attribute_or_empty("from"), element.attribute_or_empty("to")});
    return became_established();
  }
  result ? on_result_request(element) : on_verify_request(element);
}

void Stream::on_result_request(const xml::Element& result) {
  const auto from = Jid::parse(result.attribute_or_empty("from")), to = Jid::parse(result.attribute_or_empty("to"));
  if (!from || !to || !from->is_domain() || !to->is_domain()) return fail("improper-addressing");
  const DomainPair pair{from->domain(), to->domain()};
  if (waiting_.contains(pair)) return;  // one verification at a time for a pair
  touch();
  if (!serves(pair.target)) {
    // XEP-0220 section 2.2.1: an error, never the end of the stream.
    if (quirk("xmpp.unserved-result-ends-stream")) return fail("host-unknown");
    return refuse_result(pair, "item-not-found");
  }
  if (serves(pair.sender)) return refuse_result(pair, "forbidden");
  const auto policy = config_.policy ? config_.policy(pair.sender) : policy_;
  const bool checked = !quirk("xmpp.dialback-against-policy");
  if (!policy.allowed && !quirk("xmpp.strangers-accepted")) return refuse_result(pair, "policy-violation");
  if (checked && !secured() && policy.tls == Negotiation::required) return refuse_result(pair, "policy-violation");
  if (checked && !methods_of(policy).dialback(secured())) return refuse_result(pair, "not-authorized");
  if (authorised_.size() + waiting_.size() >= limits::stream_domain_pairs_max) {
    return refuse_result(pair, "resource-constraint");
  }
  waiting_.insert(pair);
  if (quirk("xmpp.dialback-without-verifying")) return answer_result(pair, Verdict::valid, {}, now_);
  push(VerificationWanted{pair, id_, result.text()});
}

void Stream::refuse_result(const DomainPair& pair, std::string_view condition) {
  put_noted("db:result error " + std::string(condition) + " " + pair.target + " > " + pair.sender,
            dialback_element("result", pair.target, pair.sender, {}, "error", dialback_error(condition)));
}

void Stream::answer_result(const DomainPair& pair, Verdict verdict, std::string_view condition, Time now) {
  now_ = now;
  if (waiting_.erase(pair) == 0 || state_ != StreamState::open) return;
  touch();
  if (verdict == Verdict::error) return refuse_result(pair, condition.empty() ? "remote-server-timeout" : condition);
  const bool valid = verdict == Verdict::valid;
  if (valid || quirk("xmpp.invalid-result-authorises")) {
    authorised_.insert(pair);
    if (method_ == AuthenticationMethod::none) method_ = AuthenticationMethod::dialback;
    became_established();
    push(PairAuthorised{pair, AuthenticationMethod::dialback});
  } else {
    authorised_.erase(pair);  // a later invalid result withdraws what an earlier one gave
  }
  const std::string_view type = valid ? "valid" : "invalid";
  if (!quirk(valid ? "xmpp.valid-result-not-sent" : "xmpp.invalid-result-not-sent")) {
    put_noted("db:result " + std::string(type) + " " + pair.target + " > " + pair.sender,
              dialback_element("result", pair.target, pair.sender, {}, type, {}));
  }
  // XEP-0220 section 2.2.1: an invalid key ends a stream that carries no other pair.
  if (!valid && authorised_.empty() && waiting_.empty() && !quirk("xmpp.open-after-invalid-result"))
    begin_closing({}, {});
}

void Stream::on_verify_request(const xml::Element& verify) {
  const auto from = Jid::parse(verify.attribute_or_empty("from")), to = Jid::parse(verify.attribute_or_empty("to"));
  const auto id = verify.attribute_or_empty("id");
  if (!from || !to || !from->is_domain() || !to->is_domain() || id.empty()) return fail("improper-addressing");
  touch();
  const auto& asker = from->domain();
  const auto& us = to->domain();
  const auto answer = [&](std::string_view type, std::string_view inside) {
    put_noted("db:verify " + std::string(type) + " " + us + " > " + asker,
              dialback_element("verify", us, asker, id, type, inside));
  };
  if (!serves(us)) {
    if (quirk("xmpp.unserved-verify-ends-stream")) return fail("host-unknown");
    return answer("error", dialback_error("item-not-found"));
  }
  // Answered whether or not the asker is authenticated: it only checks a key (XEP-0220 section 2.2.2).
  if (quirk("xmpp.verify-needs-authentication") && authorised_.empty()) return fail("not-authorized");
  if (quirk("xmpp.verify-not-answered")) return;
  const auto expected = dialback_key(config_.dialback_secret, asker, us, id, config_.departures);
  const bool valid = same_key(expected, verify.text()) || quirk("xmpp.any-key-is-valid");
  if (quirk("xmpp.valid-key-called-invalid")) return answer("invalid", {});
  answer(valid ? "valid" : "invalid", {});
}

// --- Stanzas ------------------------------------------------------------------------------------------------------

void Stream::on_stanza(xml::Element& stanza) {
  note(Layer::xmpp, Direction::in, summary_of(stanza), raw_);
  const bool closing = state_ == StreamState::closing;
  // RFC 6120 section 4.4: who has closed its own direction still processes what the peer sends before its end tag.
  if (closing && (deaf_ || quirk("xmpp.deaf-while-closing"))) return;
  const auto refuse = [&](std::string_view condition) {
    if (!closing) fail(condition);
  };
  if (stanza.ns() != ns::server && !quirk("xmpp.client-namespace-accepted")) return refuse("invalid-namespace");
  const auto from = Jid::parse(stanza.attribute_or_empty("from")), to = Jid::parse(stanza.attribute_or_empty("to"));
  if (!from || !to) {
    if (quirk("xmpp.improper-addressing-ignored")) return;
    return refuse("improper-addressing");
  }
  if (!trusted()) {
    const auto fault = judge_stanza_pair({from->domain(), to->domain()});
    if (!fault.empty()) return refuse(fault);
  }
  touch();
  push(StanzaReceived{std::move(stanza), from->domain()});
}

/// The stream error that a stanza of the pair deserves; empty where the pair is authorised.
std::string_view Stream::judge_stanza_pair(const DomainPair& pair) const {
  if (initiating()) return quirk("xmpp.stanzas-accepted-on-own-stream") ? "" : "not-authorized";
  if (authorised_.contains(pair)) return {};
  if (authorised_.empty()) return quirk("xmpp.unauthenticated-stanza-delivered") ? "" : "not-authorized";
  const bool sender_known =
      std::ranges::any_of(authorised_, [&](const auto& one) { return one.sender == pair.sender; });
  if (!sender_known) return quirk("xmpp.spoofed-from-delivered") ? "" : "invalid-from";
  // RFC 6120 section 8.1.1.2: not served here, or not validated for this sender on this stream.
  if (!serves(pair.target)) return quirk("xmpp.relays-for-peers") ? "" : "host-unknown";
  return quirk("xmpp.unauthorised-target-delivered") ? "" : "host-unknown";
}

// --- TLS ----------------------------------------------------------------------------------------------------------

void Stream::start_tls() {
  state_ = StreamState::tls;
  if (!config_.identity) return tls_failed();
  tls::SessionOptions options;
  options.wall_clock = config_.wall_clock;
  options.require_client_certificate = trusted() && !quirk("xmpp.link-without-client-certificate");
  // SNI is the service domain, never the SRV target (XEP-0368, RFC 6125).
  options.server_name =
      config_.server_name.empty() ? domain_to_ascii(config_.remote_domain).value_or("") : config_.server_name;
  if (config_.direct_tls) options.alpn = {"xmpp-server"};
  if (!quirk("xmpp.plaintext-after-starttls-kept") && !quirk("xmpp.plaintext-after-proceed-kept")) in_.clear();
  in_.erase(0, at_);
  at_ = 0;
  tls_ = config_.identity->session(initiating() ? tls::Role::client : tls::Role::server, options);
  pump_tls();
}

void Stream::pump_tls() {
  if (!handshake_done_) {
    const auto progress = tls_->handshake();
    out_ += tls_->take_cipher();  // also where it failed: that is the alert
    if (progress == tls::Progress::failed) return tls_failed();
    if (progress == tls::Progress::wants_input) return;
    on_secured();
    if (finished()) return;
  }
  take_in(tls_->read());
  out_ += tls_->take_cipher();
  // TLS 1.3: a client hears only now that its certificate was refused.
  if (!tls_->failure().empty()) {
    parse();
    if (!finished()) tls_failed();
  }
}

void Stream::tls_failed() {
  const auto why = tls_ ? tls_->failure() : std::string("no TLS identity");
  note(Layer::tls, Direction::none, "TLS failed", why);
  push(StreamFailed{"tls-failure", why, false});
  failed_ = true;
  finish(false);  // RFC 6120 section 5.4.3.2: no end tag, only the end of the connection
}

void Stream::on_secured() {
  handshake_done_ = true;
  const auto certificate = tls_->peer_certificate();
  if (config_.note) {
    std::string words = tls_->version() + " " + tls_->cipher_suite();
    if (!tls_->server_name().empty()) words += ", SNI " + tls_->server_name();
    if (!tls_->alpn().empty()) words += ", ALPN " + tls_->alpn();
    if (!certificate) words += ", no certificate from the peer";
    if (certificate) {
      words += ", peer certificate";
      for (const auto& name : certificate->dns_names) words += " " + name;
      words += certificate->chain_valid ? ", valid chain" : ", invalid chain: " + certificate->chain_error;
    }
    note(Layer::tls, Direction::none, "TLS established", words);
  }
  push(Secured{tls_->version()});
  restart();
  if (trusted()) {
    const bool good = certificate && certificate->chain_valid &&
                      (config_.trusted_name.empty() || tls::covers(*certificate, config_.trusted_name));
    if (!good && !quirk("xmpp.link-without-client-certificate")) {
      state_ = StreamState::header;
      return fail("not-authorized", "the link needs a certificate that is trusted here");
    }
  }
  if (initiating() && (trusted() || !quirk("xmpp.no-restart-after-tls"))) put_header();
}

bool Stream::certificate_authenticates(std::string_view domain) const {
  if (!secured()) return false;
  const auto certificate = tls_->peer_certificate();
  if (!certificate) return quirk("xmpp.external-without-certificate");
  if (!certificate->chain_valid && !quirk("xmpp.invalid-chain-accepted")) return false;
  auto names = *certificate;
  const auto ignore = [&](std::string_view defect, std::vector<std::string>& kind) {
    if (!quirk(defect)) return;
    kind.clear();
    names.common_name.clear();
  };
  ignore("xmpp.dns-names-ignored", names.dns_names);
  ignore("xmpp.srv-names-ignored", names.srv_names);
  ignore("xmpp.xmpp-addrs-ignored", names.xmpp_addrs);
  if (!initiating() && certificate->eku_present && !certificate->eku_client && quirk("xmpp.client-eku-demanded"))
    return false;
  return tls::covers(names, domain) || quirk("xmpp.wrong-certificate-name-accepted");
}

// --- Writing and ending -------------------------------------------------------------------------------------------

/// A new document in both directions on the same connection, without end tags (RFC 6120 section 4.3.3).
void Stream::restart() {
  xml::ReaderLimits bounds;
  if (quirk("xmpp.no-size-limits")) {
    bounds.element_octets = bounds.header_octets = 1U << 30U;
    bounds.depth = bounds.attributes = bounds.children = 1U << 20U;
  }
  if (quirk("xmpp.small-stanzas-only")) bounds.element_octets = 8000;
  reader_.emplace(bounds);
  raw_.clear();
  header_sent_ = header_seen_ = false;
  state_ = StreamState::header;
}

std::string Stream::new_id() {
  if (quirk("xmpp.stream-id-repeated") && !id_.empty()) return id_;
  if (quirk("xmpp.stream-id-predictable")) return "stream-1";
  static constexpr char digits[] = "0123456789abcdef";
  std::string id;
  // RFC 6120 section 4.7.3: unpredictable and never repeated, since dialback keys are bound to it: 128 bits.
  for (int word = 0; word < 4; ++word) {
    auto bits = config_.random ? config_.random(std::uint64_t{1} << 32U) : 0;
    for (int i = 0; i < 8; ++i, bits >>= 4U) id += digits[bits & 15U];
  }
  return id;
}

void Stream::put_header() {
  const bool receiving = !initiating();
  if (receiving && quirk("xmpp.header-not-answered")) return;
  const bool as_client =
      !trusted() && quirk(receiving ? "xmpp.response-in-client-namespace" : "xmpp.initiates-in-client-namespace");
  const auto* content_ns = as_client ? ns::client : ns::server;
  std::string out =
      std::string("<?xml version='1.0'?><stream:stream xmlns='") + content_ns + "' xmlns:stream='" + ns::streams + "'";
  // XEP-0220 section 2.4.1: classic dialback is announced by its namespace.
  if (!trusted()) out += std::string(" xmlns:db='") + ns::dialback + "'";
  auto from = local_;
  if (receiving && from.empty() && !config_.domains.empty()) from = config_.domains.front();
  if (!from.empty() && !(receiving && quirk("xmpp.response-without-from"))) out += attribute("from", from);
  if (!remote_.empty() && (trusted() || !quirk("xmpp.header-without-to"))) out += attribute("to", remote_);
  if (receiving) {
    id_ = new_id();
    if (!quirk("xmpp.stream-id-missing")) out += attribute("id", id_);
  }
  // RFC 6120 section 4.7.5: the lower of both versions; a peer without version gets none.
  const bool old_peer = receiving && header_seen_ && !peer_has_version_;
  const bool copied = receiving && quirk("xmpp.response-version-copied");
  const bool low = !receiving && quirk("xmpp.initial-version-low");
  if (!receiving && quirk("xmpp.initial-header-with-id")) out += attribute("id", "initial");
  if (config_.send_version && (!old_peer || quirk("xmpp.ignores-version") || trusted()))
    out += attribute("version", copied ? peer_version_ : low ? "0.9" : "1.0");
  if (!quirk("xmpp.header-without-lang")) out += " xml:lang='en'";
  header_sent_ = true;
  put_noted("stream header " + from + " > " + remote_, out + ">");
}

void Stream::take_in(std::string_view octets) {
  if (!seam_) {
    in_ += octets;
    return;
  }
  in_ += seam_->pass(Direction::in, octets, secured());
  write(seam_->take_back(Direction::in));
}

void Stream::put(std::string_view octets) {
  if (!seam_) return write(octets);
  write(seam_->pass(Direction::out, octets, secured()));
  const auto back = seam_->take_back(Direction::out);
  if (back.empty()) return;
  in_ += back;
  seam_due_ = now_;
}

void Stream::write(std::string_view octets) {
  if (octets.empty()) return;
  if (keep_alive_due_) keep_alive_due_ = now_ + config_.keep_alive_interval / 2;
  if (!tls_) {
    out_ += octets;
    return;
  }
  if (!handshake_done_) return;  // nothing can be said in the middle of a handshake
  tls_->write(octets);
  out_ += tls_->take_cipher();
}

void Stream::put_noted(std::string_view summary, std::string_view octets) {
  put(octets);
  if (config_.note) note(Layer::xmpp, Direction::out, std::string(summary), std::string(octets));
}

void Stream::fail(std::string_view condition, std::string_view text) {
  if (quirk("xmpp.wrong-stream-condition")) condition = "undefined-condition";
  push(StreamFailed{std::string(condition), std::string(text), true});
  begin_closing(condition, text);
}

void Stream::begin_closing(std::string_view condition, std::string_view text) {
  if (end_sent_ || finished()) return;
  if (state_ == StreamState::tls) return finish(false);
  if (!is_orderly(condition)) {
    deaf_ = true;  // what a peer says after a violation is not processed (RFC 6120 section 4.9.1.1)
    in_doubt_ = true;
  }
  // RFC 6120 section 4.9.1.2: an error about the header still comes behind a header of ours.
  if (!header_sent_ && !quirk("xmpp.no-header-before-error")) put_header();
  if (!condition.empty()) {
    put_noted("stream:error " + std::string(condition),
              quirk("xmpp.stream-error-without-condition") ? "<stream:error/>" : stream_error(condition, text));
    if (quirk("xmpp.open-after-stream-error")) return;
  }
  put_noted("end of stream", end_tag);
  end_sent_ = true;
  state_ = StreamState::closing;
  establishment_deadline_ = idle_deadline_ = keep_alive_due_ = silence_deadline_ = std::nullopt;
  close_deadline_ = now_ + config_.close_timeout;
  push(ClosingBegan{true});
}

void Stream::finish(bool clean) {
  if (finished()) return;
  state_ = StreamState::closed;
  establishment_deadline_ = idle_deadline_ = keep_alive_due_ = silence_deadline_ = close_deadline_ = seam_due_ =
      std::nullopt;
  if (secured() && !quirk("xmpp.no-close-notify")) {
    tls_->close();
    out_ += tls_->take_cipher();
  }
  push(StreamClosed{clean && !failed_});
}

void Stream::became_established() {
  establishment_deadline_.reset();
  touch();
  if (!keep_alive_due_ && !quirk("xmpp.no-keep-alive")) keep_alive_due_ = now_ + config_.keep_alive_interval / 2;
  const bool judged = (policy_.keep_alive && !initiating()) || trusted();
  if (judged && !quirk("xmpp.silence-tolerated")) silence_deadline_ = now_ + config_.keep_alive_interval;
}

/// Stanza or dialback traffic: the stream is in use.
void Stream::touch() {
  if (establishment_deadline_ || trusted() || state_ == StreamState::closing || quirk("xmpp.no-idle-timeout")) return;
  idle_deadline_ = now_ + config_.inactivity_timeout;
}

void Stream::note(Layer layer, Direction direction, std::string summary, std::string detail) const {
  if (config_.note) config_.note(layer, direction, std::move(summary), std::move(detail));
}

void Stream::push(StreamEvent event) { events_.push_back(std::move(event)); }

bool Stream::quirk(std::string_view name) const { return !config_.departures.none() && config_.departures.has(name); }

bool Stream::serves(std::string_view domain) const {
  return std::ranges::find(config_.domains, domain) != config_.domains.end();
}

}  // namespace cutover::xmpp
