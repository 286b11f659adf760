// Whether a stanza came out of a server as it went in.
#pragma once

#include "harness/standing/ledger.h"
#include "protocol/xml/element.h"

#include <utility>
#include <vector>

namespace cutover::harness::standing {

/// The rules that the two have something for, each with whether it is kept. A server may add to a stanza.
[[nodiscard]] std::vector<std::pair<Rule, bool>> compare_crossed(xml::Element in, xml::Element out);

}  // namespace cutover::harness::standing
