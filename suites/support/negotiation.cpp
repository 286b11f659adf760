// The verbs of the S2S cases: documents, TLS, SASL and dialback by hand, in the role that the case needs.
#include "suites/support/negotiation.h"

#include "mocks/scram.h"
#include "protocol/base/check.h"
#include "protocol/xml/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace cutover::suites {

using namespace harness;
namespace ns = xmpp::ns;

namespace {

constexpr Duration patience = 10s;

std::string attribute(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format(" {}='{}'", name, value);
}

const char* node_name_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return "external";
    case PartnerKind::dialback_over_tls:
      return "dialback";
    case PartnerKind::plaintext_dialback:
      break;
  }
  return "clear";
}

}  // namespace

std::string Header::text() const {
  return fmt::format("<?xml version='1.0'?><stream:{} xmlns='{}' xmlns:stream='{}' xmlns:db='{}'{}{}{}{}{}>", name,
                     content_ns, stream_ns, ns::dialback, attribute("from", from), attribute("to", to),
                     attribute("version", version), attribute("xml:lang", lang), attribute("id", id));
}

void PrintTo(const Ending& ending, std::ostream* out) {
  *out << (ending.condition.empty() ? "no stream error" : "stream error " + ending.condition)
       << (ending.end_tag ? ", end tag" : ", no end tag") << (ending.closed ? ", closed" : ", connection still open");
}

bool offers_mechanism(const xml::Element& features, std::string_view mechanism) {
  const auto* mechanisms = features.child("mechanisms", ns::sasl);
  if (mechanisms == nullptr) return false;
  return std::ranges::any_of(mechanisms->children(), [&](const auto* child) { return child->text() == mechanism; });
}

std::string db_result(std::string_view from, std::string_view to, std::string_view key) {
  return fmt::format("<db:result from='{}' to='{}'>{}</db:result>", from, to, key);
}

std::string db_verify(std::string_view from, std::string_view to, std::string_view id, std::string_view key) {
  return fmt::format("<db:verify from='{}' to='{}' id='{}'>{}</db:verify>", from, to, id, key);
}

std::string body_of(const std::optional<xml::Element>& message) {
  const auto* body = message ? message->child("body", ns::server) : nullptr;
  return body == nullptr ? "no message" : body->text();
}

// PeerStream

PeerStream::PeerStream(World& world, mocks::RawConnection& wire, Header header)
    : world_(&world), wire_(&wire), header_(std::move(header)) {}

void PeerStream::send(const xml::Element& stanza) { wire_->send(xml::write(stanza, ns::server)); }

bool PeerStream::until(const std::function<bool()>& condition) { return world_->run_until(condition, patience); }

bool PeerStream::await_header() {
  (void)until([this] { return wire_->has_item() || wire_->closed() || wire_->eof(); });
  auto header = wire_->next_header();
  if (!header) return false;
  peer_header_ = std::move(*header);
  return peer_header_.tag.is("stream", ns::streams);  // the reader takes the root of any document for a header
}

std::optional<xml::Element> PeerStream::await_element() {
  (void)until([this] { return wire_->has_item() || wire_->closed() || wire_->eof(); });
  return wire_->next_element();
}

std::optional<xml::Element> PeerStream::await_element(std::string_view name, std::string_view ns) {
  std::optional<xml::Element> found;
  (void)until([&] {
    found = wire_->take_element(name, ns);
    return found || wire_->closed() || wire_->eof();
  });
  return found;
}

std::optional<xml::Element> PeerStream::await_verify() {
  while (auto element = await_element()) {
    if (element->is("verify", ns::dialback)) return element;
    if (!element->is("result", ns::dialback)) continue;
    send(fmt::format("<db:result from='{}' to='{}' type='valid'/>", element->attribute_or_empty("to"),
                     element->attribute_or_empty("from")));
  }
  return std::nullopt;
}

Ending PeerStream::await_ending() {
  Ending ending;
  const auto look = [&] {
    while (const auto item = wire_->next_item()) {
      if (std::holds_alternative<xml::StreamEnd>(*item)) ending.end_tag = true;
      const auto* element = std::get_if<xml::Element>(&*item);
      if (element == nullptr || !element->is("error", ns::streams)) continue;
      std::size_t conditions = 0;
      for (const auto* child : element->children()) {
        if (child->ns() != ns::stream_errors || child->name() == "text") continue;
        ending.condition = child->name();
        conditions++;
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
  if (!answer || !answer->is("proceed", ns::tls)) return false;
  wire_->start_tls(identity, tls::Role::client, {.server_name = header_.to});
  (void)until([this] { return wire_->handshake_over(); });
  return wire_->secured();
}

std::optional<xml::Element> PeerStream::authenticate(std::string_view authzid) {
  send(fmt::format("<auth xmlns='{}' mechanism='EXTERNAL'>{}</auth>", ns::sasl,
                   authzid.empty() ? "=" : mocks::to_base64(authzid)));
  return await_element();
}

std::optional<xml::Element> PeerStream::reopen() {
  wire_->restart_reader();
  return open();
}

bool PeerStream::answer_header(std::string_view features) {
  if (!await_header()) return false;
  header_.id = fmt::format("{}-stream-{}", header_.from, ++ids_);
  send(header_.text());
  if (!header_.version.empty()) send(fmt::format("<stream:features>{}</stream:features>", features));
  return true;
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
  return auth->text() == "=" ? std::string() : mocks::from_base64(auth->text()).value_or("");
}

// Negotiation

Negotiation::Negotiation(Run& run) : run_(run), subject_(make_subject(run)) {
  std::vector<std::string> columns;
  for (const auto kind :
       {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
    columns.emplace_back(node_name_of(kind));
    peers_[kind] =
        &subject_->world().add(node_name_of(kind), subject_->peer_host(kind), std::make_unique<mocks::RawPeer>());
  }
  for (const auto& column : subject_->columns()) columns.push_back(column);
  run.columns(columns);
  check_alive();
}

void Negotiation::check_alive() {
  auto stream = connect(PartnerKind::sasl_external);
  stream.send(stream.header().text());
  (void)until([&] { return !stream.wire().received().empty() || stream.wire().closed() || stream.wire().eof(); });
  const auto endpoint = subject_->s2s();
  if (stream.wire().received().empty()) {
    throw HarnessFault(fmt::format(
        "the subject is down: no octet came back from {}:{} in answer to a stream header ({})", endpoint.address,
        endpoint.port, stream.wire().reason().empty() ? "silence" : stream.wire().reason()));
  }
  stream.wire().abort();
}

bool Negotiation::until(const std::function<bool()>& condition) {
  return subject_->world().run_until(condition, patience);
}

std::shared_ptr<const tls::Identity> Negotiation::certificate(PartnerKind kind, tls::Flaw flaw, tls::NameKind names) {
  tls::CertificateRequest request;
  request.names.push_back({names, domain(kind)});
  request.flaw = flaw;
  return subject_->authority().issue(request);
}

PeerStream Negotiation::connect(PartnerKind kind) {
  auto& wire = peer(kind).connect(subject_->s2s());
  (void)until([&] { return wire.state() != mocks::RawConnection::State::connecting; });
  return stream_on(wire, kind);
}

std::optional<PeerStream> Negotiation::secured(PartnerKind kind, const tls::Identity& identity,
                                               xml::Element* features) {
  auto stream = connect(kind);
  if (!stream.open() || !stream.start_tls(identity)) return std::nullopt;
  auto inside = stream.open();
  if (!inside) return std::nullopt;
  if (features != nullptr) *features = std::move(*inside);
  return stream;
}

std::optional<PeerStream> Negotiation::authenticated_by_external(PartnerKind kind) {
  auto stream = secured(kind, *certificate(kind));
  if (!stream) return std::nullopt;
  const auto answer = stream->authenticate("");
  if (!answer || !answer->is("success", ns::sasl) || !stream->reopen()) return std::nullopt;
  return stream;
}

std::optional<PeerStream> Negotiation::authenticated_by_dialback(PartnerKind kind) {
  std::optional<PeerStream> stream;
  if (kind == PartnerKind::plaintext_dialback) {
    stream = connect(kind);
    if (!stream->open()) return std::nullopt;
  } else {
    stream = secured(kind, *certificate(kind));
  }
  if (!stream) return std::nullopt;
  stream->send(db_result(domain(kind), subject_->domain(), "a-key"));
  if (!answer_verify(kind, "valid", "a-key")) return std::nullopt;
  const auto answer = stream->await_element("result", ns::dialback);
  if (!answer || answer->attribute_or_empty("type") != "valid") return std::nullopt;
  return stream;
}

std::optional<PeerStream> Negotiation::established(PartnerKind kind) {
  return kind == PartnerKind::sasl_external ? authenticated_by_external(kind) : authenticated_by_dialback(kind);
}

xml::Element Negotiation::message(PartnerKind kind, const std::string& body) const {
  return xmpp::make_message(romeo(kind), subject_->user(), body, "", body);
}

std::optional<PeerStream> Negotiation::accepted(PartnerKind kind) {
  mocks::RawConnection* wire = nullptr;
  (void)until([&] { return (wire = peer(kind).take_accepted()) != nullptr; });
  if (wire == nullptr) return std::nullopt;
  accepted_[kind].push_back(wire);
  return stream_on(*wire, kind);
}

PeerStream Negotiation::stream_on(mocks::RawConnection& wire, PartnerKind kind) {
  Header header;
  header.from = domain(kind);
  header.to = subject_->domain();
  return {subject_->world(), wire, header};
}

std::optional<PeerStream> Negotiation::called(PartnerKind kind, const std::string& body) {
  subject_->send_message(romeo(kind), body);
  return accepted(kind);
}

bool Negotiation::lead_to_tls(PeerStream& stream, const tls::Identity& identity, std::string_view features) {
  return stream.answer_header(starttls_required) && stream.accept_tls(identity) && stream.answer_header(features);
}

std::optional<std::pair<PeerStream, xml::Element>> Negotiation::asked(PartnerKind kind) {
  mocks::RawConnection *used = nullptr, *fresh = nullptr;
  std::optional<xml::Element> request;
  (void)until([&] {
    for (auto* wire : accepted_[kind]) {
      request = wire->take_element("verify", ns::dialback);
      if (request) return (used = wire) != nullptr;
    }
    return (fresh = peer(kind).take_accepted()) != nullptr;
  });
  if (used != nullptr) return std::pair(stream_on(*used, kind), *request);
  if (fresh == nullptr) return std::nullopt;
  accepted_[kind].push_back(fresh);
  auto stream = stream_on(*fresh, kind);
  const bool led = kind == PartnerKind::plaintext_dialback ? stream.answer_header(dialback_offered)
                                                           : lead_to_tls(stream, *certificate(kind), dialback_offered);
  if (led) request = stream.await_verify();
  if (!request) return std::nullopt;
  return std::pair(stream, *request);
}

std::optional<xml::Element> Negotiation::answer_verify(PartnerKind kind, std::string_view type, std::string_view key) {
  while (auto request = asked(kind)) {
    const auto& verify = request->second;
    const bool meant = key.empty() || verify.text() == key;
    request->first.send(fmt::format("<db:verify from='{}' to='{}' id='{}' type='{}'/>", verify.attribute_or_empty("to"),
                                    verify.attribute_or_empty("from"), verify.attribute_or_empty("id"),
                                    meant ? type : "invalid"));
    if (meant) return verify;
  }
  return std::nullopt;
}

bool Negotiation::marker_arrives() {
  // One that is known to work where the subject offers it; a target with dialback alone has that.
  const bool external = run_.target() == nullptr || run_.target()->offers.contains(Need::sasl_external);
  const auto kind = external ? PartnerKind::sasl_external : PartnerKind::dialback_over_tls;
  if (!good_) good_ = established(kind);
  if (!good_) return false;
  const auto text = fmt::format("marker {}", ++markers_);
  good_->send(message(kind, text));
  return until([&] { return subject_->received(text) > 0; });
}

bool Negotiation::given_marker() {
  return GIVEN(marker_arrives(), "a message sent later, on a stream that is allowed, reached the user");
}

}  // namespace cutover::suites
