// The standing judge: reads all that was sent, in whatever case, by the rules that bind every sender.
#pragma once

#include "harness/standing/conversation.h"
#include "reports/model.h"

#include <string>
#include <vector>

namespace cutover::harness::standing {

/// What came of every rule that met something to judge. Rules judge only what holds whatever the listener said: a
/// listener that errs itself (a peer by hand that sends what it may not) excuses what could be an answer to it.
/// `judged_in_sip` says whose SIP messages are judged; without it nobody's are.
[[nodiscard]] std::vector<reports::Heard> judge(const std::vector<TraceRecord>& records, const Judged& judged,
                                                const Judged& judged_in_sip = {});

/// The nodes of a trace that are driven by hand: they may say anything.
[[nodiscard]] std::vector<std::string> driven_by_hand(const std::vector<TraceRecord>& records);

}  // namespace cutover::harness::standing
