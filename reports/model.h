// The result of a run as plain values: all that a report writer knows.
#pragma once

#include "reports/chart.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cutover::reports {

/// What came of a check or a case. `broken` is the harness's own fault, never the subject's; `skipped` a case that
/// could not run here (with the reason).
enum class Outcome { pass, fail, warn, info, inconclusive, unsupported, broken, skipped };
[[nodiscard]] const char* name_of(Outcome);

/// What the baseline file says of a failure: nothing, expected (known deviation), stale (listed, but it passes).
enum class BaselineState { unlisted, expected, stale };

/// What a run makes of a check or a case, in every output the same: the baseline and the level of the requirement are
/// in it. `told`: a warning, or what could not be judged and fails nobody. `hidden`: not reached, because of a fault
/// that is told elsewhere in the run. `idle`: did not run.
enum class Standing { met, told, hidden, accepted, red, fault, idle };
[[nodiscard]] const char* name_of(Standing);

/// One judgement of one requirement in one case.
struct Check {
  std::string id;           ///< "case-id#requirement-id", with ".n" behind it from the second judgement on
  std::string requirement;  ///< id in the catalogue
  std::string level;        ///< MUST, SHOULD, MAY, TEXT, PROFILE ... of the catalogue
  Outcome outcome = Outcome::pass;
  std::string looked_at;         ///< in words: "the body that the partner's user got"
  std::string expected, actual;  ///< both in words; actual holds the wire next to the unmet expectation
  std::string file;              ///< source of the check
  int line = 0;
  BaselineState baseline = BaselineState::unlisted;
  std::string baseline_reason;
  Standing standing = Standing::met;
  std::string part;                     ///< of the requirement, where a part of it was judged
  std::string cause;                    ///< of a hidden one: the check that tells what it follows from
  std::optional<std::int64_t> time_ns;  ///< world time of an unmet one
};

/// What came, in one line, without the wire below it.
[[nodiscard]] std::string got_of(const Check&);
/// One line for people: "the body that the user got: expected "any case", got "."". For an inconclusive check: why.
[[nodiscard]] std::string sentence_of(const Check&);
/// What is told below that line: the further lines of `actual`, such as the wire. Empty where there are none.
[[nodiscard]] std::string details_of(const Check&);

/// A requirement that a case judges, with its text, so that a report needs no catalogue.
struct RequirementText {
  std::string id, level, source, text;
};

/// What the standing judge heard in one case of what one of its rules binds. A rule that met nothing is not there.
struct Heard {
  std::string rule;                      ///< by name
  std::size_t judged = 0, breaches = 0;  ///< how often
  std::string sender, octets;            ///< of the first breach: who sent it, and what
  std::string connection;                ///< and where
  /// Values that may not come again in the whole run for anything else, and what each was for.
  std::map<std::string, std::string> once;
};

/// One arrow or event of the sequence diagram.
struct TraceEntry {
  std::int64_t time_ns = 0;  ///< world time
  std::string layer;         ///< "xmpp", "sip", "dns", "tls", "http", "event"
  std::string from, to;      ///< node names; equal for an event at one node
  std::string summary;
  std::string detail;  ///< decrypted octets, any of them; a long one without its middle
};

/// How a stream ended, the second axis of a verdict.
struct StreamEnd {
  std::string connection;  ///< "partner-a -> proxy #3"
  std::string closed_by, condition;
  bool end_tag = false, tls_close = false;
};

struct CaseResult {
  std::string id;  ///< "message.partner-to-user"
  std::string title;
  std::string suite;  ///< "message"
  std::string world;  ///< "sim", "live", "target"
  std::string file;
  int line = 0;
  Outcome outcome = Outcome::pass;
  Standing standing = Standing::met;
  std::string reason;  ///< of a skip, a broken or an inconclusive case; empty otherwise
  std::vector<RequirementText> requirements;
  std::vector<Check> checks;
  std::vector<Heard> heard;
  std::vector<TraceEntry> trace;
  std::vector<StreamEnd> streams;
  std::vector<std::string> columns;  ///< node names in the order of the diagram: partners, name server, gateways, pools
  std::uint64_t seed = 0;
  std::string reproduce;            ///< the command of this one case
  std::chrono::nanoseconds wall{};  ///< real time it took
  std::chrono::system_clock::time_point started;
  int attempt = 1;                   ///< with --repeat
  std::string log;                   ///< of a real server, or output of a worker that crashed or was killed
  std::vector<std::string> asked;    ///< rules that judgements came to, and departures that acted, where watched
  std::vector<std::string> planted;  ///< what departed from the reference, by name: defects and variants
  std::string target;                ///< of its run, where the case stands alone
  std::size_t combinations = 0;      ///< of stimuli that vary, that were tried
  std::uint64_t combinations_possible = 0;
  std::optional<Chart> chart;  ///< what a rehearsal saw, by partner and direction
};

struct RunResult {
  std::string tool_version;
  std::string target;  ///< "embedded reference", or the name of the target file
  std::vector<std::string> command;
  std::uint64_t seed = 0;
  std::chrono::system_clock::time_point started;
  std::chrono::nanoseconds wall{};
  bool strict = false;   ///< an unmet SHOULD fails
  bool complete = true;  ///< false: interrupted, or a worker was lost with its case
  std::string incomplete_reason;
  int exit_code = 0;
  std::string verdict;  ///< one line for people
  std::vector<CaseResult> cases;
  std::vector<std::string> planted;         ///< in all of its cases
  std::vector<std::string> notes;           ///< what else people have to know of it
  std::vector<std::string> stale_baseline;  ///< check ids that are listed and pass
  std::string traces;  ///< file with the traces, a case a line, as seen from the JSON report; empty: they are inside
};

/// The requirement that a check of the case judges; null where its record does not have it.
[[nodiscard]] const RequirementText* requirement_of(const CaseResult&, const Check&);

/// How many combinations of stimuli the cases tried, of how many, in words; empty where none did.
[[nodiscard]] std::string variety_of(const RunResult&);
[[nodiscard]] std::string variety_of(const CaseResult&);

/// Cases of a suite by what the run makes of them, for summaries.
struct SuiteCount {
  std::string suite;
  std::size_t cases = 0, checks = 0, met = 0, told = 0, hidden = 0, accepted = 0, red = 0, fault = 0, idle = 0;
  std::size_t unsupported = 0;  ///< of those that are idle
};
[[nodiscard]] std::vector<SuiteCount> count_by_suite(const RunResult&);

}  // namespace cutover::reports
