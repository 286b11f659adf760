// Prosody's settings as text, and its process: it starts, is looked after, and dies with its owner.
#include "harness/prosody.h"

#include "protocol/base/check.h"

#include <unistd.h>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ProsodySettings settings_for(ProsodyMode mode, const std::string& name) {
  ProsodySettings settings;
  settings.domain = "a-b.test";
  settings.address = "127.250.3.4";
  settings.name_server = {"127.250.3.1", 10053};
  settings.mode = mode;
  settings.folder = std::filesystem::path(testing::TempDir()) / ("prosody-" + name + std::to_string(getpid()));
  settings.accounts = {{"juliet", "pass\"word\n"}};
  return settings;
}

TEST(ProsodyConfiguration, NamesTheAuthenticationOfEachMode) {
  const auto text = [](ProsodyMode mode) { return prosody_configuration(settings_for(mode, "text")); };
  EXPECT_THAT(text(ProsodyMode::external_only),
              AllOf(HasSubstr("s2s_secure_auth = true"), HasSubstr("modules_disabled = { \"dialback\"; }")));
  EXPECT_THAT(text(ProsodyMode::dialback_over_tls), AllOf(HasSubstr("s2s_require_encryption = true"),
                                                          HasSubstr("modules_disabled = { \"s2s_auth_certs\"; }")));
  EXPECT_THAT(text(ProsodyMode::external_and_dialback), HasSubstr("modules_disabled = {  }"));
  EXPECT_THAT(text(ProsodyMode::dialback_in_clear),
              AllOf(HasSubstr("s2s_require_encryption = false"),
                    HasSubstr("modules_disabled = { \"tls\"; \"s2s_auth_certs\"; }")));
}

TEST(ProsodyConfiguration, AsksOnlyOurNameServerFromItsOwnAddress) {
  const auto text = prosody_configuration(settings_for(ProsodyMode::external_only, "text"));
  EXPECT_THAT(text, AllOf(HasSubstr("resolvconf = false"), HasSubstr("\"127.250.3.1@10053\""),
                          HasSubstr("[\"outgoing-interface:\"] = \"127.250.3.4\"")));
}

TEST(ProsodyConfiguration, EscapesAccountFilesAsItsStorageDoes) {
  EXPECT_EQ(prosody_account_file("a-b.test", "o'neil"), "data/a%2db%2etest/accounts/o%27neil.dat");
}

/// A program in Prosody's place: the process side is the same for every program.
std::filesystem::path script(const ProsodySettings& settings, const std::string& body) {
  std::filesystem::create_directories(settings.folder);
  const auto path = settings.folder / "program";
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(ProsodyProcess, IsEndedWithItsOwner) {
  auto settings = settings_for(ProsodyMode::external_only, "ended");
  settings.program = script(settings, "exec cat /dev/zero > /dev/null\n");
  {
    Prosody prosody(settings);
    EXPECT_TRUE(prosody.running());
    prosody.kill();
    EXPECT_FALSE(prosody.running());
    prosody.kill();  // again: no effect
  }
  std::filesystem::remove_all(settings.folder);
}

TEST(ProsodyProcess, KeepsWhatItSaidAndLeavesPrivateFiles) {
  auto settings = settings_for(ProsodyMode::external_only, "said");
  settings.program = script(settings, "echo \"told $*\"\n");
  Prosody prosody(settings);
  while (prosody.running()) {
  }
  EXPECT_THAT(prosody.log(), AllOf(HasSubstr("told --config"), HasSubstr("-F")));
  EXPECT_EQ(std::filesystem::status(settings.folder).permissions(), std::filesystem::perms::owner_all);
  std::ifstream account(settings.folder / prosody_account_file("a-b.test", "juliet"));
  std::string line;
  std::getline(account, line);
  EXPECT_EQ(line, R"(return { ["password"] = "pass\"word\010"; };)");
  std::filesystem::remove_all(settings.folder);
}

TEST(ProsodyProcess, RefusesAFolderThatCannotBeMade) {
  auto settings = settings_for(ProsodyMode::external_only, "refused");
  settings.program = "/bin/true";
  settings.folder = "/proc/nowhere";
  EXPECT_THROW(Prosody{settings}, HarnessFault);
}

}  // namespace
}  // namespace cutover::harness
