// Looks at the target of a run from outside of its cases: whether it is there, and whether it is as good as before.
#pragma once

#include "harness/running/signals.h"
#include "harness/targets/target.h"
#include "reports/model.h"

#include <functional>

namespace cutover::harness::cli {

/// A signal while a target was looked at.
struct Interrupted {
  int signal;
};

/// Whether the target can be judged at all, from a block of loopback addresses that is free while this is asked: why
/// not. Throws Interrupted.
[[nodiscard]] std::optional<std::string> target_down(const Target&, Signals&);

/// Brackets groups of cases against a server that stays up between known-good exchanges. Where a case has left it in
/// back-off that is waited for, so that the next one is not judged by it. With peer domains of its own a case meets no
/// back-off of another, so that a group has several cases; else each case is one.
class TargetWatch {
 public:
  using Tell = std::function<void(const std::string&)>;
  /// `tell`: what is to be said at once. Both references outlive this.
  TargetWatch(const Target& target, Signals& signals, Tell tell);
  /// Before the first case. Throws Interrupted.
  void begin();
  /// After a case, the last one or another. Returns the signal that came meanwhile; 0 without.
  [[nodiscard]] int after(const reports::CaseResult& ended, bool last);
  /// What the run has to tell of it.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  [[nodiscard]] std::optional<std::string> answers_nobody_for(Duration limit);
  void bracket();

  const Target& target_;
  Signals& signals_;
  const Tell tell_;
  const std::size_t group_max_;
  std::vector<std::string> group_;  ///< the cases since the last exchange
  bool was_good_ = false;
  int exchanges_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace cutover::harness::cli
