// Collects the cases at start-up and checks their records.
#include "harness/judging/registry.h"

#include "departures/table.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace cutover::harness {

namespace {
std::vector<CaseRecord>& registered() {
  static std::vector<CaseRecord> cases;  // made at its first use: registrations run before main()
  return cases;
}

bool is_slug(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && std::ranges::all_of(text, plain) && text.front() != '-' && text.back() != '-';
}

bool is_id(std::string_view id) {
  const auto dot = id.find('.');
  return dot != std::string_view::npos && is_slug(id.substr(0, dot)) && is_slug(id.substr(dot + 1));
}

class Linter {
 public:
  Linter(const Catalogue& catalogue, std::vector<std::string>& findings) : catalogue_(catalogue), findings_(findings) {}

  void check(const CaseRecord& record) {
    record_ = &record;
    if (!is_id(record.id)) say("the id must be suite.slug in a-z, 0-9 and '-'");
    if (!ids_.insert(record.id).second) say("the id is there twice");
    if (record.title.empty()) say("no title");
    if (record.procedure.empty()) say("no procedure for `explain`");
    if (!record.body) say("no body");
    if (!record.sim && !record.live) say("runs in no world");
    if (record.judges.empty()) say("judges no requirement");
    std::set<std::string> judged;
    for (const auto& judges : record.judges) {
      if (!judged.insert(judges.requirement).second) say(judges.requirement + " is declared twice");
      check(judges);
    }
  }

 private:
  void check(const Judges& judges) {
    const auto* requirement = catalogue_.find(judges.requirement);
    if (requirement == nullptr) {
      say("no such requirement: " + judges.requirement);
    } else if (is_mandatory(requirement->level) && judges.killed_by.empty()) {
      say(fmt::format("{} is {} and needs a defect in killed_by", judges.requirement, requirement->level));
    }
    for (const auto& defect : judges.killed_by) {
      try {
        if (departures::named(defect).departure->nature == departures::Nature::variant)
          say(defect + " is a permitted variant: it must turn nothing red");
      } catch (const departures::UnknownDeparture& unknown) {
        say(unknown.what());
      }
    }
  }
  void say(const std::string& what) {
    findings_.push_back(fmt::format("{}:{}: {}: {}", record_->file, record_->line, record_->id, what));
  }

  const Catalogue& catalogue_;
  std::vector<std::string>& findings_;
  const CaseRecord* record_ = nullptr;
  std::set<std::string> ids_;
};
}  // namespace

Registration::Registration(CaseRecord record) {
  auto& cases = registered();
  const auto place = std::ranges::lower_bound(cases, record.id, {}, &CaseRecord::id);
  if (place != cases.end() && place->id == record.id) {
    throw HarnessFault(fmt::format("{}:{}: case {} is already in {}:{}", record.file, record.line, record.id,
                                   place->file, place->line));
  }
  cases.insert(place, std::move(record));
}

CaseRecord operator+(CaseAt at, CaseRecord record) {
  record.file = source_path(at.file);
  record.line = at.line;
  return record;
}

const std::vector<CaseRecord>& all_cases() { return registered(); }

bool is_hidden(const CaseRecord& record) { return record.id.starts_with("selftest."); }

const CaseRecord* find_case(std::string_view id) {
  const auto& cases = registered();
  const auto found = std::ranges::lower_bound(cases, id, {}, &CaseRecord::id);
  return found != cases.end() && found->id == id ? &*found : nullptr;
}

std::string source_path(std::string_view file) {
  while (file.starts_with("../")) file.remove_prefix(3);
  for (const std::string_view top : {"/suites/", "/harness/", "/departures/", "/protocol/", "/reference/", "/mocks/"}) {
    if (const auto at = file.rfind(top); at != std::string_view::npos) return std::string(file.substr(at + 1));
  }
  return std::string(file);
}

std::string suite_of(std::string_view id) { return std::string(id.substr(0, id.find('.'))); }

std::string slug_of(std::string_view id) {
  const auto dot = id.find('.');
  return dot == std::string_view::npos ? std::string(id) : std::string(id.substr(dot + 1));
}

std::string level_of(const CaseRecord& record, const Catalogue& catalogue) {
  std::string level = "MAY";
  for (const auto& judges : record.judges) {
    const auto* requirement = catalogue.find(judges.requirement);
    if (requirement == nullptr) continue;
    if (is_mandatory(requirement->level)) return "MUST";
    if (requirement->level.starts_with("SHOULD")) level = "SHOULD";
  }
  return level;
}

const char* worlds_of(const CaseRecord& record) {
  if (record.sim && record.live) return "sim,live";
  return record.sim ? "sim" : "live";
}

std::vector<NamedFor> named_for(std::string_view departure) {
  std::vector<NamedFor> found;
  for (const auto& record : registered()) {
    for (const auto& judges : record.judges) {
      const auto is = [&](std::string_view name) { return departures::without_node(name) == departure; };
      if (std::ranges::any_of(judges.killed_by, is)) found.push_back({&record, &judges});
    }
  }
  return found;
}

std::vector<std::string> lint(std::span<const CaseRecord> records, const Catalogue& catalogue) {
  std::vector<std::string> findings;
  Linter linter(catalogue, findings);
  for (const auto& record : records) linter.check(record);
  return findings;
}

std::vector<std::string> lint_departures(const Catalogue& catalogue) {
  std::vector<std::string> findings;
  std::string_view before;
  for (const auto& departure : departures::table()) {
    const auto say = [&](const std::string& what) {
      auto place = source_path(departure.file);
      if (departure.line > 0) place += ":" + std::to_string(departure.line);
      findings.push_back(fmt::format("{}: {}: {}", place, departure.name, what));
    };
    const auto ids = requirements_of(departure);
    if (ids.empty()) say("has no requirement");
    for (const auto id : ids) {
      if (catalogue.find(id) == nullptr) say(fmt::format("no such requirement: {}", id));
    }
    if (find_case(departure.name) != nullptr) say("a case has the same name");
    if (std::exchange(before, departure.name) == departure.name) say("the name is there twice");
  }
  return findings;
}

}  // namespace cutover::harness
