// The HTML template, built into the program from page.html.
#pragma once

#include <string_view>

namespace cutover::reports {

/// The whole page; "@RUN@" stands where the JSON of the run belongs.
[[nodiscard]] std::string_view html_page();

}  // namespace cutover::reports
