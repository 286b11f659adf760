// The real program as a test sees it: arguments, input, both output streams, signals, the exit code.
#pragma once

#include <gmock/gmock.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace cutover::cli_tests {

struct Ended {
  int code = -1;       ///< 1000 and the number of the signal that killed it
  std::string output;  ///< both streams
};

/// One running `cutover`. Killed when it is destroyed.
class Program {
 public:
  /// `folder`: where it runs; empty: here.
  explicit Program(std::vector<std::string> arguments, const std::string& program = CUTOVER_PROGRAM,
                   const std::string& folder = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads output until `mark` was in it; false at its end, or when nothing came for a minute.
  bool read_until(const std::string& mark);
  void type(const std::string& text) const;
  void signal(int number) const;
  /// Nobody reads its output any more.
  void stop_reading();
  Ended end();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& output() const { return text_; }

 private:
  bool read_some();

  pid_t pid_ = 0;
  int input_ = -1, output_ = -1;
  std::string text_;
};

/// A folder of its own, and short words for runs that report there.
class CommandLine : public testing::Test {
 public:
  ~CommandLine() override;

 protected:
  CommandLine();
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;
  static std::string content(const std::string& path);
  static Ended cutover(std::vector<std::string> arguments) { return Program(std::move(arguments)).end(); }
  /// `cutover run` with its reports in the folder.
  [[nodiscard]] Ended run(std::vector<std::string> arguments) const;
  [[nodiscard]] Ended sim(std::vector<std::string> arguments) const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

void expect(const Ended& ended, int code, const testing::Matcher<std::string>& output);

}  // namespace cutover::cli_tests
