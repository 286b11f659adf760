// What fails is shrunk against the subject, and then told.
#include "suites/support/variation.h"

#include "harness/judging/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace cutover::suites {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;
using stimuli::Refusal;
using stimuli::Status;
using stimuli::Value;

namespace {

constexpr std::size_t failures_max = 12, tries_max = 40;
/// Of real time, for all that is shrunk in a case.
constexpr Duration shrinking_max = 40s;

std::size_t unusual(const Combination& one) {
  return static_cast<std::size_t>(std::ranges::count_if(one, [](auto value) { return value != 0; }));
}

std::string listed(const std::vector<std::string>& words) {
  constexpr std::size_t words_max = 4;
  if (words.size() <= words_max + 1) return fmt::format("{}", fmt::join(words, ", "));
  return fmt::format("{}, and {} more", fmt::join(words.begin(), words.begin() + words_max, ", "),
                     words.size() - words_max);
}

/// The words of the values of a status that have that requirement.
std::vector<std::string> words_of(const Grammar& grammar, std::string_view requirement, Status status) {
  std::vector<std::string> words;
  for (const auto& dimension : grammar.dimensions()) {
    for (const auto& value : dimension.values)
      if (value.requirement == requirement && value.status == status) words.emplace_back(value.words);
  }
  return words;
}

std::set<std::string> requirements_of(const Grammar& grammar, const Combination& one) {
  std::set<std::string> found;
  for (std::size_t i = 0; i < one.size(); ++i)
    if (one[i] != 0) found.emplace(grammar.dimensions()[i].values[one[i]].requirement);
  return found;
}

}  // namespace

Variation::Variation(Run& run, const Grammar& grammar, const char* usual, std::size_t together, TryAll try_all)
    : run_(run), grammar_(grammar), usual_(usual), together_(together), try_all_(std::move(try_all)) {}

void Variation::judge() {
  if (!GIVEN(try_all_({grammar_.usual()}).front().refused.empty(), usual_)) return;
  Generator numbers(run_.random(std::numeric_limits<std::uint64_t>::max()));
  auto left = covering(grammar_, run_.depth(), numbers);
  std::ranges::reverse(left);
  while (!left.empty()) try_next(left);
  for (const auto& [requirement, count] : counts_) judge(requirement, count);
  for (const auto& failure : failures_)
    (void)GIVEN(failure.alone, fmt::format("what was refused among others, {}, is refused alone, too: {}",
                                           grammar_.in_words(failure.smallest), failure.got));
  run_.tried(seen_.size() + extra_, static_cast<std::uint64_t>(grammar_.possible()));
}

/// Takes the next ones off the end, and puts back, masked, what was refused for a reason that is known now.
void Variation::try_next(std::vector<Combination>& left) {
  std::vector<Combination> tried;
  for (; !left.empty() && tried.size() < together_; left.pop_back()) {
    auto one = masked(left.back());
    if (seen_.insert(one).second) tried.push_back(std::move(one));
  }
  if (tried.empty()) return;
  const auto results = try_all_(tried);
  if (const auto last = std::ranges::find_if(results, &Tried::is_the_last); last != results.end()) {
    over_ = true;
    left.clear();
    const auto first = static_cast<std::size_t>(last - results.begin());
    failures_.push_back({tried[first], "", last->refused, false});
  }
  std::vector<std::size_t> order(tried.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // The smaller ones first: what they fail for explains the others.
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return unusual(tried[i]); });
  for (const auto i : order) {
    if (!results[i].refused.empty() && over_) continue;  // for that, or for its own sake: nobody can tell any more
    count(tried[i], results[i]);
    for (const auto& [requirement, got] : results[i].breaches) shrink(tried[i], requirement, got);
    if (results[i].refused.empty()) continue;
    if (!results[i].refused_for.empty())
      add_plain(tried[i], results[i]);
    else
      shrink(tried[i], "", results[i].refused);
    if (const auto rest = masked(tried[i]); rest != tried[i]) left.push_back(rest);
  }
}

void Variation::count(const Combination& one, const Tried& result) {
  auto concerned = requirements_of(grammar_, one);
  concerned.insert(result.judged.begin(), result.judged.end());
  for (const auto& requirement : concerned) ++counts_[requirement];
}

Combination Variation::masked(Combination one) const {
  for (const auto& failure : failures_) {
    if (!failure.breach.empty() || !failure.alone || !stimuli::contains(one, failure.smallest)) continue;
    for (std::size_t i = 0; i < one.size(); ++i)
      if (failure.smallest[i] != 0) one[i] = 0;
  }
  return one;
}

void Variation::shrink(const Combination& failing, const std::string& breach, const std::string& got) {
  const auto explains = [&](const Failure& known) {
    return known.breach == breach && (!known.alone || stimuli::contains(failing, known.smallest));
  };
  if (failures_.size() >= failures_max || std::ranges::any_of(failures_, explains)) return;
  if (over_) {
    failures_.push_back({failing, breach, got});
    return;
  }
  Failure failure{failing, breach, got};
  const auto end = run_.world().now() + shrinking_max;
  const auto fails = [&](const Combination& one) {
    if (run_.kind() == WorldKind::live && run_.world().now() > end) return false;
    ++extra_;
    const auto tried = try_all_({one}).front();
    const auto found = tried.breaches.find(breach);
    const bool failed = breach.empty() ? !tried.refused.empty() : found != tried.breaches.end();
    if (failed) failure.got = breach.empty() ? tried.refused : found->second;
    return failed;
  };
  failure.smallest = stimuli::smallest(failing, tries_max, fails);
  if (failure.smallest == failing) failure.alone = fails(failing);
  failures_.push_back(std::move(failure));
}

void Variation::add_plain(const Combination& failing, const Tried& result) {
  Failure failure{failing, "", result.refused};
  for (std::size_t i = 0; i < failing.size(); ++i)
    if (grammar_.dimensions()[i].values[failing[i]].requirement != result.refused_for) failure.smallest[i] = 0;
  failures_.push_back(std::move(failure));
}

std::string Variation::blamed(const Failure& failure) const {
  if (!failure.breach.empty()) return failure.breach;
  if (!failure.alone) return {};
  for (std::size_t i = 0; i < failure.smallest.size(); ++i) {
    if (failure.smallest[i] != 0) return std::string(grammar_.dimensions()[i].values[failure.smallest[i]].requirement);
  }
  return {};
}

void Variation::judge(const std::string& requirement, std::size_t count) const {
  std::vector<std::string> broken;
  for (const auto& failure : failures_) {
    if (blamed(failure) != requirement) continue;
    broken.push_back(fmt::format("{} with {}", failure.got, grammar_.in_words(failure.smallest)));
  }
  const auto words = words_of(grammar_, requirement, Status::legal);
  CONFORMS_THAT(requirement.c_str(),
                fmt::format("what came of {} combinations{}", count, words.empty() ? "" : " of " + listed(words)),
                broken.empty(), "each taken, and whole", fmt::format("{}", fmt::join(broken, "; ")));
}

namespace {

/// What the values of one requirement came to.
struct Judged {
  std::vector<std::string> all, broken;
  std::set<std::string> expected;
};

bool is_kept(const Value& value, const Refused& got) {
  const bool ended = got.ending.error && got.ending.ended();
  if (value.status == Status::open)
    return got.goes_on || ended || !got.sasl_condition.empty() || (got.taken && !got.ending.ended());
  switch (value.refusal) {
    case Refusal::not_taken:
      return !got.taken;
    case Refusal::ends:  // what stood before it on the stream may well have been taken
      return ended;
    case Refusal::ends_or_error:
      return !got.taken && (ended || !got.stanza_error.empty());
    case Refusal::fails:
      break;
  }
  return !got.taken && (ended || !got.sasl_condition.empty());
}

std::string expected_of(const Value& value) {
  if (value.status == Status::open) return "taken, or a stream error and the end of the stream";
  switch (value.refusal) {
    case Refusal::not_taken:
      return "not taken";
    case Refusal::ends:
      return "a stream error and the end of the stream";
    case Refusal::ends_or_error:
      return "a stream error and the end of the stream, or a stanza error";
    case Refusal::fails:
      break;
  }
  return "a failure of SASL, or a stream error and the end of the stream";
}

std::string in_words(const Refused& got) {
  if (got.taken) return "taken";
  if (got.goes_on && got.condition().empty()) return "nothing, and the stream goes on,";
  if (!got.sasl_condition.empty()) return "failure " + got.sasl_condition;
  if (!got.stanza_error.empty()) return "stanza error " + got.stanza_error;
  return testing::PrintToString(got.ending);
}

bool prefers(const Value& value, const std::string& condition) {
  for (auto rest = value.conditions; !rest.empty();) {
    const auto end = rest.find(' ');
    if (rest.substr(0, end) == condition) return true;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return false;
}

void add_condition(const Value& value, const Refused& got, std::map<std::string, Judged>& conditions) {
  if (got.taken || value.condition_requirement.empty() || got.condition().empty()) return;
  if (value.refusal == Refusal::fails && got.sasl_condition.empty()) return;  // a try too many, perhaps
  auto& judged = conditions[std::string(value.condition_requirement)];
  judged.all.emplace_back(value.words);
  judged.expected.emplace(value.conditions);
  if (!prefers(value, got.condition())) judged.broken.push_back(fmt::format("{} for {}", got.condition(), value.words));
}

}  // namespace

void judge_refusals(Run& run, const Grammar& grammar, const char* usual,
                    const std::function<Refused(const Combination&)>& attempt) {
  const auto twin_is_taken = [&] { return GIVEN(attempt(grammar.usual()).taken, usual); };
  if (!twin_is_taken()) return;
  std::map<std::string, Judged> refusals, conditions;
  std::size_t count = 2;
  for (const auto status : {Status::forbidden, Status::open}) {
    for (const auto& one : alone(grammar, status)) {
      const auto place = std::ranges::find_if(one, [](auto value) { return value != 0; }) - one.begin();
      const auto& value =
          grammar.dimensions()[static_cast<std::size_t>(place)].values[one[static_cast<std::size_t>(place)]];
      const auto got = attempt(one);
      ++count;
      auto& judged = refusals[std::string(value.requirement)];
      judged.all.emplace_back(value.words);
      judged.expected.insert(expected_of(value));
      if (!is_kept(value, got)) judged.broken.push_back(fmt::format("{} for {}", in_words(got), value.words));
      add_condition(value, got, conditions);
    }
  }
  if (!twin_is_taken()) return;
  for (const auto& [requirement, judged] : refusals)
    CONFORMS_THAT(requirement.c_str(), "what came of " + listed(judged.all), judged.broken.empty(),
                  fmt::format("{}", fmt::join(judged.expected, ", or ")),
                  fmt::format("{}", fmt::join(judged.broken, "; ")));
  for (const auto& [requirement, judged] : conditions)
    CONFORMS_THAT(requirement.c_str(), "the conditions of the errors for " + listed(judged.all), judged.broken.empty(),
                  fmt::format("one of {}", fmt::join(judged.expected, ", or ")),
                  fmt::format("{}", fmt::join(judged.broken, "; ")));
  run.tried(count, count);
}

}  // namespace cutover::suites
