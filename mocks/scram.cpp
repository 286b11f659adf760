// SCRAM-SHA-1 with OpenSSL's HMAC and PBKDF2.
#include "mocks/scram.h"

#include "protocol/base/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <charconv>

namespace cutover::mocks {

namespace {

constexpr std::size_t sha1_octets = 20;
constexpr int rounds_max = 100000;
constexpr std::string_view no_channel_binding = "n,,";

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char out[sha1_octets];
  unsigned size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), octets_of(text), text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string sha1(std::string_view text) {
  unsigned char out[sha1_octets];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha1(), nullptr);
  return {reinterpret_cast<char*>(out), size};
}

std::string salted(std::string_view password, std::string_view salt, int rounds) {
  unsigned char out[sha1_octets];
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets_of(salt), static_cast<int>(salt.size()),
                    rounds, EVP_sha1(), sizeof out, out);
  return {reinterpret_cast<char*>(out), sizeof out};
}

/// RFC 5802 section 5.1: "=" and "," in a name.
std::string escaped(std::string_view user) {
  std::string result;
  for (const char c : user) {
    if (c == '=') {
      result += "=3D";
    } else if (c == ',') {
      result += "=2C";
    } else {
      result += c;
    }
  }
  return result;
}

/// The value of "name=value" among attributes that commas part.
std::optional<std::string_view> attribute(std::string_view text, char name) {
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto part = text.substr(0, end);
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return part.substr(2);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

std::optional<int> rounds_of(std::string_view text) {
  int rounds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rounds);
  if (error != std::errc{} || end != text.data() + text.size() || rounds < 1 || rounds > rounds_max)
    return std::nullopt;
  return rounds;
}

}  // namespace

Scram::Scram(std::string_view user, std::string_view password, std::string_view nonce)
    : bare_first_("n=" + escaped(user) + ",r=" + std::string(nonce)), password_(password), nonce_(nonce) {}

std::string Scram::client_first() const { return std::string(no_channel_binding) + bare_first_; }

std::optional<std::string> Scram::client_final(std::string_view server_first) {
  if (server_first.starts_with("m=")) return std::nullopt;  // an extension that must be understood
  const auto nonce = attribute(server_first, 'r');
  const auto salt_text = attribute(server_first, 's');
  const auto rounds_text = attribute(server_first, 'i');
  if (!nonce || !salt_text || !rounds_text) return std::nullopt;
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) return std::nullopt;
  const auto salt = from_base64_strict(*salt_text);
  const auto rounds = rounds_of(*rounds_text);
  if (!salt || salt->empty() || !rounds) return std::nullopt;

  const auto without_proof = "c=" + to_base64(no_channel_binding) + ",r=" + std::string(*nonce);
  const auto everything = bare_first_ + "," + std::string(server_first) + "," + without_proof;
  const auto password = salted(password_, *salt, *rounds);
  auto proof = hmac(password, "Client Key");
  const auto signature = hmac(sha1(proof), everything);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  server_signature_ = hmac(hmac(password, "Server Key"), everything);
  return without_proof + ",p=" + to_base64(proof);
}

bool Scram::verify(std::string_view server_final) const {
  const auto value = attribute(server_final, 'v');
  if (!value || server_signature_.empty()) return false;
  const auto signature = from_base64_strict(*value);
  return signature && signature->size() == server_signature_.size() &&
         CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) == 0;
}

}  // namespace cutover::mocks
