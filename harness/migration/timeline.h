// A timeline: operations with their times, and what becomes of every exchange between them. Caches of partners, open
// streams, replication and users that are being moved are part of it; everything is computed, nothing is run.
#pragma once

#include "harness/migration/operation.h"
#include "harness/migration/outcome.h"

#include <chrono>

namespace cutover::harness::migration {

using Seconds = std::chrono::seconds;

/// When an operation begins, and when it has its effect, since the plan's start. Between the two only the moving of
/// users is felt.
struct TimedOperation {
  Seconds begins{}, at{};
  Operation operation;
  std::size_t step = 0;  ///< of the plan
};

/// A time in which one lane has one outcome.
struct Segment {
  Seconds from{}, to{};
  Outcome outcome;      ///< the worst that can be met
  bool certain = true;  ///< false: some are better off, by what their resolver or stream still holds, or as their user
                        ///< was moved or not
  bool one_path = true;  ///< whatever is held: one path, where it works
  bool operator==(const Segment&) const = default;
};

/// What users of equal fortune have with one partner in one direction.
struct Lane {
  std::string partner;
  Way way = Way::to_partner;
  What what = What::message;
  std::vector<std::string> classes;
  std::uint64_t users = 0;
  Outcome before;                 ///< of the estate as it was before the first operation
  std::vector<Segment> segments;  ///< without gaps, from the start to the end
};

struct TimelineOptions {
  Seconds until{};  ///< end of the timeline; not before the last event's effects have ended
  Seconds quiet_within = std::chrono::hours(1);  ///< every stream is idle for its time-out once in that time (ours)
  Readings readings;
};

struct Timeline {
  std::vector<Lane> lanes;
  Seconds end{};
  State last;                ///< behind the last operation, replicated
  std::uint64_t judged = 0;  ///< outcomes that were worked out
};

/// Works out every lane: partners, classes of users and directions of the estate. Throws OperationError where an
/// operation names what is not there; the text begins with the operation.
[[nodiscard]] Timeline timeline_of(const Estate&, const std::vector<TimedOperation>&, const TimelineOptions& = {});

/// Time in which a lane does not work: at the worst, and for certain.
struct Loss {
  Seconds at_worst{}, certain{};
};
[[nodiscard]] Loss loss_of(const Lane&);
/// One number for comparing timelines: seconds without service of every user with every partner, weighed by kind: told
/// success and lost is the worst, a refusal at once the best.
[[nodiscard]] double cost_of(const Timeline&);

/// "2 h 05 min", "45 s".
[[nodiscard]] std::string words_of(Seconds);

}  // namespace cutover::harness::migration
