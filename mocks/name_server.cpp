// Datagrams and length-prefixed messages for a DnsServer, and notes for the trace.
#include "mocks/name_server.h"

#include "protocol/base/check.h"
#include "protocol/dns/octets.h"

namespace cutover::mocks {

NameServer::NameServer(dns::DnsServer server, std::uint16_t port) : server_(std::move(server)), port_(port) {}

NameServer::~NameServer() {
  if (context_ == nullptr) return;
  context_->unbind_datagram(port_);
  for (const auto& [port, client] : doors_) context_->unbind_datagram(port);
  if (elsewhere_ != 0) context_->unbind_datagram(elsewhere_);
  context_->forget(*this);
}

Endpoint NameServer::endpoint() const {
  CUTOVER_CHECK(context_ != nullptr);
  return {context_->address(), port_};
}

Endpoint NameServer::door_for(const std::string& client) {
  CUTOVER_CHECK(context_ != nullptr);
  const auto port = static_cast<std::uint16_t>(port_ + 1 + doors_.size());
  doors_[port] = client;
  context_->bind_datagram(*this, port);
  context_->listen(*this, port);
  return {context_->address(), port};
}

const std::string& NameServer::client_of(std::uint16_t local_port, const Endpoint& from) const {
  const auto door = doors_.find(local_port);
  return door == doors_.end() ? from.address : door->second;
}

void NameServer::start(Context& context) {
  context_ = &context;
  context.bind_datagram(*this, port_);
  context.listen(*this, port_);
}

std::optional<std::string> NameServer::answer(std::string_view query, const std::string& client,
                                              dns::Transport transport, ConnectionId connection) {
  auto reply = server_.answer(context_->now(), query, client, transport);
  if (!context_->keeps_notes()) return reply;
  const auto message = dns::parse(query);
  if (!message || message->questions.empty()) return reply;
  const auto& question = message->questions[0];
  const auto summary = dns::to_string(question.type) + " " + question.name;
  context_->note({.layer = Layer::dns,
                  .direction = Direction::in,
                  .connection = connection,
                  .summary = summary + (transport == dns::Transport::tcp ? " by TCP" : ""),
                  .detail = "from " + client,
                  .address = client});
  if (!reply) return reply;
  const auto answered = dns::parse(*reply);
  context_->note({.layer = Layer::dns,
                  .direction = Direction::out,
                  .connection = connection,
                  .summary = summary + (answered ? " " + dns::to_string(answered->rcode) : " spoilt"),
                  .detail = answered ? dns::to_text(*answered) : *reply,
                  .address = client});
  return reply;
}

void NameServer::on_datagram(std::uint16_t local_port, const Endpoint& from, std::string_view bytes) {
  auto reply = answer(bytes, client_of(local_port, from), dns::Transport::udp, ConnectionId::none);
  if (!reply) return;
  const auto forged = server_.forged(bytes);
  if (!forged.empty()) return let_forgers_go_first(local_port, from, forged, std::move(*reply));
  context_->send_to(local_port, from, *reply);
}

void NameServer::let_forgers_go_first(std::uint16_t local_port, const Endpoint& from,
                                      const std::vector<dns::Forged>& forged, std::string reply) {
  if (elsewhere_ == 0) elsewhere_ = context_->bind_datagram(*this, 0);
  for (const auto& [octets, of_another_sender] : forged)
    context_->send_to(of_another_sender ? elsewhere_ : local_port, from, octets);
  constexpr auto lead = std::chrono::milliseconds(300);  // longer than any way takes
  held_.push_back({context_->now() + lead, local_port, from, std::move(reply)});
  context_->wake_at(*this, held_.front().until);
}

void NameServer::on_wake() {
  for (; !held_.empty() && held_.front().until <= context_->now(); held_.pop_front())
    context_->send_to(held_.front().port, held_.front().to, held_.front().octets);
  if (!held_.empty()) context_->wake_at(*this, held_.front().until);
}

void NameServer::on_accepted(ConnectionId id, std::uint16_t port, const Endpoint& peer) {
  connections_[id] = {client_of(port, peer), {}};
}

void NameServer::on_received(ConnectionId id, std::string_view bytes) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  auto& [client, received] = it->second;
  received += bytes;
  while (received.size() >= 2 && received.size() >= 2 + dns::number_at(received, 0)) {
    const auto size = dns::number_at(received, 0);
    const auto reply = answer(std::string_view(received).substr(2, size), client, dns::Transport::tcp, id);
    if (reply) context_->send(id, dns::two_octets(reply->size()) + *reply);
    received.erase(0, 2 + size);
  }
}

void NameServer::on_eof(ConnectionId id) { context_->shutdown(id); }
void NameServer::on_closed(ConnectionId id, std::string_view) { connections_.erase(id); }

}  // namespace cutover::mocks
