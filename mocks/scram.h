// The client's side of SCRAM-SHA-1 (RFC 5802), without channel binding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::mocks {

/// One authentication: client_first(), then client_final() on the server's challenge, then verify() on its success.
class Scram {
 public:
  /// `nonce` is printable ASCII without commas. Name and password are taken as they are: SASLprep changes nothing in
  /// ASCII.
  Scram(std::string_view user, std::string_view password, std::string_view nonce);

  [[nodiscard]] std::string client_first() const;
  /// Nothing where the challenge is malformed, its nonce does not begin with ours (RFC 5802 section 5.1), or it asks
  /// for more than 100 000 rounds.
  [[nodiscard]] std::optional<std::string> client_final(std::string_view server_first);
  /// Whether the server proved that it knows the password too; false before client_final().
  [[nodiscard]] bool verify(std::string_view server_final) const;

 private:
  std::string bare_first_;
  std::string password_;
  std::string nonce_;
  std::string server_signature_;
};

}  // namespace cutover::mocks
