// On a POSIX descriptor, because streams take an empty file for a failure and do not tell why a read failed.
#include "harness/files/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cutover::harness {

std::string read_text_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category());
  std::string text;
  char buffer[16384];
  ssize_t size = 0;
  do {
    size = ::read(descriptor, buffer, sizeof buffer);
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
  } while (size > 0 || (size < 0 && errno == EINTR));
  const int error = errno;
  ::close(descriptor);
  if (size < 0) throw std::system_error(error, std::generic_category());
  return text;
}

}  // namespace cutover::harness
