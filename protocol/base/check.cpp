// What a failed assertion says.
#include "protocol/base/check.h"

#include <fmt/format.h>

namespace cutover {

void check_failed(const char* file, int line, const char* expression) {
  throw HarnessFault(fmt::format("{}:{}: does not hold: {}", file, line, expression));
}

}  // namespace cutover
