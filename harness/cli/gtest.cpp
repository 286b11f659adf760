// `gtest`: the cases as GoogleTest tests, for tools that speak its options.
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/run.h"
#include "harness/running/block_lease.h"

#include <gtest/gtest.h>

namespace cutover::harness::cli {

using reports::Outcome;

namespace {
// One case as a GoogleTest test.
class CaseTest final : public testing::Test {
 public:
  CaseTest(const CaseRecord& record, WorldKind world, int block) : record_(record), block_(block), world_(world) {}
  void TestBody() override {
    RunOptions options;
    options.world = world_;
    options.block = block_;
    options.seed = case_seed(1, record_.id, 1);
    const auto result = execute_case(record_, options);
    if (result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported) GTEST_SKIP() << result.reason;
    if (result.outcome == Outcome::broken) ADD_FAILURE() << "broken: " << result.reason;
    for (const auto& check : result.checks) {
      if (is_red(check)) {
        ADD_FAILURE_AT(check.file.c_str(), check.line)
            << check.id << "\nexpected: " << check.expected << "\nbut: " << check.actual;
      }
    }
  }

 private:
  const CaseRecord& record_;
  int block_;
  WorldKind world_;
};
}  // namespace

int gtest_command(std::vector<std::string> arguments) {
  static const BlockLease lease;
  for (const auto& record : all_cases()) {
    if (is_hidden(record)) continue;
    for (const auto world : {WorldKind::sim, WorldKind::live}) {
      if (!(world == WorldKind::sim ? record.sim : record.live)) continue;
      const auto name = slug_of(record.id) + (world == WorldKind::sim ? "/sim" : "/live");
      testing::RegisterTest(
          suite_of(record.id).c_str(), name.c_str(), nullptr, nullptr, record.file.c_str(), record.line,
          [&record, world]() -> testing::Test* { return new CaseTest(record, world, lease.block()); });
    }
  }
  std::vector<char*> pointers;
  arguments.insert(arguments.begin(), "cutover gtest");
  pointers.reserve(arguments.size() + 1);
  for (auto& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  testing::InitGoogleTest(&count, pointers.data());
  if (count > 1) throw UsageError(std::string("gtest does not know the option ") + pointers[1]);
  return RUN_ALL_TESTS();
}

}  // namespace cutover::harness::cli
