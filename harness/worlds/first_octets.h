// Whom the first octets of a connection are for: how several servers share one address and port.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::harness {

/// The domain that a TLS ClientHello (its SNI) or a stream header (its `to`) names, in small letters; empty where it
/// names none, or where this is neither. nullopt: more octets are needed to tell.
[[nodiscard]] std::optional<std::string> domain_called(std::string_view octets);

}  // namespace cutover::harness
