// Files on POSIX descriptors, because streams do not tell why a write failed.
#include "harness/files/report_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace cutover::harness {

namespace {
[[noreturn]] void fail(const std::string& path, int error) {
  std::string remedy = "choose another place (-o DIR, or the option that names the file)";
  if (error == ENOSPC || error == EDQUOT) remedy = "free space there, or choose another disk with -o DIR";
  if (error == EFBIG) remedy = "it would be larger than this process may make a file (ulimit -f)";
  if (error == EACCES || error == EPERM || error == EROFS)
    remedy = "make it writable, or choose another place (-o DIR, or the option that names the file)";
  throw ReportError("cannot write " + path + ": " + std::strerror(error) + "; " + remedy);
}

/// Whoever reads a pipe has this long for each piece.
constexpr int reader_patience_ms = 10'000;

[[noreturn]] void fail_unread(const std::string& path) {
  throw ReportError("cannot write " + path + ": nobody reads this pipe; start its reader first, or name a file");
}

void write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      pollfd one{descriptor, POLLOUT, 0};
      if (::poll(&one, 1, reader_patience_ms) == 0) fail_unread(path);
      continue;
    }
    if (written < 0) fail(path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct File {
  int descriptor;
  File(const std::string& path, int flags, unsigned mode) : descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (descriptor < 0 && errno == ENXIO) fail_unread(path);
    if (descriptor < 0) fail(path, errno);
  }
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void close(const std::string& path) {
    if (::close(std::exchange(descriptor, -1)) != 0) fail(path, errno);
  }
};

void make_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) fail(folder.string(), error.value());
}
}  // namespace

Readers readers_of(const std::string& path) {
  struct stat status {};
  const bool open = ::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  return open ? Readers::everybody : Readers::owner;
}

void write_report(const std::string& path, std::string_view text, Readers readers) {
  make_folder_of(path);
  const auto mode = static_cast<unsigned>(readers);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    File file(path, O_WRONLY | O_NONBLOCK | O_NOCTTY, mode);
    write_all(file.descriptor, text, path);
    file.close(path);
    return;
  }
  const auto temporary = path + ".part-" + std::to_string(::getpid());
  try {
    ::unlink(temporary.c_str());  // of an earlier process of that number; its mode may be another
    File file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    write_all(file.descriptor, text, path);
    if (::fsync(file.descriptor) != 0) fail(path, errno);
    file.close(path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

ResultLog::ResultLog(std::string path, Readers readers) : path_(std::move(path)) {
  make_folder_of(path_);
  const auto mode = static_cast<unsigned>(readers);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, mode);
  if (descriptor_ < 0 && errno == ENXIO) fail_unread(path_);
  if (descriptor_ < 0) fail(path_, errno);
  // Until the kernel takes the lock back with the last descriptor: no worker has one.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw InUse(path_ + " is being written by another run; give this one a folder of its own (-o DIR)");
  }
  if (::ftruncate(descriptor_, 0) != 0 && errno != EINVAL) fail(path_, errno);            // EINVAL: a pipe or a device
  if (readers == Readers::owner && ::fchmod(descriptor_, mode) != 0) fail(path_, errno);  // it may be there already
}
ResultLog::~ResultLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
void ResultLog::append(std::string_view line) { write_all(descriptor_, std::string(line) + "\n", path_); }

}  // namespace cutover::harness
