// Edge pools of several machines: a deployment with two of them behind the six steps, met machine by machine.
#pragma once

#include "suites/support/migration.h"

namespace cutover::suites {

/// The first has route and record behind the six steps.
inline constexpr char first_edge[] = "edge-a", second_edge[] = "edge-b";
/// Their machines as nodes.
inline constexpr char node_a1[] = "proxy-a1", node_a2[] = "proxy-a2", node_b1[] = "proxy-b1", node_b2[] = "proxy-b2";

/// The topology of the run with two edge pools of two machines each, and what a record may lead to beside one of them.
[[nodiscard]] harness::migration::Estate estate_with_edge_pools(harness::Run&);
/// That estate brought up in its legacy shape.
[[nodiscard]] std::shared_ptr<harness::Deployment> bring_up_edge_pools(harness::Run&, harness::migration::Estate);
/// ... and taken through the six steps.
[[nodiscard]] std::shared_ptr<harness::Deployment> migrate_edge_pools(harness::Run&);

/// The exchanges of the first user with every partner that is tried, none of whom has a stream open. Partners, or all,
/// meet one node (empty: as they come).
[[nodiscard]] Deviations by_partners_at(harness::Deployment&, const std::string& node);
[[nodiscard]] Deviations by_all_at(harness::Deployment&, const std::string& node);

}  // namespace cutover::suites
