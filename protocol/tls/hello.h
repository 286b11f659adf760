// The first words of TLS as octets: ClientHello and ServerHello of TLS 1.2 and below, for ends that say more, or less,
// than a library would.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::tls {

inline constexpr std::uint16_t ssl2 = 0x0002, ssl3 = 0x0300, tls1_2_number = 0x0303;

/// What a client offers.
struct ClientHello {
  std::uint16_t version = tls1_2_number;  ///< the highest, but for supported_versions; ssl2: in the form of SSL 2.0
  std::vector<std::uint16_t> suites;
  std::vector<std::uint8_t> compressions = {0};
  bool renegotiation_info = true;       ///< by the extension or the signalling suite
  std::vector<std::uint16_t> versions;  ///< of supported_versions; TLS 1.3 goes by it
  std::string server_name;
};
/// What a server chose.
struct ServerHello {
  std::uint16_t version = tls1_2_number;
  std::uint16_t suite = 0;
  std::uint8_t compression = 0;
  bool renegotiation_info = true;
};

/// One record with the hello. Extensions are left out of one of SSL 3.0 and below.
[[nodiscard]] std::string write(const ClientHello&);
[[nodiscard]] std::string write(const ServerHello&);
/// What octets begin with; nothing where that is no whole hello.
[[nodiscard]] std::optional<ClientHello> read_client_hello(std::string_view octets);
[[nodiscard]] std::optional<ServerHello> read_server_hello(std::string_view octets);

/// Whether more octets may make a whole ClientHello of these.
[[nodiscard]] bool may_begin_a_hello(std::string_view octets);

/// A suite that encrypts with less than 112 bits or not at all, or does not authenticate the server (RFC 9325 section
/// 4.1).
[[nodiscard]] bool is_weak_suite(std::uint16_t suite);
/// A suite whose key is the server's static one of RSA: no forward secrecy.
[[nodiscard]] bool is_static_rsa_suite(std::uint16_t suite);

}  // namespace cutover::tls
