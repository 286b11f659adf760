// One lock, so that two processes that start together do not make two authorities.
#include "harness/files/authority_folder.h"

#include "harness/files/report_files.h"
#include "harness/files/text_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>

namespace cutover::harness {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw AuthorityError(path + ": " + reason);
}

void write(const std::string& path, const std::string& text, Readers readers) {
  try {
    write_report(path, text, readers);
  } catch (const ReportError& error) {
    throw AuthorityError(error.what());
  }
}

std::optional<std::string> text_of(const std::string& path) {
  try {
    return read_text_file(path);
  } catch (const FileError& error) {
    if (!error.missing) fail(path, error.what());
  }
  return std::nullopt;
}

}  // namespace

AuthorityFolder::AuthorityFolder(const std::string& folder, bool may_make, bool may_open) : folder_(folder) {
  const auto path = folder + "/authority.pem";
  std::error_code error;
  if (may_make)
    std::filesystem::create_directories(folder, error);
  else if (!text_of(path))
    fail(path, "there is no authority; `cutover authority new " + folder + "` makes one");
  if (error) fail(folder, error.message());
  lock_.take(folder + "/lock");
  auto text = text_of(path);
  if (text && !may_open) fail(path, "there is an authority already");
  if (!text) {
    text = tls::new_authority_pem(std::time(nullptr));
    write(path, *text, Readers::owner);
  }
  try {
    authority_ = tls::authority_from_pem(*text, std::time(nullptr));
  } catch (const std::invalid_argument& wrong) {
    fail(path, std::string(wrong.what()) + " (or remove the file, and make a new one)");
  }
  write(folder + "/root.pem", authority_->issue_pem({.flaw = tls::Flaw::no_certificate}).root, Readers::everybody);
}

AuthorityFolder::Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AuthorityFolder::Lock::take(const std::string& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail(path, std::strerror(errno));
  while (::flock(descriptor_, LOCK_EX) != 0) {
    if (errno != EINTR) fail(path, std::strerror(errno));
  }
}

void AuthorityFolder::issue(const tls::CertificateRequest& request, const std::string& stem) {
  for (const auto* own : {"/authority.pem", "/root.pem"}) {
    std::error_code none;  // what is not there is nobody's
    if (std::filesystem::equivalent(stem + ".pem", folder_ + own, none))
      fail(stem + ".pem", "it is the authority's own; --out gives another place");
  }
  const auto files = authority_->issue_pem(request);
  write(stem + ".key", files.private_key, Readers::owner);
  write(stem + ".pem", files.certificate_chain, Readers::everybody);
}

}  // namespace cutover::harness
