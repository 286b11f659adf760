// PEM, DER, PKCS#7 and PKCS#12: certificates or faults with words, and no key is derived for long.
#include "protocol/tls/certificate_file.h"

#include "protocol/tls/identity.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cutover::tls;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  (void)is_certificate_file(octets);
  const auto file = read_certificate_file(octets);
  if (file.certificates.empty() && file.faults.empty() && !file.has_private_key) std::abort();
  for (const auto& fault : file.faults) {
    if (fault.what.empty() || fault.line < 0) std::abort();
  }
  for (const auto& one : file.certificates) (void)covers(one.facts, "contoso.example");
  return 0;
}
