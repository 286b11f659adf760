// Master files through ldns, record by record, so that an error has its line.
#include "protocol/dns/zone.h"

#include "protocol/dns/ldns_record.h"

#include <fmt/format.h>
#include <ldns/ldns.h>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

namespace cutover::dns {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The reading position of a master file, and the names that ldns changes as it reads.
struct Position {
  Position() = default;
  Position(const Position&) = delete;
  Position& operator=(const Position&) = delete;
  ~Position() {
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(previous);
  }
  ldns_rdf* origin = nullptr;
  ldns_rdf* previous = nullptr;
  std::uint32_t default_ttl_s = 3600;
  int line = 1;
};

/// The lines of a text by their number.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
      starts_.push_back(at + 1);
  }
  [[nodiscard]] std::string at(int line) const {
    if (line < 1 || static_cast<std::size_t>(line) > starts_.size()) return {};
    const auto rest = text_.substr(starts_[static_cast<std::size_t>(line) - 1]);
    return std::string(rest.substr(0, std::min(rest.find('\n'), rest.size())));
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_{0};
};

/// The text behind the word `type` in a line; nothing where the line does not have it.
std::optional<std::string_view> data_of(std::string_view line, std::string_view type) {
  for (auto at = line.find(type); at != std::string_view::npos; at = line.find(type, at + 1)) {
    const auto end = at + type.size();
    const auto blank = [&](std::size_t place) { return line[place] == ' ' || line[place] == '\t'; };
    if (at > 0 && blank(at - 1) && end < line.size() && blank(end)) return line.substr(end);
  }
  return std::nullopt;
}

std::string expected_data(std::string_view line) {
  if (data_of(line, "A")) return "an IPv4 address";
  if (data_of(line, "AAAA")) return "an IPv6 address";
  if (data_of(line, "SRV")) return "priority, weight, port and target of an SRV record";
  if (data_of(line, "SOA")) return "two names and five numbers of an SOA record";
  return "the data of the record";
}

std::string expectation(ldns_status status, std::string_view line) {
  switch (status) {
    case LDNS_STATUS_SYNTAX_RDATA_ERR:
      return expected_data(line);
    case LDNS_STATUS_SYNTAX_INCLUDE:
      return "records in this file ($INCLUDE is not read)";
    case LDNS_STATUS_SYNTAX_CLASS_ERR:
      return "class IN";
    case LDNS_STATUS_SYNTAX_TYPE_ERR:
      return "a record type, such as A, AAAA, CNAME or SRV";
    case LDNS_STATUS_SYNTAX_MISSING_VALUE_ERR:
      return "all fields of the record";
    case LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR:
      return "the end of the line after the record";
    case LDNS_STATUS_LABEL_OVERFLOW:
      return "labels of at most 63 octets";
    case LDNS_STATUS_DOMAINNAME_OVERFLOW:
      return "a domain name of at most 255 octets";
    default:
      return fmt::format("name, TTL, class, type and data of one record ({})", ldns_get_errorstr_by_id(status));
  }
}

/// What ldns reads over: a $TTL without a number counts as 0 there, and numbers of SRV records wrap.
std::optional<std::string> misread(std::string_view line) {
  constexpr std::string_view ttl = "$TTL";
  if (line.starts_with(ttl)) {
    const auto value = line.substr(ttl.size());
    const auto first = value.find_first_not_of(" \t");
    if (first == std::string_view::npos || value[first] < '0' || value[first] > '9')
      return "a TTL in seconds after $TTL";
  }
  if (line.find_first_of("(\"") != std::string_view::npos)
    return std::nullopt;  // more lines, or text that only looks like it
  if (const auto data = data_of(line.substr(0, line.find(';')), "SRV"); data && !srv_numbers_fit(*data)) {
    return "priority, weight and port of an SRV record, each from 0 to 65535";
  }
  return std::nullopt;
}

bool is_no_record(ldns_status status) {
  return status == LDNS_STATUS_SYNTAX_EMPTY || status == LDNS_STATUS_SYNTAX_TTL || status == LDNS_STATUS_SYNTAX_ORIGIN;
}

/// What the text of one record must satisfy beyond its syntax, looked at in the order of the file.
class Rules {
 public:
  /// Nothing where it does.
  std::optional<std::string> unmet(const Zone& zone, const Record& record) {
    if (!is_in(record.name, zone.origin)) return fmt::format("a name in the zone {}", zone.origin);
    const bool soa = record.type == Type::soa;
    if (soa && record.name != zone.origin) return fmt::format("the SOA at the top of the zone, {}", zone.origin);
    if (soa && !zone.records.empty()) return "one SOA";
    if (!soa && zone.records.empty()) return "the SOA as the first record";
    const auto [known, first] = alias_.emplace(record.name, record.type == Type::cname);
    if (!first && (known->second || record.type == Type::cname)) return "no other record beside a CNAME";
    return std::nullopt;
  }

 private:
  std::map<std::string, bool> alias_;  ///< names, and whether what they have is a CNAME
};

/// Reads a master file; at most `errors_max` errors, then no further.
ZoneReading read_at_most(std::string_view text, std::string_view origin, std::string_view file,
                         std::size_t errors_max) {
  ZoneReading reading;
  auto& zone = reading.zone;
  zone.origin = normalised_name(origin);
  const auto error = [&](int line, std::string expected, std::string found) {
    reading.errors.push_back(
        {.file = std::string(file), .line = line, .expected = std::move(expected), .found = std::move(found)});
  };
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    error(static_cast<int>(1 + std::ranges::count(text.substr(0, nul), '\n')), "text", "an octet of value 0");
    return reading;
  }
  Position position;
  position.origin = ldns_dname_new_frm_str(zone.origin.c_str());
  if (position.origin == nullptr) error(0, "a domain name as the zone's origin", zone.origin);
  if (position.origin != nullptr && text.empty()) error(0, "the SOA as the first record", "an empty file");
  if (!reading.errors.empty()) return reading;

  // A final newline: ldns takes the end of the file inside of a line for an error.
  std::string copy(text);
  copy += '\n';
  const std::unique_ptr<std::FILE, CloseFile> stream(fmemopen(copy.data(), copy.size(), "r"));
  if (!stream) error(0, "a file that can be read", "");
  const Lines lines(text);
  Rules rules;
  while (stream && std::feof(stream.get()) == 0 && reading.errors.size() < errors_max) {
    const int line = position.line;
    const auto words = lines.at(line);
    ldns_rr* raw = nullptr;
    const auto told = misread(words);
    if (told) error(line, *told, words);
    if (told && reading.errors.size() >= errors_max) break;
    const auto status = ldns_rr_new_frm_fp_l(&raw, stream.get(), &position.default_ttl_s, &position.origin,
                                             &position.previous, &position.line);
    const std::unique_ptr<ldns_rr, decltype(&ldns_rr_free)> rr(raw, &ldns_rr_free);
    if (is_no_record(status) || told) continue;
    if (status != LDNS_STATUS_OK || raw == nullptr) {
      error(line, expectation(status, words), words);
      continue;
    }
    auto record = record_of(*raw);
    if (ldns_rr_get_class(raw) != LDNS_RR_CLASS_IN) {
      error(line, "class IN", words);
    } else if (!record) {
      error(line, "a record with a text form", words);
    } else if (errors_max > 1 && !zone.records.empty() && *record == zone.records.front()) {
      continue;  // a transfer ends with the SOA that it begins with
    } else if (auto rule = rules.unmet(zone, *record)) {
      error(line, std::move(*rule), words);
    } else {
      zone.records.push_back(std::move(*record));
      reading.lines.push_back(line);
    }
  }
  if (reading.errors.empty() && zone.records.empty()) error(0, "the SOA as the first record", "no record");
  return reading;
}

}  // namespace

std::string to_string(const ZoneError& error) {
  auto text = fmt::format("{}:{}: expected {}", error.file, error.line, error.expected);
  if (!error.found.empty()) text += fmt::format(", found \"{}\"", error.found);
  return text;
}

bool is_in(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

std::variant<Zone, ZoneError> parse_zone(std::string_view text, std::string_view origin, std::string_view file) {
  auto reading = read_at_most(text, origin, file, 1);
  if (!reading.errors.empty()) return std::move(reading.errors.front());
  return std::move(reading.zone);
}

ZoneReading read_zone(std::string_view text, std::string_view origin, std::string_view file) {
  constexpr std::size_t errors_max = 100;
  return read_at_most(text, origin, file, errors_max);
}

}  // namespace cutover::dns
