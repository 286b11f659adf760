// The rules on small made-up trees, and then on the tree itself.
#include "tools/tidy/tidy.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace cutover::tidy {
namespace {

const std::string purpose = "// Enough words to say a purpose.\n";

std::string findings_in(const std::string& path, const std::string& body) {
  return text(inspect({{path, purpose + body}, {"tools/user.cpp", purpose + "#include \"" + path + "\"\n"}}));
}

TEST(Tidy, LetsGoodCodePass) {
  EXPECT_EQ(findings_in("harness/a.cpp",
                        "#include \"protocol/b.h\"\n#include <vector>\n#include <fmt/format.h>\nint a = 1'000;\n"),
            "");
}

TEST(Tidy, KeepsLayersApart) {
  EXPECT_EQ(findings_in("mocks/a.cpp", "#include \"reference/b.h\"\n"),
            "mocks/a.cpp:2: mocks must not know reference: move the shared part down, or pass it in\n");
  EXPECT_NE(findings_in("reference/a.cpp", "#include \"mocks/b.h\"\n"), "");
  EXPECT_NE(findings_in("protocol/a.cpp", "#include \"harness/b.h\"\n"), "");
  EXPECT_NE(findings_in("reports/a.cpp", "#include \"harness/b.h\"\n"), "");
  EXPECT_EQ(findings_in("suites/a.cpp", "#include \"harness/b.h\"\n"), "");
}

TEST(Tidy, LetsArrowsBetweenRoomsGoDownOnly) {
  EXPECT_EQ(findings_in("harness/running/a.cpp", "#include \"harness/worlds/b.h\"\n"), "");
  EXPECT_EQ(findings_in("harness/worlds/a.cpp", "#include \"harness/worlds/b.h\"\n"), "");
  EXPECT_EQ(findings_in("harness/worlds/a.cpp", "#include \"harness/running/b.h\"\n"),
            "harness/worlds/a.cpp:2: harness/worlds must not know harness/running: move the shared part down, or pass "
            "it in\n");
  EXPECT_NE(findings_in("harness/serve/a.cpp", "#include \"harness/bench/b.h\"\n"), "");
  EXPECT_NE(findings_in("protocol/xml/a.cpp", "#include \"protocol/xmpp/b.h\"\n"), "");
}

TEST(Tidy, AsksForPathsFromTheRoot) {
  EXPECT_EQ(findings_in("mocks/a.cpp", "#include \"b.h\"\n"),
            "mocks/a.cpp:2: include \"b.h\" by its path from the root of the tree\n");
}

TEST(Tidy, KeepsThirdPartyHeadersOutOfHeaders) {
  EXPECT_EQ(findings_in("harness/a.h", "#include <fmt/format.h>\n"),
            "harness/a.h:2: <fmt/format.h> belongs into a .cpp file: hide it behind a type of ours\n");
  EXPECT_EQ(findings_in("harness/judging/verdict.h", "#include <gmock/gmock.h>\n"), "");
  EXPECT_EQ(findings_in("mocks/a.cpp", "#include <libxml/parser.h>\n"),
            "mocks/a.cpp:2: <libxml/parser.h> is used in protocol/xml/ only: go through what stands there\n");
}

TEST(Tidy, NamesWhatToDoInstead) {
  EXPECT_EQ(findings_in("mocks/a.cpp", "auto t = std::chrono::steady_clock::now();\n"),
            "mocks/a.cpp:2: steady_clock is banned here; instead: ask Context::now() or World::now()\n");
  EXPECT_EQ(findings_in("harness/worlds/live_world.cpp", "auto t = std::chrono::steady_clock::now();\n"), "");
  for (const std::string bad :
       {"x = rand();", "std::uniform_int_distribution<int> d;", "getenv(name);", "co_await f();",
        "std::this_thread::sleep_for(1s);", "std::unordered_map<int, int> m;"}) {
    EXPECT_NE(findings_in("mocks/a.cpp", bad + "\n"), "") << bad;
  }
  EXPECT_EQ(findings_in("protocol/tls/a.cpp", "#include <openssl/rand.h>\n"), "");
  EXPECT_EQ(findings_in("mocks/a.cpp", "std::unordered_map<int, int> m;  // tidy: never iterated\n"), "");
}

TEST(Tidy, LooksAtCodeNotAtWords) {
  EXPECT_EQ(findings_in("mocks/a.cpp", "// never rand()\nauto s = \"rand()\"; /* getenv */ int operand; // co_await\n"),
            "");
  EXPECT_EQ(code_only("a = R\"x(\"rand\")x\" + 'b' + \"\\\"\" + 1'0;"),
            "a =" + std::string(15, ' ') + "+     +      + 1'0;");
}

TEST(Tidy, MeasuresLines) {
  EXPECT_EQ(findings_in("mocks/a.cpp", "int " + std::string(115, 'a') + ";\n"), "");
  EXPECT_EQ(findings_in("mocks/a.cpp", "int " + std::string(116, 'a') + ";\n"),
            "mocks/a.cpp:2: 121 columns; break the line at 120\n");
}

TEST(Tidy, WantsAPurposeAndAUser) {
  EXPECT_EQ(text(inspect({{"mocks/a.cpp", "#include <map>\n"}})),
            "mocks/a.cpp:1: the first line says the one purpose of the file: // Words.\n");
  EXPECT_EQ(text(inspect({{"mocks/a.h", purpose}})), "mocks/a.h:0: nothing includes this file: delete it, or use it\n");
}

TEST(Tidy, WantsNoPathOfOneMachine) {
  EXPECT_EQ(text(inspect({{"README.md",
                           "see /ho"
                           "me/me/x\n"}})),
            "README.md:1: /ho"
            "me/... is a path of one machine\n");
  EXPECT_EQ(text(inspect({{"README.md",
                           "see https://a.example/ho"
                           "me\n"}})),
            "");
}

Tree read_tree() {
  namespace fs = std::filesystem;
  const fs::path root = CUTOVER_SOURCE_DIR;
  Tree tree;
  const auto read = [&](const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    tree[fs::relative(file, root).string()] = content.str();
  };
  for (const char* folder : {"protocol", "reference", "mocks", "departures", "harness", "reports", "suites", "tools",
                             "fuzz", "cmake", ".ci"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const bool corpus = entry.path().string().find("/corpus/") != std::string::npos;  // any octets
      if (entry.is_regular_file() && !corpus) read(entry.path());
    }
  }
  for (const char* file : {"README.md", "run", "test", "CMakeLists.txt", "CMakePresets.json"}) {
    if (fs::exists(root / file)) read(root / file);
  }
  return tree;
}

TEST(Tidy, HoldsInTheWholeTree) {
  const auto tree = read_tree();
  ASSERT_TRUE(tree.contains("tools/tidy/tidy.cpp"));
  const auto findings = inspect(tree);
  EXPECT_TRUE(findings.empty()) << text(findings);
}

}  // namespace
}  // namespace cutover::tidy
