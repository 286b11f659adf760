// Every order of the document's six steps over the model: what each costs whom, the way back from each of its points,
// and a walk over all states on the way, with partners' caches and open streams of every age.
#pragma once

#include "harness/migration/rehearsal.h"

#include <array>
#include <set>

namespace cutover::harness::migration {

using Order = std::array<int, steps_of_the_document>;
inline constexpr Order documented_order{1, 2, 3, 4, 5, 6};

/// What one order costs. Its steps begin an hour apart, and moving the users takes that hour.
struct OrderLoss {
  Order order{};
  std::string impossible;  ///< why it cannot be carried out; empty: it can
  double cost = 0;         ///< of its timeline, as cost_of() counts it
  Seconds longest{};       ///< without service, of one class with one partner in one direction, at worst
  Seconds back{};          ///< the longest of its ways back, from the begin until all is whole again
  bool returns = true;     ///< every way back leads to where all works again
  std::set<Cause> causes;  ///< of what is lost on the way
};

/// A schedule is an order, with the users moved class by class, a point at which one goes back (or none), an age of the
/// partners' caches and one of their streams, both in operations. States that are equal are judged once.
struct Exploration {
  std::uint64_t schedules = 0;
  std::uint64_t moments = 0;                 ///< of all schedules
  std::size_t states = 0;                    ///< that differ
  std::size_t situations = 0;                ///< states with what partners hold of us
  std::uint64_t judged = 0;                  ///< exchanges of these
  std::array<std::uint64_t, 6> exchanges{};  ///< of the situations, by Kind
  std::array<std::uint64_t, 6> worst{};      ///< schedules by the worst Kind on their way
  std::set<Cause> causes;                    ///< that were met
};

struct Orders {
  std::vector<OrderLoss> by_loss;       ///< all 720: those that are possible, the best first, then the rest
  std::size_t possible = 0;             ///< of them
  std::size_t documented = 0;           ///< index of the document's
  std::size_t dns_last = 0;             ///< possible orders that update DNS last, as the documents have it (1.2.6)
  std::size_t dns_last_and_better = 0;  ///< of these, how many cost less than the document's
  double at_once = 0;                   ///< cost of the document's with its last two steps at one moment (1.2.7)
  Exploration explored;
};

/// Over the estate and readings of a plan; its own steps are not looked at.
[[nodiscard]] Orders orders_of(const Plan&);

/// The table: best, documented, worst, and what was walked over.
[[nodiscard]] std::string to_text(const Orders&);
/// "1 2 3 4 5 6".
[[nodiscard]] std::string words_of(const Order&);

}  // namespace cutover::harness::migration
