// The YAML that people write - topology, target, baseline, requirements: a value, or an error that names file and line.
// The first octet chooses the reader.
#include "harness/deployment/topology.h"
#include "harness/judging/baseline.h"
#include "harness/judging/case.h"
#include "harness/judging/requirements.h"
#include "harness/targets/target.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

namespace {

using namespace cutover::harness;

/// What a baseline may name.
const Registration demo = CaseAt{__FILE__, __LINE__} + CaseRecord{.id = "demo.case", .judges = {{"SEED-2", {}}}};

/// "fuzz.yaml:LINE: words" with a line of the text, or 0 for the whole.
void check_place(const std::string& what, std::string_view text) {
  constexpr std::string_view file = "fuzz.yaml:";
  if (!what.starts_with(file)) std::abort();
  std::size_t digits = 0;
  const auto line = std::stoul(what.substr(file.size(), 10), &digits);
  const auto rest = what.substr(file.size() + digits);
  if (!rest.starts_with(": ") || rest.size() < 4) std::abort();
  const auto lines = static_cast<unsigned long>(
      std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }));
  if (line > lines + 2) std::abort();
}

template <class Error, class Read>
void read_or_explain(std::string_view text, Read read) {
  try {
    read();
  } catch (const Error& error) {
    check_place(error.what(), text);
  }
}

void check(const Topology& topology) {
  std::set<std::string> names;
  for (const auto& node : nodes_of(topology)) {
    if (!names.insert(node.name).second || node.host < 1 || node.host > 254) std::abort();
    for (const auto& [service, port] : node.services) {
      if (port_of(topology, node.name, service) == 0) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string file = "fuzz.yaml";
  switch (data[0] % 4) {
    case 0:
      read_or_explain<TopologyError>(text, [&] { check(parse_topology(text, file)); });
      break;
    case 1:
      read_or_explain<TargetError>(text, [&] { (void)parse_target(text, file); });
      break;
    case 2:
      read_or_explain<BaselineError>(text, [&] { (void)parse_baseline(text, file); });
      break;
    default:
      read_or_explain<CatalogueError>(text, [&] {
        const auto catalogue = Catalogue::parse(text, file);
        for (const auto& requirement : catalogue.all()) {
          if (requirement.id.empty() || requirement.level.empty()) std::abort();
        }
      });
  }
  return 0;
}
