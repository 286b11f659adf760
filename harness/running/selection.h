// Which cases run, in which worlds, in which order: ids, globs, exclusions, shards.
#pragma once

#include "harness/judging/case.h"
#include "harness/targets/target.h"
#include "harness/worlds/world.h"

#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace cutover::harness {

/// What the user asked for cannot be done as asked: exit code 4.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One run of one case.
struct Job {
  const CaseRecord* record = nullptr;
  WorldKind world = WorldKind::sim;
  int attempt = 1;
  std::set<std::string, std::less<>> planted;
  std::map<PartnerKind, std::size_t> peers{};  ///< which of those that the target's file lists for a kind
};

/// Part `index` (1..count) of a selection that several machines share.
struct Shard {
  std::size_t index = 1, count = 1;
};
/// "2/5". Throws UsageError.
[[nodiscard]] Shard parse_shard(const std::string& text);

struct Selection {
  /// Ids or globs ('*' and '?'); a suite alone means all of it; one that begins with a capital letter is of
  /// requirements and means the cases that judge them; empty: every case.
  std::vector<std::string> patterns;
  std::vector<std::string> exclude;
  std::optional<WorldKind> world;  ///< both when not set
  bool target = false;             ///< cases that can run against a target, live
  bool topology = false;           ///< cases that can run with any topology
  Shard shard;
  int repeat = 1;
};

/// Whether a pattern is one of requirements: their ids begin with a capital letter, those of cases never do.
[[nodiscard]] bool is_of_requirements(std::string_view pattern);
/// Where the names of the peers are given (see names_its_peers()), each job that needs peers which the target has not
/// met has some of its own, as far as there are: the others share the first of each kind.
void deal_peers(std::vector<Job>&, const Target&);
/// '*' stands for any text, '?' for one character.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);
/// The jobs in the order of the reports: by id, then world, then attempt. Throws UsageError for a pattern that selects
/// nothing (with the nearest ids), and for an empty selection. Hidden cases are selected by their full id alone.
[[nodiscard]] std::vector<Job> select(std::span<const CaseRecord> cases, const Selection& selection);
/// The words that a mistyped one may have meant, nearest first, three at most.
[[nodiscard]] std::vector<std::string> nearest(const std::vector<std::string>& words, std::string_view typed);
/// The same of the ids of cases.
[[nodiscard]] std::vector<std::string> nearest(std::span<const CaseRecord> cases, std::string_view id);

}  // namespace cutover::harness
