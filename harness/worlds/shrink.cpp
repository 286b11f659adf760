// Pieces first, the longest first; then numbers, one by one.
#include "harness/worlds/shrink.h"

#include <algorithm>

namespace cutover::harness {

namespace {

class Shrinking {
 public:
  Shrinking(Decisions decisions, std::size_t tries_max, const std::function<bool(const Decisions&)>& goes_wrong)
      : best_(std::move(decisions)), tries_left_(tries_max), goes_wrong_(goes_wrong) {}

  Decisions run() {
    bool smaller = true;
    while (smaller && tries_left_ > 0) smaller = without_pieces() || with_smaller_numbers();
    return best_;
  }

 private:
  bool try_out(const Decisions& decisions) {
    if (tries_left_ == 0 || decisions == best_) return false;
    --tries_left_;
    if (!goes_wrong_(decisions)) return false;
    best_ = decisions;
    return true;
  }

  /// Pieces taken out, or undisturbed.
  bool without_pieces() {
    bool better = false;
    for (auto length = best_.size(); length > 0; length /= 2) {
      for (std::size_t at = 0; at < best_.size(); at += length) {
        const auto from = static_cast<std::ptrdiff_t>(at);
        const auto to = static_cast<std::ptrdiff_t>(std::min(at + length, best_.size()));
        auto cut = best_, zeroed = best_;
        cut.erase(cut.begin() + from, cut.begin() + to);
        std::fill(zeroed.begin() + from, zeroed.begin() + to, 0);
        better = try_out(cut) || try_out(zeroed) || better;
      }
    }
    return better;
  }

  bool with_smaller_numbers() {
    bool better = false;
    for (std::size_t at = 0; at < best_.size(); ++at) {
      const auto number = best_[at];
      if (number == 0) continue;
      for (const auto smaller : {number / 2, number - 1}) {
        auto decisions = best_;
        decisions[at] = smaller;
        better = try_out(decisions) || better;
        if (best_[at] != number) break;
      }
    }
    return better;
  }

  Decisions best_;
  std::size_t tries_left_;
  const std::function<bool(const Decisions&)>& goes_wrong_;
};

}  // namespace

Decisions shrunk(Decisions decisions, std::size_t tries_max, const std::function<bool(const Decisions&)>& goes_wrong) {
  return Shrinking(std::move(decisions), tries_max, goes_wrong).run();
}

}  // namespace cutover::harness
