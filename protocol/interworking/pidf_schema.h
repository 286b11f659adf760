// Presence documents against the schema of RFC 3863 section 4.4.
#pragma once

#include <string>
#include <string_view>

namespace cutover::interworking {

/// What is wrong with it, in libxml2's words; empty where it is valid.
[[nodiscard]] std::string against_pidf_schema(std::string_view document);

}  // namespace cutover::interworking
