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
  std::string_view file;  ///< where its row stands
  int line = 0;           ///< 0: not known
};
/// Sorted by name. Names are unique.
[[nodiscard]] std::span<const Departure> table();
[[nodiscard]] std::string_view without_node(std::string_view name);  ///< NAME of NAME@NODE
[[nodiscard]] const Departure* find(std::string_view name);  ///< null: there is none of that name; @NODE is left out
[[nodiscard]] std::vector<std::string_view> requirements_of(const Departure&);
/// "proxy, legacy-gateway": the kinds of node of a mask.
[[nodiscard]] std::string names_of_nodes(unsigned nodes);

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

enum class Watch { no, yes };

/// The departures of a run, and what of them is at each kind of node.
class Planted {
 public:
  Planted() = default;
  /// `watch`: remembers which rules its nodes come to. Throws UnknownDeparture.
  explicit Planted(std::set<std::string, std::less<>> names, Watch watch = Watch::no);
  [[nodiscard]] bool none() const { return names_.empty(); }
  [[nodiscard]] const std::set<std::string, std::less<>>& names() const { return names_; }
  /// One bit of Nodes.
  [[nodiscard]] Departures at(Nodes) const;
  /// The rules that judgements at the nodes came to so far, by the names of what waives them, and the rewrites and
  /// settings that did something; empty unless watched.
  [[nodiscard]] std::vector<std::string> asked() const;

 private:
  std::set<std::string, std::less<>> names_;
  std::shared_ptr<std::vector<std::shared_ptr<const Departed>>> watched_;  ///< one a node; copies share it
  std::shared_ptr<std::set<std::string>> acted_;                           ///< names; copies share it
};

}  // namespace cutover::departures
