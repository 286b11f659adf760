// DNS messages between octets and values, through ldns.
#include "protocol/dns/message.h"

#include "protocol/base/check.h"
#include "protocol/base/limits.h"
#include "protocol/dns/ldns_record.h"
#include "protocol/dns/octets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ldns/ldns.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <sstream>

namespace cutover::dns {

namespace {

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct FreeRecord {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct FreeData {
  void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};
struct FreeText {
  void operator()(void* text) const { std::free(text); }  // ldns allocates with malloc
};
using PacketPointer = std::unique_ptr<ldns_pkt, FreePacket>;
using RecordPointer = std::unique_ptr<ldns_rr, FreeRecord>;
using NamePointer = std::unique_ptr<ldns_rdf, FreeData>;
using TextPointer = std::unique_ptr<char, FreeText>;

// ldns goes through printf and its tokenizer for every name and number. What nearly every record holds - names of plain
// characters, addresses, 16-bit numbers - is converted here, the rest by ldns; both give the same.

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

NamePointer plain_name_to_ldns(std::string_view name) {
  constexpr std::size_t label_max = 63, name_max = 255;
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() + 2 > name_max) return nullptr;
  std::array<std::uint8_t, name_max> wire{};
  std::size_t label = 0, at = 1;  // where the length of the label under way goes
  for (const char c : name) {
    if (c == '.') {
      if (wire.at(label) == 0) return nullptr;
      label = at++;
      continue;
    }
    if (!is_plain(c) || ++wire.at(label) > label_max) return nullptr;
    wire.at(at++) = static_cast<std::uint8_t>(c);
  }
  if (wire.at(label) == 0) return nullptr;
  return NamePointer(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, at + 1, wire.data()));
}

std::optional<std::string> plain_name_of(const ldns_rdf& rdf) {
  const std::string_view wire(reinterpret_cast<const char*>(ldns_rdf_data(&rdf)), ldns_rdf_size(&rdf));
  std::string text;
  for (std::size_t at = 0; at < wire.size();) {
    const auto size = static_cast<std::uint8_t>(wire[at++]);
    if (size == 0) return text.empty() ? "." : text;
    if (at + size > wire.size()) return std::nullopt;
    if (!text.empty()) text += '.';
    for (const char c : wire.substr(at, size)) {
      if (!is_plain(c)) return std::nullopt;
      text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    at += size;
  }
  return std::nullopt;
}

std::optional<std::string> ipv6_address_of(const ldns_rdf& rdf) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET6, ldns_rdf_data(&rdf), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

NamePointer name_to_ldns(const std::string& name) {
  if (auto plain = plain_name_to_ldns(name)) return plain;
  if (name.find('\0') != std::string::npos) return nullptr;
  return NamePointer(ldns_dname_new_frm_str(name.c_str()));
}

std::optional<std::string> text_of(const ldns_rdf& rdf) {
  switch (ldns_rdf_get_type(&rdf)) {
    case LDNS_RDF_TYPE_DNAME:
      if (auto plain = plain_name_of(rdf)) return plain;
      break;
    case LDNS_RDF_TYPE_A: {
      const auto* octets = ldns_rdf_data(&rdf);
      if (ldns_rdf_size(&rdf) != sizeof(in_addr)) return std::nullopt;
      return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3]);
    }
    case LDNS_RDF_TYPE_AAAA:
      return ipv6_address_of(rdf);
    case LDNS_RDF_TYPE_INT16:
      return std::to_string(ldns_rdf2native_int16(&rdf));
    case LDNS_RDF_TYPE_INT32:
    case LDNS_RDF_TYPE_PERIOD:
      return std::to_string(ldns_rdf2native_int32(&rdf));
    default:
      break;
  }
  const TextPointer text(ldns_rdf2str(&rdf));
  if (!text) return std::nullopt;
  if (ldns_rdf_get_type(&rdf) == LDNS_RDF_TYPE_DNAME) return normalised_name(text.get());
  return std::string(text.get());
}

/// COMPAT(ldns 1.8): it refuses a CERT (RFC 4398) whose algorithm is a number, and loses memory over it.
bool is_cert_of_numbered_algorithm(const Record& record) {
  constexpr auto cert = static_cast<Type>(37);
  if (record.type != cert) return false;
  std::istringstream words(record.data);
  std::string type, key_tag, algorithm;
  words >> type >> key_tag >> algorithm;
  return algorithm.find_first_not_of("0123456789") == std::string::npos;
}

RecordPointer empty_record(NamePointer owner, const Record& record) {
  RecordPointer rr(ldns_rr_new());
  ldns_rr_set_owner(rr.get(), owner.release());
  ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(record.type));
  ldns_rr_set_class(rr.get(), LDNS_RR_CLASS_IN);
  ldns_rr_set_ttl(rr.get(), record.ttl_s);
  return rr;
}

/// An address or SRV record of plain form; null for what ldns must read.
RecordPointer plain_record_to_ldns(NamePointer& owner, const Record& record) {
  std::array<std::uint8_t, sizeof(in6_addr)> address{};
  const bool v4 = record.type == Type::a, v6 = record.type == Type::aaaa;
  if ((v4 || v6) && inet_pton(v4 ? AF_INET : AF_INET6, record.data.c_str(), address.data()) == 1) {
    auto rr = empty_record(std::move(owner), record);
    ldns_rr_push_rdf(rr.get(), ldns_rdf_new_frm_data(v4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
                                                     v4 ? sizeof(in_addr) : sizeof(in6_addr), address.data()));
    return rr;
  }
  const auto srv = srv_of(record);
  auto target = srv ? plain_name_to_ldns(srv->target) : nullptr;
  if (!target) return nullptr;
  auto rr = empty_record(std::move(owner), record);
  for (const auto number : {srv->priority, srv->weight, srv->port})
    ldns_rr_push_rdf(rr.get(), ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, number));
  ldns_rr_push_rdf(rr.get(), target.release());
  return rr;
}

RecordPointer record_to_ldns(const Record& record) {
  auto owner = name_to_ldns(record.name);
  if (!owner || record.data.find('\0') != std::string::npos || record.data.find('\n') != std::string::npos)
    return nullptr;
  if (auto plain = plain_record_to_ldns(owner, record)) return plain;
  // The owner is set apart, because text of a name may hold what the tokenizer of a whole record trips over.
  const auto line = fmt::format("owner. {} IN {} {}", record.ttl_s, to_string(record.type), record.data);
  if (record.type == Type::srv && !srv_numbers_fit(record.data)) return nullptr;
  if (is_cert_of_numbered_algorithm(record)) return nullptr;
  ldns_rr* rr = nullptr;
  const NamePointer root(ldns_dname_new_frm_str("."));  // names in the data are complete without a final dot
  if (ldns_rr_new_frm_str(&rr, line.c_str(), 0, root.get(), nullptr) != LDNS_STATUS_OK) return nullptr;
  RecordPointer result(rr);
  ldns_rdf_deep_free(ldns_rr_owner(rr));
  ldns_rr_set_owner(rr, owner.release());
  return result;
}

/// ldns reads some texts (an NSEC3 with a short hash) into what it writes as octets that nobody can read.
bool survives_the_wire(const ldns_rr& rr) {
  std::uint8_t* raw = nullptr;
  std::size_t size = 0, read = 0;
  const auto written = ldns_rr2wire(&raw, &rr, LDNS_SECTION_ANSWER, &size);
  const std::unique_ptr<std::uint8_t, FreeText> wire(raw);
  if (written != LDNS_STATUS_OK) return false;
  ldns_rr* again = nullptr;
  if (ldns_wire2rr(&again, raw, size, &read, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK) return false;
  const RecordPointer same(again);
  return read == size && ldns_rr_compare(&rr, again) == 0 && record_of(*again).has_value();
}

std::optional<std::vector<Record>> records_of(const ldns_rr_list* list) {
  std::vector<Record> result;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    auto record = record_of(*ldns_rr_list_rr(list, i));
    if (!record) return std::nullopt;
    result.push_back(std::move(*record));
  }
  return result;
}

std::optional<std::vector<Question>> questions_of(const ldns_rr_list* list) {
  std::vector<Question> result;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const auto* rr = ldns_rr_list_rr(list, i);
    auto name = text_of(*ldns_rr_owner(rr));
    if (!name || !name_to_ldns(*name)) return std::nullopt;  // a server must be able to echo it
    result.push_back({std::move(*name), static_cast<Type>(ldns_rr_get_type(rr))});
  }
  return result;
}

void push(ldns_pkt& packet, ldns_pkt_section section, const std::vector<Record>& records) {
  for (const auto& record : records) {
    auto rr = record_to_ldns(record);
    if (!rr)
      throw HarnessFault(fmt::format("not a DNS record: {} {} {}", record.name, to_string(record.type), record.data));
    CUTOVER_CHECK(ldns_pkt_push_rr(&packet, section, rr.get()));
    static_cast<void>(rr.release());
  }
}

void push(ldns_pkt& packet, const Question& question) {
  auto owner = name_to_ldns(question.name);
  if (!owner) throw HarnessFault("not a DNS name: " + question.name);
  RecordPointer rr(ldns_rr_new());
  ldns_rr_set_owner(rr.get(), owner.release());
  ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(question.type));
  ldns_rr_set_class(rr.get(), LDNS_RR_CLASS_IN);
  ldns_rr_set_question(rr.get(), true);
  CUTOVER_CHECK(ldns_pkt_push_rr(&packet, LDNS_SECTION_QUESTION, rr.get()));
  static_cast<void>(rr.release());
}

/// A question of a resolver about a plain name (RFC 1035 section 4.1); nothing for what ldns must write.
std::optional<std::string> plain_query(const Message& message) {
  constexpr std::uint16_t recursion_desired = 0x0100;
  const bool records = !message.answers.empty() || !message.authority.empty() || !message.additional.empty();
  const bool flags = message.response || message.authoritative || message.truncated;
  if (records || flags || message.rcode != Rcode::no_error || message.questions.size() != 1) return std::nullopt;
  const auto& [name, type] = message.questions.front();
  const auto plain = plain_name_to_ldns(name);
  if (!plain) return std::nullopt;
  auto wire = two_octets(message.id) + two_octets(message.recursion_desired ? recursion_desired : 0);
  for (const std::size_t count : {1U, 0U, 0U, 0U}) wire += two_octets(count);
  wire.append(reinterpret_cast<const char*>(ldns_rdf_data(plain.get())), ldns_rdf_size(plain.get()));
  return wire + two_octets(static_cast<std::size_t>(type)) + two_octets(LDNS_RR_CLASS_IN);
}

template <class Number>
bool read_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

bool srv_numbers_fit(std::string_view data) {
  for (int field = 0; field < 3; ++field) {
    data.remove_prefix(std::min(data.find_first_not_of(" \t"), data.size()));
    const auto digits = data.substr(0, data.find_first_of(" \t"));
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return false;
    data.remove_prefix(digits.size());
  }
  return true;
}

std::optional<Record> record_of(const ldns_struct_rr& rr) {
  if (ldns_rr_owner(&rr) == nullptr) return std::nullopt;
  auto name = text_of(*ldns_rr_owner(&rr));
  if (!name) return std::nullopt;
  Record record{.name = std::move(*name),
                .type = static_cast<Type>(ldns_rr_get_type(&rr)),
                .ttl_s = ldns_rr_ttl(&rr),
                .data = {}};
  for (std::size_t i = 0; i < ldns_rr_rd_count(&rr); ++i) {
    const auto* rdf = ldns_rr_rdf(&rr, i);
    if (rdf == nullptr) return std::nullopt;
    const auto text = text_of(*rdf);
    if (!text) return std::nullopt;
    if (i > 0) record.data += ' ';
    record.data += *text;
  }
  return record;
}

std::optional<Message> parse(std::string_view wire) {
  if (wire.empty() || wire.size() > limits::dns_message_size_max_octets) return std::nullopt;
  ldns_pkt* raw = nullptr;
  const auto status = ldns_wire2pkt(&raw, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
  if (status != LDNS_STATUS_OK || raw == nullptr) return std::nullopt;
  const PacketPointer packet(raw);
  auto questions = questions_of(ldns_pkt_question(raw));
  auto answers = records_of(ldns_pkt_answer(raw));
  auto authority = records_of(ldns_pkt_authority(raw));
  auto additional = records_of(ldns_pkt_additional(raw));
  if (!questions || !answers || !authority || !additional) return std::nullopt;
  return Message{.id = ldns_pkt_id(raw),
                 .response = ldns_pkt_qr(raw),
                 .authoritative = ldns_pkt_aa(raw),
                 .truncated = ldns_pkt_tc(raw),
                 .recursion_desired = ldns_pkt_rd(raw),
                 .rcode = static_cast<Rcode>(ldns_pkt_get_rcode(raw)),
                 .questions = std::move(*questions),
                 .answers = std::move(*answers),
                 .authority = std::move(*authority),
                 .additional = std::move(*additional)};
}

std::string serialise(const Message& message) {
  if (auto query = plain_query(message)) return *query;
  const PacketPointer packet(ldns_pkt_new());
  ldns_pkt_set_id(packet.get(), message.id);
  ldns_pkt_set_qr(packet.get(), message.response);
  ldns_pkt_set_aa(packet.get(), message.authoritative);
  ldns_pkt_set_tc(packet.get(), message.truncated);
  ldns_pkt_set_rd(packet.get(), message.recursion_desired);
  ldns_pkt_set_rcode(packet.get(), static_cast<std::uint8_t>(message.rcode));
  for (const auto& question : message.questions) push(*packet, question);
  push(*packet, LDNS_SECTION_ANSWER, message.answers);
  push(*packet, LDNS_SECTION_AUTHORITY, message.authority);
  push(*packet, LDNS_SECTION_ADDITIONAL, message.additional);
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  const auto status = ldns_pkt2wire(&raw, packet.get(), &size);
  const std::unique_ptr<std::uint8_t, FreeText> wire(raw);
  if (status != LDNS_STATUS_OK) throw HarnessFault(std::string("no wire format: ") + ldns_get_errorstr_by_id(status));
  return {reinterpret_cast<const char*>(raw), size};
}

std::optional<Record> normalised(const Record& record) {
  const auto rr = record_to_ldns(record);
  return rr && survives_the_wire(*rr) ? record_of(*rr) : std::nullopt;
}

bool has_wire_form(std::string_view name) {
  return plain_name_to_ldns(name) ||
         normalised({.name = std::string(name), .type = Type::a, .ttl_s = 0, .data = "0.0.0.0"});
}

std::string normalised_name(std::string_view name) {
  // The escape "\." at the end is a dot inside the last label, not the root.
  if (name.size() > 1 && name.ends_with('.') && !name.ends_with("\\.")) name.remove_suffix(1);
  std::string result(name.empty() ? "." : name);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::optional<Srv> srv_of(const Record& record) {
  if (record.type != Type::srv) return std::nullopt;
  Srv srv;
  std::string_view rest = record.data;
  if (!read_number(rest, srv.priority) || !read_number(rest, srv.weight) || !read_number(rest, srv.port))
    return std::nullopt;
  if (rest.empty() || rest.find(' ') != std::string_view::npos) return std::nullopt;
  srv.target = normalised_name(rest);
  return srv;
}

std::string to_string(Type type) {
  switch (type) {
    case Type::a:
      return "A";
    case Type::aaaa:
      return "AAAA";
    case Type::srv:
      return "SRV";
    default:
      break;
  }
  const TextPointer text(ldns_rr_type2str(static_cast<ldns_rr_type>(type)));
  return text ? text.get() : fmt::format("TYPE{}", static_cast<unsigned>(type));
}

std::string to_string(Rcode rcode) {
  const TextPointer text(ldns_pkt_rcode2str(static_cast<ldns_pkt_rcode>(rcode)));
  return text ? text.get() : fmt::format("RCODE{}", static_cast<unsigned>(rcode));
}

std::string to_text(const Message& message) {
  auto text = fmt::format("{} id {}{}{} {}\n", message.response ? "answer" : "query", message.id,
                          message.authoritative ? " aa" : "", message.truncated ? " tc" : "",
                          message.response ? to_string(message.rcode) : "");
  for (const auto& question : message.questions)
    text += fmt::format("? {} {}\n", question.name, to_string(question.type));
  const auto section = [&](char mark, const std::vector<Record>& records) {
    for (const auto& record : records)
      text += fmt::format("{} {} {} {} {}\n", mark, record.name, record.ttl_s, to_string(record.type), record.data);
  };
  section('=', message.answers);
  section('@', message.authority);
  section('+', message.additional);
  return text;
}

}  // namespace cutover::dns
