// How a stream ends: stream errors, the closing handshake, truncation, and the deadlines. RFC 6120 sections 4.4, 4.6
// and 4.9.
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stream.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>

namespace cutover::xmpp {

namespace {

/// After these the peer has no reason to doubt what was said before; after every other one it may have stopped reading.
constexpr std::string_view orderly_conditions[] = {"system-shutdown", "connection-timeout", "reset", "host-gone"};
bool is_orderly(std::string_view condition) {
  return condition.empty() || std::ranges::find(orderly_conditions, condition) != std::end(orderly_conditions);
}

}  // namespace

// --- Closing ------------------------------------------------------------------------------------------------------

void Stream::close(std::string_view condition, Time now) {
  now_ = now;
  begin_closing(condition, {});
}

void Stream::fail(std::string_view condition, std::string_view text) {
  push(StreamFailed{std::string(condition), std::string(text), true});
  begin_closing(condition, text);
}

void Stream::begin_closing(std::string_view condition, std::string_view text) {
  if (end_sent_ || finished()) return;
  if (state_ == StreamState::tls) return finish(false);
  if (!is_orderly(condition)) {
    deaf_ = holds(Rule::deaf_after_a_violation);
    in_doubt_ = true;
  }
  if (!header_sent_ && holds(Rule::error_comes_behind_a_header)) put_header();
  if (!condition.empty()) {
    put("stream:error " + std::string(condition), stream_error(condition, text));
    if (!holds(Rule::error_ends_the_stream)) return;
  }
  put("end of stream", std::string(end_tag));
  end_sent_ = true;
  state_ = StreamState::closing;
  establishment_deadline_ = idle_deadline_ = keep_alive_due_ = silence_deadline_ = std::nullopt;
  close_deadline_ = now_ + config_.close_timeout;
  push(ClosingBegan{true});
}

void Stream::on_peer_error(const xml::Element& error) {
  if (!holds(Rule::peer_error_ends_the_stream)) return;
  const auto condition = stream_error_condition(error);
  const auto* text = error.child("text", ns::stream_errors);
  if (!is_orderly(condition)) in_doubt_ = true;
  push(StreamFailed{condition, text ? text->text() : std::string(), false});
  begin_closing({}, {});  // RFC 6120 section 4.9.1.1: the receiver of a stream error closes its side too
}

void Stream::on_end() {
  peer_end_seen_ = true;
  if (!end_sent_) {
    push(ClosingBegan{false});
    put("end of stream", std::string(end_tag));
    end_sent_ = true;
  }
  finish(!in_doubt_);
}

void Stream::receive_eof(Time now) {
  now_ = now;
  if (finished()) return;
  if (!breaks(Rule::truncation_is_no_end, !peer_end_seen_)) return finish(!in_doubt_);
  push(StreamFailed{"truncated", "the connection ended inside the stream", false});
  finish(false);
}

void Stream::connection_lost(Time now) {
  now_ = now;
  if (finished()) return;
  if (!peer_end_seen_) push(StreamFailed{"truncated", "the connection was lost", false});
  finish(false);
}

void Stream::finish(bool clean) {
  if (finished()) return;
  state_ = StreamState::closed;
  establishment_deadline_ = idle_deadline_ = keep_alive_due_ = silence_deadline_ = close_deadline_ = seam_due_ =
      std::nullopt;
  if (secured()) {
    tls_->close();
    out_ += tls_->take_cipher();
  }
  push(StreamClosed{clean && !failed_});
}

// --- Deadlines ----------------------------------------------------------------------------------------------------

std::optional<Time> Stream::deadline() const {
  std::optional<Time> first;
  for (const auto* one : {&establishment_deadline_, &idle_deadline_, &keep_alive_due_, &silence_deadline_,
                          &close_deadline_, &seam_due_}) {
    if (*one && (!first || **one < *first)) first = *one;
  }
  return first;
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
  if (due(keep_alive_due_)) {
    keep_alive_due_ = now + config_.keep_alive_interval / 2;
    put("keep-alive", " ");
  }
}

void Stream::became_established() {
  establishment_deadline_.reset();
  touch();
  if (!keep_alive_due_) keep_alive_due_ = now_ + config_.keep_alive_interval / 2;
  const bool keep_alives_expected = (policy_.keep_alive && !initiating()) || trusted();
  if (keep_alives_expected && holds(Rule::silent_peer_is_given_up))
    silence_deadline_ = now_ + config_.keep_alive_interval;
}

/// Stanza or dialback traffic: the stream is in use.
void Stream::touch() {
  if (establishment_deadline_ || trusted() || state_ == StreamState::closing) return;
  idle_deadline_ = now_ + config_.inactivity_timeout;
}

}  // namespace cutover::xmpp
