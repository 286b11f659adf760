// From the notes of both ends to the arrows of a report.
#pragma once

#include "harness/worlds/trace.h"
#include "reports/model.h"

#include <string>
#include <vector>

namespace cutover::harness {

/// Longer details lose their middle in reports (and say so): a stanza of megabytes proves nothing more than its ends.
constexpr std::size_t shown_detail_max_octets = 16 * 1024;

/// Both ends note what they exchange; this keeps one arrow. A raw peer notes octets, not items: where the other end
/// notes the items that they hold, the arrow has the octets as its detail and the items as its words.
[[nodiscard]] std::vector<reports::TraceEntry> arrows(const std::vector<TraceRecord>&);
/// Nodes in the order of a diagram: partners, name servers, legacy gateway, proxy, gateway, pools, users.
[[nodiscard]] std::vector<std::string> column_order(const std::vector<reports::TraceEntry>&);

}  // namespace cutover::harness
