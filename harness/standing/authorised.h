// Who may send on a connection, as far as the one that hears it has said so.
#pragma once

#include "harness/standing/conversation.h"

#include <set>
#include <string>
#include <utility>

namespace cutover::harness::standing {

/// SASL lets its sender speak for what it authenticated, dialback for one pair of domains at a time.
class Authorised {
 public:
  /// What was said on the connection, in order.
  void hear(const Said& one);
  [[nodiscard]] bool anybody() const { return by_sasl_ || !pairs_.empty(); }
  [[nodiscard]] bool by_dialback_alone() const { return !by_sasl_; }
  /// Domains as they are compared.
  [[nodiscard]] bool pair(const std::string& from, const std::string& to) const { return pairs_.contains({from, to}); }

 private:
  bool by_sasl_ = false;
  std::set<std::pair<std::string, std::string>> pairs_;
};

}  // namespace cutover::harness::standing
