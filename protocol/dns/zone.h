// Zones from RFC 1035 master files, checked, with errors that name file, line and what was expected.
#pragma once

#include "protocol/dns/message.h"

#include <variant>

namespace cutover::dns {

/// One zone. Its first record is the SOA of `origin`; every other lies at or below `origin`.
struct Zone {
  std::string origin;
  std::vector<Record> records;
};

/// What is wrong with a master file. to_string(): "zones/a.zone:7: expected ..., found ...".
struct ZoneError {
  std::string file;
  int line = 0;  ///< the first is 1; 0 where it concerns the whole file
  std::string expected;
  std::string found;  ///< the line, or what stands there instead; may be empty
};
[[nodiscard]] std::string to_string(const ZoneError& error);

/// Reads a master file (RFC 1035 section 5): $ORIGIN, $TTL, relative names, parentheses, comments; not $INCLUDE.
/// `origin` is the zone's name and the first $ORIGIN. Refused as well: records outside of the zone, an SOA too many or
/// too few, and a CNAME beside other records (RFC 1034 section 3.6.2). `file` is for errors only; nothing is opened.
[[nodiscard]] std::variant<Zone, ZoneError> parse_zone(std::string_view text, std::string_view origin,
                                                       std::string_view file);

/// What can be read of a master file, and everything that cannot, up to a hundred errors.
struct ZoneReading {
  Zone zone;
  std::vector<int> lines;  ///< of each record
  std::vector<ZoneError> errors;
};
[[nodiscard]] ZoneReading read_zone(std::string_view text, std::string_view origin, std::string_view file);

/// Whether `name` is `zone` or below it; both normalised.
[[nodiscard]] bool is_in(std::string_view name, std::string_view zone);

}  // namespace cutover::dns
