// Lines in, lines out.
#include "harness/running/worker.h"

#include "harness/running/order.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>

namespace cutover::harness {

int run_worker(std::string_view runner) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);                   // no worker outlives its runner
  if (std::to_string(::getppid()) != runner) return 1;  // it died before the line above
  ::fcntl(order_descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(answer_descriptor, F_SETFD, FD_CLOEXEC);
  std::string buffer;
  OrderReader orders;
  char chunk[4096];
  for (;;) {
    const auto size = ::read(order_descriptor, chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return 0;
    buffer.append(chunk, static_cast<std::size_t>(size));
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      const auto order = orders.read(buffer.substr(0, end));
      buffer.erase(0, end + 1);
      const auto answer = answer_line(execute_case(*order.record, order.options));
      std::cout.flush();
      if (!write_line(answer_descriptor, answer)) return 1;
    }
  }
}

}  // namespace cutover::harness
