// Facts of the migration held against a deployment: what becomes of a real message in a real state.
#pragma once

#include "departures/table.h"
#include "harness/migration/facts.h"
#include "harness/worlds/trace.h"

#include <span>
#include <string>

namespace cutover::harness {

/// Why nodes do not show a fact: a sentence, and to which facts it applies.
struct LeftOut {
  std::string_view reason;
  bool (*applies)(const migration::Facts&, const migration::Fact&);
};
/// Every reason that there is; the first that applies is the fact's.
[[nodiscard]] std::span<const LeftOut> reasons_to_leave_out();
/// Empty for a fact that a deployment can be held against.
[[nodiscard]] std::string_view why_left_out(const migration::Facts&, const migration::Fact&);

/// Brings the fact's state about in a network of its own and makes its exchange. Empty: it is as the fact says.
/// `trace`: what went over the wire.
[[nodiscard]] std::string contradiction_on_the_wire(const migration::Facts&, const migration::Fact&,
                                                    const departures::Planted&, Trace* trace = nullptr);

}  // namespace cutover::harness
