// The stream engine: what comes in and goes out, and which part of the engine an item is for.
#include "protocol/xmpp/stream.h"

#include "protocol/xml/writer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>

namespace cutover::xmpp {

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
  establishment_deadline_ = now + config_.establishment_timeout;
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

bool Stream::send(const xml::Element& stanza, Time now) {
  const auto from = Jid::parse(stanza.attribute_or_empty("from")), to = Jid::parse(stanza.attribute_or_empty("to"));
  return from && to && send(stanza, {from->domain(), to->domain()}, now);
}

bool Stream::send(const xml::Element& stanza, const DomainPair& pair, Time now) {
  now_ = now;
  if (!may_send(pair)) return false;
  touch();
  // Whole by itself (RFC 6120 section 8.4): not every header declares the prefixes of streams and dialback.
  put(config_.note ? summary_of(stanza) : std::string(), xml::write(stanza, ns::server));
  return true;
}

// --- Outputs ------------------------------------------------------------------------------------------------------

std::string Stream::take_output() { return std::exchange(out_, {}); }

std::optional<StreamEvent> Stream::poll() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool Stream::may_send(const DomainPair& pair) const {
  if (state_ != StreamState::open) return false;
  if (trusted()) return true;
  // RFC 6120 section 4.5: the other direction has a stream of its own.
  if (!initiating())
    return !holds(Rule::stanzas_leave_by_own_stream) && authorised_.contains({pair.target, pair.sender});
  return !breaks(Rule::pair_is_authorised_before_stanzas, !authorised_.contains(pair));
}

// --- What comes in ------------------------------------------------------------------------------------------------

void Stream::take_in(std::string_view octets) {
  if (!seam_) {
    in_ += octets;
    return;
  }
  in_ += seam_->pass(Direction::in, octets, secured());
  auto back = seam_->take_back(Direction::in);
  if (back.empty()) return;
  write(back);
  auto words = words_of_octets(back).value_or("octets");
  note(Layer::xmpp, Direction::out, std::move(words), std::move(back));
}

void Stream::parse() {
  // Asked once more behind every item: one tag can be two items ("<stream:stream/>").
  for (bool again = !rest().empty() || !answers_.empty();
       again && state_ != StreamState::closed && state_ != StreamState::tls;) {
    hear_answers();
    std::size_t used = 0;
    auto item = reader_->feed(rest(), used);
    raw_ += rest().substr(0, used);
    at_ += used;
    if (on_nested_header()) continue;
    again = item.has_value();
    if (!item) break;
    on_item(*item);
    raw_.clear();
  }
  // White space that comes by itself while we wait for an outcome may have left before our question was read: it is
  // noted by itself, too, and is no part of what answers that.
  const bool waits = initiating() && (state_ == StreamState::proceed || state_ == StreamState::sasl);
  if (waits && !raw_.empty() && raw_.find_first_not_of(" \t\r\n") == std::string::npos) {
    note(Layer::xmpp, Direction::in, "white space", raw_);
    raw_.clear();
  }
  if (rest().empty() || finished()) {
    in_.clear();
    at_ = 0;
  }
}

/// What the seam answers to what we said is heard between two items, never inside of one.
void Stream::hear_answers() {
  if (answers_.empty() || raw_.find_first_not_of(" \t\r\n") != std::string::npos) return;
  in_.insert(at_, std::exchange(answers_, {}));
}

void Stream::on_item(xml::Item& item) {
  if (config_.note) note(Layer::xmpp, Direction::in, words_of(item), raw_);
  if (const auto* header = std::get_if<xml::StreamHeader>(&item)) return on_header(*header);
  if (auto* element = std::get_if<xml::Element>(&item)) return on_element(*element);
  if (const auto* fault = std::get_if<xml::Fault>(&item)) return on_unreadable(*fault);
  on_end();
}

void Stream::on_unreadable(const xml::Fault& fault) {
  if (!holds(Rule::unreadable_ends_the_stream)) return;
  if (state_ != StreamState::closing) fail(fault.condition, fault.text);
  // Nothing more can be read, so the peer's end tag cannot be awaited.
  if (holds(Rule::error_ends_the_stream)) finish(false);
}

void Stream::on_element(xml::Element& element) {
  if (element.is("error", ns::streams)) return on_peer_error(element);
  const bool open = state_ == StreamState::open, closing = state_ == StreamState::closing;
  if (is_stanza(element) && (open || closing)) return on_stanza(element);
  if (closing) return;
  if (element.ns() == ns::dialback && open && !trusted()) return on_dialback(element);
  if (state_ == StreamState::features) return on_features(element);
  if (state_ == StreamState::proceed) return on_proceed(element);
  if (state_ == StreamState::sasl) return on_sasl_answer(element);
  // RFC 6120 section 4.8.4: what the initiating side did not ask for is ignored.
  if (breaks(Rule::roles_are_kept, initiating())) return;
  if (element.ns() == ns::tls) return on_starttls(element);
  if (element.ns() == ns::sasl && !trusted()) return on_auth(element);
  if (holds(Rule::unknown_elements_are_refused)) fail("unsupported-stanza-type");
}

void Stream::on_stanza(xml::Element& stanza) {
  // RFC 6120 section 4.4: who has closed its own direction still processes what the peer sends before its end tag.
  const bool closing = state_ == StreamState::closing;
  if (closing && deaf_) return;
  const auto refuse = [&](std::string_view condition) {
    if (!closing) fail(condition);
  };
  if (breaks(Rule::stanza_is_in_jabber_server, stanza.ns() != ns::server)) return refuse("invalid-namespace");
  const auto from = Jid::parse(stanza.attribute_or_empty("from")), to = Jid::parse(stanza.attribute_or_empty("to"));
  if (!from || !to) {
    if (holds(Rule::stanza_is_addressed)) refuse("improper-addressing");
    return;
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
  const auto kept = [this](Rule rule, std::string_view condition) {
    return holds(rule) ? condition : std::string_view();
  };
  if (initiating()) return kept(Rule::stanzas_go_one_way, "not-authorized");
  if (authorised_.contains(pair)) {
    const bool turned_away = config_.strangers_meet == StreamConfig::StrangersMeet::refusal_of_stanzas &&
                             config_.policy && !config_.policy(pair.sender).allowed;
    return turned_away ? kept(Rule::partner_is_allowed, "policy-violation") : std::string_view();
  }
  if (authorised_.empty()) return kept(Rule::peer_is_authenticated, "not-authorized");
  const bool sender_known =
      std::ranges::any_of(authorised_, [&](const auto& one) { return one.sender == pair.sender; });
  if (!sender_known) return kept(Rule::sender_is_authenticated, "invalid-from");
  // RFC 6120 section 8.1.1.2: not served here, or not validated for this sender on this stream.
  if (!serves(pair.target)) return kept(Rule::target_is_served, "host-unknown");
  return kept(Rule::target_is_authorised, "host-unknown");
}

bool Stream::serves(std::string_view domain) const {
  return std::ranges::find(config_.domains, domain) != config_.domains.end();
}

// --- What goes out ------------------------------------------------------------------------------------------------

/// Says something. What the trace shows as sent is what the wire carries.
void Stream::put(std::string words, std::string octets) {
  if (!seam_) {
    write(octets);
    return note(Layer::xmpp, Direction::out, std::move(words), std::move(octets));
  }
  auto passed = seam_->pass(Direction::out, octets, secured());
  write(passed);
  if (config_.note && passed != octets) words = words_of_octets(passed).value_or(words + ", changed");
  if (!passed.empty()) note(Layer::xmpp, Direction::out, std::move(words), std::move(passed));
  answers_ += seam_->take_back(Direction::out);
  if (!answers_.empty()) seam_due_ = now_;
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

void Stream::note(Layer layer, Direction direction, std::string words, std::string detail) const {
  if (config_.note) config_.note(layer, direction, std::move(words), std::move(detail));
}

void Stream::push(StreamEvent event) { events_.push_back(std::move(event)); }

}  // namespace cutover::xmpp
