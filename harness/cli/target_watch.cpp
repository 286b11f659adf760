// A world for each look, with a node in it that ends the wait when a signal comes.
#include "harness/cli/target_watch.h"

#include "harness/running/block_lease.h"
#include "harness/subjects/known_good.h"
#include "harness/subjects/peers_found.h"
#include "harness/subjects/reachability.h"
#include "harness/worlds/choice.h"
#include "harness/worlds/world_factory.h"

#include <fmt/format.h>

namespace cutover::harness::cli {

namespace {

constexpr std::size_t cases_of_a_group = 10;
constexpr Duration answer_limit = 10s;
/// Longer than what servers take for a back-off where nobody tuned it: five minutes.
constexpr Duration recovery_max = 330s;

/// Ends the wait of its world when a signal comes: the only node that may throw.
class SignalWatch final : public Node {
 public:
  static constexpr int host = 254;
  explicit SignalWatch(Signals& signals) : signals_(signals) {}
  ~SignalWatch() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  void start(Context& context) override {
    context_ = &context;
    on_wake();
  }
  void on_wake() override {
    context_->wake_at(*this, context_->now() + 50ms);
    if (const int signal = signals_.take(); signal != 0) throw Interrupted{signal};
  }

 private:
  Signals& signals_;
  Context* context_ = nullptr;
};

/// What `look` gives for a world in which the target is met.
template <class Look>
auto in_a_world(const Target& target, Signals& signals, const Look& look) {
  const BlockLease lease;
  Undisturbed choice;
  const auto world = make_world(WorldKind::live, choice, 1, lease.block(), addresses_for(target));
  world->add("signals", SignalWatch::host, std::make_unique<SignalWatch>(signals));
  return look(*world);
}

}  // namespace

std::optional<std::string> target_down(const Target& target, Signals& signals) {
  return in_a_world(target, signals, [&](World& world) { return subject_down(world, target); });
}

TargetWatch::TargetWatch(const Target& target, Signals& signals, Tell tell)
    : target_(target),
      signals_(signals),
      tell_(std::move(tell)),
      group_max_(names_its_peers(target) ? cases_of_a_group : 1) {}

std::optional<std::string> TargetWatch::answers_nobody_for(Duration limit) {
  return in_a_world(target_, signals_, [&](World& world) {
    const auto label = fmt::format("known-good-{}-{:x}", ++exchanges_, world.wall_clock());
    return answers_nobody(world, target_, names_its_peers(target_) ? label : "", limit);
  });
}

void TargetWatch::begin() {
  notes_ = in_a_world(target_, signals_, [&](World& world) { return peers_not_found(world, target_); });
  for (const auto& note : notes_) tell_(note);
  const auto unanswered = answers_nobody_for(answer_limit);
  was_good_ = !unanswered;
  if (unanswered)
    notes_.push_back(fmt::format(
        "no answer of the target to a ping reached {} before the first case: whether it is as before is not "
        "looked at between the cases",
        *unanswered));
}

int TargetWatch::after(const reports::CaseResult& ended, bool last) {
  using reports::Outcome;
  if (ended.outcome != Outcome::skipped && ended.outcome != Outcome::unsupported) group_.push_back(ended.id);
  if (!was_good_ || group_.empty() || (group_.size() < group_max_ && !last)) return 0;
  try {
    bracket();
  } catch (const Interrupted& by) {
    return by.signal;
  }
  group_.clear();
  return 0;
}

void TargetWatch::bracket() {
  auto unanswered = answers_nobody_for(answer_limit);
  if (!unanswered) return;
  const auto cases = group_.size() == 1 ? group_.front() : fmt::format("{} to {}", group_.front(), group_.back());
  tell_(fmt::format("after {} no answer of the target reaches {}: waiting for the end of its back-off, {} s at most",
                    cases, *unanswered, recovery_max / 1s));
  const auto still = answers_nobody_for(recovery_max);
  notes_.push_back(still
                       ? fmt::format("after {} no answer of the target reached {} any more, nor within {} s: what came "
                                     "behind may be judged by it",
                                     cases, *still, recovery_max / 1s)
                       : fmt::format("after {} the target was in back-off towards {}, whose end was waited for", cases,
                                     *unanswered));
  if (still) was_good_ = false;
}

}  // namespace cutover::harness::cli
