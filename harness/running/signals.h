// SIGINT, SIGTERM and SIGHUP as something to look at, so that they cost nothing that is done.
#pragma once

#include "harness/running/descriptor.h"

#include <csignal>

namespace cutover::harness {

/// As long as it lives these signals end nothing by themselves: whoever waits looks here. After one was taken, or where
/// one came that nobody looked for any more, they stay blocked: impatience, or timeout(1) with its second signal, must
/// not cost the reports.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Readable when one has come.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// The number of one that has come; 0 where none has.
  [[nodiscard]] int take();

 private:
  sigset_t watched_{}, before_{};
  Descriptor descriptor_;
  void (*pipe_)(int) = nullptr;
  bool taken_ = false;
};

}  // namespace cutover::harness
