// The HTML template, built into the program from page.html.
#pragma once

#include <string_view>

namespace cutover::reports {

/// The whole page; "@CHARTS@" stands where the charts belong, "@RUN@" the JSON of the run, "@TRACES@" its traces.
[[nodiscard]] std::string_view html_page();

}  // namespace cutover::reports
