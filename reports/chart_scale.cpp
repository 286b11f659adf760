// Widths between a least and a most, with the one scale in between that fills the room.
#include "reports/chart_scale.h"

#include <algorithm>

namespace cutover::reports {

namespace {

constexpr double least_width = 14;  // a letter, or the number of a step
constexpr int halvings = 60;        // more than a double has digits

/// The scale at which widths between `least` and `most` fill `room`.
double fitting(const std::vector<double>& times, double least, double most, double room) {
  double low = 0, high = most;  // a second that is as wide as the most, at most
  for (int i = 0; i < halvings; ++i) {
    const double scale = (low + high) / 2;
    double sum = 0;
    for (const double time : times) sum += std::clamp(time * scale, least, most);
    (sum < room ? low : high) = scale;
  }
  return low;
}

}  // namespace

ChartScale::ChartScale(std::vector<std::int64_t> moments, double left, double right) : moments_(std::move(moments)) {
  std::ranges::sort(moments_);
  moments_.erase(std::unique(moments_.begin(), moments_.end()), moments_.end());
  if (moments_.empty()) moments_.push_back(0);
  if (moments_.size() == 1) moments_.push_back(moments_.front() + 1);
  std::vector<double> times;
  for (std::size_t i = 1; i < moments_.size(); ++i) times.push_back(static_cast<double>(moments_[i] - moments_[i - 1]));
  const auto count = static_cast<double>(times.size());
  const double room = right - left, in_proportion = room / static_cast<double>(moments_.back() - moments_.front());
  double least = std::min(least_width, room / (2 * count)), most = std::max(room / 6, 1.4 * room / count);
  double scale = in_proportion;
  if (std::ranges::min(times) * in_proportion < least) {
    scale = fitting(times, least, most, room);
  } else {
    least = 0;
    most = room;
  }
  places_.push_back(left);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double wanted = times[i] * scale;
    // A little beyond the most is no cut worth telling.
    if (wanted > most * 1.2) cuts_.push_back({moments_[i], moments_[i + 1]});
    widened_ = widened_ || wanted < least * 0.8;
    places_.push_back(places_.back() + std::clamp(wanted, least, most));
  }
  // What rounding left.
  const double correction = room / (places_.back() - left);
  for (auto& place : places_) place = left + (place - left) * correction;
}

double ChartScale::x(std::int64_t at) const {
  if (at <= moments_.front()) return places_.front();
  if (at >= moments_.back()) return places_.back();
  const auto next = static_cast<std::size_t>(std::ranges::upper_bound(moments_, at) - moments_.begin());
  const double share =
      static_cast<double>(at - moments_[next - 1]) / static_cast<double>(moments_[next] - moments_[next - 1]);
  return places_[next - 1] + share * (places_[next] - places_[next - 1]);
}

}  // namespace cutover::reports
