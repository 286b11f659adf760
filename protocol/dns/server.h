// An authoritative name server as an engine: octets in, octets out, answers that can be scripted, spoilt and read back.
#pragma once

#include "protocol/base/history.h"
#include "protocol/base/time.h"
#include "protocol/dns/message.h"
#include "protocol/dns/zone.h"

#include <map>
#include <memory>

namespace cutover::dns {

enum class Transport { udp, tcp };

/// What a server does wrong on demand.
enum class Spoilt {
  nothing,
  server_failure,  ///< SERVFAIL
  refused,         ///< REFUSED
  silence,         ///< no answer, by UDP and by TCP
  truncated,       ///< an empty answer with TC by UDP, whatever its size; complete by TCP
  wrong_id,        ///< the right answer with another id, which nobody may believe
  malformed,       ///< the right id and then rubbish
  without_soa,     ///< the right answer, its authority section left out
};

/// What somebody else says before the answer comes, or in it.
enum class Forgery {
  of_another_sender,  ///< a right answer, from another port than was asked
  with_another_id,
  to_another_question,
  as_a_query,  ///< without the bit of a response
  beside,      ///< no answer of its own: records of another name, before those of the right answer
};
struct Forged {
  std::string octets;
  bool of_another_sender = false;
};

/// One question that arrived.
struct QueryRecord {
  Time time;
  std::string client;  ///< address
  std::uint16_t id = 0;
  std::string name;
  Type type = Type::a;
  Transport transport = Transport::udp;
};

[[nodiscard]] inline std::size_t octets_of(const QueryRecord& query) {
  return sizeof(QueryRecord) + query.client.size() + query.name.size();
}

/// Answers for the zones that it was given. A view is another set of records for the clients assigned to it: what a
/// view has for a name and type replaces the records of the default view, the rest shines through.
class DnsServer {
 public:
  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&);  ///< with its history; answers that both give are worked out once
  DnsServer& operator=(const DnsServer&) = delete;
  DnsServer(DnsServer&&) noexcept;
  DnsServer& operator=(DnsServer&&) noexcept;

  /// Adds a zone, to the default view. A zone of that name is replaced.
  void add_zone(const Zone& zone);
  /// A zone with nothing but an SOA whose minimum is `negative_ttl_s`.
  void add_empty_zone(std::string_view origin, std::uint32_t negative_ttl_s = 60);
  /// Replaces the records of `name` and `type`; an empty list removes them (in a view: hides them). Name and type of
  /// the records are filled in. Counts the zone's serial up. Throws HarnessFault for data that is no record.
  void set_records(std::string_view name, Type type, std::vector<Record> records, std::string_view view = {});
  /// The same for records of one TTL: `set("_xmpp-server._tcp.a.example", Type::srv, 300, {"0 0 5269 gw.a.example"})`.
  void set(std::string_view name, Type type, std::uint32_t ttl_s, const std::vector<std::string>& data,
           std::string_view view = {});
  /// What the clients of `view` are answered; empty where there is none.
  [[nodiscard]] std::vector<Record> records(std::string_view name, Type type, std::string_view view = {}) const;
  /// Lets a client address see a view; the empty name is the default view.
  void assign_view(std::string_view client, std::string_view view);
  /// Spoils every answer for `name` (any type) until told otherwise; "" spoils the answers for all names.
  void spoil(std::string_view name, Spoilt how);

  /// Forges answers for `name` and `type`, of one record each, beside whatever else was told.
  void forge(std::string_view name, Type type, Forgery how, std::string data);
  /// What comes before the answer to that query by UDP.
  [[nodiscard]] std::vector<Forged> forged(std::string_view query) const;

  /// The answer to one message: nothing for silence and for what is not a query. Never throws for what a client sends.
  [[nodiscard]] std::optional<std::string> answer(Time now, std::string_view query, std::string_view client,
                                                  Transport transport);

  /// Every question so far, in the order of arrival.
  [[nodiscard]] const History<QueryRecord>& history() const;
  /// How many of them were for this name and type.
  [[nodiscard]] std::size_t queries(std::string_view name, Type type) const;
  void clear_history();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::dns
