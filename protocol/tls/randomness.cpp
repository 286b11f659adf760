// A seeded RAND_METHOD a thread, so that simulated worlds on several threads do not draw from each other.
#include "protocol/tls/randomness.h"

#include "protocol/base/check.h"

#include <openssl/rand.h>

#include <optional>

// OpenSSL 3 has deprecated RAND_METHOD for providers; a provider cannot be seeded a thread.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace cutover::tls {
namespace {

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  unsigned char octet() {
    if (left_ == 0) {
      word_ = next();
      left_ = sizeof word_;
    }
    --left_;
    const auto octet = static_cast<unsigned char>(word_ & 0xffU);
    word_ >>= 8U;
    return octet;
  }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::uint64_t state_;
  std::uint64_t word_ = 0;
  std::size_t left_ = 0;
};

std::optional<Generator>& generator() {
  thread_local std::optional<Generator> mine;
  return mine;
}

int bytes(unsigned char* out, int size) {
  auto& mine = generator();
  if (!mine) return RAND_OpenSSL()->bytes(out, size);
  for (int i = 0; i < size; ++i) out[i] = mine->octet();
  return 1;
}

int status() { return 1; }

}  // namespace

void seed_tls_randomness(std::uint64_t seed) {
  static const RAND_METHOD method{
      .seed = nullptr, .bytes = bytes, .cleanup = nullptr, .add = nullptr, .pseudorand = bytes, .status = status};
  // Once and for all: threads without a seed fall through to OpenSSL's own.
  static const bool installed = RAND_set_rand_method(&method) == 1;
  CUTOVER_CHECK(installed);
  generator().emplace(seed);
}

bool tls_randomness_is_seeded() { return generator().has_value(); }

void under_tls_seed(std::uint64_t seed, const std::function<void()>& make) {
  struct Restored {
    std::optional<Generator> before = generator();
    ~Restored() { generator() = before; }
  } const restored;
  CUTOVER_CHECK(restored.before.has_value());
  generator().emplace(seed);
  make();
}

void unseed_tls_randomness() { generator().reset(); }

}  // namespace cutover::tls
