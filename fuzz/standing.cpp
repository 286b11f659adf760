// The standing judge hears whatever anybody sends, cut in any way, and judges each rule a bounded number of times.
#include "harness/standing/judge.h"
#include "protocol/xml/markup.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cutover;
using namespace cutover::harness;

TraceRecord noted(Layer layer, Direction direction, std::string_view octets, bool initiating) {
  const char* summary = layer == Layer::tls ? "TLS established" : "octets";
  return {.time = Time{},
          .node = "peer",
          .peer = "subject",
          .connection = initiating ? "subject:1 > peer:5269" : "peer:1 > subject:5269",
          .note = {.layer = layer,
                   .direction = direction,
                   .connection = ConnectionId{1},
                   .summary = summary,
                   .detail = std::string(octets)}};
}

}  // namespace

/// The first octet says who opened the connection; 0x00 and 0x01 begin what the other side says, 0x02 is TLS.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.empty()) return 0;
  const bool initiating = (rest.front() & 1) != 0;
  rest.remove_prefix(1);
  std::vector<TraceRecord> records;
  auto direction = Direction::in;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(std::string_view("\0\1\2", 3)), rest.size());
    records.push_back(noted(Layer::xmpp, direction, rest.substr(0, end), initiating));
    if (end < rest.size() && rest[end] == 2) records.push_back(noted(Layer::tls, Direction::none, {}, initiating));
    if (end < rest.size() && rest[end] != 2) direction = rest[end] == 0 ? Direction::in : Direction::out;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto heard = standing::judge(records, [](std::string_view, std::string_view) { return true; });
  for (const auto& rule : heard)
    if (rule.breaches > rule.judged || rule.judged > 4 * size + 4) std::abort();
  (void)xml::tags_of(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
