// The trace of a run: what nodes noted, in order, with time, node and the other end.
#pragma once

#include "protocol/base/node.h"

#include <string_view>
#include <unordered_map>
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

/// Append only. Both ends note a stanza (out at the sender, in at the receiver). A connection that floods loses its
/// notes from some size on, and so does the whole: one record tells where, events go on.
class Trace {
 public:
  static constexpr std::size_t connection_max_octets = 2 * 1024 * 1024, whole_max_octets = 24 * 1024 * 1024;

  void append(TraceRecord record);
  [[nodiscard]] const std::vector<TraceRecord>& records() const { return records_; }
  void clear();
  /// Byte-identical for the same seed in a simulated world: one line a record.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<TraceRecord> records_;
  std::unordered_map<ConnectionId, std::size_t> octets_;  ///< of each connection's notes. tidy: never iterated
  std::size_t whole_ = 0;
};

}  // namespace cutover::harness
