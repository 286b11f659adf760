// What tshark prints, read: a row a TCP segment, and the octets of a followed connection as YAML.
#pragma once

#include "protocol/base/node.h"
#include "protocol/base/time.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// What tshark is to print of each segment, in this order, with tabs between.
inline constexpr const char* segment_fields[] = {
    "frame.number", "tcp.stream", "ip.src",    "ipv6.src",      "tcp.srcport", "ip.dst",         "ipv6.dst",
    "tcp.dstport",  "tcp.flags",  "frame.len", "frame.cap_len", "tcp.len",     "frame.protocols"};

/// One TCP segment of a capture.
struct Segment {
  std::uint32_t packet = 0, connection = 0;
  Endpoint from, to;
  bool syn = false, ack = false;
  bool cut = false;   ///< its end was not captured
  bool empty = true;  ///< without octets
  std::string_view protocols;
};
/// Calls for each row that can be read.
void each_segment(std::string_view rows, const std::function<void(const Segment&)>& call);

/// Octets of one side of a connection, as tshark put them together.
struct Chunk {
  std::uint32_t packet = 0;  ///< the one that completed it
  Duration time{};           ///< since 1970
  std::string octets;
};
/// The followed connections in the order in which they stand there; those without octets, too.
[[nodiscard]] std::vector<std::vector<Chunk>> read_followed(std::string_view yaml);

/// Whether a chunk stands for octets that were not captured.
[[nodiscard]] bool tells_of_a_gap(const Chunk&);

}  // namespace cutover::harness
