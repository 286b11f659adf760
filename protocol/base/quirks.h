// Named deviations from the text, all off: what a check must be able to tell from a correct server.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace cutover {

/// A set of named defects. Code asks `quirks.has("xmpp.deaf-while-closing")` where the correct behaviour is written,
/// with a comment that names the requirement. Every name must be in the table (quirk_table.h) (name, what it does,
/// requirement that it breaks); has() throws HarnessFault for a name that is not, so that a typing error cannot make a
/// dead defect.
class Quirks {
 public:
  Quirks() = default;
  explicit Quirks(std::set<std::string, std::less<>> names);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool none() const { return names_.empty(); }

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace cutover
