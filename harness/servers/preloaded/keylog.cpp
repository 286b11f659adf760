// A library for LD_PRELOAD: a server writes the secrets of its TLS connections down, so that a capture of them can be
// read. No server that is at hand does so by itself where SSLKEYLOGFILE is set.
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

/// A line at a time, behind those of every other server that has the same file.
void write_secret(const SSL* /*session*/, const char* line) {
  const char* path = std::getenv("SSLKEYLOGFILE");
  const int file = path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string whole = std::string(line) + '\n';
  if (write(file, whole.data(), whole.size()) < 0) perror("SSLKEYLOGFILE");
  close(file);
}

}  // namespace

extern "C" SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  auto* const openssl = reinterpret_cast<SSL_CTX* (*)(const SSL_METHOD*)>(dlsym(RTLD_NEXT, "SSL_CTX_new"));
  SSL_CTX* context = openssl(method);
  if (context != nullptr) SSL_CTX_set_keylog_callback(context, write_secret);
  return context;
}
