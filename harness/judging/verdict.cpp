// Turns judgements into checks: the catalogue gives the level, the level gives the outcome.
#include "harness/judging/verdict.h"

#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "protocol/base/check.h"

#include <algorithm>

namespace cutover::harness {

namespace {
thread_local Verdicts* current_verdicts = nullptr;

std::string level_of(const char* requirement) {
  const auto* found = Catalogue::current().find(requirement);
  if (found == nullptr) throw HarnessFault(std::string("no such requirement in the catalogue: ") + requirement);
  return std::string(found->level);
}
}  // namespace

Verdicts::Verdicts(std::string case_id, bool strict, std::function<std::string()> wire)
    : case_id_(std::move(case_id)), strict_(strict), wire_(std::move(wire)) {}

reports::Check& Verdicts::add(const std::string& requirement, std::string level, const char* file, int line) {
  const int count = ++judged_[requirement];
  auto& check = checks_.emplace_back();
  check.id = case_id_ + "#" + requirement + (count == 1 ? "" : "." + std::to_string(count));
  check.requirement = requirement;
  check.level = std::move(level);
  check.file = source_path(file);
  check.line = line;
  return check;
}

void Verdicts::judge(const char* requirement, std::string looked_at, bool met, std::string expected, std::string actual,
                     const char* file, int line) {
  auto& check = add(requirement, level_of(requirement), file, line);
  check.looked_at = std::move(looked_at);
  check.outcome = outcome_of(check.level, met, strict_);
  check.expected = std::move(expected);
  check.actual = std::move(actual);
  if (met || !wire_) return;
  if (const auto wire = wire_(); !wire.empty()) check.actual += "\nLast on the wire:\n" + wire;
}

bool Verdicts::given(bool met, std::string words) {
  if (!met && std::ranges::find(unmet_, words) == unmet_.end()) unmet_.push_back(std::move(words));
  return met;
}

void Verdicts::inconclusive(const char* requirement, std::string reason, const char* file, int line) {
  auto& check = add(requirement, level_of(requirement), file, line);
  check.outcome = reports::Outcome::inconclusive;
  check.actual = std::move(reason);
}

void Verdicts::assertion_failed(std::string message, const char* file, int line) {
  auto& check = add("assertion", "", file, line);
  check.requirement.clear();
  check.outcome = reports::Outcome::fail;
  check.expected = "the case can go on here";
  check.actual = std::move(message);
  if (!wire_) return;
  if (const auto wire = wire_(); !wire.empty()) check.actual += "\nLast on the wire:\n" + wire;
}

Verdicts& Verdicts::current() {
  if (current_verdicts == nullptr) throw HarnessFault("CONFORMS outside a case");
  return *current_verdicts;
}

Verdicts::Scope::Scope(Verdicts& verdicts) : outer_(current_verdicts) { current_verdicts = &verdicts; }
Verdicts::Scope::~Scope() { current_verdicts = outer_; }

std::string in_words(std::string description) {
  const auto replace = [&](std::string_view text, std::string_view by) {
    for (auto at = description.find(text); at != std::string::npos; at = description.find(text, at + by.size()))
      description.replace(at, text.size(), by);
  };
  replace("is equal to true", "yes");
  replace("is equal to false", "no");
  replace("is equal to ", "");
  replace("isn't equal to ", "anything but ");
  if (description.starts_with("is ")) description.erase(0, 3);
  return without_addresses(std::move(description));
}

std::string without_addresses(std::string text) {
  constexpr std::string_view mark = " pointing to ";
  for (auto end = text.find(mark); end != std::string::npos; end = text.find(mark)) {
    const auto start = text.rfind("0x", end);
    const bool address = start != std::string::npos && text.find_first_not_of("0123456789abcdef", start + 2) == end;
    if (!address) break;
    text.erase(start, end + mark.size() - start);
  }
  return text;
}

}  // namespace cutover::harness
