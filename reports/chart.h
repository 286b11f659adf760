// A chart of what becomes of whom and when: a row a partner and direction, time or steps along it. Inline SVG that
// needs no script, and reads in light, in dark, without colours and on paper.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cutover::reports {

/// What a user has of a partner, from the best to the worst.
enum class Fate { legacy, current, at_times, refused, bounced, black_holed, lost };
inline constexpr std::size_t fates = 7;
/// "works by the legacy gateway"
[[nodiscard]] const char* name_of(Fate);
/// A word as JSON has it: "black-holed".
[[nodiscard]] const char* word_of(Fate);
[[nodiscard]] std::optional<Fate> fate_of(std::string_view word);
[[nodiscard]] inline bool works(Fate fate) { return fate <= Fate::current; }

struct ChartSegment {
  std::int64_t from = 0, to = 0;
  Fate fate = Fate::legacy;  ///< the worst that can be met
  bool certain = true;       ///< false: some are better off
  std::string words;         ///< why, for who asks
  bool operator==(const ChartSegment&) const = default;
};

/// One class of users with one partner in one direction.
struct ChartLane {
  std::string partner;
  bool to_partner = true;
  std::string users;  ///< the class
  std::uint64_t count = 0;
  std::vector<ChartSegment> segments;  ///< without gaps
  bool operator==(const ChartLane&) const = default;
};

/// A step of the plan, from its begin to its end.
struct ChartMark {
  std::int64_t at = 0, until = 0;
  std::string label;  ///< a number
  std::string name;
  bool no_return = false;
  bool operator==(const ChartMark&) const = default;
};

struct Chart {
  std::string title;
  std::string summary;                ///< one sentence: what there is to be seen
  bool by_step = false;               ///< times are numbers of steps, not seconds
  std::optional<std::int64_t> start;  ///< second 0 as a date, in seconds since 1970 by the clock of whoever reads it
  std::int64_t begin = 0, end = 0;
  std::vector<ChartLane> lanes;
  std::vector<ChartMark> marks;  ///< by their begin
  bool operator==(const Chart&) const = default;
};

/// "Sat 28 Nov 22:05" where the start is known, otherwise "+1 d 02:05".
[[nodiscard]] std::string moment_of(const std::optional<std::int64_t>& start, std::int64_t at);

/// The charts one under the other, on one scale of time and with the same rows, and their legend. `id` keeps the names
/// of patterns apart where a page has several.
[[nodiscard]] std::string charts_html(std::span<const Chart>, const std::string& id);

}  // namespace cutover::reports
