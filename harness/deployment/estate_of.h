// A topology as an estate: what the rules of the migration are asked about.
#pragma once

#include "harness/deployment/topology.h"
#include "harness/migration/operation.h"

#include <string_view>

namespace cutover::harness {

/// Names of boxes in that estate are those of the nodes.
inline constexpr std::string_view edge_name = "proxy";

/// The pool is there and its services run.
[[nodiscard]] bool pool_runs(const migration::State&, const std::string& name);
// What a state makes of one machine of an edge pool.
[[nodiscard]] bool deployed(const migration::State&, const EdgeMachine&);
[[nodiscard]] bool services_run(const migration::State&, const EdgeMachine&);
/// The front ends reach it at 23456.
[[nodiscard]] bool link_open(const migration::State&, const EdgeMachine&);
/// Of the pool, or of this member where it differs.
[[nodiscard]] std::optional<migration::Certificate> assigned_to(const migration::State&, const EdgeMachine&);
[[nodiscard]] std::optional<migration::Certificate> shown_by(const migration::State&, const EdgeMachine&);

/// Every user is a class of one, by name; every partner is served by the legacy gateway, and will be configured as its
/// kind needs it; the new side is not deployed.
[[nodiscard]] migration::Estate estate_of(const Topology&);
[[nodiscard]] migration::Partner partner_of(const PartnerSpec&);
/// The partner whose domain it is, by its primary one; the domain itself where it is nobody's.
[[nodiscard]] const std::string& primary_of(const migration::Estate&, const std::string& domain);
/// The estate's state behind all six steps.
[[nodiscard]] migration::State migrated(const migration::Estate&);

}  // namespace cutover::harness
