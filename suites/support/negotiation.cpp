// How the subject and the peers are brought up, and how a peer's streams with it come about.
#include "suites/support/negotiation.h"

#include "protocol/base/check.h"
#include "protocol/xml/writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;
namespace ns = xmpp::ns;

namespace {

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

/// What the subject's user may be told late: longer than the time-outs of the servers that we know, one behind the
/// other.
constexpr Duration telling_max = 150s;

}  // namespace

bool tells(const std::string& words, std::string_view condition) {
  static const std::map<std::string_view, std::vector<std::string_view>> statuses{
      {"remote-server-not-found", {"404"}},
      {"remote-server-timeout", {"504", "503", "500", "480"}},
      {"internal-server-error", {"500"}}};
  if (words.starts_with(condition)) return true;
  const auto row = statuses.find(condition);
  return row != statuses.end() &&
         std::ranges::any_of(row->second, [&](const auto status) { return words.starts_with(status); });
}

Negotiation::Negotiation(Run& run) : Negotiation(run, make_subject(run)) {}

Negotiation::Negotiation(Run& run, std::shared_ptr<Subject> subject) : run_(run), subject_(std::move(subject)) {
  std::vector<std::string> columns;
  for (const auto kind :
       {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
    const int host = subject_->peer_host(kind);
    const auto same =
        std::ranges::find_if(peers_, [&](const auto& one) { return subject_->peer_host(one.first) == host; });
    if (same != peers_.end()) {
      peers_[kind] = same->second;
      continue;
    }
    columns.emplace_back(node_name_of(kind));
    peers_[kind] = &subject_->world().add(node_name_of(kind), host, std::make_unique<mocks::RawPeer>());
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

PartnerKind Negotiation::kind_in_tls() const {
  const bool external = run_.target() == nullptr || run_.target()->offers.contains(Need::sasl_external);
  return external ? PartnerKind::sasl_external : PartnerKind::dialback_over_tls;
}

bool Negotiation::until(const std::function<bool()>& condition) { return subject_->world().await(condition); }

std::shared_ptr<const tls::Identity> Negotiation::certificate(PartnerKind kind, tls::Flaw flaw, tls::NameKind names) {
  tls::CertificateRequest request;
  request.names.push_back({names, domain(kind)});
  request.flaw = flaw;
  return subject_->authority().issue(request);
}

std::shared_ptr<const tls::Identity> Negotiation::certificate_of_all(PartnerKind kind) {
  if (markers_from_.empty() || kind != kind_in_tls()) return certificate(kind);
  return subject_->authority().issue(
      {.names = {{tls::NameKind::dns, domain(kind)}, {tls::NameKind::dns, markers_from_}}});
}

PeerStream Negotiation::connect(PartnerKind kind) { return connect(kind, subject_->s2s()); }

PeerStream Negotiation::connect_direct(PartnerKind kind) {
  const auto place = subject_->s2s_direct_tls();
  if (!place) throw HarnessFault("the subject has no port for direct TLS");
  return connect(kind, *place);
}

PeerStream Negotiation::connect(PartnerKind kind, const Endpoint& to) {
  auto& wire = peer(kind).connect(to);
  (void)until([&] { return wire.state() != mocks::RawConnection::State::connecting; });
  return stream_on(wire, kind);
}

std::optional<PeerStream> Negotiation::secured(PartnerKind kind, const tls::Identity& identity,
                                               xml::Element* features) {
  auto stream = connect(kind);
  if (!secure(stream, identity, features)) return std::nullopt;
  return stream;
}

bool Negotiation::secure(PeerStream& stream, const tls::Identity& identity, xml::Element* features) {
  if (!stream.open() || !stream.start_tls(identity)) return false;
  auto inside = stream.open();
  if (!inside) return false;
  if (features != nullptr) *features = std::move(*inside);
  return true;
}

bool Negotiation::authenticate_by_external(PeerStream& stream, const tls::Identity& identity) {
  if (!secure(stream, identity)) return false;
  const auto answer = stream.authenticate("");
  return answer && answer->is("success", ns::sasl) && stream.reopen();
}

bool Negotiation::authenticate_by_dialback(PeerStream& stream, PartnerKind kind, const tls::Identity& identity) {
  const bool ready = kind == PartnerKind::plaintext_dialback ? stream.open().has_value() : secure(stream, identity);
  if (!ready) return false;
  stream.send(db_result(stream.header().from, subject_->domain(), "a-key"));
  (void)answer_verify(kind, "valid", "a-key", &stream);
  if (stream.wire().ended()) return false;  // at that: nobody was asked
  const auto answer = stream.await_element("result", ns::dialback);
  return answer && answer->attribute_or_empty("type") == "valid";
}

bool Negotiation::establish(PeerStream& stream, PartnerKind kind) {
  const auto identity = subject_->authority().issue({.names = {{tls::NameKind::dns, stream.header().from}}});
  return kind == PartnerKind::sasl_external ? authenticate_by_external(stream, *identity)
                                            : authenticate_by_dialback(stream, kind, *identity);
}

std::optional<PeerStream> Negotiation::established(PartnerKind kind) {
  auto stream = connect(kind);
  if (!establish(stream, kind)) return std::nullopt;
  return stream;
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

bool Negotiation::goes_on_to(PartnerKind kind) {
  const auto goes_on = [](mocks::RawConnection* wire) {
    while (const auto element = wire->next_element()) {
      if (element->is("result", ns::dialback) || element->is("auth", ns::sasl) || xmpp::is_stanza(*element))
        return true;
    }
    return false;
  };
  return until([&] {
    auto* fresh = peer(kind).take_accepted();
    if (fresh != nullptr) accepted_[kind].push_back(fresh);
    return fresh != nullptr || std::ranges::any_of(accepted_[kind], goes_on);
  });
}

PeerStream Negotiation::stream_on(mocks::RawConnection& wire, PartnerKind kind) {
  Header header;
  header.from = domain(kind);
  header.to = subject_->domain();
  PeerStream stream(subject_->world(), wire, header);
  stream.call_streams(fmt::format("{:08x}", run_.random(std::uint64_t{1} << 32U)));  // as other servers' ids are
  return stream;
}

std::optional<PeerStream> Negotiation::called(PartnerKind kind, const std::string& body) {
  subject_->send_message(romeo(kind), body);
  return accepted(kind);
}

std::optional<xml::Element> Negotiation::returned(PartnerKind kind) {
  auto stream = accepted(kind);
  if (!stream || !lead_to_tls(*stream, *certificate(kind), external_offered) || !stream->accept_external())
    return std::nullopt;
  auto stanza = stream->await_element();
  return stanza && xmpp::is_stanza(*stanza) ? stanza : std::nullopt;
}

std::string Negotiation::told(const std::string& body) {
  (void)subject_->world().run_until([&] { return !subject_->told(body).empty(); }, telling_max);
  const auto words = subject_->told(body);
  return words.empty() ? "nothing" : words;
}

std::optional<PeerStream> Negotiation::called_inside_tls(PartnerKind kind, const std::string& body) {
  auto stream = called(kind, body);
  const bool secured = stream && stream->answer_header(starttls_required) && stream->accept_tls(*certificate(kind));
  if (!GIVEN(secured && stream->await_header(), "the subject secures a stream of its own")) return std::nullopt;
  return stream;
}

std::optional<PeerStream> Negotiation::called_to_authenticate(const std::string& body, std::string_view features) {
  constexpr auto kind = PartnerKind::sasl_external;
  auto stream = called(kind, body);
  const bool led = stream && lead_to_tls(*stream, *certificate(kind), features);
  if (!GIVEN(led && stream->await_element("auth", ns::sasl), "the subject authenticates by EXTERNAL"))
    return std::nullopt;
  return stream;
}

std::optional<PeerStream> Negotiation::called_to_deliver(const std::string& body) {
  constexpr auto kind = PartnerKind::sasl_external;
  auto stream = called(kind, body);
  const bool ready = stream && lead_to_tls(*stream, *certificate(kind), external_offered) &&
                     stream->accept_external() && stream->await_element("message", ns::server);
  if (!GIVEN(ready, "the subject delivers a message on a stream of its own")) return std::nullopt;
  return stream;
}

bool Negotiation::lead_to_tls(PeerStream& stream, const tls::Identity& identity, std::string_view features) {
  return stream.answer_header(starttls_required) && stream.accept_tls(identity) && stream.answer_header(features);
}

std::optional<std::pair<PeerStream, xml::Element>> Negotiation::asked(PartnerKind kind, const PeerStream* waiting) {
  const auto identity = kind == PartnerKind::plaintext_dialback ? nullptr : certificate_of_all(kind);
  auto& served = served_[kind];
  std::optional<std::pair<PeerStream, xml::Element>> found;
  // Whichever connection it comes by: one of its own, or one that is open already. Each is served as far as it goes.
  (void)until([&] {
    if (waiting != nullptr && (waiting->has_result() || waiting->is_over())) return true;
    while (auto* wire = peer(kind).take_accepted()) {
      accepted_[kind].push_back(wire);
      served.push_back(stream_on(*wire, kind));
    }
    for (auto* wire : accepted_[kind]) {
      if (auto request = wire->take_element("verify", ns::dialback)) found.emplace(stream_on(*wire, kind), *request);
      if (found) return true;
    }
    for (auto& stream : served) {
      if (auto request = stream.serve(identity.get())) found.emplace(stream, *request);
      if (found) return true;
    }
    return false;
  });
  return found;
}

std::optional<xml::Element> Negotiation::answer_verify(PartnerKind kind, std::string_view type, std::string_view key,
                                                       const PeerStream* waiting) {
  while (auto request = asked(kind, waiting)) {
    const auto& verify = request->second;
    const bool meant = key.empty() || verify.text() == key;
    request->first.send(db_verify_answer(verify, meant ? type : "invalid"));
    if (meant) return verify;
  }
  return std::nullopt;
}

bool Negotiation::arrives(const PeerStream& stream, const std::string& body) {
  (void)until([&] { return subject_->received(body) > 0 || stream.is_over(); });
  return subject_->received(body) > 0;
}

bool Negotiation::marker_arrives() {
  // One that is known to work where the subject offers it; a target with dialback alone has that.
  const auto kind = kind_in_tls();
  if (markers_from_.empty()) markers_from_ = subject_->another_peer(kind);
  if (!marked_) {
    auto stream = connect(kind);
    stream.header().from = markers_from_;
    if (!establish(stream, kind)) return false;
    marked_ = std::move(stream);
  }
  const auto text = fmt::format("marker {}", ++markers_);
  marked_->send(xmpp::make_message("romeo@" + markers_from_, subject_->user(), text, "", text));
  return until([&] { return subject_->received(text) > 0; });
}

bool Negotiation::given_marker() {
  return GIVEN(marker_arrives(), "a message sent later, on a stream that is allowed, reached the user");
}

}  // namespace cutover::suites
