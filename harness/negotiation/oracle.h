// The oracle: which method two servers authenticate a stream by, and why, read from the documents alone. It shares no
// code with the engines that it judges.
#pragma once

#include "harness/negotiation/side.h"

#include <iosfwd>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace cutover::harness::negotiation {

/// Why a cell of the table is what it is. "here": the initiating side's stream of stanzas.
enum class Why {
  both_proved,              ///< EXTERNAL
  unproved,                 ///< dialback over TLS: a certificate does not prove its domain
  without_external,         ///< dialback over TLS: one side has no EXTERNAL
  without_tls,              ///< dialback in clear
  initiating_requires_tls,  ///< the rest: none
  receiving_requires_tls,
  receiving_unproved,   ///< the initiating side is strict
  initiating_unproved,  ///< the receiving side is strict
  initiating_has_no_other_way,
  receiving_has_no_other_way,
  key_cannot_be_verified,  ///< the stream back to the authoritative server comes to nothing
};

/// What the documents say behind a cell.
struct Rationale {
  Why why = Why::both_proved;
  std::string_view sentence;
  std::string_view documents;
  /// Of the catalogue: what the initiating side breaks where it does otherwise, and the receiving one; empty where that
  /// side cannot bring it about.
  std::string_view initiating, receiving;
};
[[nodiscard]] std::span<const Rationale> rationales();
[[nodiscard]] const Rationale& rationale_of(Why);

/// One cell.
struct Prediction {
  Method method = Method::none;
  Why why = Why::both_proved;
  bool direct_tls = false;     ///< TLS from the first octet
  std::set<Method> permitted;  ///< `method`, and what else the documents allow of servers with these settings
  bool operator==(const Prediction&) const = default;
};
[[nodiscard]] Prediction predict(const Side& initiating, const Side& receiving);
void PrintTo(const Prediction&, std::ostream*);

/// What makes a method weaker than the settings of the two sides allow; empty where it is not. Says nothing of whether
/// a stronger one was to be had.
[[nodiscard]] std::string weaker_than_allowed(Method used, const Side& initiating, const Side& receiving);

/// Cells that are not as predicted, the first of them and how many more; "as predicted" where there is none.
[[nodiscard]] std::string told_of(const std::vector<std::string>& differing);

}  // namespace cutover::harness::negotiation
