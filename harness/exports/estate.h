// Between the parts of the judgement: the inventory, what follows from it, and the findings so far.
#pragma once

#include "harness/exports/judge.h"

#include <functional>

namespace cutover::harness::exports {

struct Estate {
  Estate(const Inventory&, const JudgeOptions&);

  void find(std::string failure, Severity, const Place&, std::string sentence, std::string remedy);
  /// How many users are in the classes that meet a condition.
  [[nodiscard]] std::size_t users(const std::function<bool(const UserClass&)>&) const;

  const Inventory& inventory;
  const JudgeOptions& options;
  std::vector<UserClass> classes;
  std::vector<SipDomain> domains;       ///< all SIP domains
  std::vector<SipDomain> xmpp_domains;  ///< those whose users may use XMPP, as far as is known
  std::vector<Finding> findings;
};

void judge_certificates(Estate&);
void judge_zones(Estate&);
void judge_partners(Estate&);
void judge_users(Estate&);

/// "1 user", "312 users"
[[nodiscard]] std::string counted(std::size_t number, std::string_view what);
/// "5 min", "1 h", "90 s"
[[nodiscard]] std::string spoken(Duration);

}  // namespace cutover::harness::exports
