# Two precompiled headers for the whole tree: what nearly every file includes is parsed twice in a build, not 200 times.
# Only what is bought stands in them, and each file goes on including what it uses (the lint preset has none of this).
function(cutover_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "" "LIBRARIES;HEADERS")
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cpp "// nothing but its precompiled header\n")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE cutover_flags ${given_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${given_HEADERS})
endfunction()

set(standard_headers <algorithm> <array> <chrono> <deque> <functional> <map> <memory> <optional> <set> <span> <sstream> <string>
  <string_view> <tuple> <utility> <variant> <vector>)
cutover_precompiled(engine_headers LIBRARIES fmt::fmt HEADERS ${standard_headers} <fmt/format.h>)
cutover_precompiled(harness_headers LIBRARIES fmt::fmt GTest::gmock Boost::json
  HEADERS ${standard_headers} <fmt/format.h> <gmock/gmock.h> <boost/json.hpp>)
