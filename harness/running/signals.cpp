// Signals of a run as a descriptor to wait on: signalfd(2).
#include "harness/running/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace cutover::harness {

Signals::Signals() {
  sigemptyset(&watched_);
  // SIGHUP: the terminal was closed; nohup's disposition keeps it away.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&watched_, signal);
  ::sigprocmask(SIG_BLOCK, &watched_, &before_);
  descriptor_ = Descriptor(::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK));
  pipe_ = ::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  ::signal(SIGPIPE, pipe_);
  if (!taken_ && take() == 0) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::take() {
  signalfd_siginfo info{};
  if (::read(descriptor_.get(), &info, sizeof info) != sizeof info) return 0;
  taken_ = true;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace cutover::harness
