// A topology as an estate: what the rules of the migration are asked about.
#pragma once

#include "harness/deployment/topology.h"
#include "harness/migration/operation.h"

#include <string_view>

namespace cutover::harness {

/// Names of boxes in that estate; they are those of the nodes.
inline constexpr std::string_view legacy_pool_name = "legacy-pool", new_pool_name = "new-pool", edge_name = "proxy",
                                  edge_certificate_name = "edge";

// A deployment has one node of each sort, whatever the estate has: pools of one side are one node, and of edge pools
// the first by name is on the wire.
[[nodiscard]] bool new_pool_deployed(const migration::State&);
[[nodiscard]] const migration::EdgePool& edge_on_the_wire(const migration::State&);
[[nodiscard]] const std::string& edge_name_on_the_wire(const migration::State&);

/// Every user is a class of one, by name; every partner is served by the legacy gateway, and will be configured as its
/// kind needs it; the new side is not deployed.
[[nodiscard]] migration::Estate estate_of(const Topology&);
[[nodiscard]] migration::Partner partner_of(const PartnerSpec&);
/// The partner whose domain it is, by its primary one; the domain itself where it is nobody's.
[[nodiscard]] const std::string& primary_of(const migration::Estate&, const std::string& domain);
/// The estate's state behind all six steps.
[[nodiscard]] migration::State migrated(const migration::Estate&);

}  // namespace cutover::harness
