// Judgements, counted by rule; of breaches the first octets are kept.
#include "harness/standing/ledger.h"

#include <algorithm>
#include <array>

namespace cutover::harness::standing {

namespace {
constexpr std::array rows{
#define RULE(rule, requirement, sentence, killed_by, shown_in) \
  RuleRow{Rule::rule, #rule, requirement, sentence, killed_by, shown_in, __LINE__},
#include "harness/standing/rules.inc"
#undef RULE
};

std::string excerpt(std::string_view octets) {
  constexpr std::size_t shown_max_octets = 600;
  if (octets.size() <= shown_max_octets) return std::string(octets);
  return std::string(octets.substr(0, shown_max_octets)) + " ... (" + std::to_string(octets.size()) + " octets)";
}
}  // namespace

std::span<const RuleRow> rules() { return rows; }

const RuleRow& row_of(Rule rule) { return rows.at(static_cast<std::size_t>(rule)); }

const RuleRow* rule_named(std::string_view name) {
  const auto* found = std::ranges::find(rows, name, &RuleRow::name);
  return found == rows.end() ? nullptr : found;
}

bool Ledger::judge(Rule rule, bool kept, std::string_view octets) {
  auto& heard = heard_[rule];
  ++heard.judged;
  if (kept) return true;
  if (++heard.breaches == 1) {
    heard.sender = who_;
    heard.connection = connection_;
    heard.octets = excerpt(octets);
  }
  return false;
}

std::vector<reports::Heard> Ledger::take() {
  std::vector<reports::Heard> result;
  for (auto& [rule, heard] : heard_) {
    heard.rule = rows.at(static_cast<std::size_t>(rule)).name;
    result.push_back(std::move(heard));
  }
  heard_.clear();
  return result;
}

}  // namespace cutover::harness::standing
