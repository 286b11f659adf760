// The facts of the migration held against a deployment: each that its nodes can show is brought about in a world of its
// own, and its exchange is made.
#pragma once

#include "departures/table.h"
#include "harness/migration/facts.h"
#include "harness/worlds/trace.h"

#include <string>

namespace cutover::harness {

/// Whether a deployment can show the fact: its operations, the partner, the users and what is sent.
[[nodiscard]] bool shown_by_nodes(const migration::Facts&, const migration::Fact&);

/// What the wire has otherwise, a sentence; empty: it is as the fact says. `trace`: what was on the wire, if not null.
[[nodiscard]] std::string contradiction_on_the_wire(const migration::Facts&, const migration::Fact&,
                                                    const departures::Planted&, Trace* trace = nullptr);

}  // namespace cutover::harness
