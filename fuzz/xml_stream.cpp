// The stream reader with hostile octets: the same items for every cut, and what it gives can be written and read back.
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace cutover;

std::string describe(const xml::Item& item) {
  if (const auto* header = std::get_if<xml::StreamHeader>(&item)) return "header " + xml::write(header->tag);
  if (const auto* element = std::get_if<xml::Element>(&item)) return xml::write(*element);
  if (const auto* fault = std::get_if<xml::Fault>(&item)) return "fault " + fault->condition;
  return "end";
}

std::string read_all(std::string_view in, std::size_t piece) {
  xml::Reader reader;
  std::string items;
  while (!in.empty()) {
    std::size_t consumed = 0;
    const auto item = reader.feed(in.substr(0, piece), consumed);
    if (consumed > std::min(piece, in.size())) std::abort();
    if (!item && consumed == 0) std::abort();
    if (item) items += describe(*item) + "\n";
    if (item && std::holds_alternative<xml::Element>(*item)) {
      const auto back = xml::parse(xml::write(std::get<xml::Element>(*item)));
      if (!std::holds_alternative<xml::Element>(back)) std::abort();
      if (!(std::get<xml::Element>(back) == std::get<xml::Element>(*item))) std::abort();
    }
    in.remove_prefix(consumed);
  }
  return items;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  if (read_all(in, size + 1) != read_all(in, 1)) std::abort();
  (void)xml::parse(in);
  return 0;
}
