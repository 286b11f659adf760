// A page of tables: a link a cell, everything escaped.
#include "reports/table_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::reports {
namespace {

using testing::HasSubstr;

TEST(TablePage, LinksEachCellAndEscapesWhatItSays) {
  TablePage page;
  page.title = "A & B";
  page.text = {"what it is"};
  page.explanation = {{"strong", "E: EXTERNAL"}};
  page.tables = {{.title = "one",
                  .row_label = "from",
                  .column_label = "to",
                  .columns = {"c"},
                  .rows = {{.label = "r",
                            .cells = {{.text = "E", .kind = "strong", .more = "a<b>", .link = "wire.html#x/sim"},
                                      {.text = "-", .kind = "none", .more = {}, .link = {}, .differs = true}}}}}};
  const auto html = to_html(page);
  EXPECT_THAT(html, HasSubstr("<h1>A &amp; B</h1>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"strong\" title=\"a&lt;b&gt;\"><a href=\"wire.html#x/sim\">E</a></td>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"none differs\" title=\"\">-</td>"));
  EXPECT_THAT(html, HasSubstr("<span class=\"kind strong\">E: EXTERNAL</span>"));
}

}  // namespace
}  // namespace cutover::reports
