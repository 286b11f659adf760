// Who speaks in a capture, and what the standing judge is to hear of each.
#pragma once

#include "harness/captures/capture.h"
#include "harness/worlds/trace.h"

#include <string>
#include <vector>

namespace cutover::harness {

/// One server: whatever speaks for a domain, on all of its connections.
struct Sender {
  std::string name;                    ///< the domain; the address where it named none
  std::vector<std::string> addresses;  ///< from which it spoke
  std::size_t connections = 0;         ///< with other servers
  std::vector<TraceRecord> records;    ///< as those whom it spoke to heard them, a connection behind the other
  std::vector<std::string> unread;     ///< what of it could not be read, a sentence each
};

/// The servers, in the order in which they come up, without those that spoke to clients alone.
[[nodiscard]] std::vector<Sender> senders_of(const Capture&);

/// "127.0.0.1:5269", "[::1]:5269"
[[nodiscard]] std::string name_of(const Endpoint&);

}  // namespace cutover::harness
