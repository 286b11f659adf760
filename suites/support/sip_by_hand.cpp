// Octets of SIP both ways, cut into messages, and the few that a case by hand needs.
#include "suites/support/sip_by_hand.h"

#include "protocol/base/check.h"
#include "reference/gateway.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

namespace {

constexpr std::uint16_t port = 5061;

std::string sdp(const std::string& accept_types) {
  return "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=s\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 5060 sip null\r\n"
         "a=accept-types:" +
         accept_types + "\r\n";
}

}  // namespace

tls::CertificateRequest SipByHand::certificate(const std::string& name, tls::Flaw flaw) {
  return {.names = {{tls::NameKind::dns, name}}, .common_name = {}, .flaw = flaw};
}

SipByHand::SipByHand(Federated& f) : f_(f), gateway_(f.deployment.endpoint("gateway")) {
  auto& world = f.deployment.world();
  node_ = &world.add("by-hand", by_hand, std::make_unique<mocks::RawPeer>(std::vector{port}, Layer::sip));
  show(certificate());
  f.deployment.gateway().set_next_hop({{world.address_of(by_hand), port}, ConnectionId::none, host});
}

const tls::Identity& SipByHand::issued(const tls::CertificateRequest& request) {
  shown_.push_back(f_.deployment.authority().issue(request));
  return *shown_.back();
}

void SipByHand::show(const tls::CertificateRequest& shows) {
  node_->accept_with_tls(port, issued(shows));
  for (std::size_t i = 0; i < node_->size(); ++i) node_->connection(i).abort();
}

bool SipByHand::connect(const tls::CertificateRequest& shows) {
  wire_ = &node_->connect(gateway_);
  if (!f_.until([&] { return wire_->open() || wire_->closed(); }) || !wire_->open()) return false;
  wire_->start_tls(issued(shows), tls::Role::client, {.server_name = "gateway." + f_.deployment.topology().domain});
  return f_.until([&] { return wire_->handshake_over(); }) && wire_->secured();
}

std::string SipByHand::new_branch() { return fmt::format("z9hG4bK-by-hand-{}", ++made_); }

sip::Message SipByHand::request(const std::string& method, const std::string& uri, const std::string& body) {
  sip::Message message;
  message.method = method;
  message.request_uri = uri;
  message.add_header("Via", fmt::format("SIP/2.0/TLS {}:5061;branch={}", host, new_branch()));
  message.add_header("Max-Forwards", "70");
  message.add_header("From", fmt::format("<sip:{}>;tag=by-hand-{}", f_.alice_jid, made_));
  message.add_header("To", "<" + uri + ">");
  message.add_header("Call-ID", fmt::format("by-hand-{}@contoso.example", made_));
  message.add_header("CSeq", "1 " + method);
  if (!body.empty()) message.add_header("Content-Type", "text/plain;charset=UTF-8");
  message.body = body;
  return message;
}

sip::Message SipByHand::invite() {
  auto message = request("INVITE", f_.romeo_uri);
  message.add_header("Contact", fmt::format("<sip:alice@{}:5061;transport=tls>", host));
  message.add_header("Content-Type", "application/sdp");
  message.body = sdp("text/plain");
  return message;
}

sip::Message SipByHand::in_dialog(const sip::Message& invite, const sip::Message& accepted, const std::string& method,
                                  const std::string& body) {
  const bool ack = method == "ACK";
  auto message = request(method, f_.romeo_uri, body);
  message.set_header("From", invite.header_or_empty("From"));
  message.set_header("To", accepted.header_or_empty("To"));
  message.set_header("Call-ID", invite.call_id());
  // Later ones have higher numbers (RFC 3261 section 12.2.1.1); the ACK has that of its INVITE.
  message.set_header("CSeq", fmt::format("{} {}", ack ? static_cast<int>(invite.cseq_number()) : 10 + made_, method));
  return message;
}

const std::deque<SipByHand::Heard>& SipByHand::listen() {
  for (std::size_t i = 0; i < node_->size(); ++i) {
    auto& connection = node_->connection(i);
    auto& [read, framer] = readings_[&connection];
    const auto all = connection.received_in_tls();
    framer.push(all.substr(std::min(read, all.size())));
    read = all.size();
    while (auto item = framer.next()) {
      const auto* frame = std::get_if<sip::Framer::Frame>(&*item);
      if (frame == nullptr) continue;
      auto result = sip::parse(frame->octets);
      if (auto* message = std::get_if<sip::Message>(&result)) heard_.push_back({std::move(*message), &connection});
    }
  }
  return heard_;
}

std::vector<sip::Message> SipByHand::answers(const sip::Message& request) {
  std::vector<sip::Message> found;
  for (const auto& [message, connection] : listen()) {
    if (!message.is_request && message.status >= 200 && message.call_id() == request.call_id() &&
        message.header_or_empty("CSeq") == request.header_or_empty("CSeq"))
      found.push_back(message);
  }
  return found;
}

std::string SipByHand::answer_to(const sip::Message& request) {
  const auto over = [&] { return wire_->eof() || wire_->closed(); };
  (void)f_.deployment.world().run_until([&] { return !answers(request).empty() || over(); }, std::chrono::seconds(10));
  const auto found = answers(request);
  if (!found.empty()) return status_text(found.front().status);
  return over() ? "the connection closed" : "no answer";
}

std::string SipByHand::said_and_answered(const sip::Message& request) {
  say(request);
  return answer_to(request);
}

std::size_t SipByHand::requests(const std::string& method) {
  return static_cast<std::size_t>(std::ranges::count_if(
      listen(), [&](const auto& heard) { return heard.message.is_request && heard.message.method == method; }));
}

sip::Message SipByHand::asked(const std::string& method, std::size_t n) {
  if (!f_.until([&] { return requests(method) >= n; })) return {};
  for (const auto& [message, connection] : listen())
    if (message.is_request && message.method == method && --n == 0) return message;
  return {};
}

const SipByHand::Heard* SipByHand::find(const sip::Message& request) {
  for (const auto& heard : listen()) {
    if (heard.message.is_request && heard.message.header_or_empty("Via") == request.header_or_empty("Via") &&
        heard.message.method == request.method)
      return &heard;
  }
  return nullptr;
}

mocks::RawConnection& SipByHand::connection_of(const sip::Message& request) {
  const auto* heard = find(request);
  if (heard == nullptr) throw HarnessFault("no such request came");
  return *heard->connection;
}

void SipByHand::answer(const sip::Message& request, int status, const std::function<void(sip::Message&)>& change) {
  auto response = sip::response_to(request, status, "", status == 100 ? "" : "by-hand");
  if (change) change(response);
  connection_of(request).send(sip::serialise(response));
}

void SipByHand::accept(const sip::Message& invite, const std::string& accept_types) {
  answer(invite, 200, [&](sip::Message& response) {
    response.add_header("Contact", fmt::format("<sip:alice@{}:5061;transport=tls>", host));
    response.add_header("Content-Type", "application/sdp");
    response.body = sdp(accept_types);
  });
}

}  // namespace cutover::suites
