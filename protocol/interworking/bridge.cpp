// Moves what a translator produced to where it belongs, and tells it what came.
#include "protocol/interworking/bridge.h"

namespace cutover::interworking {

namespace {

Settings with_random(Context& context, Settings settings) {
  settings.random = [&context](std::uint64_t bound) { return context.random(bound); };
  return settings;
}

}  // namespace

Bridge::Bridge(Context& context, sip::EndpointConfig endpoint, Settings settings, sip::Endpoint::Destination next_hop,
               SendStanzaTo send)
    : context_(context),
      translator_(with_random(context, std::move(settings))),
      next_hop_(std::move(next_hop)),
      send_(std::move(send)),
      endpoint_(std::make_unique<sip::Endpoint>(context, std::move(endpoint), *this)) {}

Bridge::~Bridge() {
  endpoint_.reset();
  context_.forget(*this);
}

void Bridge::open() { endpoint_->open(); }
void Bridge::stop_accepting() { endpoint_->stop_accepting(); }

void Bridge::on_stanza(const xml::Element& stanza, std::string_view sender_domain) {
  translator_.on_stanza(stanza, sender_domain, context_.now());
  pump();
}

void Bridge::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  translator_.on_undeliverable(stanza, condition, context_.now());
  pump();
}

void Bridge::on_request(sip::TransactionId id, const sip::Message& request, ConnectionId) {
  translator_.on_request(id, request, context_.now());
  pump();
}

void Bridge::on_wake() {
  translator_.timeout(context_.now());
  pump();
}

void Bridge::transmit(SendRequest request) {
  if (request.id == ClientId::none) {
    endpoint_->send(std::move(request.message), next_hop_);
    return;
  }
  const ClientId id = request.id;
  endpoint_->request(
      std::move(request.message), next_hop_,
      [this, id](const sip::Message& response) {
        translator_.on_response(id, response, context_.now());
        pump();
      },
      [this, id](sip::TransactionFailure failure) {
        translator_.on_failure(id, failure, context_.now());
        pump();
      });
}

void Bridge::pump() {
  if (pumping_) return;  // an output led to an input: the loop below goes on
  pumping_ = true;
  while (auto output = translator_.poll()) {
    if (auto* stanza = std::get_if<SendStanza>(&*output)) {
      send_(std::move(stanza->stanza));
    } else if (auto* request = std::get_if<SendRequest>(&*output)) {
      transmit(std::move(*request));
    } else {
      auto& response = std::get<SendResponse>(*output);
      endpoint_->respond(response.transaction, response.message);
    }
  }
  pumping_ = false;
  if (const auto deadline = translator_.deadline()) {
    context_.wake_at(*this, *deadline);
  } else {
    context_.cancel_wake(*this);
  }
}

}  // namespace cutover::interworking
