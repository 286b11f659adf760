// The scale of time of a chart: in proportion where that shows everything; otherwise long times in which nothing
// changes are cut, and what is too short to be seen is widened.
#pragma once

#include <cstdint>
#include <vector>

namespace cutover::reports {

class ChartScale {
 public:
  /// `moments`: all at which something begins or ends; at least two. The first is at `left`, the last at `right`.
  ChartScale(std::vector<std::int64_t> moments, double left, double right);
  [[nodiscard]] double x(std::int64_t at) const;
  struct Cut {
    std::int64_t from = 0, to = 0;
  };
  [[nodiscard]] const std::vector<Cut>& cuts() const { return cuts_; }
  [[nodiscard]] bool widened() const { return widened_; }

 private:
  std::vector<std::int64_t> moments_;
  std::vector<double> places_;
  std::vector<Cut> cuts_;
  bool widened_ = false;
};

}  // namespace cutover::reports
