// The lease of a block of loopback addresses, so that runs on one machine do not meet.
#pragma once

namespace cutover::harness {

/// Holds one block of 127.0.0.0/8 against every other process on this machine's loopback; freed by the kernel at exit.
class BlockLease {
 public:
  BlockLease();  ///< HarnessFault when every block is taken
  ~BlockLease();
  BlockLease(BlockLease&& other) noexcept;
  BlockLease& operator=(BlockLease&&) = delete;
  [[nodiscard]] int block() const { return block_; }

 private:
  int block_ = 0, descriptor_ = -1;
};

}  // namespace cutover::harness
