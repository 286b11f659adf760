// A product of a target file that is started once for a whole run, as somebody's server that is up.
#pragma once

#include "harness/targets/target.h"

#include <memory>

namespace cutover::harness {

/// It runs in the background and needs no world; it dies with this object. Beside it lies a target file of the driver
/// `remote`, with the addresses of a block of loopback addresses that nobody else uses meanwhile.
class StartedServer {
 public:
  /// `target` is of a product. Waits until it is up. Throws HarnessFault.
  StartedServer(const Target& target, int block);
  /// Path of the target file by which it is met.
  [[nodiscard]] std::string file() const;

 private:
  PrivateFolder folder_;
  std::unique_ptr<RealServer> server_;
};

}  // namespace cutover::harness
