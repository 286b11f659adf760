// Blocking sockets in a thread of their own.
#include "harness/cli_tests/bad_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace cutover::cli_tests {

BadServer::BadServer(Manner manner, std::vector<std::string> turns)
    : manner_(manner), answer_([turns = std::move(turns)](std::size_t turn, const std::string&) {
        return turn < turns.size() ? turns[turn] : std::string();
      }) {
  listen();
}

BadServer::BadServer(Answer answer) : manner_(Manner::answers), answer_(std::move(answer)) { listen(); }

void BadServer::listen() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(stop_) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ::ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

BadServer::~BadServer() {
  ::close(stop_[1]);
  thread_.join();
  if (listener_ >= 0) ::close(listener_);
  ::close(stop_[0]);
}

std::string BadServer::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

bool BadServer::is_met() const {
  std::unique_lock lock(mutex_);
  const bool met = spoken_.wait_for(lock, std::chrono::seconds(30), [this] { return heard_.size() > known_; });
  known_ = heard_.size();
  return met;
}

void BadServer::serve() {
  for (;;) {
    pollfd waits[]{{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    meet(connection);
    ::close(connection);
    if (manner_ != Manner::answers_once) continue;
    ::close(std::exchange(listener_, -1));
    return;
  }
}

void BadServer::meet(int connection) {
  if (manner_ == Manner::resets) {
    const linger at_once{1, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return;
  }
  char buffer[4096];
  for (std::size_t turn = 0;; ++turn) {
    pollfd waits[]{{connection, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
    const auto size = waits[1].revents != 0 ? 0 : ::read(connection, buffer, sizeof buffer);
    if (size <= 0) return;
    const std::string heard(buffer, static_cast<std::size_t>(size));
    {
      const std::lock_guard lock(mutex_);
      heard_ += heard;
    }
    spoken_.notify_all();
    std::string_view answer;
    const auto whole = answer_(turn, heard);
    for (answer = whole; !answer.empty();) {
      const auto written = ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      if (written <= 0) return;
      answer.remove_prefix(static_cast<std::size_t>(written));
    }
  }
}

}  // namespace cutover::cli_tests
