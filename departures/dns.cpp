// Questions that are not those of RFC 6120, and answers of which less is heard, or something else.
#include "departures/rows.h"
#include "protocol/dns/passage.h"
#include "protocol/dns/resolver.h"

namespace cutover::departures {

namespace {

constexpr unsigned resolvers = proxy | legacy_gateway | account_server;
/// Hears no more than the first `most` records of that type.
void cut(dns::Passage& p, dns::Type type, std::size_t most) {
  if (!p.hears_of(type)) return;
  std::erase_if(p.message.answers, [&, heard = std::size_t{0}](const auto& record) mutable {
    return record.type == type && ++heard > most;
  });
}

/// "_xmpp-server._tcp.a.example" and "_xmpps-server._tcp.a.example" as a client would ask, and back.
void relabel(std::string& name, std::string_view from, std::string_view to) {
  const auto label = name.find('-');
  if (!name.starts_with("_xmpp") || label == std::string::npos) return;
  if (name.compare(label + 1, from.size(), from) == 0) name.replace(label + 1, from.size(), to);
}

}  // namespace

std::vector<Row> dns_messages() {
  using dns::Passage;
  using dns::Type;
  return {
      {"dns.queries-client-label", "asks for _xmpp-client._tcp instead of _xmpp-server._tcp", "RFC6120-3.2.1-1",
       [](Passage& p) {
         const auto* from = p.out() ? "server." : "client.";
         const auto* to = p.out() ? "client." : "server.";
         for (auto& question : p.message.questions) relabel(question.name, from, to);
         for (auto& record : p.message.answers) relabel(record.name, from, to);
       },
       resolvers},
      {"dns.first-srv-only", "uses only the first SRV record", "RFC6120-3.2.1-5 RFC2782-usage-1",
       [](Passage& p) { cut(p, Type::srv, 1); }, resolvers},
      {"dns.first-srvs-only", "reads no more than four SRV records of an answer", "RFC2782-usage-1",
       [](Passage& p) { cut(p, Type::srv, 4); }, resolvers},
      {"dns.first-address-only", "uses only the first address of each family", "RFC6120-3.2.1-4",
       [](Passage& p) {
         cut(p, Type::a, 1);
         cut(p, Type::aaaa, 1);
       },
       resolvers},
      {"dns.highest-priority-number-first", "tries the SRV record with the highest priority number first",
       "RFC2782-target-1",
       [](Passage& p) {
         if (p.hears_of(Type::srv))
           p.each_srv([](dns::Srv& srv) { srv.priority = static_cast<std::uint16_t>(65535 - srv.priority); });
       },
       resolvers},
      {"dns.falls-back-on-wrong-port", "falls back to port 5222", "RFC6120-3.2.2-1",
       [](dns::ResolverConfig& config) { config.fallback_port = 5222; }, resolvers},
  };
}

}  // namespace cutover::departures
