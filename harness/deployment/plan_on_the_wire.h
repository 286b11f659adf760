// A plan carried out on a deployment in virtual time, and its timeline held against what the wire shows.
#pragma once

#include "departures/table.h"
#include "harness/migration/rehearsal.h"

#include <string>
#include <vector>

namespace cutover::harness {

struct PlanOnTheWire {
  std::size_t exchanges = 0;           ///< that were made
  std::vector<std::string> otherwise;  ///< than the timeline has them, a sentence each
  std::vector<std::string> left_out;   ///< what nodes cannot show, and why
};

/// In the middle of every segment of every lane whose partner and users nodes can be, one message; a segment that is
/// certain must be met, one that is not allows both. Each class of users has one user.
[[nodiscard]] PlanOnTheWire held_against_wire(const migration::Plan&, const departures::Planted&);

}  // namespace cutover::harness
