// What runner and worker say to each other: an order and its answer, one JSON line each, written and read here alone.
#pragma once

#include "harness/judging/run.h"
#include "harness/running/runner.h"

namespace cutover::harness {

/// Where a worker finds its orders and puts its answers.
inline constexpr int order_descriptor = 3, answer_descriptor = 4;

/// The options of a job but for what a worker reads from files: target and topology.
[[nodiscard]] RunOptions run_options_of(const Job&, const RunnerOptions&);

/// A line with its end.
[[nodiscard]] std::string order_line(const Job&, const RunnerOptions&, int block);

/// An order as its worker has it.
struct Order {
  const CaseRecord* record = nullptr;
  RunOptions options;
};

/// Reads orders, and keeps what it loaded for earlier ones.
class OrderReader {
 public:
  /// HarnessFault where the order is of a case that this program does not have.
  [[nodiscard]] Order read(const std::string& line);

 private:
  std::string catalogue_, topology_file_;
  std::optional<Target> target_;
  std::optional<Topology> topology_;
};

/// A line with its end.
[[nodiscard]] std::string answer_line(const reports::CaseResult&);
/// Throws std::invalid_argument for what is no answer.
[[nodiscard]] reports::CaseResult read_answer(const std::string& line);

/// Writes the whole line. False where nobody reads any more.
[[nodiscard]] bool write_line(int descriptor, std::string_view line);

}  // namespace cutover::harness
