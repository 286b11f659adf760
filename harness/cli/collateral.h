// What a defect turns red beside the requirement that it breaks: one fault is one red.
#pragma once

#include "reports/model.h"

#include <iosfwd>
#include <map>
#include <set>
#include <string>

namespace cutover::harness::cli {

/// The red checks of each planted defect whose requirement is none of those that its row in the table names. A check
/// that was not reached accuses nobody.
class Collateral {
 public:
  void look(const std::string& defect, const reports::CaseResult&);
  /// False where it is above the limits.
  [[nodiscard]] bool print(std::ostream& out) const;

 private:
  std::map<std::string, std::set<std::string>> checks_;  ///< by defect; empty sets, too, which count
};

}  // namespace cutover::harness::cli
