// The registry of cases: look-up and the rules that every record keeps.
#pragma once

#include "harness/judging/case.h"
#include "harness/judging/requirements.h"

#include <span>

namespace cutover::harness {

/// Cases whose suite is "selftest" prove the machinery; they are run by their full id and by nothing else.
[[nodiscard]] bool is_hidden(const CaseRecord&);
[[nodiscard]] const CaseRecord* find_case(std::string_view id);  ///< null: no such case
/// A source file as seen from the top of the tree: compilers may give it relative to the build folder.
[[nodiscard]] std::string source_path(std::string_view file);
/// "message" of "message.partner-to-user".
[[nodiscard]] std::string suite_of(std::string_view id);
/// "partner-to-user" of "message.partner-to-user".
[[nodiscard]] std::string slug_of(std::string_view id);
/// The strictest level among the judged requirements: MUST, SHOULD or MAY.
[[nodiscard]] std::string level_of(const CaseRecord&, const Catalogue&);

/// "sim", "live" or "sim,live".
[[nodiscard]] const char* worlds_of(const CaseRecord&);
/// A check that names a departure in killed_by, at whatever kind of node.
struct NamedFor {
  const CaseRecord* record = nullptr;
  const Judges* judges = nullptr;
};
[[nodiscard]] std::vector<NamedFor> named_for(std::string_view departure);

/// What is wrong with the records, one sentence each; empty when nothing is. Ids are unique and "suite.slug"; every
/// judged requirement and defect exists; every mandatory one names a defect that kills it; texts are there; some world
/// runs it.
[[nodiscard]] std::vector<std::string> lint(std::span<const CaseRecord> records, const Catalogue& catalogue);
/// The same of the table of departures: each has requirements, all of them in the catalogue, and no name of a case.
[[nodiscard]] std::vector<std::string> lint_departures(const Catalogue& catalogue);

}  // namespace cutover::harness
