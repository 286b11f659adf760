// States one after the other; what stays as it was is one segment.
#include "suites/support/steps_chart.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;
using reports::Fate;

namespace {

Fate fate_of(const Observation& seen) {
  if (seen.copies == 0) return seen.sender_told ? Fate::refused : Fate::black_holed;
  if (seen.both_paths) return Fate::at_times;
  return seen.path == Path::current ? Fate::current : Fate::legacy;
}

std::string words_of(const Observation& seen) {
  if (seen.copies == 0) return seen.sender_told ? "cut off, and its sender told" : "cut off, and nobody told";
  const auto* times = seen.copies == 1 ? "once" : "more than once";
  if (seen.both_paths) return fmt::format("arrives {}, across the legacy and the new side", times);
  return fmt::format("arrives {} by the {}", times, seen.path == Path::current ? "new side" : "legacy gateway");
}

}  // namespace

void StepsChart::add(const std::string& step, const std::vector<Observation>& seen) {
  const auto at = states_++;
  if (!step.empty()) marks_.push_back({at, at, std::to_string(marks_.size() + 1), step, false});
  for (const auto& one : seen) {
    if (one.exchange.what != What::message) continue;
    const bool to_partner = one.exchange.way == Way::to_partner;
    auto& segments = lanes_[{one.exchange.partner_domain, to_partner, one.exchange.user}];
    const auto fate = fate_of(one);
    auto words = words_of(one);
    if (!segments.empty() && segments.back().to == at && segments.back().fate == fate &&
        segments.back().words == words) {
      segments.back().to = at + 1;
    } else {
      segments.push_back({at, at + 1, fate, true, std::move(words)});
    }
  }
}

reports::Chart StepsChart::chart() const {
  reports::Chart chart{
      .title = "The six steps, rehearsed on the embedded deployment:", .by_step = true, .end = states_};
  chart.marks = marks_;
  std::vector<std::size_t> cut_off(static_cast<std::size_t>(states_));
  std::size_t by_legacy = 0, by_new_side = 0;
  for (const auto& [key, segments] : lanes_) {
    const auto& [partner, to_partner, user] = key;
    chart.lanes.push_back({partner, to_partner, user, 1, segments});
    if (segments.front().fate == Fate::legacy) ++by_legacy;
    if (segments.back().fate == Fate::current) ++by_new_side;
    for (const auto& segment : segments) {
      for (auto at = segment.from; at < segment.to && !works(segment.fate); ++at)
        ++cut_off[static_cast<std::size_t>(at)];
    }
  }
  std::vector<std::string> breaks;
  for (std::size_t at = 0; at < cut_off.size(); ++at) {
    if (cut_off[at] == 0) continue;
    const auto where = at == 0 ? std::string("before the first step") : fmt::format("behind step {}", at);
    breaks.push_back(fmt::format("{} cut off {}", cut_off[at], where));
  }
  chart.summary = fmt::format(
      "{} ways between users and partners: {} by the legacy gateway at the start, {} by the new "
      "side in the end; {}",
      lanes_.size(), by_legacy, by_new_side,
      breaks.empty() ? "none cut off" : fmt::format("{}", fmt::join(breaks, ", ")));
  return chart;
}

}  // namespace cutover::suites
