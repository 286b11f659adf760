// The known failures of such deployments that exports, zones and certificates alone show.
#pragma once

#include "harness/exports/inventory.h"
#include "protocol/base/time.h"

#include <ctime>

namespace cutover::harness::exports {

enum class Severity {
  fails,    ///< what is exported cannot work
  risks,    ///< it works or not by what no export tells, or it is against the product's advice
  unknown,  ///< it was not judged: something is missing among the files
};
[[nodiscard]] const char* name_of(Severity);

/// One failure, by its number in the domain facts (section 5), with the cause and what to do.
struct Finding {
  std::string failure;  ///< "F6"
  Severity severity = Severity::fails;
  Place place;
  std::string sentence;
  std::string remedy;
};
/// "F6 fails policies.json:12: ... (remedy)"
[[nodiscard]] std::string to_string(const Finding&);

struct JudgeOptions {
  std::time_t now = 0;                    ///< by which certificates are valid; 0: their validity is not judged
  std::vector<std::string> legacy_pools;  ///< registrar pools of the old version, which no export tells
  Duration ttl_max = 300s;                ///< of the records that are changed at the cutover
};

/// All findings, in the order of the failures' numbers. Users are counted by their situation, never listed.
[[nodiscard]] std::vector<Finding> judge(const Inventory&, const JudgeOptions& = {});

}  // namespace cutover::harness::exports
