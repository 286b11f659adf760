// Registration, and the route of every other request.
#include "mocks/pool.h"

#include "protocol/base/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cutover::mocks {

namespace {

constexpr int registration_expires_s = 3600;

std::string host_of(const std::optional<sip::NameAddr>& address) { return address ? address->uri.host : std::string(); }
std::string user_of(const std::optional<sip::NameAddr>& address) {
  return address ? address->uri.user + "@" + address->uri.host : std::string();
}

bool makes_dialog(const std::string& method) { return method == "INVITE" || method == "SUBSCRIBE"; }

int max_forwards(const sip::Message& request) {
  const auto text = request.header_or_empty("Max-Forwards");
  int value = 70;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

PoolNode::PoolNode(PoolSettings settings) : settings_(std::move(settings)) {}
PoolNode::~PoolNode() = default;

void PoolNode::start(Context& context) {
  context_ = &context;
  sip::EndpointConfig config;
  config.port = settings_.port;
  config.identity = settings_.identity;
  config.sent_by = settings_.host;
  endpoint_ = std::make_unique<sip::Endpoint>(context, config, *this);
  endpoint_->open();
}

std::string PoolNode::record_route() const {
  return fmt::format("<sip:{}:{};transport=tls;lr>", context_->address(), settings_.port);
}

void PoolNode::refuse(sip::TransactionId transaction, const sip::Message& request, int status,
                      const std::string& reason) {
  if (transaction == sip::TransactionId::none) return;
  auto response = sip::response_to(request, status, reason, fmt::format("pool-{}", ++tags_));
  response.add_header("Warning", fmt::format("399 {} \"{}\"", settings_.host, reason));
  endpoint_->respond(transaction, response);
}

bool PoolNode::from_user(ConnectionId source) const {
  return std::ranges::any_of(bindings_, [&](const auto& entry) { return entry.second.connection == source; });
}

void PoolNode::on_connection_closed(ConnectionId connection) {
  std::erase_if(bindings_, [&](const auto& entry) { return entry.second.connection == connection; });
}

void PoolNode::on_request(sip::TransactionId transaction, const sip::Message& request, ConnectionId source) {
  if (request.method == "REGISTER") return on_register(transaction, request, source);
  if (max_forwards(request) <= 0) return refuse(transaction, request, 483, "Too Many Hops");
  on_routed(transaction, request, source);
}

void PoolNode::on_register(sip::TransactionId transaction, const sip::Message& request, ConnectionId source) {
  const auto user = user_of(request.to());
  const auto home = settings_.routing->homes.find(user);
  if (home == settings_.routing->homes.end()) return refuse(transaction, request, 404, "no such user");
  const bool leaves = request.header_or_empty("Expires") == "0";  // a user who was moved leaves the old pool too
  if (home->second.pool != settings_.name && !leaves)
    return refuse(transaction, request, 403, "the user is homed on another pool");
  const auto contact = sip::parse_name_addr(request.header_or_empty("Contact"));
  if (!contact) return refuse(transaction, request, 400, "a Contact is needed");
  auto response = sip::response_to(request, 200, "OK", fmt::format("pool-{}", ++tags_));
  if (leaves) {
    bindings_.erase(user);
  } else {
    bindings_[user] = {source, contact->uri.text(), contact->uri.host};
    response.add_header("Contact", fmt::format("<{}>;expires={}", contact->uri.text(), registration_expires_s));
  }
  endpoint_->respond(transaction, response);
}

/// RFC 3261 section 16.4: a Route that names this pool has done its work.
void PoolNode::drop_own_route(sip::Message& request) const {
  const auto routes = request.all("Route");
  if (routes.empty()) return;
  const auto route = sip::parse_name_addr(routes.front());
  if (!route || route->uri.host != context_->address()) return;
  request.remove_header("Route");
  for (std::size_t i = 1; i < routes.size(); i++) request.add_header("Route", routes[i]);
}

std::optional<Refusal> PoolNode::refusal_of(const sip::Message& request, ConnectionId source) const {
  const auto from = host_of(request.from());
  if (from_user(source) || settings_.routing->domains.contains(from)) return std::nullopt;
  // Between the pools the first one has judged already.
  const auto judged = std::ranges::any_of(settings_.routing->pools, [&](const auto& pool) {
    return comes_from(pool.second.peer.tls_name, request, source);
  });
  if (judged) return std::nullopt;
  const bool legacy = comes_from(settings_.legacy_gateway_host, request, source);
  return refusal_of_entry(*settings_.routing, user_of(request.to()), from, legacy);
}

/// Who sent it is what the certificate says. Without TLS (unit tests) the topmost Via has to do.
bool PoolNode::comes_from(const std::string& host, const sip::Message& request, ConnectionId source) const {
  if (settings_.identity) return endpoint_->peer_has_name(source, host);
  return request.header_or_empty("Via").find(host) != std::string::npos;
}

void PoolNode::on_routed(sip::TransactionId transaction, sip::Message request, ConnectionId source) {
  if (const auto refusal = refusal_of(request, source))
    return refuse(transaction, request, refusal->status, refusal->reason);
  drop_own_route(request);
  request.set_header("Max-Forwards", std::to_string(max_forwards(request) - 1));
  if (makes_dialog(request.method)) request.prepend_header("Record-Route", record_route());
  if (const auto routes = request.all("Route"); !routes.empty()) {
    const auto next = sip::parse_name_addr(routes.front());
    if (!next) return refuse(transaction, request, 400, "bad Route");
    return forward(transaction, std::move(request), {{next->uri.host, next->uri.port}, ConnectionId::none, {}});
  }
  const auto target = sip::parse_uri(request.request_uri);
  if (!target) return refuse(transaction, request, 400, "bad Request-URI");
  if (target->scheme != "sip") return refuse(transaction, request, 416, "Unsupported URI Scheme");
  if (settings_.routing->domains.contains(target->host))
    return route_to_user(transaction, std::move(request), target->user + "@" + target->host);
  for (const auto& [user, binding] : bindings_) {
    if (target->host == binding.host) {
      return forward(transaction, std::move(request), {{}, binding.connection, {}});
    }
  }
  if (is_address_literal(target->host)) {
    return forward(transaction, std::move(request), {{target->host, target->port}, ConnectionId::none, {}});
  }
  const auto exit = exit_for(*settings_.routing, user_of(request.from()), target->host);
  if (!exit.peer) return refuse(transaction, request, exit.refusal.status, exit.refusal.reason);
  forward(transaction, std::move(request), {exit.peer->address, ConnectionId::none, exit.peer->tls_name});
}

void PoolNode::route_to_user(sip::TransactionId transaction, sip::Message request, const std::string& user) {
  const auto home = settings_.routing->homes.find(user);
  if (home == settings_.routing->homes.end()) return refuse(transaction, request, 404, "no such user");
  if (home->second.pool != settings_.name) {
    const auto other = settings_.routing->pools.find(home->second.pool);
    if (other == settings_.routing->pools.end())
      return refuse(transaction, request, 480, "the user's pool does not run");
    const auto& peer = other->second.peer;
    return forward(transaction, std::move(request), {peer.address, ConnectionId::none, peer.tls_name});
  }
  const auto binding = bindings_.find(user);
  if (binding == bindings_.end()) return refuse(transaction, request, 480, "the user is not registered");
  request.request_uri = binding->second.contact;
  forward(transaction, std::move(request), {{}, binding->second.connection, {}});
}

void PoolNode::forward(sip::TransactionId transaction, sip::Message request, const sip::Endpoint::Destination& next) {
  if (transaction == sip::TransactionId::none) return endpoint_->send(std::move(request), next);  // ACK
  const auto original = request;
  endpoint_->request(
      std::move(request), next,
      [this, transaction](const sip::Message& answer) {
        if (answer.status == 100) return;  // hop by hop
        auto response = answer;
        response.remove_first("Via");
        endpoint_->respond(transaction, response);
      },
      [this, transaction, original](sip::TransactionFailure failure) {
        const bool late = failure == sip::TransactionFailure::timed_out;
        refuse(transaction, original, late ? 504 : 503,
               late ? "the next hop does not answer" : "the next hop cannot be reached");
      });
}

}  // namespace cutover::mocks
