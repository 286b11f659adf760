// Combinations of stimuli, tried and judged: each requirement once, each failure by the smallest combination.
#pragma once

#include "harness/judging/run.h"
#include "harness/stimuli/covering.h"
#include "suites/support/peer_stream.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace cutover::suites {

/// What came of one combination.
struct Tried {
  std::string refused;                          ///< what came instead of its being taken; empty where it was
  std::map<std::string, std::string> breaches;  ///< by requirement: what was wrong with it, taken as it was
  /// The requirement of the value for which it was refused, where that is plain; else the smallest combination that is
  /// refused shows it.
  std::string refused_for;
  std::set<std::string> judged;  ///< requirements that had something to judge in it, breached or not
  /// Not even the usual combination is taken any more behind it, or behind others that were tried together with it.
  bool is_the_last = false;
};

/// What a case tries of the legal half of a grammar, and what came of it.
class Variation {
 public:
  using Combination = harness::stimuli::Combination;
  /// Tries all of them in order, and has a result for each.
  using TryAll = std::function<std::vector<Tried>(const std::vector<Combination>&)>;

  /// `usual`: what the usual combination comes to, as a precondition ("the stream was established"). `together`: how
  /// many are given to `try_all` at a time.
  Variation(harness::Run& run, const harness::stimuli::Grammar& grammar, const char* usual, std::size_t together,
            TryAll try_all);

  /// Tries the combinations that the depth of the run asks for, and judges once the requirement of each value, and of
  /// each breach. What is refused is blamed on the first unusual value of the smallest combination that is.
  void judge();

 private:
  struct Failure {
    Combination smallest;
    std::string breach;  ///< its requirement; empty: refused
    std::string got;
    bool alone = true;
  };
  void try_next(std::vector<Combination>& left);
  /// Counts the requirements that a combination was judged by.
  void count(const Combination&, const Tried&);
  /// Without what is known to be refused, which would hide what else is wrong.
  [[nodiscard]] Combination masked(Combination) const;
  void shrink(const Combination& failing, const std::string& breach, const std::string& got);
  /// What was refused for the values of that requirement.
  void add_plain(const Combination& failing, const Tried&);
  [[nodiscard]] std::string blamed(const Failure&) const;
  void judge(const std::string& requirement, std::size_t count) const;

  harness::Run& run_;
  const harness::stimuli::Grammar& grammar_;
  std::string usual_;
  std::size_t together_;
  TryAll try_all_;
  std::vector<Failure> failures_;
  std::set<Combination> seen_;
  std::map<std::string, std::size_t> counts_;
  std::size_t extra_ = 0;  ///< combinations that shrinking tried
  bool over_ = false;      ///< nothing is taken any more
};

/// What came of a value that must be refused, or may be.
struct Refused {
  bool taken = false;          ///< it had the effect that its twin has
  bool goes_on = false;        ///< its stream does
  Ending ending;               ///< of its stream
  std::string sasl_condition;  ///< of a failure of SASL; empty without one
  std::string stanza_error;    ///< its condition; empty without one
  [[nodiscard]] std::string condition() const {
    return !sasl_condition.empty() ? sasl_condition : !stanza_error.empty() ? stanza_error : ending.condition;
  }
};

/// Tries each forbidden value of the grammar, and each open one, alone. Its twin, the usual combination, must be taken
/// on the same path before and behind them, or a refusal proves nothing. Judges each requirement once: that they are
/// refused as their rows say, and by which conditions.
void judge_refusals(harness::Run& run, const harness::stimuli::Grammar& grammar, const char* usual,
                    const std::function<Refused(const harness::stimuli::Combination&)>& attempt);

}  // namespace cutover::suites
