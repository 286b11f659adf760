// Assertions that stay on in every build: a broken invariant of ours is a harness fault, not a verdict.
#pragma once

#include <stdexcept>
#include <string>

namespace cutover {

/// An invariant of this program does not hold. The runner reports the case as broken (exit code 3).
struct HarnessFault : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* file, int line, const char* expression);

}  // namespace cutover

/// Throws HarnessFault with the place when `expression` does not hold.
#define CUTOVER_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::cutover::check_failed(__FILE__, __LINE__, #expression))
