// RFC 8446 section 4.1.2 and RFC 6066 section 3 as far as the server name; RFC 6120 section 4.7.2.
#include "harness/worlds/first_octets.h"

#include <algorithm>
#include <cstdint>

namespace cutover::harness {

namespace {

/// Reads on as far as there are octets; false from the first that is missing.
class Octets {
 public:
  explicit Octets(std::string_view text) : text_(text) {}
  [[nodiscard]] std::size_t number(std::size_t size) {
    std::size_t value = 0;
    for (const char c : take(size)) value = value << 8U | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string_view take(std::size_t size) {
    good_ = good_ && size <= text_.size();
    const auto taken = text_.substr(0, good_ ? size : 0);
    text_.remove_prefix(taken.size());
    return taken;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool good_ = true;
};

/// The host_name in the extension server_name.
std::string name_in(std::string_view extension) {
  Octets list(extension);
  (void)list.number(2);
  const bool host_name = list.number(1) == 0;
  return host_name ? std::string(list.take(list.number(2))) : std::string();
}

std::optional<std::string> server_name(std::string_view octets) {
  constexpr std::size_t record_header = 5, handshake_header = 4;
  Octets record(octets);
  (void)record.take(record_header - 2);
  const auto size = record.number(2);
  Octets hello(record.take(size));
  if (!record.good()) return std::nullopt;
  (void)hello.take(handshake_header + 2 + 32);  // version, random
  (void)hello.take(hello.number(1));            // session
  (void)hello.take(hello.number(2));            // cipher suites
  (void)hello.take(hello.number(1));            // compression methods
  (void)hello.number(2);
  while (hello.good() && !hello.empty()) {
    const auto type = hello.number(2);
    const auto extension = hello.take(hello.number(2));
    if (hello.good() && type == 0) return name_in(extension);
  }
  return std::string();
}

std::optional<std::string> header_to(std::string_view octets) {
  auto start = octets.find('<');
  while (start != std::string_view::npos && octets.substr(start).starts_with("<?")) start = octets.find('<', start + 1);
  const auto end = start == std::string_view::npos ? start : octets.find('>', start);
  if (end == std::string_view::npos) return std::nullopt;
  const auto tag = octets.substr(start, end - start);
  for (auto at = tag.find("to="); at != std::string_view::npos; at = tag.find("to=", at + 1)) {
    if (at == 0 || at + 3 >= tag.size() || std::string_view(" \t\r\n").find(tag[at - 1]) == std::string_view::npos)
      continue;
    const auto value = tag.substr(at + 4);
    return std::string(value.substr(0, value.find(tag[at + 3])));
  }
  return std::string();
}

}  // namespace

std::optional<std::string> domain_called(std::string_view octets) {
  constexpr std::size_t header_max_octets = 4096;
  constexpr char handshake_record = 22;
  if (octets.empty()) return std::nullopt;
  auto domain = octets.front() == handshake_record ? server_name(octets) : header_to(octets);
  if (!domain) return octets.size() < header_max_octets ? std::nullopt : std::optional(std::string());
  std::ranges::transform(*domain, domain->begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return domain;
}

}  // namespace cutover::harness
