// Verdicts: CONFORMS names the requirement that it judges, and the catalogue gives the level.
#pragma once

#include "protocol/base/time.h"
#include "reports/model.h"

#include <gmock/gmock.h>

namespace cutover::harness {

/// Collects the checks of the case that runs. One per case; the current one is reached by CONFORMS.
class Verdicts {
 public:
  /// Records one judgement. Unknown requirement: HarnessFault. An unmet MUST, MUST NOT, TEXT or PROFILE is fail, SHOULD
  /// warn (fail with --strict), MAY info.
  void judge(const char* requirement, bool met, std::string expected, std::string actual, const char* file, int line);
  /// The precondition of a requirement could not be produced: inconclusive, and red for a MUST.
  void inconclusive(const char* requirement, std::string reason, const char* file, int line);
  [[nodiscard]] const std::vector<reports::Check>& checks() const { return checks_; }

  static Verdicts& current();  ///< HarnessFault outside a case

 private:
  std::vector<reports::Check> checks_;
};

/// Explains `value` against `matcher` in words, as EXPECT_THAT does. Returns whether it matched.
template <class T, class M>
bool conforms(const char* requirement, const T& value, const M& matcher, const char* text, const char* file, int line) {
  const testing::Matcher<const T&> typed = testing::SafeMatcherCast<const T&>(matcher);
  testing::StringMatchResultListener why;
  const bool met = typed.MatchAndExplain(value, &why);
  std::ostringstream expected, actual;
  expected << text << " ";
  typed.DescribeTo(&expected);
  actual << testing::PrintToString(value);
  if (!why.str().empty()) actual << ", " << why.str();
  Verdicts::current().judge(requirement, met, expected.str(), actual.str(), file, line);
  return met;
}

}  // namespace cutover::harness

/// Judges `value` by `matcher` for a requirement of the catalogue, records it, and goes on: independent checks go on
/// after a failed one. Evaluates to whether it was met.
#define CONFORMS(requirement, value, matcher) \
  (::cutover::harness::conforms(requirement, value, matcher, #value, __FILE__, __LINE__))
/// Judges by hand, where a sentence says it better than a matcher.
#define CONFORMS_THAT(requirement, met, expected, actual) \
  (::cutover::harness::Verdicts::current().judge(requirement, met, expected, actual, __FILE__, __LINE__))
#define INCONCLUSIVE(requirement, reason) \
  (::cutover::harness::Verdicts::current().inconclusive(requirement, reason, __FILE__, __LINE__))
