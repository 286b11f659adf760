// Line by line: a general reader of YAML would take longer than tshark.
#include "harness/captures/tshark_output.h"

#include "protocol/base/base64.h"

#include <array>
#include <charconv>
#include <iterator>

namespace cutover::harness {

namespace {

std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

/// False where it is no number.
template <class Number>
bool read_number(std::string_view text, Number& number) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

/// "1795813240.809476376"
Duration time_of(std::string_view text) {
  std::int64_t seconds = 0, nanoseconds = 0;
  (void)read_number(take_until(text, '.'), seconds);
  std::string digits(text.substr(0, 9));
  digits.resize(9, '0');
  (void)read_number(digits, nanoseconds);
  constexpr std::int64_t far = 1'000'000'000'000;  // no year that anybody captures in
  if (seconds < 0 || seconds > far || nanoseconds < 0) return {};
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(seconds % 9'000'000'000)) +
         std::chrono::nanoseconds(nanoseconds);
}

/// The value behind a key of a line; nothing for another key.
bool has_value(std::string_view line, std::string_view key, std::string_view& value) {
  const auto begin = line.find_first_not_of(" -");
  if (begin == std::string_view::npos || !line.substr(begin).starts_with(key)) return false;
  value = line.substr(begin + key.size());
  return true;
}

}  // namespace

void each_segment(std::string_view rows, const std::function<void(const Segment&)>& call) {
  while (!rows.empty()) {
    auto line = take_until(rows, '\n');
    std::array<std::string_view, std::size(segment_fields)> fields;
    for (auto& field : fields) field = take_until(line, '\t');
    const auto& [packet, connection, from4, from6, from_port, to4, to6, to_port, flags, length, captured, octets,
                 protocols] = fields;
    Segment segment;
    unsigned bits = 0;
    std::size_t whole = 0, kept = 0, carried = 0;
    const bool readable = read_number(packet, segment.packet) && read_number(connection, segment.connection) &&
                          read_number(from_port, segment.from.port) && read_number(to_port, segment.to.port) &&
                          read_number(flags, bits) && read_number(length, whole) && read_number(captured, kept) &&
                          read_number(octets, carried);
    if (!readable) continue;  // a packet inside a packet has two of each
    segment.from.address = from4.empty() ? from6 : from4;
    segment.to.address = to4.empty() ? to6 : to4;
    segment.syn = (bits & 0x02U) != 0;
    segment.ack = (bits & 0x10U) != 0;
    segment.cut = kept < whole;
    segment.empty = carried == 0;
    segment.protocols = protocols;
    call(segment);
  }
}

std::vector<std::vector<Chunk>> read_followed(std::string_view yaml) {
  std::vector<std::vector<Chunk>> all;
  std::string base64;
  const auto finish = [&] {
    if (!all.empty() && !all.back().empty() && !base64.empty()) all.back().back().octets = from_base64_lenient(base64);
    base64.clear();
  };
  std::string_view value;
  while (!yaml.empty()) {
    const auto line = take_until(yaml, '\n');
    if (line.starts_with("      ")) {
      base64 += line.substr(6);
    } else if (line == "peers:") {
      finish();
      all.emplace_back();
    } else if (all.empty()) {
      continue;
    } else if (has_value(line, "packet: ", value)) {
      finish();
      all.back().emplace_back();
      (void)read_number(value, all.back().back().packet);
    } else if (!all.back().empty() && has_value(line, "timestamp: ", value)) {
      all.back().back().time = time_of(value);
    }
  }
  finish();
  return all;
}

bool tells_of_a_gap(const Chunk& chunk) {
  constexpr std::size_t words_max_octets = 60;  // with a zero at their end
  return chunk.octets.starts_with('[') && chunk.octets.size() < words_max_octets &&
         chunk.octets.find(" bytes missing in capture file]") != std::string::npos;
}

}  // namespace cutover::harness
