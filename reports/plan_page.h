// The page of a rehearsed plan: go or no-go and the chart on the first sheet, then what is lost, the steps with their
// gates and the way back, and what would be better. Small enough to be read as it is, without a script.
#pragma once

#include "reports/chart.h"

#include <string>
#include <utility>
#include <vector>

namespace cutover::reports {

/// A time in which somebody loses something. Texts are for people.
struct PlanWindow {
  std::int64_t from = 0, to = 0;
  std::string lasts;  ///< "1 h 5 min"
  Fate fate = Fate::refused;
  bool certain = true;
  bool to_partner = true;
  std::string partners, users;
  std::uint64_t count = 0;  ///< of users
  std::string kind, cause, remedy, failure;
};

struct PlanStepGate {
  std::string label, name;
  std::int64_t at = 0, until = 0;
  std::vector<std::string> commands, checks, broken, back;
  std::string whole_again;  ///< "1 h 5 min"; empty: going back does not make it whole
  bool no_return = false;
};

struct PlanProposal {
  std::string what, effect;
  bool taken = false;  ///< is in the chart as proposed
};

struct PlanPage {
  std::string title;
  std::vector<std::string> facts;  ///< a line each
  bool go = true;
  std::vector<std::string> reasons;  ///< why it is a no-go
  std::vector<Chart> charts;         ///< as planned; as proposed
  std::vector<PlanWindow> windows;
  std::vector<PlanStepGate> steps;
  std::vector<PlanProposal> proposals;
  std::vector<std::string> readings;                        ///< what the verdict rests on where the documents are open
  std::vector<std::pair<std::string, std::string>> estate;  ///< what, and how it is
};
[[nodiscard]] std::string to_html(const PlanPage&);

}  // namespace cutover::reports
