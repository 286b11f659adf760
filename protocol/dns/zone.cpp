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

std::string line_at(std::string_view text, int line) {
  for (int skipped = 1; skipped < line && !text.empty(); ++skipped) {
    const auto end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return std::string(text.substr(0, std::min(text.find('\n'), text.size())));
}

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

/// What the text of one record must satisfy beyond its syntax; nothing where it does.
std::optional<std::string> unmet_rule(const Zone& zone, const Record& record) {
  if (!is_in(record.name, zone.origin)) return fmt::format("a name in the zone {}", zone.origin);
  const bool soa = record.type == Type::soa;
  if (soa && record.name != zone.origin) return fmt::format("the SOA at the top of the zone, {}", zone.origin);
  if (soa && !zone.records.empty()) return "one SOA";
  if (!soa && zone.records.empty()) return "the SOA as the first record";
  const auto clash = std::ranges::any_of(zone.records, [&](const Record& other) {
    return other.name == record.name && (other.type == Type::cname || record.type == Type::cname);
  });
  if (clash) return "no other record beside a CNAME";
  return std::nullopt;
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
  Zone zone{.origin = normalised_name(origin), .records = {}};
  const auto error = [&](int line, std::string expected, std::string found) {
    return ZoneError{
        .file = std::string(file), .line = line, .expected = std::move(expected), .found = std::move(found)};
  };
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    const auto line = 1 + std::ranges::count(text.substr(0, nul), '\n');
    return error(static_cast<int>(line), "text", "an octet of value 0");
  }
  Position position;
  position.origin = ldns_dname_new_frm_str(zone.origin.c_str());
  if (position.origin == nullptr) return error(0, "a domain name as the zone's origin", zone.origin);
  if (text.empty()) return error(0, "the SOA as the first record", "an empty file");

  // A final newline: ldns takes the end of the file inside of a line for an error.
  std::string copy(text);
  copy += '\n';
  const std::unique_ptr<std::FILE, CloseFile> stream(fmemopen(copy.data(), copy.size(), "r"));
  if (!stream) return error(0, "a file that can be read", "");
  while (std::feof(stream.get()) == 0) {
    const int line = position.line;
    const auto words = line_at(text, line);
    if (auto expected = misread(words)) return error(line, std::move(*expected), words);
    ldns_rr* raw = nullptr;
    const auto status = ldns_rr_new_frm_fp_l(&raw, stream.get(), &position.default_ttl_s, &position.origin,
                                             &position.previous, &position.line);
    if (is_no_record(status)) continue;
    if (status != LDNS_STATUS_OK || raw == nullptr) return error(line, expectation(status, words), words);
    const std::unique_ptr<ldns_rr, decltype(&ldns_rr_free)> rr(raw, &ldns_rr_free);
    if (ldns_rr_get_class(raw) != LDNS_RR_CLASS_IN) return error(line, "class IN", words);
    auto record = record_of(*raw);
    if (!record) return error(line, "a record with a text form", words);
    if (auto rule = unmet_rule(zone, *record)) return error(line, std::move(*rule), words);
    zone.records.push_back(std::move(*record));
  }
  if (zone.records.empty()) return error(0, "the SOA as the first record", "no record");
  return zone;
}

}  // namespace cutover::dns
