// What a peer says on a stream, and how it reads what comes back.
#include "suites/support/peer_stream.h"

#include "protocol/base/base64.h"
#include "protocol/xml/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>

namespace cutover::suites {

using namespace harness;
namespace ns = xmpp::ns;

namespace {

std::string attribute(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format(" {}='{}'", name, value);
}

}  // namespace

std::string Header::text() const {
  return fmt::format("<?xml version='1.0'?><stream:{} xmlns='{}' xmlns:stream='{}' xmlns:db='{}'{}{}{}{}{}>", name,
                     content_ns, stream_ns, ns::dialback, attribute("from", from), attribute("to", to),
                     attribute("version", version), attribute("xml:lang", lang), attribute("id", id));
}

void PrintTo(const Ending& ending, std::ostream* out) {
  *out << (ending.error ? "stream error " + ending.condition : "no stream error")
       << (ending.end_tag ? ", end tag" : ", no end tag") << (ending.closed ? ", closed" : ", connection still open");
}

bool offers_mechanism(const xml::Element& features, std::string_view mechanism) {
  const auto* mechanisms = features.child("mechanisms", ns::sasl);
  if (mechanisms == nullptr) return false;
  return std::ranges::any_of(mechanisms->children(), [&](const auto* child) { return child->text() == mechanism; });
}

std::string db_result(std::string_view from, std::string_view to, std::string_view key) {
  return fmt::format("<db:result from='{}' to='{}'>{}</db:result>", from, to, xml::escape(key));
}

std::string db_verify(std::string_view from, std::string_view to, std::string_view id, std::string_view key) {
  return fmt::format("<db:verify from='{}' to='{}' id='{}'>{}</db:verify>", from, to, xml::escape(id),
                     xml::escape(key));
}

std::string db_verify_answer(const xml::Element& request, std::string_view type) {
  return fmt::format("<db:verify from='{}' to='{}' id='{}' type='{}'/>", request.attribute_or_empty("to"),
                     request.attribute_or_empty("from"), xml::escape(request.attribute_or_empty("id")), type);
}

std::string goes_on_with(const std::optional<xml::Element>& came) {
  return came && came->ns() != ns::streams ? came->name() : "nothing";
}

std::string body_of(const std::optional<xml::Element>& message) {
  const auto* body = message ? message->child("body", ns::server) : nullptr;
  return body == nullptr ? "no message" : body->text();
}

PeerStream::PeerStream(World& world, mocks::RawConnection& wire, Header header)
    : world_(&world), wire_(&wire), header_(std::move(header)) {}

void PeerStream::send(const xml::Element& stanza) { wire_->send(xml::write(stanza, ns::server)); }

bool PeerStream::has_result() const {
  return std::ranges::any_of(wire_->items(), [](const auto& item) {
    const auto* element = std::get_if<xml::Element>(&item);
    return element != nullptr && element->is("result", xmpp::ns::dialback) && element->attribute("type");
  });
}

bool PeerStream::until(const std::function<bool()>& condition) { return world_->await(condition); }

bool PeerStream::await_header() {
  (void)until([this] { return wire_->has_item() || wire_->ended(); });
  auto header = wire_->next_header();
  if (!header) return false;
  peer_header_ = std::move(*header);
  return peer_header_.tag.is("stream", ns::streams);  // the reader takes the root of any document for a header
}

std::optional<xml::Element> PeerStream::await_element() {
  (void)until([this] { return wire_->has_item() || wire_->ended(); });
  return wire_->next_element();
}

std::optional<xml::Element> PeerStream::await_element(std::string_view name, std::string_view ns,
                                                      std::optional<Duration> limit) {
  std::optional<xml::Element> found;
  const auto came = [&] {
    found = wire_->take_element(name, ns);
    return found || wire_->ended();
  };
  (void)(limit ? world_->run_until(came, *limit) : world_->await(came));
  return found;
}

Ending PeerStream::await_ending() {
  Ending ending;
  const auto look = [&] {
    while (const auto item = wire_->next_item()) {
      if (std::holds_alternative<xml::StreamEnd>(*item)) ending.end_tag = true;
      const auto* element = std::get_if<xml::Element>(&*item);
      if (element == nullptr || !element->is("error", ns::streams)) continue;
      ending.error = true;
      std::size_t conditions = 0;
      for (const auto* child : element->children()) {
        if (child->ns() != ns::stream_errors || child->name() == "text") continue;
        if (conditions++ == 0) ending.condition = child->name();
      }
      ending.defined = conditions == 1 && std::ranges::find(xmpp::stream_conditions(), ending.condition) !=
                                              xmpp::stream_conditions().end();
    }
    ending.closed = wire_->eof() || wire_->closed();
    return ending.closed || ending.end_tag;
  };
  (void)until(look);
  if (ending.end_tag && !ending.closed) {
    close();
    (void)until([&] {
      (void)look();
      return ending.closed;
    });
  }
  return ending;
}

void PeerStream::close() {
  if (wire_->closed()) return;
  wire_->send("</stream:stream>");
  if (wire_->tls() != nullptr) wire_->close_tls();
  wire_->shutdown();
}

std::optional<xml::Element> PeerStream::open() {
  send(header_.text());
  if (!await_header()) return std::nullopt;
  return await_element("features", ns::streams);
}

bool PeerStream::start_tls(const tls::Identity& identity) {
  send(fmt::format("<starttls xmlns='{}'/>", ns::tls));
  const auto answer = await_element();
  return answer && answer->is("proceed", ns::tls) && begin_tls(identity);
}

bool PeerStream::begin_tls(const tls::Identity& identity) {
  wire_->start_tls(identity, tls::Role::client, {.server_name = header_.to});
  (void)until([this] { return wire_->handshake_over(); });
  return wire_->secured();
}

std::optional<xml::Element> PeerStream::authenticate(std::string_view authzid) {
  send(fmt::format("<auth xmlns='{}' mechanism='EXTERNAL'>{}</auth>", ns::sasl,
                   authzid.empty() ? "=" : to_base64(authzid)));
  return await_element();
}

std::string PeerStream::worth_of(const tls::Identity& identity) {
  if (!start_tls(identity)) return "no TLS";
  if (!open()) return "no features inside TLS";
  const auto answer = authenticate("");
  if (!answer) return "ended";
  if (answer->is("success", ns::sasl)) return "success";
  return answer->first_child() == nullptr ? answer->name() : answer->first_child()->name();
}

std::optional<xml::Element> PeerStream::reopen() {
  wire_->restart_reader();
  return open();
}

void PeerStream::send_header(std::string_view features) {
  header_.id = fmt::format("{}-{}", ids_begin_.empty() ? header_.from + "-stream" : ids_begin_, ++ids_);
  send(header_.text());
  if (!header_.version.empty()) send(fmt::format("<stream:features>{}</stream:features>", features));
}

bool PeerStream::answer_header(std::string_view features) {
  if (!await_header()) return false;
  send_header(features);
  return true;
}

std::optional<xml::Element> PeerStream::serve(const tls::Identity* identity) {
  while (auto item = wire_->next_item()) {
    if (auto* header = std::get_if<xml::StreamHeader>(&*item)) {
      peer_header_ = std::move(*header);
      // A server of several domains is whom it is called.
      if (const auto called = peer_header_.tag.attribute("to"); called && !called->empty()) header_.from = *called;
      send_header(identity != nullptr && !wire_->secured() ? starttls_required : dialback_offered);
    } else if (std::holds_alternative<xml::StreamEnd>(*item)) {
      close();
    } else if (auto* element = std::get_if<xml::Element>(&*item)) {
      if (element->is("verify", ns::dialback) && !element->attribute("type")) return std::move(*element);
      // A key that comes twice is answered once: jabberd2 sends its own so, and ends the stream at the second answer.
      if (element->is("result", ns::dialback) && !element->attribute("type") &&
          std::exchange(answered_, element->text()) != element->text())
        send(fmt::format("<db:result from='{}' to='{}' type='valid'/>", element->attribute_or_empty("to"),
                         element->attribute_or_empty("from")));
      if (!element->is("starttls", ns::tls) || identity == nullptr) continue;
      send(fmt::format("<proceed xmlns='{}'/>", ns::tls));
      wire_->start_tls(*identity, tls::Role::server);
    }
  }
  return std::nullopt;
}

bool PeerStream::accept_tls(const tls::Identity& identity, std::string_view behind) {
  const auto request = await_element();
  if (!request || !request->is("starttls", ns::tls)) return false;
  send(fmt::format("<proceed xmlns='{}'/>{}", ns::tls, behind));
  wire_->start_tls(identity, tls::Role::server);
  (void)until([this] { return wire_->handshake_over(); });
  return wire_->secured();
}

std::optional<std::string> PeerStream::accept_external() {
  const auto auth = await_element();
  if (!auth || !auth->is("auth", ns::sasl)) return std::nullopt;
  wire_->restart_reader();
  send(fmt::format("<success xmlns='{}'/>", ns::sasl));
  if (!answer_header("")) return std::nullopt;
  return auth->text() == "=" ? std::string() : from_base64_strict(auth->text()).value_or("");
}

}  // namespace cutover::suites
