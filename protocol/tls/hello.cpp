// Hellos to octets and back: RFC 5246 section 7.4.1, RFC 5746, RFC 6066, RFC 6101 appendix E.
#include "protocol/tls/hello.h"

#include <algorithm>
#include <array>

namespace cutover::tls {

namespace {

constexpr std::uint8_t handshake_record = 22, client_hello = 1, server_hello = 2;
constexpr std::size_t random_octets = 32;
constexpr std::uint16_t signalling_suite = 0x00FF;
enum Extension : std::uint16_t {
  server_name = 0,
  supported_groups = 10,
  point_formats = 11,
  signature_algorithms = 13,
  supported_versions = 43,
  renegotiation = 0xFF01
};

std::string number(std::size_t value, int octets) {
  std::string out;
  for (int i = octets - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}
/// With its length before it.
std::string sized(const std::string& text, int octets) { return number(text.size(), octets) + text; }
std::string list(const std::vector<std::uint16_t>& values) {
  std::string out;
  for (const auto value : values) out += number(value, 2);
  return out;
}
std::string extension(Extension kind, const std::string& data) { return number(kind, 2) + sized(data, 2); }

std::string record(std::uint8_t kind, std::uint16_t version, const std::string& body) {
  const auto shown = std::min<std::uint16_t>(version, 0x0301);
  return std::string(1, static_cast<char>(handshake_record)) + number(shown, 2) +
         sized(std::string(1, static_cast<char>(kind)) + sized(body, 3), 2);
}

std::string in_form_of_ssl2(const ClientHello& hello) {
  std::string suites;
  for (const auto suite : hello.suites) suites += number(suite, 3);
  const auto body = std::string(1, static_cast<char>(client_hello)) + number(ssl2, 2) + number(suites.size(), 2) +
                    number(0, 2) + number(16, 2) + suites + std::string(16, 'r');
  return number(0x8000 | body.size(), 2) + body;
}

/// Reads numbers and texts from the beginning of octets; `good` until there were too few.
class Octets {
 public:
  explicit Octets(std::string_view text) : text_(text) {}
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  std::size_t number(int octets) {
    std::size_t value = 0;
    for (const char c : take(static_cast<std::size_t>(octets))) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > text_.size()) {
      good_ = false;
      text_ = {};
      return {};
    }
    const auto taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }
  Octets sized(int octets) { return Octets(take(number(octets))); }
  std::vector<std::uint16_t> numbers() {
    std::vector<std::uint16_t> all;
    while (!empty() && good_) all.push_back(static_cast<std::uint16_t>(number(2)));
    return all;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

/// The body of the handshake message of that kind with which the octets begin.
std::optional<Octets> body_of(std::string_view octets, std::uint8_t kind) {
  Octets in(octets);
  if (in.number(1) != handshake_record) return std::nullopt;
  (void)in.number(2);
  auto message = in.sized(2);
  if (message.number(1) != kind) return std::nullopt;
  auto body = message.sized(3);
  return in.good() && message.good() ? std::optional(body) : std::nullopt;
}

std::optional<ClientHello> read_ssl2(std::string_view octets) {
  Octets in(octets);
  if ((in.number(2) & 0x8000U) == 0 || in.number(1) != client_hello) return std::nullopt;
  ClientHello hello;
  hello.version = ssl2;
  hello.renegotiation_info = false;
  (void)in.number(2);
  const auto size = in.number(2);
  (void)in.number(4);
  auto suites = Octets(in.take(size));
  while (!suites.empty()) hello.suites.push_back(static_cast<std::uint16_t>(suites.number(3)));
  return in.good() ? std::optional(hello) : std::nullopt;
}

}  // namespace

std::string write(const ClientHello& hello) {
  if (hello.version == ssl2) return in_form_of_ssl2(hello);
  std::string compressions;
  for (const auto each : hello.compressions) compressions += static_cast<char>(each);
  auto body = number(hello.version, 2) + std::string(random_octets, 'r') + sized({}, 1) + sized(list(hello.suites), 2) +
              sized(compressions, 1);
  if (hello.version > ssl3) {
    std::string extensions;
    if (!hello.server_name.empty())
      extensions += extension(server_name, sized(number(0, 1) + sized(hello.server_name, 2), 2));
    extensions += extension(supported_groups, sized(list({0x001D, 0x0017, 0x0018}), 2));
    extensions += extension(point_formats, sized(number(0, 1), 1));
    extensions += extension(signature_algorithms,
                            sized(list({0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601}), 2));
    if (!hello.versions.empty()) extensions += extension(supported_versions, sized(list(hello.versions), 1));
    if (hello.renegotiation_info) extensions += extension(renegotiation, sized({}, 1));
    body += sized(extensions, 2);
  }
  return record(client_hello, hello.version, body);
}

std::string write(const ServerHello& hello) {
  auto body = number(hello.version, 2) + std::string(random_octets, 's') + sized({}, 1) + number(hello.suite, 2) +
              number(hello.compression, 1);
  if (hello.renegotiation_info) body += sized(extension(renegotiation, sized({}, 1)), 2);
  return record(server_hello, hello.version, body);
}

std::optional<ClientHello> read_client_hello(std::string_view octets) {
  if (auto old = read_ssl2(octets)) return old;
  auto body = body_of(octets, client_hello);
  if (!body) return std::nullopt;
  ClientHello hello;
  hello.version = static_cast<std::uint16_t>(body->number(2));
  (void)body->take(random_octets);
  (void)body->sized(1);
  hello.suites = body->sized(2).numbers();
  hello.compressions.clear();
  for (auto methods = body->sized(1); !methods.empty();)
    hello.compressions.push_back(static_cast<std::uint8_t>(methods.number(1)));
  if (!body->good()) return std::nullopt;
  hello.renegotiation_info = std::ranges::find(hello.suites, signalling_suite) != hello.suites.end();
  if (body->empty()) return hello;
  for (auto extensions = body->sized(2); !extensions.empty();) {
    const auto kind = extensions.number(2);
    auto data = extensions.sized(2);
    if (kind == renegotiation) hello.renegotiation_info = true;
    if (kind == supported_versions) hello.versions = data.sized(1).numbers();
  }
  return hello;
}

std::optional<ServerHello> read_server_hello(std::string_view octets) {
  auto body = body_of(octets, server_hello);
  if (!body) return std::nullopt;
  ServerHello hello;
  hello.version = static_cast<std::uint16_t>(body->number(2));
  (void)body->take(random_octets);
  (void)body->sized(1);
  hello.suite = static_cast<std::uint16_t>(body->number(2));
  hello.compression = static_cast<std::uint8_t>(body->number(1));
  hello.renegotiation_info = false;
  if (!body->good()) return std::nullopt;
  if (body->empty()) return hello;
  for (auto extensions = body->sized(2); !extensions.empty();) {
    hello.renegotiation_info |= extensions.number(2) == renegotiation;
    (void)extensions.sized(2);
  }
  return hello;
}

bool may_begin_a_hello(std::string_view octets) {
  return octets.empty() || octets[0] == handshake_record || (static_cast<unsigned char>(octets[0]) & 0x80U) != 0;
}

bool is_weak_suite(std::uint16_t suite) {
  // NULL, export, DES, RC4, and key exchange without authentication.
  constexpr auto weak = std::to_array<std::uint16_t>(
      {0x0000, 0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0008, 0x0009, 0x000B, 0x000C, 0x000E, 0x000F, 0x0011,
       0x0012, 0x0014, 0x0015, 0x0017, 0x0018, 0x0019, 0x001A, 0x001B, 0x0034, 0x003A, 0x003B, 0x006C, 0x006D, 0x00A6,
       0x00A7, 0xC001, 0xC002, 0xC006, 0xC007, 0xC00B, 0xC00C, 0xC010, 0xC011, 0xC015, 0xC016, 0xC017, 0xC018, 0xC019});
  return std::ranges::find(weak, suite) != weak.end();
}

bool is_static_rsa_suite(std::uint16_t suite) {
  constexpr auto all = std::to_array<std::uint16_t>(
      {0x000A, 0x002F, 0x0035, 0x003C, 0x003D, 0x0041, 0x0084, 0x009C, 0x009D, 0xC09C, 0xC09D, 0xC0A0, 0xC0A1});
  return std::ranges::find(all, suite) != all.end();
}

}  // namespace cutover::tls
