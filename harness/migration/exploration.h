// The walk over every state that an order of the document's steps can lead through.
#pragma once

#include "harness/migration/orders.h"

namespace cutover::harness::migration {

/// Over the orders that are possible.
[[nodiscard]] Exploration explore_orders(const Plan&, const std::vector<Order>& possible);

/// The operations that take a partner or a record back, in a state before each of them: the record first.
[[nodiscard]] bool takes_back(Verb);

}  // namespace cutover::harness::migration
