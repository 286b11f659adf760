// The seam between a resolver and its wire: DNS messages on their way, which a rewrite may change.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/dns/message.h"

namespace cutover::dns {

/// One message on its way; `dropped`, nothing goes on.
class Passage {
 public:
  Direction direction = Direction::out;  ///< as the node sees it
  Message message;
  bool dropped = false;

  [[nodiscard]] bool out() const { return direction == Direction::out; }
  [[nodiscard]] bool in() const { return direction == Direction::in; }
  void drop() { dropped = true; }
};

}  // namespace cutover::dns
