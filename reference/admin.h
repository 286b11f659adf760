// The admin interface of a box: HTTP and JSON over connections of its node. Reads the settings and replaces them.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/xmpp/server.h"
#include "reference/message_log.h"
#include "reference/settings.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace cutover::reference {

/// Only our own tools are served: no page of the web that a browser on this machine shows may change anything (a
/// foreign Origin, or without a token a Host that is a name, is 403; a change that is not application/json 415).
struct AdminConfig {
  std::uint16_t port = 0;
  std::string token;  ///< bearer token; must be set where the node's address is not loopback
};

/// What a box tells of itself, by name: what is so, and how often something was.
using Health = std::map<std::string, std::variant<bool, std::uint64_t>>;

/// What happened since it was started, by the names of the product's performance counters (domain facts 4.6).
using Counters = std::map<std::string, std::uint64_t>;

/// The box behind the interface.
struct AdminSubject {
  std::string name;
  std::function<const Settings&()> settings;
  std::function<void(Settings)> apply;  ///< called with settings that validate() accepts
  std::function<std::vector<xmpp::StreamInfo>()> streams;
  std::function<Health()> health;
  std::function<Counters()> counters = {};
  Departures departures = {};
  const MessageLog* log = nullptr;  ///< the interface has it, see Admin::log()
};

/// What a request comes to: a status and a JSON document. The routes are a pure function of request and subject.
struct AdminAnswer {
  int status = 200;
  std::string body;
};
/// GET /health /settings /partners /partners/{domain} /policies /streams /routes /counters /log; PUT /settings (fields
/// given replace); POST /partners (one or an array), PUT and DELETE /partners/{domain}; PUT and DELETE
/// /policies/global, /policies/site:{name}, /policies/user:{name}, /policies/grant:{user}. Errors are {"error": "..."}
/// with 400, 404, 405 or 409.
[[nodiscard]] AdminAnswer answer(const AdminSubject& subject, std::string_view method, std::string_view target,
                                 std::string_view body);

class Admin final : public Actor {
 public:
  Admin(Context& context, AdminConfig config, const AdminSubject& subject);
  ~Admin() override;
  /// Starts to listen. Throws ListenError, also where the address is not loopback and no token is set.
  void open();
  /// Writes a message down that passes the box, with its text where the settings ask for it.
  void log(const xml::Element& stanza);

  void on_accepted(ConnectionId connection, std::uint16_t port, const Endpoint& peer) override;
  void on_received(ConnectionId connection, std::string_view bytes) override;
  void on_eof(ConnectionId connection) override;
  void on_closed(ConnectionId connection, std::string_view reason) override;
  void on_wake() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::reference
