// Whether a stanza came out of a server as it went in.
#pragma once

#include "harness/standing/ledger.h"
#include "protocol/xml/element.h"

#include <string>
#include <vector>

namespace cutover::harness::standing {

/// What one rule has to say of a stanza that crossed.
struct Crossed {
  Rule rule;
  std::string lost;  ///< what was lost or changed, as it went in; empty where the rule is kept
};
/// By all rules that the two have something for. A server may add to a stanza, and choose the order of its children.
[[nodiscard]] std::vector<Crossed> compare_crossed(xml::Element in, xml::Element out);

}  // namespace cutover::harness::standing
