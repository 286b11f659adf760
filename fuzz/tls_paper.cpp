// Paper TLS with hostile octets, as both roles and after a good handshake: bounded, never a throw, the same for every
// cut.
#include "protocol/tls/authority.h"
#include "protocol/tls/randomness.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace cutover;

tls::SessionOptions options() { return {.server_name = "a.example", .alpn = {"xmpp-server"}}; }

std::string outcome(tls::Role role, std::string_view in, std::size_t piece, bool established) {
  tls::seed_tls_randomness(1);
  const auto authority = tls::make_paper_authority(1'000'000'000);
  const auto identity = authority->issue({.names = {{tls::NameKind::dns, "a.example"}}});
  const auto session = identity->session(role, options());
  if (established) {
    const auto peer = identity->session(role == tls::Role::client ? tls::Role::server : tls::Role::client, options());
    for (int i = 0; i < 3; ++i) {
      (void)session->handshake();
      peer->put_cipher(session->take_cipher());
      (void)peer->handshake();
      session->put_cipher(peer->take_cipher());
    }
    if (session->handshake() != tls::Progress::established) std::abort();
  }
  std::string seen;
  for (; !in.empty(); in.remove_prefix(std::min(piece, in.size()))) {
    session->put_cipher(in.substr(0, piece));
    (void)session->handshake();
    seen += session->read();
  }
  seen += session->take_cipher() + session->failure() + (session->peer_closed() ? " closed" : "");
  if (const auto certificate = session->peer_certificate()) seen += certificate->chain_error;
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  for (const auto role : {tls::Role::client, tls::Role::server}) {
    for (const bool established : {false, true}) {
      if (outcome(role, in, size + 1, established) != outcome(role, in, 1, established)) std::abort();
    }
  }
  return 0;
}
