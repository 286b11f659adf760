// The stream engine of the link, driven over one connection.
#include "reference/trusted_link.h"

#include "protocol/xmpp/stream.h"

namespace cutover::reference {

struct TrustedLink::Engine {
  explicit Engine(xmpp::StreamConfig config, Time now) : stream(std::move(config), now) {}
  xmpp::Stream stream;
};

namespace {

xmpp::StreamConfig stream_config(Context& context, ConnectionId connection, bool initiating, LinkConfig config) {
  xmpp::StreamConfig out;
  out.role = initiating ? xmpp::StreamRole::initiating : xmpp::StreamRole::receiving;
  out.purpose = xmpp::StreamPurpose::trusted_link;
  out.local_domain = config.local_name;
  out.remote_domain = config.remote_name;
  out.domains = {config.local_name};
  out.identity = config.identity;
  out.trusted_name = config.remote_name;
  out.server_name = config.remote_name;
  out.wall_clock = context.wall_clock();
  out.random = [&context](std::uint64_t bound) { return context.random(bound); };
  out.note = [&context, connection](Layer layer, Direction direction, std::string summary, std::string detail) {
    context.note({layer, direction, connection, std::move(summary), std::move(detail)});
  };
  out.departures = std::move(config.departures);
  return out;
}

}  // namespace

TrustedLink::TrustedLink(Context& context, ConnectionId connection, bool initiating, LinkConfig config,
                         Handlers handlers)
    : context_(context),
      connection_(connection),
      handlers_(std::move(handlers)),
      engine_(
          std::make_unique<Engine>(stream_config(context, connection, initiating, std::move(config)), context.now())) {
  pump();
}

TrustedLink::~TrustedLink() = default;

void TrustedLink::receive(std::string_view octets) {
  engine_->stream.receive(octets, context_.now());
  pump();
}

void TrustedLink::receive_eof() {
  engine_->stream.receive_eof(context_.now());
  pump();
}

void TrustedLink::connection_lost(std::string_view reason) {
  engine_->stream.connection_lost(context_.now());
  shut_ = true;
  pump();
  die(std::string(reason));
}

void TrustedLink::timeout() {
  engine_->stream.timeout(context_.now());
  pump();
}

std::optional<Time> TrustedLink::deadline() const { return dead_ ? std::nullopt : engine_->stream.deadline(); }

bool TrustedLink::send(const xml::Element& stanza) {
  if (!up_) return false;
  const bool sent = engine_->stream.send(stanza, context_.now());
  pump();
  return sent;
}

void TrustedLink::close(std::string_view condition) {
  engine_->stream.close(condition, context_.now());
  pump();
}

void TrustedLink::pump() {
  if (pumping_) return;
  pumping_ = true;
  std::string reason = "closed";
  for (;;) {
    if (const auto octets = engine_->stream.take_output(); !octets.empty() && !shut_)
      context_.send(connection_, octets);
    const auto event = engine_->stream.poll();
    if (!event) break;
    if (std::holds_alternative<xmpp::Negotiated>(*event)) {
      up_ = true;
      if (handlers_.up) handlers_.up();
    } else if (const auto* received = std::get_if<xmpp::StanzaReceived>(&*event)) {
      handlers_.stanza(received->stanza);
    } else if (const auto* failed = std::get_if<xmpp::StreamFailed>(&*event)) {
      reason = failed->condition + " " + failed->text;
      context_.note({Layer::event, Direction::none, connection_, "link failed: " + reason, {}});
      up_ = false;
    } else if (std::holds_alternative<xmpp::ClosingBegan>(*event)) {
      up_ = false;
    }
  }
  pumping_ = false;
  if (!engine_->stream.finished() || dead_) return;
  if (!std::exchange(shut_, true)) context_.shutdown(connection_);
  die(reason);
}

void TrustedLink::die(std::string reason) {
  up_ = false;
  if (!std::exchange(dead_, true) && handlers_.down) handlers_.down(std::move(reason));
}

}  // namespace cutover::reference
