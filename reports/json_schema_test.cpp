// The JSON report against the schema in the tree, by the few keywords that the schema uses.
#include "reports/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace cutover::reports {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;

/// Validates type, enum, required, properties, additionalProperties, items and $ref; an unknown keyword is an error, so
/// that the schema cannot say what nobody checks.
class Schema {
 public:
  explicit Schema(const json::value& root) : root_(root) {}
  std::vector<std::string> errors(const json::value& document) {
    check(document, root_.as_object(), "$");
    return std::move(errors_);
  }

 private:
  void say(const std::string& place, const std::string& what) { errors_.push_back(place + ": " + what); }

  void check(const json::value& value, const json::object& schema, const std::string& place) {
    for (const auto& [key, rule] : schema) {
      if (key == "$ref") {
        check(value, root_.at_pointer(rule.as_string().subview(1)).as_object(), place);
      } else if (key == "type") {
        if (!has_type(value, rule.as_string())) say(place, "is no " + std::string(rule.as_string()));
      } else if (key == "enum") {
        if (std::ranges::find(rule.as_array(), value) == rule.as_array().end())
          say(place, "is none of the enumeration");
      } else if (key == "required") {
        for (const auto& name : rule.as_array())
          if (!value.as_object().contains(name.as_string())) say(place, "lacks " + std::string(name.as_string()));
      } else if (key == "properties") {
        check_members(value, rule.as_object(), place);
      } else if (key == "items") {
        for (std::size_t i = 0; i < value.as_array().size(); ++i)
          check(value.as_array()[i], rule.as_object(), place + "/" + std::to_string(i));
      } else if (key == "additionalProperties") {
        EXPECT_FALSE(rule.as_bool());
      } else if (key != "description" && key != "title" && key != "$schema" && key != "$defs") {
        ADD_FAILURE() << "the schema has a keyword that is not checked: " << key;
      }
    }
  }
  /// No member may be there that the schema does not tell.
  void check_members(const json::value& value, const json::object& properties, const std::string& place) {
    for (const auto& [name, member] : value.as_object()) {
      const auto* rule = properties.if_contains(name);
      if (rule == nullptr) {
        say(place, "has a member that the schema does not know: " + std::string(name));
      } else {
        check(member, rule->as_object(), place + "/" + std::string(name));
      }
    }
  }
  static bool has_type(const json::value& value, std::string_view type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    return type == "integer" && (value.is_int64() || value.is_uint64());
  }

  const json::value& root_;
  std::vector<std::string> errors_;
};

json::value schema() {
  std::ifstream in(std::string(CUTOVER_SOURCE_DIR) + "/fixtures/schemas/run.schema.json");
  std::ostringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

RunResult everything() {
  RunResult run;
  run.tool_version = "cutover test";
  run.target = "embedded reference";
  run.command = {"cutover", "run"};
  run.planted = {"gateway.loses-body"};
  run.stale_baseline = {"a.b#RFC6120-4.3-1"};
  run.notes = {"the target was in back-off"};
  auto& one = run.cases.emplace_back();
  one.id = "message.a";
  one.world = "sim";
  one.requirements = {{"RFC6120-4.3-1", "MUST", "RFC 6120", "text"}};
  one.checks = {
      {"message.a#RFC6120-4.3-1", "RFC6120-4.3-1", "MUST", Outcome::fail, "it", "a", "b\x01\xff", "a.cpp", 3}};
  one.trace = {{1000, "xmpp", "partner", "proxy", "message", "\xff\x01<message/>"}};
  one.streams = {{"partner > proxy", "partner", "host-unknown", true, false}};
  one.asked = {"xmpp.no-close-timeout"};
  one.columns = {"partner", "proxy"};
  one.chart = Chart{.title = "t", .summary = "s", .start = 7, .begin = -1, .end = 9};
  one.chart->lanes = {{"p", true, "u", 3, {{-1, 4, Fate::lost, false, "w"}, {4, 9, Fate::current}}}};
  one.chart->marks = {{4, 5, "1", "step", true}};
  return run;
}

TEST(JsonSchema, HoldsForEveryMemberOfAReport) {
  const auto rules = schema();
  EXPECT_THAT(Schema(rules).errors(json::parse(to_json(everything()))), IsEmpty());
  EXPECT_THAT(Schema(rules).errors(json::parse(to_json(everything(), Traces::apart))), IsEmpty());
}

TEST(JsonSchema, AChartIsReadBack) {
  const auto run = everything();
  EXPECT_EQ(from_json(to_json(run)).cases.at(0).chart, run.cases.at(0).chart);
  EXPECT_EQ(case_from_json(case_to_json(run.cases.at(0))).chart, run.cases.at(0).chart);
}

TEST(JsonSchema, RefusesWhatIsMissingAddedOrOfAnotherKind) {
  const auto rules = schema();
  auto document = json::parse(to_json(everything()));
  auto& first = document.as_object().at("cases").as_array().at(0).as_object();
  first.erase("seed");
  first["outcome"] = "perhaps";
  first["line"] = "seven";
  first["extra"] = 1;
  EXPECT_THAT(Schema(rules).errors(document),
              testing::UnorderedElementsAre(HasSubstr("lacks seed"), HasSubstr("outcome: is none of"),
                                            HasSubstr("line: is no integer"), HasSubstr("does not know: extra")));
}

}  // namespace
}  // namespace cutover::reports
