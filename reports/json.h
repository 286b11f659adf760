// The run as JSON for programs: versioned, its schema in fixtures/schemas/run.schema.json.
#pragma once

#include "reports/model.h"

#include <string_view>

namespace cutover::reports {

/// Raised whenever a member changes its meaning or goes; new members alone do not raise it.
inline constexpr int json_version = 2;

enum class Traces { inside, apart };
/// `apart`: no case has a trace, for a writer that keeps them elsewhere.
[[nodiscard]] std::string to_json(const RunResult&, Traces traces = Traces::inside);
/// Reads what to_json() wrote; a trace that is not there is empty. Throws std::invalid_argument with the place and what
/// was expected.
[[nodiscard]] RunResult from_json(std::string_view text);

/// One case alone, the form in which a worker hands it to the runner: one line without a line end.
[[nodiscard]] std::string case_to_json(const CaseResult&);
[[nodiscard]] CaseResult case_from_json(std::string_view text);
/// The member "trace" of a case alone.
[[nodiscard]] std::string trace_to_json(const std::vector<TraceEntry>&);

}  // namespace cutover::reports
