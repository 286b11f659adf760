// Key by key; then the operations are carried out on paper, so that a plan that contradicts itself is told so.
#include "harness/migration/plan_file.h"

#include "harness/files/text_file.h"
#include "harness/migration/estate_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace cutover::harness::migration {

namespace {

constexpr std::string_view step_word = "step-";

class PlanReader {
 public:
  PlanReader(std::string_view yaml, const std::string& source) : yaml_(source), root_(yaml_.load(yaml)) {}

  Plan read() {
    plan_.source = yaml_.source();
    if (yaml_.map(root_, "a plan",
                  {"name", "start", "budget", "quiet-within", "expect", "readings", "estate", "steps"})) {
      yaml_.read(root_, "name", plan_.name, true);
      yaml_.read(root_, "start", plan_.start);
      read_seconds("budget", plan_.budget);
      read_seconds("quiet-within", plan_.quiet_within);
      read_expectation(root_["expect"]);
      read_readings(root_["readings"]);
      if (root_["estate"])
        plan_.estate = read_estate(yaml_, root_["estate"]);
      else
        yaml_.complain(root_, "expected 'estate'");
      if (yaml_.content() && plan_.estate.partners.empty())
        yaml_.complain(root_["estate"], "expected at least one partner: nobody can lose anything");
      if (yaml_.content() && plan_.estate.start.users.empty())
        yaml_.complain(root_["estate"], "expected at least one class of users: nobody can lose anything");
      read_steps(root_["steps"]);
      if (yaml_.content()) try_out();
    }
    yaml_.finish();
    return std::move(plan_);
  }

 private:
  void read_seconds(const char* key, Seconds& into) {
    auto seconds = static_cast<std::uint32_t>(into.count());
    yaml_.read_seconds(root_, key, seconds);
    into = Seconds(seconds);
  }

  void read_expectation(const YAML::Node& map) {
    if (!map || !yaml_.map(map, "expect", {"verdict", "causes"})) return;
    enum class Verdict { none, go, no_go };
    auto verdict = Verdict::none;
    yaml_.read_word<Verdict>(map, "verdict", verdict, {{"go", Verdict::go}, {"no-go", Verdict::no_go}});
    if (verdict != Verdict::none) plan_.expect.go = verdict == Verdict::go;
    std::vector<std::string> ids;
    yaml_.read(map, "causes", ids);
    for (const auto& id : ids) {
      if (const auto cause = cause_of(id); cause && cause != Cause::none)
        plan_.expect.causes.push_back(*cause);
      else
        yaml_.complain(map["causes"], fmt::format("'{}' is no cause; `cutover plan causes` lists them", id));
    }
  }

  void read_readings(const YAML::Node& map) {
    using LegacyUsers = Readings::LegacyUsers;
    using Unlisted = Readings::Unlisted;
    if (!map || !yaml_.map(map, "readings", {"legacy-users", "unlisted"})) return;
    yaml_.read_word<LegacyUsers>(map, "legacy-users", plan_.readings.legacy_users,
                                 {{"cut-off-when-configured", LegacyUsers::cut_off_when_configured},
                                  {"cut-off-when-routed", LegacyUsers::cut_off_when_routed}});
    yaml_.read_word<Unlisted>(map, "unlisted", plan_.readings.unlisted,
                              {{"dropped", Unlisted::dropped}, {"refused", Unlisted::refused}});
  }

  void read_steps(const YAML::Node& list) {
    if (!list) return yaml_.complain(root_, "expected 'steps'");
    for (const auto& node : yaml_.items(list, "steps")) read_step(node);
    if (plan_.steps.empty()) yaml_.complain(list, "expected at least one step");
  }

  void read_step(const YAML::Node& map) {
    if (!yaml_.map(map, "a step", {"name", "at", "takes", "with-previous", "do"})) return;
    PlanStep step{.line = map.Mark().line + 1};
    yaml_.read(map, "name", step.name, true);
    bool with_previous = false;
    yaml_.read(map, "with-previous", with_previous);
    const auto* previous = plan_.steps.empty() ? nullptr : &plan_.steps.back();
    if (previous != nullptr) step.at = with_previous ? previous->at : previous->at + previous->takes;
    if (with_previous && map["at"]) yaml_.complain(map["at"], "'at' and 'with-previous' contradict each other");
    auto at = static_cast<std::uint32_t>(step.at.count()), takes = std::uint32_t{0};
    yaml_.read_seconds(map, "at", at);
    yaml_.read_seconds(map, "takes", takes);
    if (previous != nullptr && Seconds(at) < previous->at)
      yaml_.complain(map["at"], fmt::format("'at' of the step '{}' is before the begin of the step above it; give the "
                                            "steps in the order of their times",
                                            step.name));
    step.at = Seconds(at);
    step.takes = Seconds(takes);
    if (!map["do"])
      yaml_.complain(map, fmt::format("expected 'do' of the step '{}'", step.name));
    else if (map["do"].IsScalar())
      read_operation(map["do"], step);
    else {
      for (const auto& node : yaml_.items(map["do"], "do")) read_operation(node, step);
    }
    plan_.steps.push_back(std::move(step));
  }

  /// "step-4", or one operation.
  void read_operation(const YAML::Node& node, PlanStep& step) {
    if (!node.IsScalar()) return yaml_.complain(node, "expected an operation such as 'move-users sales pool13'");
    const auto& text = node.Scalar();
    const auto line = node.Mark().line + 1;
    if (text.starts_with(step_word) && text.size() == step_word.size() + 1) {
      const int number = text.back() - '0';
      if (number < 1 || number > steps_of_the_document)
        return yaml_.complain(node, fmt::format("'{}': expected step-1 to step-{}", text, steps_of_the_document));
      for (auto& operation : operations_of_step(number, plan_.estate)) add(std::move(operation), line, step);
      return;
    }
    try {
      add(parse_operation(text), line, step);
    } catch (const OperationError& error) {
      yaml_.complain(node, error.what());
    }
  }

  void add(Operation operation, int line, PlanStep& step) {
    step.operations.push_back(std::move(operation));
    lines_[plan_.steps.size()].push_back(line);
  }

  /// Every operation that cannot be carried out at its moment, not the first alone.
  void try_out() {
    auto state = plan_.estate.start;
    std::vector<std::size_t> next(plan_.steps.size());
    for (const auto& one : schedule(plan_)) {
      const auto line = lines_.at(one.step).at(next.at(one.step)++);
      try {
        check_possible(one.operation, state);
        apply(one.operation, plan_.estate, state);
      } catch (const OperationError& error) {
        yaml_.complain(line, fmt::format("{} of the step '{}': {}", words_of(one.operation),
                                         plan_.steps.at(one.step).name, error.what()));
      }
    }
  }

  YamlReader yaml_;
  YAML::Node root_;
  Plan plan_;
  std::map<std::size_t, std::vector<int>> lines_;  ///< of the operations, by step
};

}  // namespace

Plan parse_plan(std::string_view yaml, const std::string& source) { return PlanReader(yaml, source).read(); }

Plan load_plan(const std::string& path) {
  try {
    return parse_plan(read_text_file(path), path);
  } catch (const FileError& error) {
    throw YamlError(path + ": " + error.what());
  }
}

}  // namespace cutover::harness::migration
