// A server that is none: it listens on loopback and says what a test wants, whatever it hears.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cutover::cli_tests {

/// A listener on a free port of 127.0.0.1 that treats everybody in the same way, one after the other.
class BadServer {
 public:
  enum class Manner { resets, is_silent, answers, answers_once };
  /// What is said after an arrival of octets, the one of that number on its connection.
  using Answer = std::function<std::string(std::size_t turn, const std::string& heard)>;

  /// `turns`: what is said after each arrival of octets, one after the other.
  explicit BadServer(Manner manner, std::vector<std::string> turns = {});
  explicit BadServer(Answer answer);
  ~BadServer();
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;
  [[nodiscard]] int port() const { return port_; }
  /// Waits until somebody has spoken to it since the last call, for 30 s at most.
  [[nodiscard]] bool is_met() const;
  /// All that anybody said to it so far.
  [[nodiscard]] std::string heard() const;

 private:
  void listen();
  void serve();
  void meet(int connection);

  Manner manner_;
  Answer answer_;
  int listener_ = -1, port_ = 0;
  int stop_[2] = {-1, -1};
  mutable std::mutex mutex_;
  mutable std::condition_variable spoken_;
  mutable std::size_t known_ = 0;  ///< of heard_, at the last is_met()
  std::string heard_;
  std::thread thread_;
};

}  // namespace cutover::cli_tests
