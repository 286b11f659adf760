// A node that serves DNS by UDP and TCP around a DnsServer.
#pragma once

#include "protocol/base/node.h"
#include "protocol/dns/server.h"

#include <deque>
#include <map>

namespace cutover::mocks {

/// Port 53 needs root in a live world; both worlds use this one.
inline constexpr std::uint16_t name_server_port = 10053;

/// The name server of a deployment. Change and read it through server().
class NameServer final : public Node {
 public:
  explicit NameServer(dns::DnsServer server = {}, std::uint16_t port = name_server_port);
  ~NameServer() override;
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  [[nodiscard]] dns::DnsServer& server() { return server_; }
  /// Where resolvers send their queries; once started.
  [[nodiscard]] Endpoint endpoint() const;
  /// A place of its own for one client: whoever asks there counts as `client`, from wherever he asks. Once started.
  [[nodiscard]] Endpoint door_for(const std::string& client);

  void start(Context&) override;
  void on_datagram(std::uint16_t local_port, const Endpoint& from, std::string_view bytes) override;
  void on_accepted(ConnectionId, std::uint16_t port, const Endpoint& peer) override;
  void on_received(ConnectionId, std::string_view bytes) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view reason) override;
  void on_wake() override;

 private:
  struct Connection {
    std::string client;
    std::string received;
  };
  [[nodiscard]] const std::string& client_of(std::uint16_t local_port, const Endpoint& from) const;
  std::optional<std::string> answer(std::string_view query, const std::string& client, dns::Transport, ConnectionId);

  dns::DnsServer server_;
  std::uint16_t port_;
  std::map<std::uint16_t, std::string> doors_;  ///< whom those who ask at that port count as
  /// An answer that comes behind forged ones.
  struct Held {
    Time until;
    std::uint16_t port;
    Endpoint to;
    std::string octets;
  };
  /// Sends what somebody else would, and holds the answer back meanwhile.
  void let_forgers_go_first(std::uint16_t local_port, const Endpoint& from, const std::vector<dns::Forged>& forged,
                            std::string reply);

  std::deque<Held> held_;        ///< in order of their times
  std::uint16_t elsewhere_ = 0;  ///< the port of another sender; 0: none yet
  Context* context_ = nullptr;
  std::map<ConnectionId, Connection> connections_;
};

}  // namespace cutover::mocks
