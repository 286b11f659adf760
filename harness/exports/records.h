// Between the parts that read an inventory.
#pragma once

#include "harness/exports/inventory.h"

#include <memory>

namespace cutover::harness::exports {

/// Takes the objects of one exported file into an inventory: each is told by its properties.
class ObjectReader {
 public:
  ObjectReader(Inventory& inventory, std::string file);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  void read(reference::exports::Value&& object);
  [[nodiscard]] reference::exports::Problems& problems();
  /// Tells what was not understood.
  void finish(std::string form);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A document of Get-CsTopology -AsXml.
[[nodiscard]] bool is_topology(std::string_view text);
void read_topology(Inventory& inventory, std::string_view text, const std::string& file);

[[nodiscard]] bool is_zone(std::string_view text);
void read_zone_file(Inventory& inventory, std::string_view text, const std::string& file);

void read_certificates(Inventory& inventory, std::string_view octets, const std::string& file);

[[nodiscard]] std::string lower(std::string_view text);
/// A domain as DNS and certificates have it; in small letters where it is none.
[[nodiscard]] std::string ascii(std::string_view domain);
/// Without "Tag:" or the like before it.
[[nodiscard]] std::string without_prefix(std::string_view text, std::string_view prefix);

/// Passes problems on; of many alike the first few and their number.
void tell(Inventory& inventory, std::vector<Problem> problems);

}  // namespace cutover::harness::exports
