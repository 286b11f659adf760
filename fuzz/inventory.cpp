// A file of any kind among the exports of an estate: what is read is judged, and every problem and finding has words.
#include "harness/exports/judge.h"

#include <cstdint>
#include <cstdlib>

/// COMPAT(ldns 1.8): it loses a few octets over records that it refuses (CERT, IPSECKEY). A zone is read once.
extern "C" const char* __lsan_default_suppressions() { return "leak:libldns\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cutover::harness::exports;
  InventoryReader reader;
  reader.add({reinterpret_cast<const char*>(data), size}, "contoso.example.zone");
  const auto inventory = reader.take();
  for (const auto& problem : inventory.problems) {
    if (problem.place.file != "contoso.example.zone" || problem.what.empty()) std::abort();
  }
  std::size_t users = 0;
  for (const auto& one : classes_of(inventory)) users += one.count;
  if (users != inventory.users.size()) std::abort();
  (void)settings_of(inventory);
  for (const auto& finding : judge(inventory, {.now = 1'800'000'000})) {
    if (finding.failure.size() < 2 || finding.sentence.empty() || finding.remedy.empty()) std::abort();
  }
  return 0;
}
