// Closing, apart from the header, which stays free of the system's.
#include "harness/running/descriptor.h"

#include <unistd.h>

namespace cutover::harness {

void Descriptor::reset() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace cutover::harness
