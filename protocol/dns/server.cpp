// RFC 1034 section 4.3.2 for zones in memory.
#include "protocol/dns/server.h"

#include "protocol/base/check.h"
#include "protocol/base/limits.h"

#include <fmt/format.h>
#include <algorithm>

namespace cutover::dns {

namespace {

using Key = std::pair<std::string, Type>;
using View = std::map<Key, std::vector<Record>>;

constexpr std::size_t udp_size_max_octets = 512;  // RFC 1035 section 4.2.1; no EDNS here

/// The header's id of something that may be too short to have one.
std::optional<std::uint16_t> id_of(std::string_view wire) {
  if (wire.size() < 12) return std::nullopt;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(wire[0]) << 8 | static_cast<unsigned char>(wire[1]));
}

bool is_response(std::string_view wire) { return (static_cast<unsigned char>(wire[2]) & 0x80) != 0; }
unsigned opcode_of(std::string_view wire) { return static_cast<unsigned char>(wire[2]) >> 3 & 0xf; }

}  // namespace

/// What a query came to, by its octets behind the id and the view of its client.
struct Answered {
  std::string name;
  Type type;
  std::string wire;  ///< behind the id
};
using Memory = std::map<std::string, Answered, std::less<>>;
constexpr std::size_t memory_max = 4096;

struct DnsServer::Impl {
  std::map<std::string, Record> soas;  ///< by origin
  std::map<std::string, View> views;   ///< "" is the default
  std::map<std::string, std::string> view_of_client;
  std::map<std::string, Spoilt> spoilt;
  std::map<Key, std::vector<std::pair<Forgery, std::string>>> forgeries;
  History<QueryRecord> history;
  std::shared_ptr<Memory> memory = std::make_shared<Memory>();

  /// Records have changed.
  void forget_answers() { memory = std::make_shared<Memory>(); }

  [[nodiscard]] std::string memory_key(std::string_view query, std::string_view client, Transport transport) const {
    const auto view = view_of_client.find(std::string(client));
    std::string key = view == view_of_client.end() ? "" : view->second;
    key += transport == Transport::udp ? '\0' : '\1';
    return key += query.substr(2);
  }

  /// The closest zone above a name; null where we have none.
  Record* zone_of(const std::string& name) {
    Record* best = nullptr;
    for (auto& [origin, soa] : soas)
      if (is_in(name, origin) && (best == nullptr || origin.size() > best->name.size())) best = &soa;
    return best;
  }

  const std::vector<Record>* find(const std::string& view, const Key& key) const {
    for (const auto& name : {view, std::string()}) {
      const auto records = views.find(name);
      if (records == views.end()) continue;
      const auto it = records->second.find(key);
      if (it != records->second.end()) return &it->second;
      if (name.empty()) break;
    }
    return nullptr;
  }

  /// Whether a name has records, or lies above one that has (RFC 4592 section 2.2.2: an empty non-terminal exists).
  bool exists(const std::string& view, const std::string& name) const {
    for (const auto& layer : {view, std::string()}) {
      const auto records = views.find(layer);
      if (records == views.end()) continue;
      for (const auto& [key, values] : records->second) {
        if (!is_in(key.first, name)) continue;
        const auto* seen = find(view, key);
        if (seen != nullptr && !seen->empty()) return true;
      }
    }
    return false;
  }

  void store(std::string_view name, Type type, std::vector<Record> records, std::string_view view) {
    forget_answers();
    const auto owner = normalised_name(name);
    for (auto& record : records) {
      record.name = owner;
      record.type = type;
      auto usual = normalised(record);
      if (!usual) throw HarnessFault(fmt::format("not a DNS record: {} {} {}", owner, to_string(type), record.data));
      record = std::move(*usual);
    }
    views[std::string(view)].insert_or_assign(Key{owner, type}, std::move(records));
  }

  void count_up(const std::string& name) {
    auto* soa = zone_of(name);
    if (soa == nullptr) throw HarnessFault("no zone for the name " + name);
    // "ns mail serial refresh retry expire minimum"
    const auto begin = soa->data.find(' ', soa->data.find(' ') + 1) + 1;
    const auto end = soa->data.find(' ', begin);
    const auto serial = static_cast<std::uint32_t>(std::stoul(soa->data.substr(begin, end - begin)));
    soa->data.replace(begin, end - begin, std::to_string(serial + 1));
    views[""].insert_or_assign(Key{soa->name, Type::soa}, std::vector{*soa});
  }

  std::vector<std::pair<Forgery, std::string>> forgeries_for(const Question& question) const {
    const auto found = forgeries.find({question.name, question.type});
    return found == forgeries.end() ? std::vector<std::pair<Forgery, std::string>>{} : found->second;
  }

  Spoilt spoilt_for(const std::string& name) const {
    for (const auto& key : {name, std::string()}) {
      const auto it = spoilt.find(key);
      if (it != spoilt.end()) return it->second;
    }
    return Spoilt::nothing;
  }

  void look_up(const std::string& view, const Question& question, Message& reply) {
    auto name = question.name;
    for (std::size_t hops = 0; hops <= limits::dns_cname_chain_max; ++hops) {
      const auto* soa = zone_of(name);
      if (soa == nullptr) {
        // The start of a chain must be ours; its end need not.
        if (hops == 0) reply.rcode = Rcode::refused;
        return;
      }
      reply.authoritative = true;
      const auto* records = find(view, {name, question.type});
      if (records != nullptr && !records->empty()) {
        reply.answers.insert(reply.answers.end(), records->begin(), records->end());
        return;
      }
      const auto* cname = question.type == Type::cname ? nullptr : find(view, {name, Type::cname});
      if (cname == nullptr || cname->empty()) {
        // RFC 2308 section 2: both kinds of "no" carry the SOA.
        if (!exists(view, name)) reply.rcode = Rcode::name_error;
        reply.authority.push_back(*soa);
        return;
      }
      reply.answers.push_back(cname->front());
      name = cname->front().data;
    }
  }

  Message reply_to(const Message& query, std::string_view client) {
    const auto& question = query.questions[0];
    Message reply{
        .id = query.id, .response = true, .recursion_desired = query.recursion_desired, .questions = query.questions};
    switch (spoilt_for(question.name)) {
      case Spoilt::server_failure:
        reply.rcode = Rcode::server_failure;
        return reply;
      case Spoilt::refused:
        reply.rcode = Rcode::refused;
        return reply;
      case Spoilt::wrong_id:
        reply.id = static_cast<std::uint16_t>(reply.id ^ 0x5555);
        break;
      default:
        break;
    }
    const auto view = view_of_client.find(std::string(client));
    look_up(view == view_of_client.end() ? "" : view->second, question, reply);
    if (spoilt_for(question.name) == Spoilt::without_soa) reply.authority.clear();
    for (const auto& [how, data] : forgeries_for(question))
      if (how == Forgery::beside)
        reply.answers.insert(reply.answers.begin(), {"elsewhere.invalid", question.type, 60, data});
    return reply;
  }

  std::string wire_of(Message reply, Transport transport, Spoilt how) const {
    auto wire = serialise(reply);
    if (how == Spoilt::malformed) return wire.substr(0, 12) + "\xff\xff\xff";
    const bool too_long =
        transport == Transport::udp && (wire.size() > udp_size_max_octets || how == Spoilt::truncated);
    if (!too_long) return wire;
    reply.truncated = true;
    reply.authority.clear();
    // RFC 2181 section 9: what is left over is not for use; as many whole records as there is room for.
    if (how == Spoilt::truncated) reply.answers.clear();
    while ((wire = serialise(reply)).size() > udp_size_max_octets && !reply.answers.empty()) reply.answers.pop_back();
    return wire;
  }
};

DnsServer::DnsServer() : impl_(std::make_unique<Impl>()) {}
DnsServer::~DnsServer() = default;
DnsServer::DnsServer(const DnsServer& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
DnsServer::DnsServer(DnsServer&&) noexcept = default;
DnsServer& DnsServer::operator=(DnsServer&&) noexcept = default;

void DnsServer::add_zone(const Zone& zone) {
  CUTOVER_CHECK(!zone.records.empty());
  CUTOVER_CHECK(zone.records[0].type == Type::soa);
  impl_->forget_answers();
  std::erase_if(impl_->views[""], [&](const auto& entry) { return is_in(entry.first.first, zone.origin); });
  impl_->soas.insert_or_assign(zone.origin, zone.records[0]);
  for (const auto& record : zone.records) impl_->views[""][{record.name, record.type}].push_back(record);
}

void DnsServer::add_empty_zone(std::string_view origin, std::uint32_t negative_ttl_s) {
  const auto name = normalised_name(origin);
  const auto soa =
      normalised({.name = name,
                  .type = Type::soa,
                  .ttl_s = negative_ttl_s,
                  .data = fmt::format("ns.{0} hostmaster.{0} 1 3600 600 86400 {1}", name, negative_ttl_s)});
  if (!soa) throw HarnessFault("not a name of a zone: " + name);
  add_zone({.origin = name, .records = {*soa}});
}

void DnsServer::set_records(std::string_view name, Type type, std::vector<Record> records, std::string_view view) {
  CUTOVER_CHECK(type != Type::soa);
  impl_->count_up(normalised_name(name));
  impl_->store(name, type, std::move(records), view);
}

void DnsServer::set(std::string_view name, Type type, std::uint32_t ttl_s, const std::vector<std::string>& data,
                    std::string_view view) {
  std::vector<Record> records;
  records.reserve(data.size());
  for (const auto& each : data) records.push_back({.name = {}, .type = type, .ttl_s = ttl_s, .data = each});
  set_records(name, type, std::move(records), view);
}

std::vector<Record> DnsServer::records(std::string_view name, Type type, std::string_view view) const {
  const auto* records = impl_->find(std::string(view), {normalised_name(name), type});
  return records == nullptr ? std::vector<Record>{} : *records;
}

void DnsServer::assign_view(std::string_view client, std::string_view view) {
  impl_->view_of_client.insert_or_assign(std::string(client), std::string(view));
}

void DnsServer::spoil(std::string_view name, Spoilt how) {
  impl_->forget_answers();
  impl_->spoilt.insert_or_assign(name.empty() ? std::string() : normalised_name(name), how);
}

void DnsServer::forge(std::string_view name, Type type, Forgery how, std::string data) {
  impl_->forget_answers();
  impl_->forgeries[{normalised_name(name), type}].emplace_back(how, std::move(data));
}

std::vector<Forged> DnsServer::forged(std::string_view query) const {
  std::vector<Forged> all;
  const auto message = impl_->forgeries.empty() ? std::nullopt : parse(query);
  if (!message || message->questions.size() != 1) return all;
  const auto& question = message->questions[0];
  for (const auto& [how, data] : impl_->forgeries_for(question)) {
    if (how == Forgery::beside) continue;
    Message reply{.id = message->id, .response = how != Forgery::as_a_query, .questions = {question}};
    reply.answers.push_back({question.name, question.type, 60, data});
    if (how == Forgery::with_another_id) reply.id = static_cast<std::uint16_t>(reply.id ^ 0x5555);
    if (how == Forgery::to_another_question) reply.questions[0].name = "elsewhere.invalid";
    all.push_back({serialise(reply), how == Forgery::of_another_sender});
  }
  return all;
}

std::optional<std::string> DnsServer::answer(Time now, std::string_view query, std::string_view client,
                                             Transport transport) {
  const auto id = id_of(query);
  if (!id || is_response(query)) return std::nullopt;
  const auto key = impl_->memory_key(query, client, transport);
  if (const auto known = impl_->memory->find(key); known != impl_->memory->end()) {
    const auto& [name, type, wire] = known->second;
    impl_->history.push_back(
        {.time = now, .client = std::string(client), .id = *id, .name = name, .type = type, .transport = transport});
    return std::string(query.substr(0, 2)) + wire;
  }
  const auto message = parse(query);
  if (!message || message->questions.size() != 1) {
    return serialise({.id = *id, .response = true, .recursion_desired = false, .rcode = Rcode::format_error});
  }
  if (opcode_of(query) != 0) {
    return serialise({.id = *id, .response = true, .recursion_desired = false, .rcode = Rcode::not_implemented});
  }
  const auto& question = message->questions[0];
  impl_->history.push_back({.time = now,
                            .client = std::string(client),
                            .id = *id,
                            .name = question.name,
                            .type = question.type,
                            .transport = transport});
  const auto how = impl_->spoilt_for(question.name);
  if (how == Spoilt::silence) return std::nullopt;
  auto wire = impl_->wire_of(impl_->reply_to(*message, client), transport, how);
  if (how == Spoilt::nothing && impl_->memory->size() < memory_max)
    impl_->memory->emplace(key, Answered{question.name, question.type, wire.substr(2)});
  return wire;
}

const History<QueryRecord>& DnsServer::history() const { return impl_->history; }

std::size_t DnsServer::queries(std::string_view name, Type type) const {
  const auto wanted = normalised_name(name);
  return static_cast<std::size_t>(std::ranges::count_if(
      impl_->history, [&](const auto& query) { return query.name == wanted && query.type == type; }));
}

void DnsServer::clear_history() { impl_->history.clear(); }

}  // namespace cutover::dns
