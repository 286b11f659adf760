// The trace of a run: what nodes noted, in order, with time, node and the other end.
#pragma once

#include "protocol/base/node.h"

#include <string_view>
#include <vector>

namespace cutover::harness {

struct TraceRecord {
  Time time;
  std::string node;  ///< who noted it
  std::string peer;  ///< the node at the other end of the connection; empty for an event
  std::string
      connection;  ///< "partner-a:49152 > proxy:5269" without ephemeral ports in a simulated world; empty for none
  Note note;
};

/// "xmpp", "sip", "dns", "tls", "http", "event".
[[nodiscard]] std::string_view name_of(Layer);

/// Append only. Both ends note a stanza (out at the sender, in at the receiver).
class Trace {
 public:
  void append(TraceRecord record) { records_.push_back(std::move(record)); }
  [[nodiscard]] const std::vector<TraceRecord>& records() const { return records_; }
  void clear() { records_.clear(); }
  /// Byte-identical for the same seed in a simulated world: one line a record.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<TraceRecord> records_;
};

}  // namespace cutover::harness
