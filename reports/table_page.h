// A page of tables whose cells lead to the cases of a report: small enough to be read as it is, without a script.
#pragma once

#include <string>
#include <vector>

namespace cutover::reports {

struct TableCell {
  std::string text;  ///< a word or a letter
  std::string kind;  ///< a class of the style sheet: "strong", "middle", "weak", "none"
  std::string more;  ///< shown where the pointer is
  std::string link;  ///< empty: none
  bool differs = false;
};

struct PageTable {
  std::string title, row_label, column_label;
  std::vector<std::string> columns;
  struct Row {
    std::string label;
    std::vector<TableCell> cells;
  };
  std::vector<Row> rows;
};

struct TablePage {
  std::string title;
  std::vector<std::string> text;                                 ///< paragraphs
  std::vector<std::pair<std::string, std::string>> explanation;  ///< kind of cell, and what it means
  std::vector<PageTable> tables;
};
[[nodiscard]] std::string to_html(const TablePage&);

}  // namespace cutover::reports
