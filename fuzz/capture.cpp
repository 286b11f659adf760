// What tshark prints is read whatever it is, and what was read becomes senders that the judge can hear.
#include "harness/captures/senders.h"
#include "harness/captures/tshark_output.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cutover;
using namespace cutover::harness;

/// Up to the first 0x00 rows of segments, behind it YAML.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\0');
  std::size_t rows = 0;
  each_segment(text.substr(0, end), [&](const Segment&) { ++rows; });
  if (rows > size) std::abort();
  Capture capture;
  for (auto& chunks : read_followed(end == std::string_view::npos ? text : text.substr(end + 1))) {
    auto& connection = capture.connections.emplace_back();
    for (auto& chunk : chunks)
      connection.spoken.push_back(
          {chunk.packet, chunk.time, (chunk.packet & 1U) != 0, (chunk.packet & 2U) != 0, std::move(chunk.octets)});
  }
  for (const auto& sender : senders_of(capture))
    for (const auto& record : sender.records)
      if (record.node == record.peer) std::abort();
  return 0;
}
