// The ledger of the standing judge: which rules met something to judge, and what broke them.
#pragma once

#include "reports/model.h"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace cutover::harness::standing {

/// A rule that binds whoever sends, whatever a case asks for; rows in rules.inc.
enum class Rule {
#define RULE(rule, requirement, sentence, killed_by, shown_in) rule,
#include "harness/standing/rules.inc"
#undef RULE
};

struct RuleRow {
  Rule rule;
  std::string_view name;         ///< "header_has_no_id"
  std::string_view requirement;  ///< of the catalogue
  std::string_view sentence;     ///< what is kept
  std::string_view killed_by;    ///< the departure that breaks it; empty where no node of ours can: its test does
  std::string_view shown_in;     ///< the case in which that is heard
  int line;                      ///< in rules.inc
};
[[nodiscard]] std::span<const RuleRow> rules();
/// Whether it binds SIP messages: those rows are the last.
[[nodiscard]] constexpr bool is_of_sip(Rule rule) { return rule >= Rule::sip_version; }
[[nodiscard]] const RuleRow& row_of(Rule rule);
/// Null for a name that is none of a rule.
[[nodiscard]] const RuleRow* rule_named(std::string_view name);

/// Whether who hears the rule broken may end the stream, or take what follows otherwise than it is meant.
[[nodiscard]] bool misleads(Rule rule);

/// Judgements of one case. A rule that was never judged is not in it.
class Ledger {
 public:
  /// `who` is the node whose octets are judged from now on, on that connection.
  void hear(std::string who, std::string connection) {
    who_ = std::move(who);
    connection_ = std::move(connection);
  }
  /// One judgement; returns `kept`. `octets` are what broke it, or what it was judged by.
  bool judge(Rule rule, bool kept, std::string_view octets);
  /// A value that may be there for one thing alone, also where another case of the run has it.
  void once(Rule rule, std::string value, std::string of);
  /// In the order of the rules.
  [[nodiscard]] std::vector<reports::Heard> take();

 private:
  std::string who_, connection_;
  std::map<Rule, reports::Heard> heard_;
};

}  // namespace cutover::harness::standing
