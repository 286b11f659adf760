// Where TLS draws its random octets from: the operating system, or a seed in simulated worlds.
#pragma once

#include <cstdint>

namespace cutover::tls {

/// From now on every random octet of OpenSSL on this thread (keys, nonces, signatures) follows from `seed`: the same
/// calls give the same octets. For simulated worlds only: nothing made under it is secret.
void seed_tls_randomness(std::uint64_t seed);

/// Back to OpenSSL's own generator on this thread.
void unseed_tls_randomness();

}  // namespace cutover::tls
