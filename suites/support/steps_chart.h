// The chart of a rehearsal on the deployment: what was seen behind each step, by partner and direction.
#pragma once

#include "harness/deployment/exchange.h"
#include "reports/chart.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace cutover::suites {

class StepsChart {
 public:
  /// What was seen behind the step; an empty name: before the first. Of messages, for a sender of presence is not told.
  void add(const std::string& step, const std::vector<harness::Observation>& seen);
  [[nodiscard]] reports::Chart chart() const;

 private:
  std::int64_t states_ = 0;
  std::vector<reports::ChartMark> marks_;
  std::map<std::tuple<std::string, bool, std::string>, std::vector<reports::ChartSegment>> lanes_;
};

}  // namespace cutover::suites
