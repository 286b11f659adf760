// What a user agent puts into its requests, and what it keeps of a dialog.
#include "mocks/user_agent.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::mocks {

namespace {

constexpr int registration_expires_s = 3600;

std::string target_of(const sip::Message& message) {
  const auto contact = sip::parse_name_addr(message.header_or_empty("Contact"));
  return contact ? contact->uri.text() : std::string();
}

sip::EndpointConfig config_of(const SipUserSettings& settings, const Context& context) {
  sip::EndpointConfig config;
  config.identity = settings.identity;
  config.sent_by = context.address();
  return config;
}

}  // namespace

SipDialog SipDialog::accepted(const sip::Message& request, const std::string& local_tag) {
  SipDialog dialog;
  dialog.call_id = request.call_id();
  dialog.local_tag = local_tag;
  if (const auto from = request.from()) {
    dialog.remote_tag = from->tag();
    dialog.remote_uri = from->uri.text();
  }
  dialog.remote_target = target_of(request);
  dialog.routes = request.all("Record-Route");  // RFC 3261 section 12.1.1: in order at the UAS
  dialog.confirmed = true;
  return dialog;
}

SipDialog SipDialog::begun(const sip::Message& request) {
  SipDialog dialog;
  dialog.call_id = request.call_id();
  dialog.local_tag = request.from()->tag();
  dialog.remote_uri = request.request_uri;
  dialog.cseq = request.cseq_number();
  return dialog;
}

void SipDialog::confirm(const sip::Message& response) {
  if (const auto to = response.to()) remote_tag = to->tag();
  if (const auto target = target_of(response); !target.empty()) remote_target = target;
  routes = response.all("Record-Route");
  std::ranges::reverse(routes);  // RFC 3261 section 12.1.2: reversed at the UAC
  confirmed = true;
}

UserAgent::UserAgent(SipUserSettings settings, Context& context, sip::EndpointOwner& owner, OnResponse seen)
    : settings_(std::move(settings)),
      uri_("sip:" + settings_.name + "@" + settings_.domain),
      context_(context),
      seen_(std::move(seen)),
      endpoint_(context, config_of(settings_, context), owner) {
  send_register(registration_expires_s, [this] { registered_ = true; });
}

void UserAgent::register_with(SipPeer pool) {
  registered_ = false;
  send_register(0, [] {});
  settings_.pool = std::move(pool);
  send_register(registration_expires_s, [this] { registered_ = true; });
}

void UserAgent::send_register(int expires_s, std::function<void()> then) {
  auto message = request("REGISTER", "sip:" + settings_.domain);
  message.set_header("To", "<" + uri_ + ">");
  message.add_header("Contact", "<" + contact_uri() + ">");
  message.add_header("Expires", std::to_string(expires_s));
  transmit(std::move(message), [then = std::move(then)](const sip::Message& response) {
    if (response.status == 200) then();
  });
}

std::string UserAgent::contact_uri() const {
  return fmt::format("sip:{}@{}:5060;transport=tls", settings_.name, context_.address());
}

std::string UserAgent::token() {
  return fmt::format("{}-{}-{:08x}", settings_.name, ++tokens_, context_.random(0x100000000));
}

sip::Message UserAgent::request(const std::string& method, const std::string& to_uri) {
  sip::Message message;
  message.method = method;
  message.request_uri = to_uri;
  message.add_header("From", fmt::format("<{}>;tag={}", uri_, token()));
  message.add_header("To", "<" + to_uri + ">");
  message.add_header("Call-ID", token());
  message.add_header("CSeq", fmt::format("{} {}", ++cseq_, method));
  return message;
}

sip::Message UserAgent::request_in(SipDialog& dialog, const std::string& method) const {
  sip::Message message;
  message.method = method;
  message.request_uri = dialog.remote_target.empty() ? dialog.remote_uri : dialog.remote_target;
  for (const auto& route : dialog.routes) message.add_header("Route", route);
  message.add_header("From", fmt::format("<{}>;tag={}", uri_, dialog.local_tag));
  message.add_header("To", fmt::format("<{}>;tag={}", dialog.remote_uri, dialog.remote_tag));
  message.add_header("Call-ID", dialog.call_id);
  message.add_header("CSeq", fmt::format("{} {}", ++dialog.cseq, method));
  return message;
}

void UserAgent::acknowledge(SipDialog dialog) {
  const auto invite_cseq = dialog.cseq;
  auto ack = request_in(dialog, "ACK");
  ack.set_header("CSeq", fmt::format("{} ACK", invite_cseq));  // RFC 3261 section 13.2.2.4
  endpoint_.send(std::move(ack), pool());
}

void UserAgent::transmit(sip::Message message, OnResponse on_response, OnFailure on_failure) {
  if (!on_failure) on_failure = [](sip::TransactionFailure) {};
  endpoint_.request(
      std::move(message), pool(),
      [this, on_response = std::move(on_response)](const sip::Message& response) {
        seen_(response);
        if (on_response) on_response(response);
      },
      std::move(on_failure));
}

void UserAgent::respond(sip::TransactionId transaction, const sip::Message& response) {
  endpoint_.respond(transaction, response);
}

sip::Endpoint::Destination UserAgent::pool() const {
  return {settings_.pool.address, ConnectionId::none, settings_.pool.tls_name};
}

}  // namespace cutover::mocks
