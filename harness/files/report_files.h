// Writes report files so that a reader sees the old file or the whole new one, and a full disk is told, not swallowed.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace cutover::harness {

/// A report that could not be written; what() names the place, the reason and the remedy.
struct ReportError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Writes beside `path`, syncs, and renames. A path that is no regular file (a pipe, a device) is written directly.
/// Makes missing folders. `mode` is that of a new file.
void write_report(const std::string& path, std::string_view text, unsigned mode = 0644);

/// One line a result, written as it comes, so that nothing done is lost with the program.
class ResultLog {
 public:
  explicit ResultLog(std::string path);  ///< truncates
  ~ResultLog();
  ResultLog(const ResultLog&) = delete;
  ResultLog& operator=(const ResultLog&) = delete;
  void append(std::string_view line);

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace cutover::harness
