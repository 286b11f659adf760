// Shell completion, made from the options themselves.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cutover::harness::cli {

/// A bash script for `source <(cutover completion bash)`: subcommands, their options, the values of some, ids of cases.
[[nodiscard]] std::string bash_completion(const CLI::App&);

}  // namespace cutover::harness::cli
