// OpenSSL's coder, which by itself takes white space at both ends and "=" for a zero anywhere.
#include "protocol/base/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace cutover {

namespace {

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool is_of_alphabet(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string to_base64(std::string_view octets) {
  std::vector<unsigned char> out(4 * ((octets.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(out.data(), octets_of(octets), static_cast<int>(octets.size()));
  return {reinterpret_cast<char*>(out.data()), static_cast<std::size_t>(size)};
}

std::optional<std::string> from_base64_strict(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> out(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(out.data(), octets_of(text), static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) != out.size()) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string octets(reinterpret_cast<char*>(out.data()), out.size() - padding);
  if (to_base64(octets) != text) return std::nullopt;
  return octets;
}

std::string from_base64_lenient(std::string_view text) {
  std::string kept;
  std::ranges::copy_if(text, std::back_inserter(kept), is_of_alphabet);
  if (kept.size() % 4 == 1) kept.pop_back();
  const std::size_t padding = (4 - kept.size() % 4) % 4;
  kept.append(padding, '=');
  std::vector<unsigned char> out(kept.size() / 4 * 3);
  EVP_DecodeBlock(out.data(), octets_of(kept), static_cast<int>(kept.size()));
  return {reinterpret_cast<char*>(out.data()), out.size() - padding};
}

}  // namespace cutover
