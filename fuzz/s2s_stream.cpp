// libFuzzer: arbitrary octets, cut arbitrarily, into a stream of either role, in clear or inside paper TLS.
#include "protocol/tls/authority.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace {

using namespace cutover;
using namespace cutover::xmpp;

struct Identities {
  std::unique_ptr<tls::Authority> authority = tls::make_paper_authority(1'700'000'000);
  std::shared_ptr<const tls::Identity> a = authority->issue({.names = {{tls::NameKind::dns, "a.example"}}});
  std::shared_ptr<const tls::Identity> b = authority->issue({.names = {{tls::NameKind::dns, "b.example"}}});
};

/// The peer's TLS end: plaintext in, octets for the stream out.
void exchange(Stream& stream, tls::Session& peer, Time now) {
  for (int i = 0; i < 4; ++i) {
    peer.put_cipher(stream.take_output());
    (void)peer.handshake();
    (void)peer.read();
    const auto octets = peer.take_cipher();
    if (octets.empty()) return;
    stream.receive(octets, now);
  }
}

void react(Stream& stream, Time now) {
  while (auto event = stream.poll()) {
    if (const auto* wanted = std::get_if<VerificationWanted>(&*event)) {
      stream.answer_result(wanted->pair, wanted->key == "good" ? Verdict::valid : Verdict::invalid, {}, now);
    }
    if (std::holds_alternative<Negotiated>(*event)) stream.authorise({"a.example", "b.example"}, now);
    // The oracle: nothing is delivered but for an authorised pair.
    if (const auto* received = std::get_if<StanzaReceived>(&*event)) {
      const bool known = std::ranges::any_of(stream.authorised_pairs(),
                                             [&](const auto& pair) { return pair.sender == received->sender_domain; });
      if (!known) std::abort();
    }
  }
}

}  // namespace

/// The first octet chooses role and TLS; every piece of input is preceded by its length.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const Identities identities;
  if (size == 0) return 0;
  const unsigned choice = data[0];
  std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  StreamConfig config;
  config.role = (choice & 1U) != 0 ? StreamRole::initiating : StreamRole::receiving;
  const bool initiating = config.role == StreamRole::initiating;
  config.local_domain = "a.example";
  config.remote_domain = "b.example";
  config.domains = {"b.example", "d.example"};
  config.policy = [](std::string_view) { return PeerPolicy{.tls = Negotiation::optional}; };
  config.identity = initiating ? identities.a : identities.b;
  config.direct_tls = (choice & 2U) != 0;
  config.dialback_secret = "secret";
  config.wall_clock = 1'700'000'000;
  config.random = [](std::uint64_t bound) { return bound / 2; };
  Time now{1s};
  std::unique_ptr<tls::Session> peer;
  if (config.direct_tls) {
    const auto& identity = initiating ? identities.b : identities.a;
    peer = identity->session(initiating ? tls::Role::server : tls::Role::client,
                             {.server_name = "b.example", .alpn = {"xmpp-server"}, .wall_clock = 1'700'000'000});
    (void)peer->handshake();
  }
  Stream stream(std::move(config), now);
  while (!in.empty()) {
    const auto length = std::min<std::size_t>(in.size() - 1, static_cast<unsigned char>(in[0]));
    in.remove_prefix(1);
    now += 1s;
    if (peer) {
      exchange(stream, *peer, now);
      peer->write(in.substr(0, length));
      exchange(stream, *peer, now);
    } else {
      stream.receive(in.substr(0, length), now);
    }
    in.remove_prefix(length);
    if (const auto when = stream.deadline(); when && now >= *when) stream.timeout(now);
    react(stream, now);
    (void)stream.take_output();
  }
  stream.receive_eof(now);
  react(stream, now);
  return 0;
}
