// The rules of the standing judge by layer: each function judges one conversation.
#pragma once

#include "harness/standing/conversation.h"
#include "harness/standing/ledger.h"

#include <map>
#include <set>
#include <string>
#include <tuple>

namespace cutover::harness::standing {

void judge_octets(const Conversation&, Ledger&);
void judge_headers(const Conversation&, Ledger&);
void judge_features(const Conversation&, Ledger&);
void judge_tls_and_sasl(const Conversation&, Ledger&);
void judge_errors(const Conversation&, Ledger&);
void judge_stanzas(const Conversation&, Ledger&);

/// Keys that a sender made, over all of its connections.
class Keys {
 public:
  void judge(const Conversation&, Ledger&);

 private:
  std::map<std::string, std::tuple<std::string, std::string, std::string>> made_for_;  ///< key: from, to, stream id
};
void judge_dialback(const Conversation&, Ledger&);

/// Requests and their answers, over all connections of a trace.
class Answers {
 public:
  void judge(const Conversation&, Ledger&);

 private:
  using Request = std::tuple<std::string, std::string, std::string>;  ///< asked by, of whom, id
  std::map<Request, int> asked_, answered_;
};

[[nodiscard]] bool is_language(std::string_view tag);
/// A bidirectional stream was asked for on it (XEP-0288).
[[nodiscard]] bool is_bidi(const Conversation&);

}  // namespace cutover::harness::standing
