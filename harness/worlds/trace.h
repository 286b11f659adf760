// The trace of a run: what nodes noted, in order, with time, node and the other end.
#pragma once

#include "protocol/base/node.h"

#include <array>
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

/// How the summary of the last note begins that was kept of a connection, or of all, that noted too much.
inline constexpr std::string_view notes_left_out = "so many notes that the rest is left out";
/// What is noted where a case has its verdict, and what it changed at a server that stays up is taken back: what comes
/// behind it is nobody's to judge.
inline constexpr char case_is_over[] = "what the case changed is taken back";

/// The node that opened the connection of the record.
[[nodiscard]] std::string_view opener_of(const TraceRecord&);
/// Whether it says that TLS is established on its connection, whoever noted it.
[[nodiscard]] bool tells_of_tls(const Note&);

/// "xmpp", "sip", "dns", "tls", "http", "event".
[[nodiscard]] std::string_view name_of(Layer);

/// Append only. Both ends note a stanza (out at the sender, in at the receiver). Of a connection that floods the rest
/// is left out from some size on, each direction and its events by themselves, and so it is of the whole; a record
/// tells where. What we send may be more: cases about limits do.
class Trace {
 public:
  static constexpr std::size_t received_max_octets = 2 * 1024 * 1024, sent_max_octets = 16 * 1024 * 1024,
                               whole_max_octets = 48 * 1024 * 1024;

  void append(TraceRecord record);
  [[nodiscard]] const std::vector<TraceRecord>& records() const { return records_; }
  void clear();
  /// Byte-identical for the same seed in a simulated world: one line a record.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<TraceRecord> records_;
  using ByDirection = std::array<std::size_t, 3>;
  std::unordered_map<ConnectionId, ByDirection> octets_;  ///< of each connection's notes. tidy: never iterated
  std::size_t whole_ = 0;
};

}  // namespace cutover::harness
