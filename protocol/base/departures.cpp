// The look-up of defects that are not rules, rewrites or settings yet.
#include "protocol/base/departures.h"

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
}  // namespace

std::span<const QuirkDescription> quirk_table() { return table; }

bool is_quirk(std::string_view name) {
  static const auto names = [] {
    std::unordered_set<std::string_view> all;  // tidy: never iterated
    for (const auto& row : table) all.insert(row.name);
    return all;
  }();
  return names.contains(name);
}

Departures::Departures(std::set<std::string, std::less<>> names) {
  if (names.empty()) return;
  auto departed = std::make_shared<Departed>();
  departed->quirks = std::move(names);
  departed_ = std::move(departed);
}

bool Departures::has(std::string_view name) const {
  if (!is_quirk(name)) throw HarnessFault("no such quirk: " + std::string(name));
  return departed_ != nullptr && departed_->quirks.contains(name);
}

}  // namespace cutover
