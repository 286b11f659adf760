// What a person reads while a run goes on and after it.
#pragma once

#include "reports/model.h"

#include <iosfwd>

namespace cutover::harness::cli {

/// A bar on a terminal, one plain line a case elsewhere.
class Progress {
 public:
  /// `columns`: width of the terminal; 0: no terminal.
  Progress(std::ostream& out, std::size_t columns) : out_(out), columns_(columns) {}
  void report(const reports::CaseResult& result, std::size_t done, std::size_t total);
  void end();

 private:
  std::ostream& out_;
  std::size_t columns_;
  bool drawn_ = false;
  std::size_t red_ = 0;
};

/// Width of the terminal behind a descriptor; 0 where there is none, or one that only appends (TERM=dumb).
[[nodiscard]] std::size_t terminal_columns(int descriptor);

/// Counts per suite, then each red case with its unmet expectations, the wire beside them and its reproduction.
void print_summary(std::ostream& out, const reports::RunResult& run);
/// Each judged requirement with its level and the cases that judged it.
void print_judged(std::ostream& out, const reports::RunResult& run);
/// Executed requirements by document and level.
void print_coverage(std::ostream& out, const reports::RunResult& run);

}  // namespace cutover::harness::cli
