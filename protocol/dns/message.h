// DNS messages as values; the only user of ldns's wire format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::dns {

enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  naptr = 35,
  tlsa = 52
};
enum class Rcode : std::uint8_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,
  not_implemented = 4,
  refused = 5
};

/// One resource record. `name` and targets are lower case A-label text without the final dot ("." for the root).
struct Record {
  std::string name;
  Type type = Type::a;
  std::uint32_t ttl_s = 0;
  std::string data;  ///< presentation format of the RDATA: "127.0.0.5", "0 5 5269 gw.b.example"
  bool operator==(const Record&) const = default;
};

struct Srv {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};
/// The RDATA of an SRV record; nothing where `record` is not one.
[[nodiscard]] std::optional<Srv> srv_of(const Record& record);

struct Question {
  std::string name;
  Type type = Type::a;
};

struct Message {
  std::uint16_t id = 0;
  bool response = false, authoritative = false, truncated = false, recursion_desired = true;
  Rcode rcode = Rcode::no_error;
  std::vector<Question> questions;
  std::vector<Record> answers, authority, additional;
};

/// Reads one message; nothing where `wire` is not one (or holds a name that has no text form). Never throws.
/// A record of a type that the enumeration does not name keeps its number and has RFC 3597 text as its data.
[[nodiscard]] std::optional<Message> parse(std::string_view wire);
/// The octets of a message. Throws HarnessFault for a record that has no wire form: see normalised().
[[nodiscard]] std::string serialise(const Message&);

/// The record as parse() would give it: lower case, no final dots, usual spacing; nothing where `data` is not the
/// presentation format (RFC 1035 section 5.1, RFC 2782) of the RDATA of its type.
[[nodiscard]] std::optional<Record> normalised(const Record& record);
/// Whether `name` can be asked for: labels and whole within RFC 1035 section 2.3.4, and readable again.
[[nodiscard]] bool has_wire_form(std::string_view name);
/// The name in lower case without its final dot; the root stays ".".
[[nodiscard]] std::string normalised_name(std::string_view name);

/// "SRV", "A"; "TYPE999" where the enumeration has no name for it.
[[nodiscard]] std::string to_string(Type type);
/// "NOERROR", "NXDOMAIN", "SERVFAIL".
[[nodiscard]] std::string to_string(Rcode rcode);
/// The message in words, one line a record, for traces.
[[nodiscard]] std::string to_text(const Message& message);

}  // namespace cutover::dns
