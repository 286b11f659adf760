// The rules by which this part judges, each with the sentence and the requirements that it applies.
#pragma once

#include "protocol/base/departures.h"

namespace cutover::xmpp {

/// Rows are in rules.inc. `departures.breaks(Rule::x, condition)`: the condition breaks the rule, and the rule is kept.
enum class Rule : std::uint16_t {
#define RULE(rule, ...) rule,
#include "protocol/xmpp/rules.inc"
#undef RULE
  count
};
static_assert(static_cast<std::size_t>(Rule::count) <= rules_of_a_part_max);

}  // namespace cutover::xmpp

namespace cutover {
template <>
inline constexpr Part part_of<xmpp::Rule> = Part::xmpp;
}  // namespace cutover
