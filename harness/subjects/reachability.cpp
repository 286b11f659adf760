// One stream header, STARTTLS and one sign-in, each with a limit, and words for every way in which they fail.
#include "harness/subjects/reachability.h"

#include "harness/subjects/diagnosis.h"
#include "harness/subjects/target_subject.h"
#include "mocks/raw_peer.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

namespace ns = xmpp::ns;
constexpr Duration answer_limit = 5s;

/// One meeting on the server-to-server port.
class PeerProbe {
 public:
  PeerProbe(World& world, const RemoteTarget& target)
      : world_(world),
        target_(target),
        peer_(world.add("probe", target_host::probe, std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{}))),
        connection_(peer_.connect(target.s2s)) {}
  ~PeerProbe() { world_.remove(peer_); }
  PeerProbe(const PeerProbe&) = delete;
  PeerProbe& operator=(const PeerProbe&) = delete;

  std::optional<std::string> run() {
    if (!until([this] { return connection_.open() || connection_.closed(); }))
      return down("accepts no connection within {}; is a firewall in between?", limit_words());
    if (!connection_.open())
      return down("{}; is it running, is this its port, and does it let this machine in?", connection_.reason());
    connection_.send(header());
    if (auto fault = answers_with_a_stream()) return fault;
    return speaks_tls() ? secures() : std::nullopt;
  }

 private:
  bool until(const std::function<bool()>& condition) { return world_.run_until(condition, answer_limit); }
  static std::string limit_words() { return fmt::format("{} s", answer_limit / 1s); }
  static bool said_all(const mocks::RawConnection& wire) { return wire.has_item() || wire.closed() || wire.eof(); }

  template <class... Values>
  std::optional<std::string> down(fmt::format_string<Values...> what, Values&&... values) {
    return fmt::format("{}:{} (settings.s2s) ", target_.s2s.address, target_.s2s.port) +
           fmt::format(what, std::forward<Values>(values)...);
  }

  [[nodiscard]] const std::string& peer_domain() const { return target_.peers.front().domain; }
  /// Whether a peer of the file does.
  [[nodiscard]] bool speaks_tls() const {
    return std::ranges::any_of(target_.peers,
                               [](const auto& peer) { return peer.kind != PartnerKind::plaintext_dialback; });
  }

  [[nodiscard]] std::string header() const {
    return fmt::format(
        "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' xmlns:db='{}' from='{}' to='{}' "
        "version='1.0'>",
        ns::server, ns::streams, ns::dialback, peer_domain(), target_.domain);
  }

  std::optional<std::string> answers_with_a_stream() {
    (void)until([this] { return said_all(connection_); });
    const auto header = connection_.next_header();
    if (header && header->tag.is("stream", ns::streams)) return takes_the_stream(*header);
    const auto octets = connection_.received();
    const bool ended = connection_.closed() || connection_.eof();
    const auto reason = connection_.reason().empty() ? "end of file" : connection_.reason();
    if (octets.empty() || is_tls(octets)) {
      connection_.abort();
      if (auto fault = is_for_direct_tls()) return fault;
    }
    if (!octets.empty()) return down("{}", words_for_octets(octets));
    if (ended) return down("closes the connection without an answer ({}); does it let this machine in?", reason);
    return down("accepts the connection and says nothing for {}; is this its server-to-server port?", limit_words());
  }

  std::optional<std::string> takes_the_stream(const xml::StreamHeader& header) {
    (void)until([this] { return said_all(connection_); });
    const auto element = connection_.next_element();
    const bool error = element && element->is("error", ns::streams);
    // That the header alone is of the wrong namespace may be a fault that is to be judged.
    const auto words = error     ? words_for_client_port(header.content_ns, nullptr)
                       : element ? words_for_client_port("", &*element)
                                 : std::string();
    if (!words.empty()) return down("{}", words);
    if (error)
      return down("{}",
                  words_for_error(*element, {target_.domain, peer_domain(), header.tag.attribute_or_empty("from")}));
    if (!element) return std::nullopt;  // a server of the time before features
    const auto* starttls = element->child("starttls", ns::tls);
    offers_tls_ = starttls != nullptr;
    if (offers_tls_ && starttls->child("required", ns::tls) != nullptr && !speaks_tls())
      return down(
          "goes on inside TLS only (STARTTLS is required), and the file has no peer that speaks it; declare dialback "
          "or "
          "sasl_external");
    return std::nullopt;
  }

  /// Says nothing in clear: whether a second connection gets an answer in TLS from the first octet.
  std::optional<std::string> is_for_direct_tls() {
    auto& wire = peer_.connect(target_.s2s);
    (void)until([&] { return wire.open() || wire.closed(); });
    if (!wire.open()) return std::nullopt;
    // A certificate for nobody: it is not about trust.
    const auto identity = tls::make_openssl_authority(world_.wall_clock())->issue({.flaw = tls::Flaw::no_certificate});
    wire.start_tls(*identity, tls::Role::client,
                   {.server_name = target_.domain, .alpn = {"xmpp-server"}, .wall_clock = world_.wall_clock()});
    constexpr Duration short_limit = 2s;
    (void)world_.run_until([&] { return wire.handshake_over(); }, short_limit);
    std::string inside = "and ends the handshake: " + wire.tls_failure();
    if (wire.secured()) {
      wire.send(header());
      (void)until([&] { return said_all(wire); });
      const auto answer = wire.next_header();
      inside = !answer || !answer->tag.is("stream", ns::streams) ? "and is no XMPP stream inside"
               : answer->content_ns == ns::client                ? "for clients"
                                                                 : "for servers";
    } else if (wire.tls_failure().empty() || wire.tls_failure() == "wrong version number") {
      return std::nullopt;  // no TLS
    }
    return down(
        "says nothing to a header in clear, for it speaks TLS from the first octet, {}; the port for STARTTLS, 5269 "
        "mostly, belongs into settings.s2s, and one for direct TLS of servers into settings.s2s-direct-tls",
        inside);
  }

  /// A target that does not offer TLS although its file says so is judged by the cases.
  std::optional<std::string> secures() {
    if (!offers_tls_) return std::nullopt;
    connection_.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    (void)until([this] { return said_all(connection_); });
    const auto answer = connection_.next_element();
    if (!answer || !answer->is("proceed", ns::tls)) return down("offers STARTTLS and does not proceed with it");
    const auto authority = authority_of(target_, world_.wall_clock());
    const auto identity = authority->issue({.names = {{tls::NameKind::dns, peer_domain()}}});
    connection_.start_tls(*identity, tls::Role::client,
                          {.server_name = target_.domain, .wall_clock = world_.wall_clock()});
    const bool ended = until([this] { return connection_.handshake_over(); });
    if (connection_.secured()) return std::nullopt;
    if (!ended) return down("does not finish the TLS handshake within {}", limit_words());
    return down("answers STARTTLS with what is no TLS, or refuses it ({})",
                connection_.tls_failure().empty() ? connection_.reason() : connection_.tls_failure());
  }

  World& world_;
  const RemoteTarget& target_;
  mocks::RawPeer& peer_;
  mocks::RawConnection& connection_;
  bool offers_tls_ = false;
};

std::optional<std::string> account_down(World& world, const RemoteTarget& target) {
  const auto& account = *target.account;
  auto config = client_of(target, world);
  config.send_presence = false;
  auto& client = world.add("client", target_host::client, std::make_unique<mocks::XmppClient>(std::move(config)));
  const auto failure = signs_in(world, client);
  if (failure.empty()) {
    client.sign_out();
    (void)world.run_until([&] { return client.disconnected(); }, answer_limit);
  }
  world.remove(client);
  if (failure.empty()) return std::nullopt;
  return fmt::format("{}:{} (settings.account) does not let {}@{} in: {}", account.c2s.address, account.c2s.port,
                     account.user, target.domain, failure);
}

std::optional<std::string> local_down(World& world, const LocalTarget& target) {
  if (auto reason = unavailable(*target.product)) return reason;
  try {
    const auto authority = tls::make_openssl_authority(world.wall_clock());
    ServerSettings settings;
    settings.domain = "probe.example";
    settings.address = world.address_of(target_host::server);
    settings.name_server = {world.address_of(target_host::name_server), 1};
    settings.mode = target.mode;
    settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, settings.domain}}});
    RealServer server(*target.product, std::move(settings));
    server.wait_until_ready(world, target_host::probe);
  } catch (const HarnessFault& fault) {
    return fault.what();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> subject_down(World& world, const Target& target) {
  if (const auto* local = std::get_if<LocalTarget>(&target.driver)) return local_down(world, *local);
  const auto& remote = std::get<RemoteTarget>(target.driver);
  if (auto reason = PeerProbe(world, remote).run()) return reason;
  return remote.account ? account_down(world, remote) : std::nullopt;
}

}  // namespace cutover::harness
