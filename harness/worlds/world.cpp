// The one wait, and the guard that keeps it the one.
#include "harness/worlds/world.h"

#include "protocol/base/check.h"

#include <algorithm>

namespace cutover::harness {

namespace {
class Pumping {
 public:
  explicit Pumping(bool& running) : running_(running) {
    if (running) throw HarnessFault("run_until inside run_until: an actor must not wait");
    running_ = true;
  }
  Pumping(const Pumping&) = delete;
  Pumping& operator=(const Pumping&) = delete;
  ~Pumping() { running_ = false; }

 private:
  bool& running_;
};
}  // namespace

void World::check_end() const {
  if (end_ && now() >= *end_) throw OutOfTime("the time of the case is over");
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const Pumping pumping(running_);
  check_end();
  const Time end = end_ ? std::min(end_of(limit), *end_) : end_of(limit);
  while (!condition()) {
    if (now() >= end) return false;
    if (!step(end)) return condition();
  }
  return true;
}

bool World::await(const std::function<bool()>& condition) {
  const Time began = now();
  if (run_until(condition, patience_)) return true;
  if (!run_until(condition, patience_)) return false;
  late_ = std::max(late_.value_or(Duration{}), now() - began);
  return true;
}

void World::run_for(Duration duration) {
  const Pumping pumping(running_);
  check_end();
  const Time end = end_ ? std::min(now() + duration, *end_) : now() + duration;
  while (now() < end && step(end)) {
  }
}

}  // namespace cutover::harness
