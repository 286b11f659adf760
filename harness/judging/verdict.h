// Verdicts: CONFORMS names the requirement that it judges, and the catalogue gives the level.
#pragma once

#include "protocol/base/time.h"
#include "reports/model.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <type_traits>

namespace cutover::harness {

/// Collects the checks of the case that runs. One per case; the current one is reached by CONFORMS.
class Verdicts {
 public:
  /// `wire` tells what was last on the wire; it is put next to an unmet expectation.
  /// `now`: the time of the world, where the case has one.
  Verdicts(std::string case_id, bool strict, std::function<std::string()> wire,
           std::function<std::optional<Time>()> now = {});
  /// Records one judgement, of a requirement or of a part of one ("ID/PART"). Unknown: HarnessFault. An unmet MUST,
  /// MUST NOT, TEXT or PROFILE is fail, SHOULD warn (fail with --strict), MAY info. `looked_at` says in words what was
  /// looked at, as a noun ("the body that the partner's user got") or, where yes or no is the answer, as a sentence
  /// ("the stream was closed").
  void judge(const char* requirement, std::string looked_at, bool met, std::string expected, std::string actual,
             const char* file, int line);
  /// A precondition: where it is not met, every declared requirement that is not judged by the end of the case is
  /// inconclusive, with these words as the cause. Returns `met`. Once for all that depends on it: words that were said
  /// before are not repeated.
  bool given(bool met, std::string words);
  /// The preconditions that were not met, in words; empty where all were.
  [[nodiscard]] const std::vector<std::string>& unmet() const { return unmet_; }
  /// The precondition of a requirement could not be produced: inconclusive, and red for a MUST.
  void inconclusive(const char* requirement, std::string reason, const char* file, int line);
  [[nodiscard]] const std::vector<reports::Check>& checks() const { return checks_; }

  /// What the preconditions that were not met kept from being judged, where each requirement was judged at least once:
  /// inconclusive, without a requirement.
  void incomplete(std::string level, std::string reason, const char* file, int line);

  /// A failed ASSERT_ or EXPECT_ in a body: red, without a requirement.
  void assertion_failed(const std::string& message, const char* file, int line);

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
  std::function<std::optional<Time>()> now_;
  std::vector<reports::Check> checks_;
  std::map<std::string, int> judged_;  ///< how often each requirement was
  std::vector<std::string> unmet_;
};

/// What GoogleMock prints, as it can be read: texts in their letters instead of as literals of C, each in one line; no
/// addresses, which say nothing and differ from run to run.
[[nodiscard]] std::string readable(std::string printed);

/// What a matcher wants, as a person says it: "(is equal to "a") or (is empty)" becomes ""a" or nothing".
[[nodiscard]] std::string in_words(std::string description);

/// Judges `value` by `matcher`, in words. Returns whether it matched.
template <class T, class M>
bool conforms(const char* requirement, std::string words, const T& value, const M& matcher, const char* file,
              int line) {
  const testing::Matcher<const T&> typed = testing::SafeMatcherCast<const T&>(matcher);
  testing::StringMatchResultListener why;
  const bool met = typed.MatchAndExplain(value, &why);
  std::ostringstream expected;
  typed.DescribeTo(&expected);
  std::string actual = testing::PrintToString(value);
  if constexpr (std::is_same_v<T, bool>) actual = value ? "yes" : "no";
  if (actual == "{}") actual = "nothing";
  // How many there are shows by itself.
  if (!met && !why.str().empty() && !why.str().starts_with("whose size")) actual += ", " + why.str();
  Verdicts::current().judge(requirement, std::move(words), met, in_words(expected.str()), readable(std::move(actual)),
                            file, line);
  return met;
}

}  // namespace cutover::harness

/// Judges `value` by `matcher` for a requirement of the catalogue, records it, and goes on: independent checks go on
/// after a failed one. Evaluates to whether it was met. `words`: see Verdicts::judge().
#define CONFORMS(requirement, words, value, matcher) \
  (::cutover::harness::conforms(requirement, words, value, matcher, __FILE__, __LINE__))
/// Judges by hand, where a sentence says it better than a matcher.
#define CONFORMS_THAT(requirement, words, met, expected, actual) \
  (::cutover::harness::Verdicts::current().judge(requirement, words, met, expected, actual, __FILE__, __LINE__))
/// A precondition of what follows, in words that are true when it is met: `if (!GIVEN(marker, "the marker sent behind
/// it arrived")) return;`. What depends on it must not be judged where it is not met: it is inconclusive then.
#define GIVEN(met, words) (::cutover::harness::Verdicts::current().given(static_cast<bool>(met), words))
#define INCONCLUSIVE(requirement, reason) \
  (::cutover::harness::Verdicts::current().inconclusive(requirement, reason, __FILE__, __LINE__))
