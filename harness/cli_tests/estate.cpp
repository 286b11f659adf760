// `estate`: what is wrong with exports, with each exit code, and a plan of them that `rehearse` takes.
#include "harness/cli_tests/program.h"

#include <sys/stat.h>
#include <filesystem>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string samples = CUTOVER_SOURCE_DIR "/fixtures/exports/contoso/";

class Estate : public CommandLine {
 protected:
  static Ended estate(std::vector<std::string> files, std::vector<std::string> more = {}) {
    files.insert(files.begin(), "estate");
    files.insert(files.end(), more.begin(), more.end());
    return cutover(std::move(files));
  }
  static std::vector<std::string> sample(const std::string& form) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(samples + form)) files.push_back(entry.path());
    for (const auto* name : {"contoso.example.zone", "woodgrove.example.dns", "edge.pem"})
      files.push_back(samples + "names/" + name);
    return files;
  }
};

TEST_F(Estate, WhatFailsIsToldTheWorstFirstAndRehearsed) {
  const auto ended = estate(sample("csv"), {"--plan", path("plan.yaml")});
  expect(ended, 1,
         AllOf(HasSubstr("users.csv: Export-Csv (users: 300)"), HasSubstr("contoso.example.zone: a zone"),
               HasSubstr("\n  F4 fails: "), HasSubstr("`cutover rehearse")));
  EXPECT_LT(ended.output.rfind(" fails: "), ended.output.find(" risks: "));
  const auto rehearsed = cutover({"rehearse", path("plan.yaml"), "-o", path("out")});
  EXPECT_TRUE(rehearsed.code == 0 || rehearsed.code == 1) << rehearsed.output;
  EXPECT_THAT(rehearsed.output, HasSubstr("GO\n"));
}

TEST_F(Estate, AnEstateWithoutAFaultIsZero) {
  const auto sites = file("sites.json", R"({"Identity": "Site:A", "Pools": ["pool1.a.example"], "SiteType": 0,
    "XmppFederationRoute": null, "ParentSite": null, "FederationRoute": null})");
  expect(estate({sites}), 0, AllOf(HasSubstr("0 fail, "), HasSubstr(" not judged: ")));
}

TEST_F(Estate, WhatCannotBeReadIsFourAndNoPlanIsWritten) {
  const auto plan = path("plan.yaml");
  expect(estate({path("absent.json"), samples + "csv/sites.csv"}, {"--plan", plan}), 4,
         AllOf(HasSubstr("absent.json: "), HasSubstr("sites.csv: Export-Csv"), HasSubstr("no plan was written")));
  expect(estate({file("notes.txt", "hello\n")}, {"--plan", plan}), 4, HasSubstr("nothing among the files"));
  expect(estate({file("none.json", "[]")}), 4, HasSubstr("nothing among the files"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect(estate({path("pipe")}, {"--plan", plan}), 4, HasSubstr("is a pipe; expected a file"));
  expect(estate({"/dev/zero"}), 4, HasSubstr("is a device; expected a file"));
  expect(estate({folder()}), 4, HasSubstr("is a folder; expected a file"));
  EXPECT_FALSE(std::filesystem::exists(plan));
  expect(cutover({"estate"}), 4, HasSubstr("files"));
  expect(estate({samples + "csv/sites.csv"}, {"--legacy"}), 4, HasSubstr("--legacy-pool"));
}

TEST_F(Estate, APoolThatNoExportNamesIsASlip) {
  expect(estate({samples + "csv/users.csv"}, {"--legacy-pool", "pool9.contoso.example"}), 4,
         AllOf(HasSubstr("pool9.contoso.example is no pool"), HasSubstr("pool1.contoso.example")));
  expect(estate({samples + "csv/users.csv"}, {"--legacy-pool=POOL1.contoso.example", "--legacy-pool",
                                              "pool2.contoso.example", "--plan", path("plan.yaml")}),
         0, HasSubstr("plan.yaml"));
  EXPECT_THAT(content(path("plan.yaml")), AllOf(HasSubstr("pool1.contoso.example: {side: legacy}"),
                                                HasSubstr("pool2.contoso.example: {side: legacy}")));
}

TEST_F(Estate, APlanGoesNowhereElseAndOverNothing) {
  (void)file("taken", "");
  expect(estate({samples + "csv/sites.csv"}, {"--plan", path("taken/plan.yaml")}), 3, HasSubstr("taken"));
  const auto own = file("plan.yaml", "mine\n");
  expect(estate({samples + "csv/sites.csv"}, {"--plan", own}), 4, HasSubstr("is there already"));
  EXPECT_EQ(content(own), "mine\n");
}

TEST_F(Estate, NothingInAnExportMovesATerminal) {
  const auto sites = file("sites.json", R"({"Identity": "Site:\u001b[2J", "Pools": [], "SiteType": 0,
    "XmppFederationRoute": "EdgeServer:\u001b]0;x\u0007", "ParentSite": null, "FederationRoute": null})");
  const auto ended = estate({sites});
  EXPECT_THAT(ended.output, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace cutover::cli_tests
