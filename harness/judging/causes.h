// First the causes, then what they hid: a red check that follows from a fault told elsewhere accuses nobody again.
#pragma once

#include "reports/model.h"

#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// Where the subject broke a rule of the standing judge in a case, and whoever hears that may end the stream or take
/// what follows otherwise, the other red checks of this case are not reached: they become inconclusive, with the
/// standing check as their cause. So does a check whose precondition was not met, where something failed in a suite
/// that its case builds on: that is told first. What the baseline accepts hides nothing, and a standing check is never
/// hidden. To be called when the standing checks are there and the baseline is applied.
void tell_causes_first(reports::RunResult&);

/// How a check begins that a precondition kept from being judged.
inline constexpr std::string_view did_not_happen = "not reached, for this did not happen: ";

/// A cause, and what it hid.
struct Hidden {
  std::string cause;
  std::vector<std::string> checks;  ///< their ids, in the order of the run
};
/// In the order of their first appearance.
[[nodiscard]] std::vector<Hidden> hidden_in(const reports::RunResult&);

}  // namespace cutover::harness
