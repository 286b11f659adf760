// The catalogue: its three shapes, its errors, and the table that is built from it.
#include "harness/judging/requirements.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::HasSubstr;

std::string item(const std::string& more, const std::string& level = "MUST") {
  return "- id: A-1\n  source: RFC 6120 §4.4 (derived)\n  level: " + level +
         "\n  actor: both\n  area: tcp\n  text: It does.\n" + more + "  testable: wire\n  verified: 'yes'\n";
}

std::string error_of(const std::string& yaml) {
  try {
    (void)Catalogue::parse(yaml, "x.yaml");
  } catch (const CatalogueError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Catalogue, ReadsTheThreeShapesOfTest) {
  EXPECT_EQ(Catalogue::parse(item("  test: Try it.\n"), "x.yaml").all()[0].test, "Try it.");
  const auto parts = Catalogue::parse(item("  test:\n    send: a\n    see: b\n    on_mismatch: fail\n"), "x.yaml");
  EXPECT_EQ(parts.find("A-1")->send, "a");
  EXPECT_EQ(parts.find("A-1")->see, "b");
  const auto none = Catalogue::parse(item("  title: T\n"), "x.yaml");
  EXPECT_EQ(none.find("A-1")->title, "T");
  EXPECT_EQ(none.find("A-1")->test, "");
  EXPECT_EQ(document_of(*none.find("A-1")), "RFC 6120");
  EXPECT_EQ(none.find("A-2"), nullptr);
}

TEST(Catalogue, AnItemMayBeMadeOfParts) {
  const auto catalogue = Catalogue::parse(item("  parts: [path, validity]\n"), "x.yaml");
  EXPECT_THAT(parts_of(*catalogue.find("A-1")), testing::ElementsAre("path", "validity"));
  EXPECT_THAT(parts_of(*Catalogue::parse(item(""), "x.yaml").find("A-1")), testing::IsEmpty());
  EXPECT_EQ(id_and_part("A-1/path"), (std::pair<std::string_view, std::string_view>("A-1", "path")));
  EXPECT_EQ(id_and_part("A-1").second, "");
  EXPECT_THAT(error_of(item("  parts: [one]\n")), HasSubstr("x.yaml:7: expected a list of two names or more"));
  EXPECT_THAT(error_of(item("  parts: [one, t/wo]\n")), HasSubstr("expected a name without blanks and slashes"));
}

TEST(Catalogue, NamesFileLineAndExpectation) {
  EXPECT_THAT(error_of(item("", "OUGHT")), HasSubstr("x.yaml:3: expected one of MUST"));
  EXPECT_THAT(error_of(item("  colour: red\n")), HasSubstr("x.yaml:7: unknown key 'colour'"));
  EXPECT_THAT(error_of("- id: A\n"), HasSubstr("x.yaml:1: expected a key 'source'"));
  EXPECT_THAT(error_of("a: b\n"), HasSubstr("expected a list"));
  EXPECT_THAT(error_of("- [\n"), HasSubstr("x.yaml:2: expected YAML"));
  EXPECT_THAT(error_of(item("") + item("")), HasSubstr("x.yaml:9: requirement 'A-1' is already in x.yaml:1"));
  EXPECT_THROW((void)Catalogue::load("/nonexistent"), CatalogueError);
}

TEST(Catalogue, EmbeddedIsWhatTheFolderSays) {
  const auto folder = Catalogue::load(std::string(CUTOVER_SOURCE_DIR) + "/fixtures/requirements");
  const auto embedded = Catalogue::embedded();
  ASSERT_EQ(embedded.all().size(), folder.all().size());
  for (std::size_t i = 0; i < folder.all().size(); ++i) {
    EXPECT_EQ(embedded.all()[i].id, folder.all()[i].id);
    EXPECT_EQ(embedded.all()[i].text, folder.all()[i].text);
    EXPECT_EQ(embedded.all()[i].test, folder.all()[i].test);
    EXPECT_EQ(embedded.all()[i].parts, folder.all()[i].parts);
  }
}

}  // namespace
}  // namespace cutover::harness
