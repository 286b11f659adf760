// DNS messages from anybody: what is read has a text form, what is written can be read back, and a server answers or is
// silent.
#include "protocol/base/check.h"
#include "protocol/dns/server.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace cutover;

/// Records of odd types may have no presentation format that ldns reads back; those of ours must.
bool can_be_written(const dns::Message& message) {
  for (const auto* section : {&message.answers, &message.authority, &message.additional}) {
    for (const auto& record : *section) {
      if (!dns::normalised(record)) return false;
    }
  }
  return true;
}

dns::DnsServer make_server() {
  dns::DnsServer server;
  server.add_empty_zone("a.example");
  server.set("_xmpp-server._tcp.a.example", dns::Type::srv, 60, {"0 0 5269 gw.a.example"});
  return server;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  static auto server = make_server();
  for (const auto transport : {dns::Transport::udp, dns::Transport::tcp}) {
    const auto reply = server.answer(Time{}, wire, "127.0.0.1", transport);
    if (reply && !dns::parse(*reply)) std::abort();
    if (reply && transport == dns::Transport::udp && reply->size() > 512) std::abort();
  }
  server.clear_history();

  const auto message = dns::parse(wire);
  if (!message) return 0;
  (void)dns::to_text(*message);
  for (const auto& record : message->answers) (void)dns::srv_of(record);
  if (!can_be_written(*message)) return 0;
  try {
    const auto again = dns::parse(dns::serialise(*message));
    if (!again || again->id != message->id || again->answers.size() != message->answers.size()) std::abort();
  } catch (const HarnessFault&) {
    // Longer than 65535 octets once names are no longer compressed as the sender did.
  }
  return 0;
}
