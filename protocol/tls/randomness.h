// Where TLS draws its random octets from: the operating system, or a seed in simulated worlds.
#pragma once

#include <cstdint>
#include <functional>

namespace cutover::tls {

/// From now on every random octet of OpenSSL on this thread (keys, nonces, signatures) follows from `seed`: the same
/// calls give the same octets. For simulated worlds only: nothing made under it is secret.
void seed_tls_randomness(std::uint64_t seed);

/// Whether this thread draws from a seed.
[[nodiscard]] bool tls_randomness_is_seeded();

/// On a thread that draws from a seed, calls `make` with another one in its place: what is made depends on nothing that
/// was drawn before, and nothing that is drawn later depends on it.
void under_tls_seed(std::uint64_t seed, const std::function<void()>& make);

/// Back to OpenSSL's own generator on this thread.
void unseed_tls_randomness();

}  // namespace cutover::tls
