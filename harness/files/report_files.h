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

/// Who may read a report: everybody, or the one who made it, because it tells of a target with secrets.
enum class Readers : unsigned { everybody = 0644, owner = 0600 };
/// Those of a file that is there.
[[nodiscard]] Readers readers_of(const std::string& path);

/// Writes beside `path`, syncs, and renames. A path that is no regular file (a pipe that is read, a device) is written
/// directly; one that nobody reads is not waited for. Makes missing folders.
void write_report(const std::string& path, std::string_view text, Readers readers = Readers::everybody);

/// Another run writes there at this moment.
struct InUse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One line a result, written as it comes, so that nothing done is lost with the program. A file has one log at a time.
class ResultLog {
 public:
  /// Truncates. Throws InUse or ReportError.
  explicit ResultLog(std::string path, Readers readers = Readers::everybody);
  ~ResultLog();
  ResultLog(const ResultLog&) = delete;
  ResultLog& operator=(const ResultLog&) = delete;
  void append(std::string_view line);

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace cutover::harness
