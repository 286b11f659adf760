// Selection of cases, with suggestions for what was mistyped.
#include "harness/running/selection.h"

#include "departures/table.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace cutover::harness {

namespace {
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool matches(const std::string& pattern, const CaseRecord& record) {
  if (pattern == record.id) return true;
  if (is_hidden(record)) return false;
  if (is_of_requirements(pattern)) {
    return std::ranges::any_of(record.judges,
                               [&](const Judges& item) { return glob_matches(pattern, item.requirement); });
  }
  return pattern == suite_of(record.id) || glob_matches(pattern, record.id);
}

bool is_glob(std::string_view pattern) { return pattern.find_first_of("*?") != std::string_view::npos; }

std::string did_you_mean(const std::vector<std::string>& words) {
  std::string near;
  for (const auto& word : words) near += (near.empty() ? "" : ", ") + word;
  return near.empty() ? "" : "; did you mean " + near + "?";
}

[[noreturn]] void judges_nothing(const std::string& pattern) {
  std::vector<std::string> ids;
  for (const auto& requirement : Catalogue::current().all()) ids.emplace_back(requirement.id);
  if (std::ranges::none_of(ids, [&](const auto& id) { return glob_matches(pattern, id); })) {
    throw UsageError("'" + pattern + "' " + (is_glob(pattern) ? "matches no requirement" : "is no requirement") +
                     did_you_mean(nearest(ids, pattern)));
  }
  const auto* requirement = Catalogue::current().find(pattern);
  if (requirement != nullptr && requirement->area == "invariant")
    throw UsageError(pattern + " is an invariant: every case judges it");
  if (is_standing_requirement(pattern))
    throw UsageError(pattern + " is judged by the standing judge, of all that is sent in whatever case");
  throw UsageError("no case judges " + pattern + " (`cutover coverage --list` names what is judged)");
}

[[noreturn]] void selects_nothing(std::span<const CaseRecord> cases, const std::string& pattern) {
  if (is_of_requirements(pattern)) judges_nothing(pattern);
  if (departures::find(pattern) != nullptr)
    throw UsageError("'" + pattern + "' is a defect or variant: --defect=" + pattern +
                     " plants it in a case, and `cutover explain` names those for it");
  for (const char* world : {"sim", "live"}) {
    if (pattern.ends_with(fmt::format("/{}", world)))
      throw UsageError(fmt::format("{}: a case is named without its world; --world={} chooses that", pattern, world));
  }
  throw UsageError("'" + pattern + "' " + (is_glob(pattern) ? "matches no case" : "is no case, suite or glob") +
                   did_you_mean(nearest(cases, pattern)) + " (`cutover list` shows all)");
}

std::vector<const CaseRecord*> chosen_cases(std::span<const CaseRecord> cases, const Selection& selection) {
  std::vector<bool> used(selection.patterns.size());
  std::vector<const CaseRecord*> chosen;
  for (const auto& record : cases) {
    bool take = selection.patterns.empty() && !is_hidden(record);
    for (std::size_t i = 0; i < selection.patterns.size(); ++i) {
      if (!matches(selection.patterns[i], record)) continue;
      used[i] = true;
      take = true;
    }
    if (take && selection.topology && !record.any_topology) {
      if (std::ranges::find(selection.patterns, record.id) != selection.patterns.end())
        throw UsageError(record.id +
                         " speaks of users and partners of the reference topology; run it without --topology");
      continue;
    }
    const auto excluded = [&](const std::string& pattern) { return matches(pattern, record); };
    if (take && std::ranges::none_of(selection.exclude, excluded)) chosen.push_back(&record);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) selects_nothing(cases, selection.patterns[i]);
  }
  for (const auto& pattern : selection.exclude) {
    if (std::ranges::none_of(cases, [&](const auto& record) { return matches(pattern, record); })) {
      selects_nothing(cases, pattern);
    }
  }
  return chosen;
}
}  // namespace

Shard parse_shard(const std::string& text) {
  Shard shard;
  const auto* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, shard.index);
  const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  const auto second = slash ? std::from_chars(first.ptr + 1, end, shard.count) : first;
  if (!slash || second.ec != std::errc() || second.ptr != end || shard.index < 1 || shard.index > shard.count) {
    throw UsageError("--shard expects i/n with 1 <= i <= n, such as 2/5, not '" + text + "'");
  }
  return shard;
}

bool is_of_requirements(std::string_view pattern) {
  return !pattern.empty() && pattern.front() >= 'A' && pattern.front() <= 'Z';
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<Job> select(std::span<const CaseRecord> cases, const Selection& selection) {
  std::vector<Job> jobs;
  std::size_t number = 0;
  for (const auto* record : chosen_cases(cases, selection)) {
    std::vector<WorldKind> worlds;
    const auto wanted = [&](WorldKind world) { return !selection.world || *selection.world == world; };
    if (record->sim && !selection.target && wanted(WorldKind::sim)) worlds.push_back(WorldKind::sim);
    if (record->live && (selection.target || wanted(WorldKind::live))) worlds.push_back(WorldKind::live);
    if (worlds.empty() || number++ % selection.shard.count != selection.shard.index - 1) continue;
    for (const auto world : worlds) {
      for (int attempt = 1; attempt <= selection.repeat; ++attempt) jobs.push_back({record, world, attempt, {}});
    }
  }
  if (jobs.empty()) {
    throw UsageError(std::string("the selection is empty: no case is left after --exclude, --world, ") +
                     (selection.topology ? "--topology " : "") + "and --shard");
  }
  return jobs;
}

void deal_peers(std::vector<Job>& jobs, const Target& target) {
  if (names_its_peers(target)) return;
  const auto runs = [&](const Job& job) {
    const auto has = [&](Need need) { return need == Need::unmet_peers || target.offers.contains(need); };
    return job.record->staging <= target.allows && std::ranges::all_of(job.record->needs, has);
  };
  const auto needs_unmet = [](const Job& job) {
    return std::ranges::find(job.record->needs, Need::unmet_peers) != job.record->needs.end();
  };
  const bool shared = std::ranges::any_of(jobs, [&](const Job& job) { return runs(job) && !needs_unmet(job); });
  std::map<PartnerKind, std::size_t> dealt;
  for (auto& job : jobs) {
    if (!runs(job) || !needs_unmet(job)) continue;
    for (const auto kind : kinds_met(job.record->needs, target)) {
      auto& next = dealt.try_emplace(kind, shared ? 1 : 0).first->second;
      job.peers[kind] = next++;
    }
  }
}

std::vector<std::string> nearest(const std::vector<std::string>& words, std::string_view typed) {
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& word : words) {
    const bool inside = word.find(typed) != std::string::npos;
    ranked.emplace_back(inside ? 0 : edit_distance(typed, word), word);
  }
  std::ranges::sort(ranked);
  std::vector<std::string> result;
  for (const auto& [distance, word] : ranked) {
    if (result.size() == 3 || distance > std::clamp<std::size_t>(typed.size() / 2, 2, 12)) break;
    result.push_back(word);
  }
  return result;
}

std::vector<std::string> nearest(std::span<const CaseRecord> cases, std::string_view id) {
  std::vector<std::string> ids;
  std::set<std::string> suites;
  for (const auto& record : cases) {
    if (is_hidden(record)) continue;
    ids.push_back(record.id);
    suites.insert(suite_of(record.id));
  }
  const bool is_id = id.find('.') != std::string_view::npos;
  const auto near = is_id ? std::vector<std::string>() : nearest({suites.begin(), suites.end()}, id);
  return near.empty() ? nearest(ids, id) : near;
}

}  // namespace cutover::harness
