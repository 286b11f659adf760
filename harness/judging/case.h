// How a case is written: a record that says what it is, and a body whose checks name the requirements they judge.
#pragma once

#include "harness/judging/verdict.h"
#include "harness/targets/need.h"

#include <functional>
#include <string>
#include <vector>

namespace cutover::harness {

class Run;

/// A requirement that the case judges and the named defects each of which must turn that check red (`cutover
/// selftest`).
struct Judges {
  std::string requirement;
  std::vector<std::string> killed_by;  ///< names of departures; may be empty only below MUST
};

/// One case. `id` is "suite.slug", never changed or used again.
struct CaseRecord {
  std::string id;
  std::string title;          ///< a sentence
  std::string procedure;      ///< what is done and seen, for `explain`
  std::string accepted;       ///< every outcome that the text allows, for `explain`
  std::string likely_causes;  ///< of a failure, for `explain`
  std::vector<Judges> judges;
  std::vector<Need> needs;
  bool any_topology = false;  ///< takes whom it needs from any topology, by what they are; or has one of its own
  Staging staging = Staging::safe;
  bool sim = true, live = true;  ///< worlds in which it runs; explorations are sim only
  bool interop = false;          ///< ctest label interop: needs a real server on this machine
  Duration budget = 10s;         ///< of world time, for the whole case
  Duration takes = 0s;           ///< of real time, where that is seconds: a run begins with the longest
  std::function<void(Run&)> body;
  std::string file;  ///< set by CUTOVER_CASE
  int line = 0;
};

/// Registers the record at start-up. Throws at start-up for a duplicate id.
struct Registration {
  Registration(CaseRecord);  // NOLINT(google-explicit-constructor): what CUTOVER_CASE converts to
};
/// Where a case stands; `place + record` keeps CUTOVER_CASE a plain initialiser.
struct CaseAt {
  const char* file;
  int line;
};
[[nodiscard]] CaseRecord operator+(CaseAt, CaseRecord);
[[nodiscard]] const std::vector<CaseRecord>& all_cases();  ///< sorted by id

}  // namespace cutover::harness

/// CUTOVER_CASE(name) { .id = "...", .title = "...", ..., .body = [](Run& run) { ... } };
#define CUTOVER_CASE(name)                             \
  static const ::cutover::harness::Registration name = \
      ::cutover::harness::CaseAt{__FILE__, __LINE__} + ::cutover::harness::CaseRecord
