// Reads the files that people write.
#pragma once

#include <stdexcept>
#include <string>

namespace cutover::harness {

/// A file that cannot be read; what() says why, and what was expected where that helps, without its path.
struct FileError : std::runtime_error {
  FileError(const std::string& reason, bool is_missing) : std::runtime_error(reason), missing(is_missing) {}
  bool missing;
};

inline constexpr std::size_t text_file_max_octets = 8 * 1024 * 1024;         ///< of what people write
inline constexpr std::size_t result_file_max_octets = 2000UL * 1024 * 1024;  ///< of what a run writes

/// The whole file; an empty one is a text like any other. What is no regular file is not waited for, what has more
/// octets is not read. Throws FileError.
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t max_octets = text_file_max_octets);

}  // namespace cutover::harness
