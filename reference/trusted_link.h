// One end of the link between proxy and gateway: stanzas of every domain over TLS with certificates on both sides.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/tls/session.h"
#include "protocol/xml/element.h"

#include <functional>
#include <memory>
#include <string>

namespace cutover::reference {

struct LinkConfig {
  std::string local_name, remote_name;            ///< host names, for the stream header and the certificate
  std::shared_ptr<const tls::Identity> identity;  ///< both sides show one
  Departures departures;
};

/// A stream on a connection that exists. Its owner forwards the events of the connection, and `timeout` at deadline().
class TrustedLink {
 public:
  struct Handlers {
    std::function<void()> up;
    std::function<void(const xml::Element&)> stanza;
    std::function<void(std::string reason)> down;  ///< once; the link may be destroyed after the call that led to it
  };
  TrustedLink(Context& context, ConnectionId connection, bool initiating, LinkConfig config, Handlers handlers);
  ~TrustedLink();
  TrustedLink(const TrustedLink&) = delete;
  TrustedLink& operator=(const TrustedLink&) = delete;

  void receive(std::string_view octets);
  void receive_eof();
  void connection_lost(std::string_view reason);
  void timeout();
  [[nodiscard]] std::optional<Time> deadline() const;

  /// False, and nothing sent, while the link is not up.
  [[nodiscard]] bool send(const xml::Element& stanza);
  void close(std::string_view condition);
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] ConnectionId connection() const { return connection_; }

 private:
  void pump();
  void die(std::string reason);

  Context& context_;
  ConnectionId connection_;
  Handlers handlers_;
  struct Engine;
  std::unique_ptr<Engine> engine_;
  bool up_ = false, dead_ = false, pumping_ = false, shut_ = false;
};

}  // namespace cutover::reference
