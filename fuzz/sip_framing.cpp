// A stream of SIP octets, whole and in pieces: the cuts of the network change nothing, and no item exceeds its bounds.
#include "protocol/base/limits.h"
#include "protocol/sip/framing.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace cutover;

void drain(sip::Framer& framer, std::vector<std::string>& out) {
  while (auto item = framer.next()) {
    if (const auto* frame = std::get_if<sip::Framer::Frame>(&*item)) {
      if (frame->octets.size() > limits::sip_message_size_max_octets) std::abort();
      out.push_back("frame " + frame->octets);
    } else if (const auto* fault = std::get_if<sip::Framer::Fault>(&*item)) {
      out.push_back("fault " + fault->what);
    } else {
      out.emplace_back("ping");
    }
  }
}

std::vector<std::string> read(std::string_view octets, std::size_t piece) {
  sip::Framer framer;
  std::vector<std::string> out;
  while (!octets.empty()) {
    framer.push(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
    drain(framer, out);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Larger than any message, the order of two faults may depend on the cuts; below, nothing may.
  if (octets.size() > limits::sip_message_size_max_octets) return 0;
  if (read(octets, octets.size() + 1) != read(octets, 1 + data[0] % 64)) std::abort();
  return 0;
}
