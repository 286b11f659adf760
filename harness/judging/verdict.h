// Verdicts: CONFORMS names the requirement that it judges, and the catalogue gives the level.
#pragma once

#include "protocol/base/time.h"
#include "reports/model.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <sstream>

namespace cutover::harness {

/// Collects the checks of the case that runs. One per case; the current one is reached by CONFORMS.
class Verdicts {
 public:
  /// `wire` tells what was last on the wire; it is put next to an unmet expectation.
  Verdicts(std::string case_id, bool strict, std::function<std::string()> wire);
  /// Records one judgement. Unknown requirement: HarnessFault. An unmet MUST, MUST NOT, TEXT or PROFILE is fail, SHOULD
  /// warn (fail with --strict), MAY info.
  void judge(const char* requirement, bool met, std::string expected, std::string actual, const char* file, int line);
  /// The precondition of a requirement could not be produced: inconclusive, and red for a MUST.
  void inconclusive(const char* requirement, std::string reason, const char* file, int line);
  [[nodiscard]] const std::vector<reports::Check>& checks() const { return checks_; }

  /// A failed ASSERT_ or EXPECT_ in a body: red, without a requirement.
  void assertion_failed(std::string message, const char* file, int line);

  static Verdicts& current();  ///< HarnessFault outside a case

  /// Makes `verdicts` the current ones of this thread.
  class Scope {
   public:
    explicit Scope(Verdicts& verdicts);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Verdicts* outer_;
  };

 private:
  reports::Check& add(const std::string& requirement, std::string level, const char* file, int line);

  std::string case_id_;
  bool strict_;
  std::function<std::string()> wire_;
  std::vector<reports::Check> checks_;
  std::map<std::string, int> judged_;  ///< how often each requirement was
};

/// GoogleMock prints a literal as "0x55d0c0ffee pointing to ...": the address says nothing and differs from run to run.
[[nodiscard]] std::string without_addresses(std::string text);

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
  Verdicts::current().judge(requirement, met, without_addresses(expected.str()), without_addresses(actual.str()), file,
                            line);
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
