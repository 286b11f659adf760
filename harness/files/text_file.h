// Reads the files that people write.
#pragma once

#include <string>

namespace cutover::harness {

/// The whole file; an empty one is a text like any other. Throws std::system_error with the system's reason.
[[nodiscard]] std::string read_text_file(const std::string& path);

}  // namespace cutover::harness
