// `defects`: the table of departures, for people and programs.
#include "departures/table.h"
#include "harness/cli/subcommands.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

namespace cutover::harness::cli {

namespace json = boost::json;
using departures::Departure;
using departures::Nature;

namespace {

std::string small(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool is_wanted(const Departure& departure, const DefectFilter& filter) {
  const auto asked = [](const std::string& wanted, std::string_view is) { return wanted.empty() || wanted == is; };
  const auto ids = requirements_of(departure);
  const auto matches = [&](std::string_view id) { return glob_matches(filter.requirement, id); };
  const auto says = [&](std::string_view text) { return small(text).find(small(filter.search)) != std::string::npos; };
  return asked(filter.kind, name_of(departure.kind)) && asked(filter.nature, name_of(departure.nature)) &&
         asked(filter.layer, departure.layer) && (filter.requirement.empty() || std::ranges::any_of(ids, matches)) &&
         (says(departure.name) || says(departure.sentence) || says(departure.rule) || says(departure.requirements));
}

void print_json(std::ostream& out, const std::vector<const Departure*>& rows) {
  json::array list;
  for (const auto* row : rows) {
    json::array requirements;
    for (const auto id : requirements_of(*row)) requirements.emplace_back(id);
    list.push_back(json::object{{"name", row->name},
                                {"nature", name_of(row->nature)},
                                {"kind", name_of(row->kind)},
                                {"layer", row->layer},
                                {"requirements", requirements},
                                {"sentence", row->sentence},
                                {"rule", row->rule}});
  }
  out << json::serialize(list) << '\n';
}

void print_text(std::ostream& out, const std::vector<const Departure*>& rows) {
  std::size_t width = 0, variants = 0;
  for (const auto* row : rows) {
    width = std::max(width, row->name.size());
    variants += row->nature == Nature::variant ? 1 : 0;
  }
  std::string_view layer;
  for (const auto* row : rows) {
    if (layer != row->layer) {
      layer = row->layer;
      const auto count = std::ranges::count(rows, layer, &Departure::layer);
      fmt::print(out, "{}{} ({})\n", row == rows.front() ? "" : "\n", layer, count);
    }
    fmt::print(out, "  {:<{}}  {:<7} {:<7} {}{}\n", row->name, width, name_of(row->kind), name_of(row->nature),
               row->sentence, row->requirements.empty() ? "" : fmt::format(" [{}]", row->requirements));
  }
  const auto defects = rows.size() - variants;
  fmt::print(out, "\n{} defect{}, {} permitted variant{}; `cutover explain NAME` tells more of one\n", defects,
             defects == 1 ? "" : "s", variants, variants == 1 ? "" : "s");
}

}  // namespace

int defects_command(const DefectFilter& filter, DefectForm form) {
  std::vector<const Departure*> rows;
  for (const auto& departure : departures::table()) {
    if (is_wanted(departure, filter)) rows.push_back(&departure);
  }
  if (rows.empty()) throw UsageError("no defect or variant fits (`cutover defects` lists all)");
  if (form == DefectForm::json) print_json(std::cout, rows);
  if (form == DefectForm::text) print_text(std::cout, rows);
  if (form == DefectForm::words) {
    for (const auto* row : rows) fmt::print("{}\n", row->name);
  }
  return 0;
}

}  // namespace cutover::harness::cli
