// Whom of the run's topology a case takes: by what they are, never by their names. Where the topology has nobody of the
// kind, the case ends as unsupported there.
#pragma once

#include "harness/deployment/deployment.h"
#include "harness/judging/run.h"

#include <string>

namespace cutover::suites {

/// The first partner of that kind whose server is a mock.
[[nodiscard]] harness::PartnerSpec partner_by(harness::Run&, harness::PartnerKind);
/// ... that proves itself, and us, by certificate.
[[nodiscard]] harness::PartnerSpec partner_by_certificate(harness::Run&);
/// ... that has dialback over TLS and nothing else.
[[nodiscard]] harness::PartnerSpec partner_by_dialback(harness::Run&);

/// The first user of the first domain of ours.
[[nodiscard]] std::string user_of_first_domain(harness::Run&);
/// The first user whom another move takes to the new side than that one.
[[nodiscard]] std::string user_moved_apart_from(harness::Run&, const std::string& user);

/// The topology of the run with one machine for an edge: of cases that are not about edge pools.
[[nodiscard]] harness::Topology with_one_edge_machine(harness::Run&);
/// A machine of the edge pool that has the route behind the six steps.
[[nodiscard]] std::string edge_machine(const harness::Deployment&);

}  // namespace cutover::suites
