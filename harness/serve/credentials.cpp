// One lock, so that two processes that start together do not make two authorities.
#include "harness/serve/credentials.h"

#include "harness/files/report_files.h"
#include "harness/files/text_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>

namespace cutover::harness {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw CredentialsError(path + ": " + reason + "; choose another folder with --credentials=FOLDER");
}

class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) {
    const auto path = folder + "/lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) fail(path, std::strerror(errno));
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno != EINTR) fail(path, std::strerror(errno));
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

void write_private(const std::string& path, const std::string& text) {
  try {
    write_report(path, text, Readers::owner);
  } catch (const ReportError& error) {
    throw CredentialsError(error.what());
  }
}

std::string authority_text(const std::string& path) {
  try {
    return read_text_file(path);
  } catch (const FileError& error) {
    if (!error.missing) fail(path, error.what());
  }
  auto made = tls::new_authority_pem(std::time(nullptr));
  write_private(path, made);
  return made;
}

}  // namespace

std::unique_ptr<tls::Authority> open_credentials(const std::string& folder, const Topology& topology) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, error.message());
  const FolderLock lock(folder);
  const auto path = folder + "/authority.pem";
  std::unique_ptr<tls::Authority> authority;
  try {
    authority = tls::authority_from_pem(authority_text(path), std::time(nullptr));
  } catch (const std::invalid_argument& wrong) {
    fail(path, std::string(wrong.what()) + " (or remove the file, and a new one is made)");
  }
  tls::CertificateRequest by_hand{.names = {{tls::NameKind::dns, topology.domain}}, .common_name = {}};
  for (const auto& partner : topology.partners) by_hand.names.push_back({tls::NameKind::dns, partner.domain});
  const auto files = authority->issue_pem(by_hand);
  write_private(folder + "/root.pem", files.root);
  write_private(folder + "/hand.pem", files.certificate_chain);
  write_private(folder + "/hand.key", files.private_key);
  return authority;
}

}  // namespace cutover::harness
