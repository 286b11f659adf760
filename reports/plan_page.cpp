// Plain HTML; what is printed first has one sheet to itself.
#include "reports/plan_page.h"

#include "reports/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::reports {

namespace {

constexpr std::size_t reasons_first = 3;  // more would push the chart off the first sheet

constexpr char style[] = R"(
:root { color-scheme: light dark; --pass:#1a7f37; --fail:#cf222e; --grey:#57606a; --line:#d0d7de; --soft:#f6f8fa;
  --back:#fff; --text:#1f2328; }
@media screen and (prefers-color-scheme: dark) { :root { --pass:#3fb950; --fail:#ff7b72; --grey:#9198a1; --line:#30363d;
  --soft:#161b22; --back:#0d1117; --text:#e6edf3; } }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1280px; padding: 12px 20px; color: var(--text);
  background: var(--back); }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 6px; }
h3 { font-size: 15px; margin: 0 0 6px; } h4 { font-size: 13px; margin: 8px 0 2px; color: var(--grey); }
.facts { color: var(--grey); overflow-wrap: anywhere; } .bad { color: var(--fail); font-weight: 600; }
.verdict { padding: 8px 14px; border-left: 6px solid; background: var(--soft); margin: 10px 0; }
.verdict.go { border-color: var(--pass); } .verdict.no-go { border-color: var(--fail); }
.verdict b { font-size: 20px; } .verdict.go b { color: var(--pass); } .verdict.no-go b { color: var(--fail); }
.verdict ul { margin: 4px 0 0; padding-left: 20px; } li { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--grey); font-weight: 600; white-space: nowrap; } td.n, th.n { text-align: right; }
td.when { white-space: nowrap; } td.kind { font-weight: 600; } td.long { min-width: 180px; }
.step { border-left: 3px solid var(--line); padding: 2px 0 2px 12px; margin: 14px 0; }
.step.no-return { border-color: var(--fail); } .step ul { margin: 0; padding-left: 20px; }
pre { font: 12.5px ui-monospace, monospace; margin: 0; padding: 6px 10px; background: var(--soft);
  white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 3px 14px; }
dt { color: var(--grey); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 700px) { body { padding: 10px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print {
  @page { size: A4 landscape; margin: 9mm; }
  body { padding: 0; max-width: none; font-size: 9pt; } h1 { font-size: 13pt; } h2 { font-size: 12pt; }
  table, pre { font-size: 8pt; } .verdict { padding: 1mm 4mm; margin: 1mm 0; font-size: 8.5pt; line-height: 1.3; }
  .verdict b { font-size: 12pt; } .verdict, .step pre { print-color-adjust: exact; }
  .sheet { height: 190mm; overflow: hidden; display: flex; flex-direction: column; break-after: page; }
  .sheet > .charts { flex: 1 1 0; min-height: 0; display: flex; flex-direction: column; }
  .sheet figure { flex: 0 1 auto; min-height: 0; display: flex; flex-direction: column; }
  .sheet .plot { overflow: hidden; flex: 0 1 auto; min-height: 0; display: flex; }
  .sheet .plot svg { max-height: 100%; }
  .step, tr { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
}
)";

std::string list(const std::vector<std::string>& items, std::size_t from = 0) {
  std::string out = "<ul>";
  for (std::size_t i = from; i < items.size(); ++i) out += "<li>" + xml_escape(items[i]) + "</li>";
  return out + "</ul>\n";
}

std::string lines(const std::vector<std::string>& items) {
  std::string out = "<pre>";
  for (const auto& one : items) out += xml_escape(one) + "\n";
  return out + "</pre>\n";
}

void add_verdict(std::string& out, const PlanPage& page) {
  out += fmt::format("<div class=\"verdict {}\" role=\"status\"><b>{}</b>", page.go ? "go" : "no-go",
                     page.go ? "Go" : "No-go");
  const auto shown = std::min(page.reasons.size(), reasons_first);
  if (shown != 0) out += list({page.reasons.begin(), page.reasons.begin() + static_cast<std::ptrdiff_t>(shown)});
  if (page.reasons.size() > shown)
    out += fmt::format("and <a href=\"#reasons\">{} more</a>", page.reasons.size() - shown);
  out += "</div>\n";
}

std::optional<std::int64_t> start_of(const PlanPage& page) {
  return page.charts.empty() ? std::nullopt : page.charts.front().start;
}

std::string cell(const std::string& text, const char* kind = "") {
  return fmt::format("<td{}>{}</td>", *kind == '\0' ? "" : fmt::format(" class=\"{}\"", kind), xml_escape(text));
}

void add_windows(std::string& out, const PlanPage& page) {
  out += "<h2 id=\"windows\">What is lost, when and for whom</h2>\n";
  if (page.windows.empty()) {
    out += "<p>Nothing: every user reaches every partner all the time.</p>\n";
    return;
  }
  out +=
      "<div class=\"scroll\"><table><thead><tr><th>from</th><th>to</th><th>lasts</th><th>partners</th>"
      "<th>direction</th><th>users</th><th class=\"n\">count</th><th>what</th><th>cause</th><th>remedy</th></tr>"
      "</thead><tbody>\n";
  const auto start = start_of(page);
  for (const auto& one : page.windows) {
    out += "<tr>" + cell(moment_of(start, one.from), "when") + cell(moment_of(start, one.to), "when") +
           cell(one.lasts + (one.certain ? "" : " at worst"), "when") + cell(one.partners) +
           cell(one.to_partner ? "to partner" : "from partner", "when") + cell(one.users) +
           cell(std::to_string(one.count), "n") + cell(one.kind, "kind") +
           cell(one.cause + (one.failure.empty() ? "" : " (" + one.failure + ")"), "long") + cell(one.remedy, "long") +
           "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

void add_part(std::string& out, const char* title, const std::string& content) {
  out += fmt::format("<h4>{}</h4>{}", title, content);
}

void add_step(std::string& out, const PlanStepGate& step, const std::optional<std::int64_t>& start) {
  const auto time = moment_of(start, step.at) + (step.until > step.at ? " to " + moment_of(start, step.until) : "");
  out +=
      fmt::format("<section class=\"step{}\" id=\"step-{}\"><h3>{} {} <span class=\"facts\">{}</span>{}</h3>\n",
                  step.no_return ? " no-return" : "", xml_escape(step.label), xml_escape(step.label),
                  xml_escape(step.name), time, step.no_return ? " <span class=\"bad\">point of no return</span>" : "");
  if (!step.commands.empty()) add_part(out, "commands", lines(step.commands));
  if (!step.checks.empty()) add_part(out, "gate: look at this before you go on", list(step.checks));
  if (!step.broken.empty()) add_part(out, "behind it does not work what worked at the start", list(step.broken));
  const auto way = step.whole_again.empty() ? std::string("<span class=\"bad\">does not make it whole again</span>")
                                            : "until all is as it was: " + xml_escape(step.whole_again);
  add_part(out, "way back",
           step.back.empty() ? "<p>nothing to take back</p>\n" : "<p>" + way + "</p>\n" + lines(step.back));
  out += "</section>\n";
}

void add_proposals(std::string& out, const PlanPage& page) {
  if (page.proposals.empty()) return;
  out +=
      "<h2 id=\"proposals\">What would make it better</h2>\n<div class=\"scroll\"><table><thead><tr><th>change</th>"
      "<th>effect, by rehearsal</th><th>as proposed</th></tr></thead><tbody>\n";
  for (const auto& one : page.proposals)
    out += "<tr>" + cell(one.what, "long") + cell(one.effect) + cell(one.taken ? "yes" : "") + "</tr>\n";
  out += "</tbody></table></div>\n";
}

}  // namespace

std::string to_html(const PlanPage& page) {
  auto out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}: {1}</title>\n"
      "<style>{2}</style>\n</head>\n<body>\n<div class=\"sheet\">\n<h1>{0}</h1>\n",
      xml_escape(page.title), page.go ? "go" : "no-go", style);
  for (const auto& line : page.facts) out += "<div class=\"facts\">" + xml_escape(line) + "</div>\n";
  add_verdict(out, page);
  out += charts_html(page.charts, "plan") + "</div>\n";
  add_windows(out, page);
  add_proposals(out, page);
  if (!page.steps.empty()) out += "<h2 id=\"steps\">Steps, gates and the way back</h2>\n";
  for (const auto& step : page.steps) add_step(out, step, start_of(page));
  if (page.reasons.size() > reasons_first) out += "<h2 id=\"reasons\">Why it is a no-go</h2>\n" + list(page.reasons);
  if (!page.readings.empty())
    out += "<h2 id=\"readings\">What the verdict rests on where the documents leave something open</h2>\n" +
           list(page.readings);
  if (!page.estate.empty()) {
    out += "<h2 id=\"estate\">The estate</h2>\n<dl>";
    for (const auto& [what, how] : page.estate)
      out += "<dt>" + xml_escape(what) + "</dt><dd>" + xml_escape(how) + "</dd>\n";
    out += "</dl>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace cutover::reports
