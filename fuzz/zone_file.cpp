// Master files: a zone or an error with its words, and what is read can be served; read on behind errors as well.
#include "protocol/dns/zone.h"

#include <cstdint>
#include <cstdlib>

/// COMPAT(ldns 1.8): it loses a few octets over records that it refuses (CERT, IPSECKEY). A zone is read once:
/// harmless. Whether we free what it gives us is watched by the unit tests.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's own name for it
extern "C" const char* __lsan_default_suppressions() { return "leak:libldns\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cutover::dns;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = read_zone(text, "a.example", "fuzz.zone");
  if (whole.lines.size() != whole.zone.records.size() || whole.errors.size() > 100) std::abort();
  const auto result = parse_zone(text, "a.example", "fuzz.zone");
  if (!whole.errors.empty() && !std::holds_alternative<ZoneError>(result)) std::abort();
  if (const auto* error = std::get_if<ZoneError>(&result)) {
    // What a transfer wrote ends with the SOA that it begins with: an export may be one, a zone of a test is none.
    if (whole.errors.empty() && error->expected != "one SOA") std::abort();
    if (error->expected.empty() || to_string(*error).find("fuzz.zone") != 0) std::abort();
    return 0;
  }
  const auto& zone = std::get<Zone>(result);
  if (zone.records.empty() || zone.records[0].type != Type::soa) std::abort();
  for (const auto& record : zone.records) {
    if (!is_in(record.name, zone.origin)) std::abort();
  }
  return 0;
}
