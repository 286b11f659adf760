// The steps of the migration, by name and in their order; Deployment carries them out.
#pragma once

#include "harness/migration/operation.h"

#include <span>

namespace cutover::harness {

/// The six steps of the source document, in its order.
enum class Step {
  deploy_pool,
  deploy_edge,
  move_users,
  create_policies_and_certificates,
  enable_federation,
  update_dns
};
[[nodiscard]] std::span<const Step> canonical_steps();
[[nodiscard]] const char* name_of(Step);
/// From 1.
[[nodiscard]] int number_of(Step);
/// The operations that the nodes of a deployment show; what the others bring about is known on paper only.
[[nodiscard]] std::span<const migration::Verb> on_the_wire();

}  // namespace cutover::harness
