// The one table of all departures: what each does, which requirement it breaks, of which kind it is, and where it is
// planted.
#pragma once

#include "departures/rows.h"

#include <set>
#include <span>
#include <stdexcept>

namespace cutover::departures {

enum class Kind {
  rule,     ///< an engine's rule is waived (rules.inc of its part)
  rewrite,  ///< changes what passes between engine and wire
  setting,  ///< another time, size, count or policy
  inner,    ///< state of an engine that nothing of the above reaches (protocol/base/inner.inc)
};
[[nodiscard]] const char* name_of(Kind);
[[nodiscard]] const char* name_of(Nature);

struct Departure {
  std::string_view name, sentence, requirements;
  std::string_view layer;  ///< "xmpp", "sip", "dns", "gateway" ...: the first part of the name
  std::string_view rule;   ///< kind rule: the sentence that is kept without it
  Kind kind = Kind::rule;
  Nature nature = Nature::defect;
  unsigned nodes = judged;
};
/// Sorted by name. Names are unique.
[[nodiscard]] std::span<const Departure> table();
[[nodiscard]] const Departure* find(std::string_view name);  ///< null: there is none of that name

/// A name that the table does not have.
struct UnknownDeparture : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "xmpp.deaf-while-closing", or "xmpp.deaf-while-closing@legacy-gateway" to plant it at that kind of node alone.
struct Named {
  const Departure* departure = nullptr;
  unsigned nodes = 0;
};
/// Throws UnknownDeparture, with what was meant.
[[nodiscard]] Named named(std::string_view name);

/// The departures of a run, and what of them is at each kind of node.
class Planted {
 public:
  Planted() = default;
  /// Throws UnknownDeparture.
  explicit Planted(std::set<std::string, std::less<>> names);
  [[nodiscard]] bool none() const { return names_.empty(); }
  [[nodiscard]] const std::set<std::string, std::less<>>& names() const { return names_; }
  /// One bit of Nodes.
  [[nodiscard]] Departures at(Nodes) const;

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace cutover::departures
