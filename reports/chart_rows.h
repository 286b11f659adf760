// The rows of a chart: lanes of equal fortune are one row, partners of equal fortune one group, so that a hundred of
// them are still read at a look.
#pragma once

#include "reports/chart.h"

namespace cutover::reports {

struct ChartRow {
  bool to_partner = true;
  std::vector<std::string> users;                 ///< empty: all of them
  std::uint64_t count = 0;                        ///< of users with one partner
  std::vector<std::vector<ChartSegment>> charts;  ///< what each chart has in this row
};

struct ChartGroup {
  std::vector<std::string> partners;
  std::vector<ChartRow> rows;
  bool worst_of = false;  ///< their fortunes are alike, not equal: a row shows the worst
};

/// The same groups for all charts, with at most `rows_max` rows where that is possible at all. No loss is left out.
[[nodiscard]] std::vector<ChartGroup> groups_of(std::span<const Chart>, std::size_t rows_max);

}  // namespace cutover::reports
