// Runs the real program, collects what it says and how it ends.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace cutover::cli_tests {

struct Ended {
  int code = -1;
  std::string output;  ///< both streams
};

class Program {
 public:
  explicit Program(std::vector<std::string> arguments, const std::string& program = CUTOVER_PROGRAM);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// False where it ended, or said nothing for a minute, before the mark came.
  bool read_until(const std::string& mark);
  void signal(int number) const;
  [[nodiscard]] int pid() const { return pid_; }
  Ended end();

 private:
  bool read_some();

  int pid_ = 0;
  int output_ = -1;
  std::string text_;
};

/// A folder of its own for each test.
class CommandLine : public testing::Test {
 protected:
  CommandLine();
  ~CommandLine() override;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;
  static std::string content(const std::string& path);
  static Ended cutover(std::vector<std::string> arguments) { return Program(std::move(arguments)).end(); }
  [[nodiscard]] Ended run(std::vector<std::string> arguments) const;
  [[nodiscard]] Ended sim(std::vector<std::string> arguments) const;

 private:
  std::string folder_;
};

void expect(const Ended& ended, int code, const testing::Matcher<std::string>& output);

}  // namespace cutover::cli_tests
