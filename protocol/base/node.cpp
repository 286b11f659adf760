// The reactions of an actor that does not care.
#include "protocol/base/node.h"

namespace cutover {

void Actor::on_accepted(ConnectionId, std::uint16_t, const Endpoint&) {}
void Actor::on_connected(ConnectionId) {}
void Actor::on_connect_failed(ConnectionId, std::string_view) {}
void Actor::on_received(ConnectionId, std::string_view) {}
void Actor::on_eof(ConnectionId) {}
void Actor::on_closed(ConnectionId, std::string_view) {}
void Actor::on_datagram(std::uint16_t, const Endpoint&, std::string_view) {}
void Actor::on_wake() {}

}  // namespace cutover
