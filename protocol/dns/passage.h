// The seam between a resolver and its wire: DNS messages on their way, which a rewrite may change.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/dns/message.h"

#include <functional>

namespace cutover::dns {

/// One message on its way; `dropped`, nothing goes on.
class Passage {
 public:
  Direction direction = Direction::out;  ///< as the node sees it
  Message message;
  bool dropped = false;

  [[nodiscard]] bool out() const { return direction == Direction::out; }
  [[nodiscard]] bool in() const { return direction == Direction::in; }
  /// An answer to a query for records of that type that the node hears.
  [[nodiscard]] bool hears_of(Type type) const {
    return in() && message.questions.size() == 1 && message.questions[0].type == type;
  }
  /// Lets every SRV record of the answer be changed.
  void each_srv(const std::function<void(Srv&)>& change) {
    for (auto& record : message.answers) {
      auto srv = srv_of(record);
      if (!srv) continue;
      change(*srv);
      record.data = std::to_string(srv->priority) + ' ' + std::to_string(srv->weight) + ' ' +
                    std::to_string(srv->port) + ' ' + srv->target;
    }
  }
  void drop() { dropped = true; }
};

}  // namespace cutover::dns
