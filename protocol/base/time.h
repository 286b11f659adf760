// World time: engines are told what time it is and never read a clock.
#pragma once

#include <chrono>

namespace cutover {

using namespace std::chrono_literals;

/// The clock of a world. It has no now(): time comes in as a parameter, or from a Context.
struct WorldClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WorldClock>;
  static constexpr bool is_steady = true;
};

/// A point in time since the world began. A world begins at 1 us, because zero tends to mean "unset".
using Time = WorldClock::time_point;
using Duration = WorldClock::duration;

}  // namespace cutover
