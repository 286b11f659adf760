// HTTP by Beast's parser and serialiser, on octets of the node's own connections.
#include "reference/admin.h"

#include "protocol/base/address.h"
#include "reference/settings_json.h"

#include <boost/beast/http.hpp>

#include <algorithm>
#include <sstream>

namespace cutover::reference {

namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t header_max_octets = 8 * 1024;
constexpr std::uint64_t body_max_octets = 256 * 1024;
constexpr std::size_t connections_max = 16;
constexpr Duration request_timeout = 10s;

/// 127.0.0.0/8 and ::1 (RFC 6890).
bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

/// Takes the same time wherever two texts differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t i = 0; i < a.size() && !b.empty(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i % b.size()]);
  }
  return difference == 0U;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// "127.0.0.1:8080" or "[::1]" or "localhost": an address, which no name server can point here.
bool is_address(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return is_address_literal(host) || same_word(host, "localhost");
}

std::string response_text(const AdminAnswer& answer) {
  http::response<http::string_body> response{static_cast<http::status>(answer.status), 11};
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  if (answer.status == 401) response.set(http::field::www_authenticate, "Bearer");
  response.keep_alive(false);
  response.body() = answer.body;
  response.prepare_payload();
  std::ostringstream out;
  out << response;
  return out.str();
}

AdminAnswer parse_failure(const boost::beast::error_code& error) {
  if (error == http::error::body_limit) return {413, error_json("the body is too large")};
  if (error == http::error::header_limit) return {431, error_json("the header is too large")};
  return {400, error_json(error.message())};
}

}  // namespace

struct Admin::Impl {
  struct Exchange {
    std::unique_ptr<http::request_parser<http::string_body>> parser;
    std::string pending;  ///< octets that the parser wants to see again with more: an incomplete header
    Time ends{};
    bool silent = true;  ///< nothing came yet
    bool answered = false;
  };
  Context& context;
  AdminConfig config;
  AdminSubject subject;
  MessageLog log;
  std::map<ConnectionId, Exchange> exchanges;

  void reply(ConnectionId connection, Exchange& exchange, const AdminAnswer& given) {
    exchange.answered = true;
    context.note({Layer::http, Direction::out, connection, "HTTP " + std::to_string(given.status), given.body});
    context.send(connection, response_text(given));
    context.shutdown(connection);
  }

  [[nodiscard]] bool authorised(const http::request<http::string_body>& request) const {
    if (config.token.empty()) return true;  // loopback only, see open()
    constexpr std::string_view scheme = "Bearer ";
    const auto field = request[http::field::authorization];
    const std::string_view value(field.data(), field.size());
    return value.starts_with(scheme) && same_secret(value.substr(scheme.size()), config.token);
  }

  /// What a page in a browser could have sent: it needs no token where the address is the proof (see open()).
  [[nodiscard]] std::optional<AdminAnswer> refusal_of(const http::request<http::string_body>& request) const {
    const auto field = [&](http::field name) { return std::string(request[name]); };
    if (!authorised(request)) return AdminAnswer{401, error_json("a bearer token is needed")};
    const auto host = field(http::field::host), origin = field(http::field::origin);
    if (config.token.empty() && !host.empty() && !is_address(host))
      return AdminAnswer{403, error_json("Host is a name; an address was expected")};
    if (!origin.empty() && origin != "http://" + host) return AdminAnswer{403, error_json("the Origin is foreign")};
    const bool changes = request.method() == http::verb::put || request.method() == http::verb::post;
    const auto type = field(http::field::content_type);
    if ((changes || !request.body().empty()) &&
        !same_word(type.substr(0, type.find_first_of("; \t")), "application/json"))
      return AdminAnswer{415, error_json("Content-Type: application/json was expected")};
    return std::nullopt;
  }

  void serve(ConnectionId connection, Exchange& exchange) {
    const auto& request = exchange.parser->get();
    const std::string method(request.method_string()), target(request.target());
    const bool secret = request.body().find("Passphrase") != std::string::npos;
    context.note({Layer::http, Direction::in, connection, method + " " + target,
                  secret ? "[not shown: it sets a passphrase]" : request.body()});
    const auto refusal = refusal_of(request);
    reply(connection, exchange, refusal ? *refusal : answer(subject, method, target, request.body()));
  }

  /// The one that has been silent for longest, or else the oldest.
  void make_room() {
    const auto oldest = std::ranges::min_element(
        exchanges, {}, [](const auto& entry) { return std::pair(!entry.second.silent, entry.second.ends); });
    context.abort(oldest->first);
    exchanges.erase(oldest);
  }

  void schedule(Admin& self) {
    std::optional<Time> first;
    for (const auto& [connection, exchange] : exchanges) {
      if (!first || exchange.ends < *first) first = exchange.ends;
    }
    if (first) context.wake_at(self, *first);
    if (!first) context.cancel_wake(self);
  }
};

Admin::Admin(Context& context, AdminConfig config, const AdminSubject& subject)
    : impl_(std::make_unique<Impl>(Impl{context, std::move(config), subject, MessageLog(subject.departures), {}})) {
  impl_->subject.log = &impl_->log;
}

Admin::~Admin() { impl_->context.forget(*this); }

void Admin::open() {
  if (!is_loopback(impl_->context.address()) && impl_->config.token.empty()) {
    throw ListenError("admin interface on " + impl_->context.address() + " needs a token: it is not loopback");
  }
  impl_->context.listen(*this, impl_->config.port);
}

void Admin::log(const xml::Element& stanza) {
  const bool with_text = impl_->subject.settings().gateway.enable_logging_all_message_bodies;
  impl_->log.note(stanza, impl_->context.now(), with_text);
}

void Admin::on_accepted(ConnectionId connection, std::uint16_t, const Endpoint&) {
  if (impl_->exchanges.size() >= connections_max) impl_->make_room();
  Impl::Exchange exchange;
  exchange.parser = std::make_unique<http::request_parser<http::string_body>>();
  exchange.parser->header_limit(header_max_octets);
  exchange.parser->body_limit(body_max_octets);
  exchange.parser->eager(true);
  exchange.ends = impl_->context.now() + request_timeout;
  impl_->exchanges.emplace(connection, std::move(exchange));
  impl_->schedule(*this);
}

void Admin::on_received(ConnectionId connection, std::string_view bytes) {
  const auto found = impl_->exchanges.find(connection);
  if (found == impl_->exchanges.end() || found->second.answered) return;
  auto& exchange = found->second;
  exchange.silent = false;
  exchange.pending += bytes;
  boost::beast::error_code error;
  while (!exchange.pending.empty() && !exchange.parser->is_done()) {
    const auto& pending = exchange.pending;
    const std::size_t used = exchange.parser->put(boost::asio::const_buffer(pending.data(), pending.size()), error);
    exchange.pending.erase(0, used);
    if (error == http::error::need_more) error = {};
    if (error || used == 0) break;
  }
  if (error) {
    impl_->reply(connection, exchange, parse_failure(error));
  } else if (exchange.parser->is_done()) {
    impl_->serve(connection, exchange);
  }
}

void Admin::on_eof(ConnectionId connection) {
  const auto found = impl_->exchanges.find(connection);
  if (found != impl_->exchanges.end() && !found->second.answered) {
    impl_->reply(connection, found->second, {400, error_json("the request is not complete")});
  }
}

void Admin::on_closed(ConnectionId connection, std::string_view) {
  impl_->exchanges.erase(connection);
  impl_->schedule(*this);
}

void Admin::on_wake() {
  for (auto it = impl_->exchanges.begin(); it != impl_->exchanges.end();) {
    if (impl_->context.now() < it->second.ends) {
      ++it;
      continue;
    }
    impl_->context.abort(it->first);
    it = impl_->exchanges.erase(it);
  }
  impl_->schedule(*this);
}

}  // namespace cutover::reference
