// On a POSIX descriptor, because streams take an empty file for a failure and do not tell why a read failed.
#include "harness/files/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cutover::harness {

namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void fail(int error) {
  throw FileError(std::string("cannot be read: ") + std::strerror(error), error == ENOENT);
}

[[noreturn]] void fail_too_large(std::size_t max_octets) {
  throw FileError("is too large; expected at most " + std::to_string(max_octets / 1024 / 1024) + " MiB", false);
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

}  // namespace

std::string read_text_file(const std::string& path, std::size_t max_octets) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.number < 0) fail(errno);
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail(errno);
  if (!S_ISREG(status.st_mode))
    throw FileError(std::string("is ") + kind_of(status.st_mode) + "; expected a file", false);
  if (static_cast<std::size_t>(status.st_size) > max_octets) fail_too_large(max_octets);
  std::string text;
  char buffer[16384];
  for (;;) {
    const auto size = ::read(file.number, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(errno);
    if (size == 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.size() > max_octets) fail_too_large(max_octets);  // it grows, or lies like those of /proc
  }
}

}  // namespace cutover::harness
