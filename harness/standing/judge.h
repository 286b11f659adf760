// The standing judge: reads all that was sent, in whatever case, by the rules that bind every sender.
#pragma once

#include "harness/worlds/trace.h"
#include "reports/model.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::standing {

/// Who of a trace is judged, and by whom it was heard.
using Judged = std::function<bool(std::string_view sender, std::string_view listener)>;

/// What came of every rule that met something to judge. Rules judge only what holds whatever the listener said: a
/// listener that errs itself (a peer by hand that sends what it may not) excuses what could be an answer to it.
[[nodiscard]] std::vector<reports::Heard> judge(const std::vector<TraceRecord>& records, const Judged& judged);

/// The nodes of a trace that are driven by hand: they may say anything.
[[nodiscard]] std::vector<std::string> driven_by_hand(const std::vector<TraceRecord>& records);

}  // namespace cutover::harness::standing
