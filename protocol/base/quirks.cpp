// The table of named defects and the look-up that refuses unknown names.
#include "protocol/base/quirks.h"

#include "protocol/base/check.h"
#include "protocol/base/quirk_table.h"

#include <algorithm>
#include <unordered_set>

namespace cutover {

namespace {
constexpr QuirkDescription table[] = {
#include "protocol/base/quirks_account.inc"
#include "protocol/base/quirks_dns.inc"
#include "protocol/base/quirks_gateway.inc"
#include "protocol/base/quirks_migration.inc"
#include "protocol/base/quirks_sip.inc"
#include "protocol/base/quirks_xmpp.inc"
};

void check_known(std::string_view name) {
  if (!is_quirk(name)) throw HarnessFault("no such quirk: " + std::string(name));
}
}  // namespace

std::span<const QuirkDescription> quirk_table() { return table; }

/// Asked for with every stanza and every look-up: hence no walk through the table.
bool is_quirk(std::string_view name) {
  static const auto names = [] {
    std::unordered_set<std::string_view> all;  // tidy: never iterated
    for (const auto& row : table) all.insert(row.name);
    return all;
  }();
  return names.contains(name);
}

Quirks::Quirks(std::set<std::string, std::less<>> names) : names_(std::move(names)) {
  std::ranges::for_each(names_, check_known);
}

bool Quirks::has(std::string_view name) const {
  check_known(name);
  return names_.contains(name);
}

}  // namespace cutover
