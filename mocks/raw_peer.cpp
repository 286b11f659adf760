// Connections by hand: what the caller says, and TLS records.
#include "mocks/raw_peer.h"

#include "protocol/base/check.h"

#include <algorithm>
#include <utility>

namespace cutover::mocks {

RawConnection::RawConnection(Context& context, ConnectionId id, bool accepted, Endpoint peer, Layer layer)
    : context_(context),
      id_(id),
      accepted_(accepted),
      peer_(std::move(peer)),
      layer_(layer),
      state_(accepted ? State::open : State::connecting),
      reading_(layer == Layer::xmpp) {}

RawConnection::~RawConnection() = default;

void RawConnection::note(Direction direction, Layer layer, std::string summary, std::string_view detail) {
  context_.note({.layer = layer,
                 .direction = direction,
                 .connection = id_,
                 .summary = std::move(summary),
                 .detail = std::string(detail)});
}

/// SIP is told by its first line.
std::string RawConnection::named(std::string_view bytes, bool in_clear) const {
  if (layer_ == Layer::sip) return std::string(bytes.substr(0, bytes.find("\r\n")));
  return in_clear ? "octets in clear" : "octets";
}

// Octets out.

void RawConnection::send(std::string_view bytes) {
  if (!session_) return send_in_clear(bytes);
  if (!secured_) {
    waiting_ += bytes;
    return;
  }
  note(Direction::out, layer_, named(bytes, false), bytes);
  session_->write(bytes);
  context_.send(id_, session_->take_cipher());
}

void RawConnection::send_in_clear(std::string_view bytes) {
  note(Direction::out, layer_, named(bytes, true), bytes);
  context_.send(id_, bytes);
}

void RawConnection::shutdown() { context_.shutdown(id_); }

void RawConnection::abort() {
  context_.abort(id_);
  if (!closed()) on_gone(State::closed, "aborted by us");
}

// Octets in.

std::string_view RawConnection::received_in_tls() const {
  if (tls_begins_at_ == std::string::npos) return {};
  return std::string_view(received_).substr(tls_begins_at_);
}

void RawConnection::on_bytes(std::string_view bytes) {
  spoke_ = true;
  if (session_) return on_cipher(bytes);
  on_plain(bytes);
}

void RawConnection::on_plain(std::string_view bytes) {
  if (bytes.empty()) return;
  note(Direction::in, layer_, named(bytes, !secured_), bytes);
  keep(bytes);
  while (!bytes.empty() && reading_ && !document_over_) {
    std::size_t consumed = 0;
    auto item = reader_.feed(bytes, consumed);
    bytes.remove_prefix(std::min(consumed, bytes.size()));
    if (!item) return;
    document_over_ = std::holds_alternative<xml::StreamEnd>(*item) || std::holds_alternative<xml::Fault>(*item);
    keep(std::move(*item));
  }
  if (reading_) keep_unread(bytes);
}

void RawConnection::keep(std::string_view bytes) {
  received_ += bytes;
  if (received_.size() <= 2 * kept_max_octets) return;
  const auto old = received_.size() - kept_max_octets;
  received_.erase(0, old);
  if (tls_begins_at_ != std::string::npos) tls_begins_at_ -= std::min(tls_begins_at_, old);
  if (dropped_octets_ == 0) note(Direction::none, Layer::event, "so many octets that the oldest are not kept", {});
  dropped_octets_ += old;
}

/// What comes behind the end of a document is the beginning of the next, if that is asked for soon.
void RawConnection::keep_unread(std::string_view bytes) {
  unread_ += bytes.substr(0, kept_max_octets - std::min(unread_.size(), kept_max_octets));
}

void RawConnection::keep(xml::Item item) {
  constexpr std::size_t items_max = 16 * 1024;
  if (const auto* element = std::get_if<xml::Element>(&item)) items_octets_ += octets_of(*element);
  items_.push_back(std::move(item));
  if (items_.size() < items_max && items_octets_ < 8 * kept_max_octets) return;
  note(Direction::none, Layer::event, "so many elements that no more are read", {});
  stop_reader();
}

void RawConnection::restart_reader() {
  reader_ = xml::Reader();
  document_over_ = false;
  const auto early = std::exchange(unread_, {});
  if (early.empty()) return;
  received_.erase(received_.size() - std::min(received_.size(), early.size()));  // on_plain puts them back
  on_plain(early);
}

std::optional<xml::Item> RawConnection::next_item() {
  if (!has_item()) return std::nullopt;
  return items_[taken_++];
}

std::optional<xml::Element> RawConnection::next_element() {
  if (!has_item()) return std::nullopt;
  const auto* element = std::get_if<xml::Element>(&items_[taken_]);
  if (element == nullptr) return std::nullopt;
  ++taken_;
  return *element;
}

std::optional<xml::StreamHeader> RawConnection::next_header() {
  if (!has_item()) return std::nullopt;
  const auto* header = std::get_if<xml::StreamHeader>(&items_[taken_]);
  if (header == nullptr) return std::nullopt;
  ++taken_;
  return *header;
}

std::optional<xml::Element> RawConnection::take_element(std::string_view name, std::string_view ns) {
  for (auto at = taken_; at < items_.size(); ++at) {
    const auto* element = std::get_if<xml::Element>(&items_[at]);
    if (element == nullptr || !element->is(name, ns)) continue;
    taken_ = at + 1;
    return *element;
  }
  return std::nullopt;
}

// TLS.

void RawConnection::start_tls(const tls::Identity& identity, tls::Role role, const tls::SessionOptions& options) {
  CUTOVER_CHECK(!session_);
  auto settings = options;
  if (settings.wall_clock == 0) settings.wall_clock = context_.wall_clock();
  session_ = identity.session(role, settings);
  restart_reader();
  pump_tls();
}

void RawConnection::on_cipher(std::string_view bytes) {
  // No record begins so: what was due before TLS (RFC 6120 section 5.3.3) is told, whoever came first, it or
  // <proceed/>.
  const auto space = bytes.substr(0, bytes.find_first_not_of(" \t\r\n"));
  if (!std::exchange(cipher_came_, true) && !space.empty()) note(Direction::in, layer_, named(space, true), space);
  session_->put_cipher(bytes);
  pump_tls();
}

void RawConnection::pump_tls() {
  const bool had_failed = !session_->failure().empty();
  const auto progress = session_->handshake();
  if (progress == tls::Progress::established && !secured_) {
    secured_ = true;
    tls_begins_at_ = received_.size();
    note(Direction::none, Layer::tls, "established " + session_->version(), session_->cipher_suite());
    if (!waiting_.empty()) send(std::exchange(waiting_, {}));
  }
  if (secured_) on_plain(session_->read());
  // After every call, or the alert is lost.
  const auto cipher = session_->take_cipher();
  if (!cipher.empty()) context_.send(id_, cipher);
  if (!had_failed && !session_->failure().empty()) note(Direction::none, Layer::tls, "failed", session_->failure());
}

void RawConnection::close_tls() {
  CUTOVER_CHECK(session_);
  session_->close();
  context_.send(id_, session_->take_cipher());
}

std::string RawConnection::tls_failure() const { return session_ ? session_->failure() : std::string(); }

// Life.

void RawConnection::on_connected() {
  if (state_ == State::connecting) state_ = State::open;
}

void RawConnection::on_gone(State state, std::string_view reason) {
  state_ = state;
  reason_ = reason;
  if (dropped_octets_ != 0)
    note(Direction::none, Layer::event, std::to_string(dropped_octets_) + " octets that came were not kept", {});
}

RawPeer::RawPeer(std::vector<std::uint16_t> listen_ports, Layer speaks)
    : ports_(std::move(listen_ports)), speaks_(speaks) {}

RawPeer::~RawPeer() {
  if (context_ != nullptr) context_->forget(*this);
}

void RawPeer::start(Context& context) {
  context_ = &context;
  for (const auto port : ports_) context.listen(*this, port);
}

RawConnection& RawPeer::connect(const Endpoint& to) {
  CUTOVER_CHECK(context_ != nullptr);
  const auto id = context_->connect(*this, to);
  connections_.emplace_back(new RawConnection(*context_, id, false, to, speaks_));
  return *connections_.back();
}

void RawPeer::listen(std::uint16_t port) {
  CUTOVER_CHECK(context_ != nullptr);
  context_->listen(*this, port);
}

void RawPeer::stop_listening(std::uint16_t port) {
  CUTOVER_CHECK(context_ != nullptr);
  context_->stop_listening(port);
}

RawConnection& RawPeer::connection(std::size_t index) {
  CUTOVER_CHECK(index < connections_.size());
  return *connections_[index];
}

std::size_t RawPeer::accepted_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(connections_, [](const auto& each) { return each->accepted(); }));
}

RawConnection& RawPeer::accepted(std::size_t index) {
  for (const auto& each : connections_)
    if (each->accepted() && index-- == 0) return *each;
  throw HarnessFault("no such accepted connection");
}

RawConnection* RawPeer::take_accepted() {
  for (const auto& each : connections_) {
    if (!each->accepted() || !each->spoke_ || std::exchange(each->handed_out_, true)) continue;
    return each.get();
  }
  return nullptr;
}

void RawPeer::accept_with_tls(std::uint16_t port, const tls::Identity& identity, const tls::SessionOptions& options) {
  direct_tls_.insert_or_assign(port, DirectTls{&identity, options});
}

RawConnection& RawPeer::last() {
  CUTOVER_CHECK(!connections_.empty());
  return *connections_.back();
}

RawConnection* RawPeer::find(ConnectionId id) {
  const auto it = std::ranges::find_if(connections_, [&](const auto& each) { return each->id() == id; });
  return it == connections_.end() ? nullptr : it->get();
}

void RawPeer::on_accepted(ConnectionId id, std::uint16_t port, const Endpoint& peer) {
  connections_.emplace_back(new RawConnection(*context_, id, true, peer, speaks_));
  const auto direct = direct_tls_.find(port);
  if (direct != direct_tls_.end())
    last().start_tls(*direct->second.identity, tls::Role::server, direct->second.options);
}

void RawPeer::on_connected(ConnectionId id) {
  if (auto* connection = find(id)) connection->on_connected();
}

void RawPeer::on_connect_failed(ConnectionId id, std::string_view reason) {
  if (auto* connection = find(id)) connection->on_gone(RawConnection::State::failed, reason);
}

void RawPeer::on_received(ConnectionId id, std::string_view bytes) {
  if (auto* connection = find(id)) connection->on_bytes(bytes);
}

void RawPeer::on_eof(ConnectionId id) {
  if (auto* connection = find(id)) connection->eof_ = true;
}

void RawPeer::on_closed(ConnectionId id, std::string_view reason) {
  if (auto* connection = find(id)) connection->on_gone(RawConnection::State::closed, reason);
}

}  // namespace cutover::mocks
