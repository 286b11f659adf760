// A block is taken by the name of an abstract socket.
#include "harness/running/block_lease.h"

#include "protocol/base/check.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace cutover::harness {

BlockLease::BlockLease() {
  // An abstract socket name is taken by one process of a network namespace, exactly as its loopback is, and needs no
  // file.
  constexpr int blocks = 16383;
  const int first = static_cast<int>(::getpid() * 37 % blocks);
  for (int i = 0; i < blocks; ++i) {
    block_ = 1 + (first + i) % blocks;
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = fmt::format("cutover-block-{}", block_);
    std::ranges::copy(name, address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0) return;
    const int error = errno;
    ::close(descriptor_);
    if (error != EADDRINUSE)
      throw HarnessFault(fmt::format("cannot reserve a block of 127.0.0.0/8: {}", std::strerror(error)));
  }
  throw HarnessFault("every block of 127.0.0.0/8 is taken by other runs on this machine");
}
BlockLease::~BlockLease() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
BlockLease::BlockLease(BlockLease&& other) noexcept
    : block_(other.block_), descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace cutover::harness
