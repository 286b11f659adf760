// The result model to JSON and back. Octets on the wire may be no UTF-8: those become \xHH (see text.h).
#include "reports/json.h"

#include "reports/text.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <array>
#include <stdexcept>
#include <string_view>

namespace cutover::reports {

namespace json = boost::json;

namespace {

constexpr std::array outcomes{Outcome::pass,         Outcome::fail,        Outcome::warn,   Outcome::info,
                              Outcome::inconclusive, Outcome::unsupported, Outcome::broken, Outcome::skipped};

constexpr std::array standings{Standing::met, Standing::told,  Standing::hidden, Standing::accepted,
                               Standing::red, Standing::fault, Standing::idle};

const char* name_of_baseline(BaselineState state) {
  switch (state) {
    case BaselineState::unlisted:
      return "unlisted";
    case BaselineState::expected:
      return "expected";
    case BaselineState::stale:
      return "stale";
  }
  return "unlisted";
}

json::string text(std::string_view octets) { return json::string(printable_utf8(octets)); }

long long milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

template <class Range, class F>
json::array array_of(const Range& range, F convert) {
  json::array result;
  for (const auto& item : range) result.push_back(convert(item));
  return result;
}

json::object write(const Check& check) {
  json::object object{{"id", check.id},
                      {"requirement", check.requirement},
                      {"level", check.level},
                      {"outcome", name_of(check.outcome)},
                      {"looked-at", text(check.looked_at)},
                      {"expected", text(check.expected)},
                      {"actual", text(check.actual)},
                      {"file", check.file},
                      {"line", check.line},
                      {"baseline", name_of_baseline(check.baseline)},
                      {"baseline-reason", text(check.baseline_reason)}};
  if (!check.part.empty()) object.emplace("part", check.part);
  if (!check.cause.empty()) object.emplace("cause", check.cause);
  if (check.time_ns) object.emplace("time-ns", *check.time_ns);
  return object;
}

json::value write(const RequirementText& item) {
  return json::object{{"id", item.id}, {"level", item.level}, {"source", text(item.source)}, {"text", text(item.text)}};
}

json::value write(const Heard& heard) {
  json::object object{{"rule", heard.rule},
                      {"judged", heard.judged},
                      {"breaches", heard.breaches},
                      {"sender", heard.sender},
                      {"octets", text(heard.octets)}};
  if (!heard.connection.empty()) object.emplace("connection", text(heard.connection));
  if (heard.once.empty()) return object;
  json::object once;
  for (const auto& [value, of] : heard.once) once.emplace(text(value), text(of));
  object.emplace("once", std::move(once));
  return object;
}

json::value write(const TraceEntry& entry) {
  return json::object{{"time-ns", entry.time_ns}, {"layer", entry.layer},           {"from", entry.from},
                      {"to", entry.to},           {"summary", text(entry.summary)}, {"detail", text(entry.detail)}};
}

json::value write(const StreamEnd& end) {
  return json::object{{"connection", end.connection},
                      {"closed-by", end.closed_by},
                      {"condition", end.condition},
                      {"end-tag", end.end_tag},
                      {"tls-close", end.tls_close}};
}

json::value write(const ChartSegment& segment) {
  json::object object{{"from", segment.from}, {"to", segment.to}, {"fate", word_of(segment.fate)}};
  if (!segment.certain) object.emplace("certain", false);
  if (!segment.words.empty()) object.emplace("words", text(segment.words));
  return object;
}

json::value write(const ChartLane& lane) {
  return json::object{{"partner", text(lane.partner)},
                      {"to-partner", lane.to_partner},
                      {"users", text(lane.users)},
                      {"count", lane.count},
                      {"segments", array_of(lane.segments, [](const ChartSegment& one) { return write(one); })}};
}

json::value write(const ChartMark& mark) {
  json::object object{{"at", mark.at}, {"until", mark.until}, {"label", text(mark.label)}, {"name", text(mark.name)}};
  if (mark.no_return) object.emplace("no-return", true);
  return object;
}

constexpr auto write_any = [](const auto& item) { return write(item); };
constexpr auto write_text = [](const std::string& item) -> json::value { return text(item); };

json::object write(const Chart& chart) {
  json::object object{{"title", text(chart.title)},
                      {"summary", text(chart.summary)},
                      {"by-step", chart.by_step},
                      {"begin", chart.begin},
                      {"end", chart.end},
                      {"lanes", array_of(chart.lanes, write_any)},
                      {"steps", array_of(chart.marks, write_any)}};
  if (chart.start) object.emplace("start", *chart.start);
  return object;
}

json::object write(const CaseResult& result, Traces traces = Traces::inside) {
  json::object object{{"id", result.id},
                      {"title", text(result.title)},
                      {"suite", result.suite},
                      {"world", result.world},
                      {"file", result.file},
                      {"line", result.line},
                      {"outcome", name_of(result.outcome)},
                      {"reason", text(result.reason)},
                      {"requirements", array_of(result.requirements, write_any)},
                      {"checks", array_of(result.checks, write_any)},
                      {"streams", array_of(result.streams, write_any)},
                      {"columns", array_of(result.columns, write_text)},
                      {"seed", std::to_string(result.seed)},  // a JSON number is a double to many readers
                      {"reproduce", text(result.reproduce)},
                      {"wall-ns", result.wall.count()},
                      {"started", iso_time(milliseconds(result.started))},
                      {"started-ms", milliseconds(result.started)},
                      {"attempt", result.attempt},
                      {"log", text(result.log)},
                      {"planted", array_of(result.planted, write_text)}};
  if (result.combinations != 0) {
    object.emplace("combinations", result.combinations);
    object.emplace("combinations-possible", result.combinations_possible);
  }
  if (result.chart) object.emplace("chart", write(*result.chart));
  if (!result.heard.empty()) object.emplace("heard", array_of(result.heard, write_any));
  if (!result.target.empty()) object.emplace("target", text(result.target));
  if (!result.asked.empty()) object.emplace("asked", array_of(result.asked, write_text));
  if (traces == Traces::inside) object.emplace("trace", array_of(result.trace, write_any));
  return object;
}

/// A case of a run that is concluded: where it stands, too.
json::object write_concluded(const CaseResult& result, Traces traces) {
  auto object = write(result, traces);
  object.emplace("standing", name_of(result.standing));
  object["checks"] = array_of(result.checks, [](const Check& check) {
    auto written = write(check);
    written.emplace("standing", name_of(check.standing));
    return written;
  });
  return object;
}

/// Reads members of one object and says which one is wrong.
class ObjectReader {
 public:
  ObjectReader(const json::value& value, std::string place) : place_(std::move(place)) {
    if (!value.is_object()) throw std::invalid_argument(place_ + ": expected an object");
    object_ = &value.get_object();
  }

  [[nodiscard]] std::string text(std::string_view key) const {
    const auto& value = member(key);
    if (!value.is_string()) fail(key, "a string");
    return std::string(value.get_string());
  }
  template <class T>
  [[nodiscard]] T number(std::string_view key) const {
    const auto& value = member(key);
    boost::system::error_code wrong;
    const auto number = value.is_int64() || value.is_uint64() ? value.to_number<T>(wrong) : T{};
    if ((!value.is_int64() && !value.is_uint64()) || wrong) fail(key, "a whole number that is not too large");
    return number;
  }
  [[nodiscard]] bool flag(std::string_view key) const {
    const auto& value = member(key);
    if (!value.is_bool()) fail(key, "true or false");
    return value.get_bool();
  }
  template <class T, class F>
  [[nodiscard]] std::vector<T> list(std::string_view key, F convert) const {
    const auto& value = member(key);
    if (!value.is_array()) fail(key, "an array");
    std::vector<T> result;
    for (const auto& item : value.get_array()) {
      result.push_back(convert(item, fmt::format("{}/{}/{}", place_, key, result.size())));
    }
    return result;
  }
  /// An object whose members are all texts.
  [[nodiscard]] std::map<std::string, std::string> texts(std::string_view key) const {
    const auto& value = member(key);
    if (!value.is_object()) fail(key, "an object");
    std::map<std::string, std::string> result;
    for (const auto& [name, text] : value.get_object()) {
      if (!text.is_string()) fail(key, "an object of strings");
      result.emplace(name, text.get_string());
    }
    return result;
  }
  [[nodiscard]] const json::value& value(std::string_view key) const { return member(key); }
  [[nodiscard]] bool has(std::string_view key) const { return object_->contains(key); }
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const {
    throw std::invalid_argument(fmt::format("{}/{}: expected {}", place_, key, expected));
  }

 private:
  [[nodiscard]] const json::value& member(std::string_view key) const {
    const auto* value = object_->if_contains(key);
    if (value == nullptr) fail(key, "this member");
    return *value;
  }
  std::string place_;
  const json::object* object_ = nullptr;
};

Outcome read_outcome(const ObjectReader& object) {
  const auto word = object.text("outcome");
  for (const auto outcome : outcomes) {
    if (word == name_of(outcome)) return outcome;
  }
  object.fail("outcome", "an outcome");
}

/// Of a line of results.jsonl nobody has concluded anything yet.
Standing read_standing(const ObjectReader& object) {
  if (!object.has("standing")) return Standing::met;
  const auto word = object.text("standing");
  for (const auto standing : standings) {
    if (word == name_of(standing)) return standing;
  }
  object.fail("standing", "a standing");
}

BaselineState read_baseline(const ObjectReader& object) {
  const auto word = object.text("baseline");
  for (const auto state : {BaselineState::unlisted, BaselineState::expected, BaselineState::stale}) {
    if (word == name_of_baseline(state)) return state;
  }
  object.fail("baseline", "unlisted, expected or stale");
}

Check read_check(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.text("id"),
          object.text("requirement"),
          object.text("level"),
          read_outcome(object),
          object.text("looked-at"),
          object.text("expected"),
          object.text("actual"),
          object.text("file"),
          object.number<int>("line"),
          read_baseline(object),
          object.text("baseline-reason"),
          read_standing(object),
          object.has("part") ? object.text("part") : std::string(),
          object.has("cause") ? object.text("cause") : std::string(),
          object.has("time-ns") ? std::optional(object.number<std::int64_t>("time-ns")) : std::nullopt};
}

RequirementText read_requirement(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.text("id"), object.text("level"), object.text("source"), object.text("text")};
}

Heard read_heard(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  const auto count = [&](std::string_view key) {
    const auto number = object.number<std::int64_t>(key);
    if (number < 0) object.fail(key, "a number of times");
    return static_cast<std::size_t>(number);
  };
  Heard heard{object.text("rule"),
              count("judged"),
              count("breaches"),
              object.text("sender"),
              object.text("octets"),
              object.has("connection") ? object.text("connection") : "",
              {}};
  if (object.has("once")) heard.once = object.texts("once");
  if (heard.breaches > heard.judged) object.fail("breaches", "no more than were judged");
  return heard;
}

TraceEntry read_trace(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.number<std::int64_t>("time-ns"),
          object.text("layer"),
          object.text("from"),
          object.text("to"),
          object.text("summary"),
          object.text("detail")};
}

StreamEnd read_stream_end(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.text("connection"), object.text("closed-by"), object.text("condition"), object.flag("end-tag"),
          object.flag("tls-close")};
}

std::string read_text(const json::value& value, const std::string& place) {
  if (!value.is_string()) throw std::invalid_argument(place + ": expected a string");
  return std::string(value.get_string());
}

std::uint64_t read_seed(const ObjectReader& object) {
  const auto digits = object.text("seed");
  if (digits.empty() || digits.size() > 20 || digits.find_first_not_of("0123456789") != std::string::npos) {
    object.fail("seed", "a number in a string");
  }
  return std::stoull(digits);
}

std::chrono::system_clock::time_point read_started(const ObjectReader& object) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(object.number<long long>("started-ms")));
}

ChartSegment read_segment(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  const auto fate = fate_of(object.text("fate"));
  if (!fate) object.fail("fate", "a fate");
  return {object.number<std::int64_t>("from"), object.number<std::int64_t>("to"), *fate,
          !object.has("certain") || object.flag("certain"), object.has("words") ? object.text("words") : std::string()};
}

ChartLane read_lane(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.text("partner"), object.flag("to-partner"), object.text("users"),
          object.number<std::uint64_t>("count"), object.list<ChartSegment>("segments", read_segment)};
}

ChartMark read_mark(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  return {object.number<std::int64_t>("at"), object.number<std::int64_t>("until"), object.text("label"),
          object.text("name"), object.has("no-return") && object.flag("no-return")};
}

Chart read_chart(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  Chart chart{.title = object.text("title"), .summary = object.text("summary"), .by_step = object.flag("by-step")};
  if (object.has("start")) chart.start = object.number<std::int64_t>("start");
  chart.begin = object.number<std::int64_t>("begin");
  chart.end = object.number<std::int64_t>("end");
  chart.lanes = object.list<ChartLane>("lanes", read_lane);
  chart.marks = object.list<ChartMark>("steps", read_mark);
  return chart;
}

CaseResult read_case(const json::value& value, const std::string& place) {
  const ObjectReader object(value, place);
  CaseResult result;
  result.id = object.text("id");
  result.title = object.text("title");
  result.suite = object.text("suite");
  result.world = object.text("world");
  result.file = object.text("file");
  result.line = object.number<int>("line");
  result.outcome = read_outcome(object);
  result.standing = read_standing(object);
  result.reason = object.text("reason");
  result.requirements = object.list<RequirementText>("requirements", read_requirement);
  result.checks = object.list<Check>("checks", read_check);
  if (object.has("combinations")) {
    result.combinations = object.number<std::size_t>("combinations");
    result.combinations_possible = object.number<std::uint64_t>("combinations-possible");
  }
  if (object.has("chart")) result.chart = read_chart(object.value("chart"), place + "/chart");
  if (object.has("heard")) result.heard = object.list<Heard>("heard", read_heard);
  if (object.has("target")) result.target = object.text("target");
  if (object.has("asked")) result.asked = object.list<std::string>("asked", read_text);
  if (object.has("trace")) result.trace = object.list<TraceEntry>("trace", read_trace);
  result.streams = object.list<StreamEnd>("streams", read_stream_end);
  result.columns = object.list<std::string>("columns", read_text);
  result.seed = read_seed(object);
  result.reproduce = object.text("reproduce");
  result.wall = std::chrono::nanoseconds(object.number<long long>("wall-ns"));
  result.started = read_started(object);
  result.attempt = object.number<int>("attempt");
  result.log = object.text("log");
  result.planted = object.list<std::string>("planted", read_text);
  return result;
}

json::value parse(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) throw std::invalid_argument("not JSON: " + error.message());
  return value;
}

}  // namespace

std::string to_json(const RunResult& run, Traces traces) {
  const auto write_case = [traces](const CaseResult& result) { return write_concluded(result, traces); };
  const json::object document{{"version", json_version},
                              {"tool-version", run.tool_version},
                              {"target", text(run.target)},
                              {"command", array_of(run.command, write_text)},
                              {"seed", std::to_string(run.seed)},
                              {"started", iso_time(milliseconds(run.started))},
                              {"started-ms", milliseconds(run.started)},
                              {"wall-ns", run.wall.count()},
                              {"strict", run.strict},
                              {"complete", run.complete},
                              {"incomplete-reason", text(run.incomplete_reason)},
                              {"exit-code", run.exit_code},
                              {"verdict", text(run.verdict)},
                              {"planted", array_of(run.planted, write_text)},
                              {"notes", array_of(run.notes, write_text)},
                              {"stale-baseline", array_of(run.stale_baseline, write_text)},
                              {"traces", text(run.traces)},
                              {"cases", array_of(run.cases, write_case)}};
  return json::serialize(document) + "\n";
}

RunResult from_json(std::string_view text) {
  const auto value = parse(text);
  const ObjectReader object(value, "");
  if (object.number<int>("version") != json_version) object.fail("version", fmt::format("version {}", json_version));
  RunResult run;
  run.tool_version = object.text("tool-version");
  run.target = object.text("target");
  run.command = object.list<std::string>("command", read_text);
  run.seed = read_seed(object);
  run.started = read_started(object);
  run.wall = std::chrono::nanoseconds(object.number<long long>("wall-ns"));
  if (object.has("strict")) run.strict = object.flag("strict");
  run.complete = object.flag("complete");
  run.incomplete_reason = object.text("incomplete-reason");
  run.exit_code = object.number<int>("exit-code");
  run.verdict = object.text("verdict");
  run.planted = object.list<std::string>("planted", read_text);
  if (object.has("notes")) run.notes = object.list<std::string>("notes", read_text);
  run.stale_baseline = object.list<std::string>("stale-baseline", read_text);
  run.traces = object.text("traces");
  run.cases = object.list<CaseResult>("cases", read_case);
  return run;
}

std::string case_to_json(const CaseResult& result) { return json::serialize(write(result)); }

std::string trace_to_json(const std::vector<TraceEntry>& trace) { return json::serialize(array_of(trace, write_any)); }

CaseResult case_from_json(std::string_view text) { return read_case(parse(text), "case"); }

}  // namespace cutover::reports
