// What Export-Csv writes, in any encoding, whole or damaged.
#include "fuzz/export_check.h"
#include "reference/exports/read.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cutover::reference::exports;
  check_form(Form::csv, data, size);
  return 0;
}
