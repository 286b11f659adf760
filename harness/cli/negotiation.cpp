// `negotiation`: the table of who authenticates how with whom, played by servers of ours, with the wire of each cell.
#include "harness/cli/console.h"
#include "harness/cli/reporting.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/judging/requirements.h"
#include "harness/negotiation/oracle.h"
#include "harness/negotiation/pair.h"
#include "harness/negotiation/product.h"
#include "harness/worlds/arrows.h"
#include "reports/html.h"
#include "reports/table_page.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <array>
#include <iostream>

namespace cutover::harness::cli {

namespace {

using namespace negotiation;

constexpr char wire_page[] = "wire.html", table_page[] = "negotiation.html";

/// A side as a row or column has it.
struct Entry {
  std::string label;
  Player player;
};

struct Form {
  std::string_view letter, kind;
};
Form form_of(Method method) {
  static constexpr std::array forms{Form{"-", "none"}, Form{"d", "weak"}, Form{"D", "middle"}, Form{"E", "strong"}};
  return forms.at(static_cast<std::size_t>(method));
}

class Tables {
 public:
  /// `id`: of the table, the suite of its cells in the report.
  void add(const std::string& id, const std::string& title, const std::vector<Entry>& initiating,
           const std::vector<Entry>& receiving) {
    reports::PageTable table{.title = title, .row_label = "initiating", .column_label = "receiving"};
    for (const auto& to : receiving) table.columns.push_back(to.label);
    for (std::size_t i = 0; i < initiating.size(); ++i) {
      reports::PageTable::Row row{.label = initiating[i].label};
      for (std::size_t j = 0; j < receiving.size(); ++j)
        row.cells.push_back(play(fmt::format("{}.{}-{}", id, i + 1, j + 1), initiating[i].player, receiving[j].player));
      table.rows.push_back(std::move(row));
    }
    page.tables.push_back(std::move(table));
  }

  reports::TablePage page;
  reports::RunResult run;
  std::size_t differing = 0;

 private:
  reports::TableCell play(const std::string& id, const Player& from, const Player& to) {
    const auto prediction = predict(from.side, to.side);
    const auto& rationale = rationale_of(prediction.why);
    Trace trace;
    const auto used = stage_.play(from, to, Judged::initiating, &trace);
    const bool same = used.method == prediction.method && used.direct_tls == prediction.direct_tls;
    differing += same ? 0 : 1;
    const auto because = fmt::format("{} ({})", rationale.sentence, rationale.documents);
    record(id, from, to, prediction, used, same, because, trace);
    const auto form = form_of(used.method);
    return {.text = std::string(form.letter),
            .kind = std::string(form.kind),
            .more = fmt::format("{} to {}: {}{}; {}", words_of(from.side), words_of(to.side),
                                same ? "" : fmt::format("{} predicted, got ", name_of(prediction.method)),
                                words_of(used), because),
            .link = fmt::format("{}#{}/sim", wire_page, id),
            .differs = !same};
  }

  void record(const std::string& id, const Player& from, const Player& to, const Prediction& prediction,
              const Used& used, bool same, const std::string& because, const Trace& trace) {
    reports::CaseResult result;
    result.id = id;
    result.suite = id.substr(0, id.find('.'));
    result.title = words_of(from.side) + " to " + words_of(to.side);
    result.world = "sim";
    result.reproduce = "cutover negotiation";
    result.trace = arrows(trace.records());
    result.columns = {"initiating", "name-server", "receiving"};
    const auto& rationale = rationale_of(prediction.why);
    const auto requirement = rationale.initiating.empty() ? rationale.receiving : rationale.initiating;
    reports::Check check;
    check.id = id + "#" + std::string(requirement);
    check.requirement = requirement;
    if (const auto* item = Catalogue::current().find(requirement)) {
      check.level = item->level;
      result.requirements.push_back(
          {std::string(item->id), std::string(item->level), std::string(item->source), std::string(item->text)});
    }
    check.looked_at = fmt::format("the method of the stream, for {}", because);
    check.expected = name_of(prediction.method);
    check.file = "harness/negotiation/oracle.cpp";
    check.line = 1;
    check.actual = words_of(used);
    check.outcome = same ? reports::Outcome::pass : reports::Outcome::fail;
    result.outcome = check.outcome;
    result.checks.push_back(std::move(check));
    run.cases.push_back(std::move(result));
  }

  Stage stage_{Stage::Crypto::real};
};

std::vector<Entry> entries(const std::function<void(Side&)>& change = [](Side&) {}) {
  std::vector<Entry> all;
  for (auto one : sides()) {
    const auto label = words_of(one);
    change(one);
    all.push_back({.label = label, .player = {.side = one}});
  }
  return all;
}

std::vector<Entry> rows_of_the_product() {
  std::vector<Entry> all;
  for (const auto& row : product_rows()) {
    all.push_back({fmt::format("{} {}{}", row.number, words_of(row), row.valid() ? "" : " (invalid)"),
                   {.side = side_of(row), .policy = policy_of(row)}});
  }
  return all;
}

std::vector<Entry> types_of_servers() {
  std::vector<Entry> all;
  for (const auto& type : server_types())
    all.push_back({fmt::format("type {} {}", type.number, type.policy), {.side = type.side}});
  return all;
}

void print(std::ostream& out, const reports::PageTable& table) {
  fmt::print(out, "\n{} (rows {}, columns {}, in the same order)\n", table.title, table.row_label, table.column_label);
  std::size_t width = 0;
  for (const auto& row : table.rows) width = std::max(width, row.label.size());
  for (const auto& row : table.rows) {
    fmt::print(out, "  {:<{}} ", row.label, width);
    for (const auto& cell : row.cells) fmt::print(out, "{}{}", cell.differs ? "!" : " ", cell.text);
    fmt::print(out, "\n");
  }
}

}  // namespace

int negotiation_command(const std::string& directory, const std::vector<std::string>& command) {
  Tables tables;
  tables.add("usual", "Certificate x dialback x TLS, lenient", entries(), entries());
  const auto strict = entries([](Side& one) { one.lenient = false; });
  tables.add("strict", "The same, both strict: a certificate that proves nothing ends the stream", strict, strict);
  const auto direct = entries([](Side& one) { one.direct_tls = true; });
  tables.add("direct", "The same, both with direct TLS", direct, direct);
  tables.add("product-calls", "The product's 18 rows call the six types of server of XEP-0238", rows_of_the_product(),
             types_of_servers());
  tables.add("product-is-called", "The six types of server of XEP-0238 call the product's 18 rows", types_of_servers(),
             rows_of_the_product());
  auto& page = tables.page;
  page.title = "How two servers authenticate";
  page.text = {
      "Each cell is a stream between two servers of ours with these settings: the method that was used, which is "
      "the one predicted from the documents, or else the cell is framed. The pointer on a cell tells why; a click "
      "shows its wire."};
  page.explanation = {{"strong", "E: EXTERNAL"},
                      {"middle", "D: dialback over TLS"},
                      {"weak", "d: dialback in clear"},
                      {"none", "-: no stream is authenticated"}};
  fmt::print("E EXTERNAL, D dialback over TLS, d dialback in clear, - none; ! not as predicted\n");
  for (const auto& table : page.tables) print(std::cout, table);
  auto& run = tables.run;
  run.tool_version = version;
  run.command = command;
  run.target = "embedded reference";
  conclude(run);
  write_report(directory + "/" + wire_page, reports::to_html(run));
  write_report(directory + "/" + table_page, reports::to_html(page));
  fmt::print("\n{} cells, {} not as predicted; {}/{}\n", run.cases.size(), tables.differing, directory, table_page);
  return printed() ? run.exit_code : exit_code::fault;
}

}  // namespace cutover::harness::cli
