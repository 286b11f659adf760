// A rule is planted only in cases whose judgements come to it: elsewhere it changes nothing.
#include "harness/cli/unnoticed.h"

#include "departures/table.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"
#include "harness/standing/ledger.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>
#include <set>

namespace cutover::harness::cli {

using departures::Departure;
using departures::Kind;
using departures::Nature;
using reports::CaseResult;
using reports::Outcome;

namespace {

/// Whether something that nobody notices fails the search. To be set once the list is empty.
constexpr bool unnoticed_fails = false;

/// Without --all: how many cases a departure is planted in. Who judges its requirements stands first.
constexpr std::size_t nearest_max = 12;

/// How near a case is to a departure, by what it judges.
enum Nearness { far, of_the_document, of_the_area, of_the_requirement };

Nearness nearness(const CaseRecord& record, const Departure& departure) {
  auto nearest = far;
  for (const auto id : requirements_of(departure)) {
    const auto* broken = Catalogue::current().find(id);
    for (const auto& judges : record.judges) {
      if (judges.requirement == id) return of_the_requirement;
      const auto* judged = Catalogue::current().find(judges.requirement);
      if (broken == nullptr || judged == nullptr) continue;
      if (broken->area == judged->area) nearest = std::max(nearest, of_the_area);
      if (document_of(*broken) == document_of(*judged)) nearest = std::max(nearest, of_the_document);
    }
  }
  return nearest;
}

struct Sought {
  const Departure* departure = nullptr;
  std::vector<const Job*> candidates;  ///< the nearest first
  std::size_t could = 0;               ///< cases in which it could matter, candidates or not
  std::size_t tried = 0;
  std::string noticed;  ///< the check that turned red
  std::string broken;   ///< a case that could not be run any more
};

/// Whether a rule of the standing judge names it.
bool is_of_a_rule(std::string_view departure) {
  return std::ranges::find(standing::rules(), departure, &standing::RuleRow::killed_by) != standing::rules().end();
}

/// The check that a planted departure turned red; empty for none.
std::string red_check(const CaseResult& result) {
  for (const auto& check : result.checks) {
    if (is_red(check) || check.outcome == Outcome::warn || check.outcome == Outcome::info) return check.id;
  }
  for (const auto& heard : result.heard)
    if (heard.breaches > 0) return standing_check_of(heard);
  return {};
}

class Search {
 public:
  Search(const std::vector<Job>& cases, bool all, const RunJobs& run) : cases_(cases), all_(all), run_(run) {
    for (const auto& departure : departures::table()) {
      if (departure.nature == Nature::defect && named_for(departure.name).empty() && !is_of_a_rule(departure.name))
        sought_.push_back({.departure = &departure});
    }
  }

  /// False where the run was interrupted.
  [[nodiscard]] bool run(std::ostream& out) {
    const bool rules = std::ranges::any_of(sought_, [](const auto& one) { return one.departure->kind == Kind::rule; });
    reports::RunResult reference;
    if (rules) reference = run_(cases_, true);
    if (!reference.complete) return incomplete(out, reference);
    for (auto& one : sought_) choose(one, reference);
    for (std::size_t size = 1;; size *= 2) {
      std::vector<Job> jobs;
      std::vector<Sought*> whose;
      for (auto& one : sought_) plant(one, size, jobs, whose);
      if (jobs.empty()) return true;
      const auto results = run_(jobs, false);
      if (!results.complete) return incomplete(out, results);
      for (std::size_t i = 0; i < jobs.size(); ++i) look(*whose[i], results.cases[i]);
    }
  }

  /// How many nobody noticed.
  [[nodiscard]] std::size_t print(std::ostream& out) const {
    std::size_t unnoticed = 0, unreached = 0;
    for (const auto& one : sought_) {
      const auto& departure = *one.departure;
      if (!one.noticed.empty()) {
        fmt::print(out, "noticed   {} by {}\n", departure.name, one.noticed);
        continue;
      }
      ++unnoticed;
      unreached += one.could == 0 ? 1 : 0;
      fmt::print(out, "UNNOTICED {} ({}): {}{}\n", departure.name, name_of(departure.kind), departure.sentence,
                 departure.requirements.empty() ? "" : fmt::format(" [{}]", departure.requirements));
      fmt::print(out, "          {}{}\n", where(one),
                 one.broken.empty() ? "" : fmt::format("; {} was broken by it", one.broken));
    }
    fmt::print(out, "{} defects named by no case: {} noticed all the same, {} by no check ({} in no case's way)\n",
               sought_.size(), sought_.size() - unnoticed, unnoticed, unreached);
    return unnoticed;
  }

 private:
  static bool incomplete(std::ostream& out, const reports::RunResult& run) {
    fmt::print(out, "the search is incomplete: {}\n", run.incomplete_reason);
    return false;
  }

  void choose(Sought& one, const reports::RunResult& reference) const {
    std::vector<std::pair<Nearness, const Job*>> ranked;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const auto near = nearness(*cases_[i].record, *one.departure);
      if (one.departure->kind == Kind::rule) {
        const auto& asked = reference.cases[i].asked;
        if (std::ranges::find(asked, one.departure->name) == asked.end()) continue;
      }
      ++one.could;
      ranked.emplace_back(near, &cases_[i]);
    }
    std::ranges::stable_sort(ranked, [](const auto& left, const auto& right) {
      return std::pair(right.first, left.second->record->takes) < std::pair(left.first, right.second->record->takes);
    });
    if (!all_ && ranked.size() > nearest_max) ranked.resize(nearest_max);
    std::ranges::transform(ranked, std::back_inserter(one.candidates), [](const auto& pair) { return pair.second; });
  }

  static void plant(Sought& one, std::size_t size, std::vector<Job>& jobs, std::vector<Sought*>& whose) {
    if (!one.noticed.empty()) return;
    const auto end = std::min(one.candidates.size(), one.tried + size);
    for (; one.tried < end; ++one.tried) {
      auto& job = jobs.emplace_back(*one.candidates[one.tried]);
      job.planted = {std::string(one.departure->name)};
      whose.push_back(&one);
    }
  }

  static void look(Sought& one, const CaseResult& result) {
    if (one.noticed.empty()) one.noticed = red_check(result);
    if (result.outcome == Outcome::broken && one.broken.empty()) one.broken = result.id;
  }

  std::string where(const Sought& one) const {
    if (one.could == 0) return "no case comes to it";
    auto comes = one.could == 1 ? std::string("1 case comes to it") : fmt::format("{} cases come to it", one.could);
    if (one.departure->kind != Kind::rule) comes = fmt::format("{} cases", one.could);
    return one.tried == one.could ? fmt::format("{}, all tried", comes)
                                  : fmt::format("{}, {} tried; --all tries the others", comes, one.tried);
  }

  const std::vector<Job>& cases_;
  bool all_;
  const RunJobs& run_;
  std::vector<Sought> sought_;
};

}  // namespace

int search_unnoticed(std::ostream& out, const std::vector<Job>& cases, bool all, const RunJobs& run) {
  Search search(cases, all, run);
  if (!search.run(out)) return exit_code::fault;
  return search.print(out) > 0 && unnoticed_fails ? exit_code::failure : exit_code::conforming;
}

}  // namespace cutover::harness::cli
