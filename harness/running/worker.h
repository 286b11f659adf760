// The hidden subcommand `worker`: a process that runs one case after another for the runner that started it.
#pragma once

#include <string_view>

namespace cutover::harness {

/// Orders come in on order_descriptor, answers go out on answer_descriptor. Returns at end of input; at once, without a
/// look at the orders, if the process `runner` (its pid) is not the parent any more.
int run_worker(std::string_view runner);

}  // namespace cutover::harness
