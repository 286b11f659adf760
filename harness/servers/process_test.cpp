// A child process: looked after, and never outliving its owner.
#include "harness/servers/process.h"

#include "protocol/base/check.h"

#include <unistd.h>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

std::filesystem::path output(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / ("process-" + name + std::to_string(getpid()));
}

TEST(ChildProcess, IsEndedWithItsOwner) {
  ChildProcess process("/bin/cat", {"/dev/zero"}, {}, "/dev/null");
  EXPECT_TRUE(process.running());
  process.kill();
  EXPECT_FALSE(process.running());
  process.kill();  // again: no effect
}

TEST(ChildProcess, HasItsArgumentsItsEnvironmentAndNothingElse) {
  const auto file = output("said");
  ChildProcess process("/bin/sh", {"-c", "echo \"$0\"; echo \"$ROOM\"; echo \"$HOME\" >&2", "a word"}, {"ROOM=7"},
                       file);
  while (process.running()) {
  }
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(text.str(), "a word\n7\n\n");
  std::filesystem::remove(file);
}

TEST(ChildProcess, EndsWhenItIsAsked) {
  ChildProcess process("/bin/cat", {"/dev/zero"}, {}, "/dev/null");
  process.terminate();
  while (process.running()) {
  }
}

}  // namespace
}  // namespace cutover::harness
