// Plain HTML, a link a cell.
#include "reports/table_page.h"

#include "reports/text.h"

#include <fmt/format.h>

namespace cutover::reports {

namespace {

constexpr char head[] = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<style>
:root {{ color-scheme: light dark; --line:#d0d7de; --bad:#cf222e; --on:#1f2328;
  --strong:#b4e3c0; --middle:#cfe3fb; --weak:#fbe3a6; --none:transparent; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line:#30363d; --bad:#ff7b72; --on:#e6edf3;
  --strong:#1f5c33; --middle:#1f4570; --weak:#6b5210; }} }}
body {{ font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1280px; padding: 12px 20px; }}
h1 {{ font-size: 22px; }} h2 {{ font-size: 16px; margin: 26px 0 6px; }}
.scroll {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: 13px; }}
th, td {{ border: 1px solid var(--line); padding: 2px 6px; text-align: center; }}
th {{ font-weight: 400; text-align: left; white-space: nowrap; }}
thead th {{ writing-mode: vertical-rl; transform: rotate(180deg); vertical-align: bottom; }}
thead th.corner {{ writing-mode: initial; transform: none; }}
td a, .kind {{ color: var(--on); text-decoration: none; display: block; min-width: 22px; }}
td a:hover {{ text-decoration: underline; }}
.strong {{ background: var(--strong); }} .middle {{ background: var(--middle); }}
.weak {{ background: var(--weak); }} .none {{ background: var(--none); }}
td.differs {{ outline: 3px solid var(--bad); outline-offset: -3px; }}
.key {{ display: flex; gap: 16px; flex-wrap: wrap; }}
.key .kind {{ padding: 0 8px; border: 1px solid var(--line); }}
</style>
</head>
<body>
<h1>{0}</h1>
)";

void add(std::string& out, const TableCell& cell) {
  const auto text = xml_escape(cell.text), more = xml_escape(cell.more);
  out += fmt::format("<td class=\"{}{}\" title=\"{}\">", xml_escape(cell.kind), cell.differs ? " differs" : "", more);
  out += cell.link.empty() ? text : fmt::format("<a href=\"{}\">{}</a>", xml_escape(cell.link), text);
  out += "</td>";
}

void add(std::string& out, const PageTable& table) {
  out += fmt::format("<h2>{}</h2>\n<div class=\"scroll\"><table><thead><tr><th class=\"corner\">{} \\ {}</th>",
                     xml_escape(table.title), xml_escape(table.row_label), xml_escape(table.column_label));
  for (const auto& column : table.columns) out += "<th>" + xml_escape(column) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr><th>" + xml_escape(row.label) + "</th>";
    for (const auto& cell : row.cells) add(out, cell);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

}  // namespace

std::string to_html(const TablePage& page) {
  auto out = fmt::format(head, xml_escape(page.title));
  for (const auto& paragraph : page.text) out += "<p>" + xml_escape(paragraph) + "</p>\n";
  out += "<div class=\"key\">";
  for (const auto& [kind, words] : page.explanation)
    out += fmt::format("<span class=\"kind {}\">{}</span>", xml_escape(kind), xml_escape(words));
  out += "</div>\n";
  for (const auto& table : page.tables) add(out, table);
  return out + "</body>\n</html>\n";
}

}  // namespace cutover::reports
