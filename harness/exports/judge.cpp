// The parts of the judgement, put together and in order.
#include "harness/exports/judge.h"

#include "harness/exports/estate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

namespace cutover::harness::exports {

namespace {

int number_of(const Finding& finding) {
  int number = 0;
  std::from_chars(finding.failure.data() + 1, finding.failure.data() + finding.failure.size(), number);
  return number;
}

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::fails:
      return "fails";
    case Severity::risks:
      return "risks";
    case Severity::unknown:
      break;
  }
  return "not judged";
}

std::string to_string(const Finding& finding) {
  auto text = fmt::format("{} {} ", finding.failure, name_of(finding.severity));
  if (!finding.place.file.empty()) text += to_string(finding.place) + ": ";
  text += finding.sentence;
  if (!finding.remedy.empty()) text += " (" + finding.remedy + ")";
  return text;
}

std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string spoken(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds > 0 && seconds % 3600 == 0) return fmt::format("{} h", seconds / 3600);
  if (seconds > 0 && seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

Estate::Estate(const Inventory& given, const JudgeOptions& judged_by)
    : inventory(given),
      options(judged_by),
      classes(classes_of(given, judged_by.legacy_pools)),
      domains(sip_domains_of(given)) {
  std::set<std::string> in_use;
  for (const auto& one : classes) {
    if (one.enabled && one.may_use_xmpp.value_or(true)) in_use.insert(one.sip_domain);
  }
  for (const auto& domain : domains) {
    if (classes.empty() || in_use.contains(domain.name)) xmpp_domains.push_back(domain);
  }
}

void Estate::find(std::string failure, Severity severity, const Place& place, std::string sentence,
                  std::string remedy) {
  findings.push_back({std::move(failure), severity, place, std::move(sentence), std::move(remedy)});
}

std::size_t Estate::users(const std::function<bool(const UserClass&)>& condition) const {
  std::size_t count = 0;
  for (const auto& one : classes) count += condition(one) ? one.count : 0;
  return count;
}

std::vector<Finding> judge(const Inventory& inventory, const JudgeOptions& options) {
  Estate estate(inventory, options);
  judge_certificates(estate);
  judge_zones(estate);
  judge_partners(estate);
  judge_users(estate);
  std::ranges::stable_sort(estate.findings, {}, [](const Finding& finding) {
    return std::tuple(number_of(finding), finding.severity, finding.place.file, finding.place.line);
  });
  return std::move(estate.findings);
}

}  // namespace cutover::harness::exports
