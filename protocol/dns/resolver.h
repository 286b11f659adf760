// A stub resolver with a cache, as an actor of a node: UDP, TCP after truncation, TTLs in world time.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/dns/message.h"

#include <functional>
#include <memory>

namespace cutover::dns {

/// How a look-up ended. `answered` includes an empty answer (NODATA).
enum class Outcome { answered, name_error, server_failure, timed_out, malformed };

struct Answer {
  Outcome outcome = Outcome::answered;
  std::vector<Record> records;  ///< of the type asked for, CNAMEs followed
};

/// One place to connect to, in the order to try.
struct Target {
  Endpoint endpoint;
  std::string host;         ///< the SRV target or the domain itself, for people
  bool direct_tls = false;  ///< from _xmpps-server (XEP-0368)
};

/// Where to connect for a domain, RFC 6120 section 3.2 with XEP-0368.
struct XmppTargets {
  Outcome outcome = Outcome::answered;
  std::vector<Target> targets;  ///< empty with `answered`: the domain declares no service (".")
  bool from_fallback = false;   ///< no SRV record: A/AAAA of the domain, port 5269
};

struct ResolverConfig {
  Endpoint name_server;
  Duration timeout = 5s;  ///< for one try
  int tries = 2;
  Duration negative_ttl_max = 60s;
  std::uint16_t fallback_port = 5269;  ///< where a domain has no SRV record (RFC 6120 section 3.2.2)
  bool direct_tls = true;              ///< asks for _xmpps-server, too (XEP-0368)
  Departures departures = {};
};

class Resolver final : public Actor {
 public:
  using Config = ResolverConfig;
  Resolver(Context&, Config);
  ~Resolver() override;

  /// Calls back once, possibly before this returns when the cache answers. Not at all once the resolver is destroyed;
  /// a callback may destroy it. Equal questions that are in flight at once share one query.
  void resolve(std::string_view name, Type, std::function<void(Answer)>);
  void resolve_xmpp(std::string_view domain, std::function<void(XmppTargets)>);
  void flush_cache();

  void on_datagram(std::uint16_t, const Endpoint&, std::string_view) override;
  void on_connected(ConnectionId) override;
  void on_connect_failed(ConnectionId, std::string_view) override;
  void on_received(ConnectionId, std::string_view) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view) override;
  void on_wake() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::dns
