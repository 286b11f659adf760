// How a rewrite or a setting is written down: a name, a sentence, the requirements, and one small function.
#pragma once

#include "protocol/base/departures.h"

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cutover::departures {

/// Whether some check must turn red for it, or none may.
enum class Nature {
  defect,   ///< breaks its requirements
  variant,  ///< the documents allow it, and the reference does not show it
};

/// Where a departure is planted when nobody says where: on what a run judges. One bit a kind of node.
enum Nodes : unsigned {
  proxy = 1U,
  gateway = 2U,
  legacy_gateway = 4U,
  account_server = 8U,  ///< the partner that stands for a judged server with accounts
  partner = 16U,
  pool = 32U,
  sip_user = 64U,
  routes = 128U,           ///< what the pools and the steps of the migration know, which is at no node
  front = 256U,            ///< before a real server
  in_tls_of_front = 512U,  ///< a setting of TLS that works before a real server, too, for the front ends its TLS
  gateways = gateway | legacy_gateway,
  s2s = proxy | legacy_gateway | account_server | front,
  judged = proxy | gateway | legacy_gateway | account_server | routes | front,
};

/// What a departure does. A rewrite may remember things between two items: each stream (endpoint, resolver) has a copy.
using Action =
    std::variant<std::function<void(xmpp::Passage&)>, std::function<void(Direction, std::string&)>,
                 std::function<void(sip::Passage&)>, std::function<void(dns::Passage&)>, void (*)(xmpp::StreamConfig&),
                 void (*)(xmpp::ServerConfig&), void (*)(sip::EndpointConfig&), void (*)(dns::ResolverConfig&),
                 void (*)(interworking::Settings&)>;

struct Row {
  std::string_view name;          ///< "layer.what-it-does", never used again for something else
  std::string_view sentence;      ///< what a subject with it does
  std::string_view requirements;  ///< ids of the catalogue that it breaks, or of those that allow it; blanks between
  Action action;
  unsigned nodes = judged;
  Nature nature = Nature::defect;
  const char* file = __builtin_FILE();  ///< where the row stands
};

/// Rows that the documents allow, planted at `nodes` where they do not say where.
[[nodiscard]] std::vector<Row> variants(unsigned nodes, std::initializer_list<std::vector<Row>> rows);

/// Rows of defects, planted at `nodes` where they do not say where.
[[nodiscard]] std::vector<Row> defects(unsigned nodes, std::initializer_list<std::vector<Row>> rows);

// One function a file of rows.
[[nodiscard]] std::vector<Row> xmpp_headers();
[[nodiscard]] std::vector<Row> xmpp_features();
[[nodiscard]] std::vector<Row> xmpp_tls();
[[nodiscard]] std::vector<Row> xmpp_certificates();
[[nodiscard]] std::vector<Row> xmpp_sasl();
[[nodiscard]] std::vector<Row> xmpp_order();
[[nodiscard]] std::vector<Row> tls_hellos();
[[nodiscard]] std::vector<Row> xmpp_dialback();
[[nodiscard]] std::vector<Row> xmpp_closing();
[[nodiscard]] std::vector<Row> xmpp_stanzas();
[[nodiscard]] std::vector<Row> xmpp_forms();
[[nodiscard]] std::vector<Row> xmpp_hearing();
[[nodiscard]] std::vector<Row> xmpp_crossing();
[[nodiscard]] std::vector<Row> xmpp_field();
[[nodiscard]] std::vector<Row> xmpp_slips();
[[nodiscard]] std::vector<Row> xmpp_stanza_slips();
[[nodiscard]] std::vector<Row> xmpp_strange_slips();
[[nodiscard]] std::vector<Row> xmpp_strange_stanza_slips();
[[nodiscard]] std::vector<Row> xmpp_foreign_slips();
[[nodiscard]] std::vector<Row> xmpp_foreign_stanza_slips();
[[nodiscard]] std::vector<Row> xmpp_accounts();
[[nodiscard]] std::vector<Row> xmpp_settings();
[[nodiscard]] std::vector<Row> sip_responses();
[[nodiscard]] std::vector<Row> gateway_addresses();
[[nodiscard]] std::vector<Row> gateway_errors();
[[nodiscard]] std::vector<Row> gateway_messages();
[[nodiscard]] std::vector<Row> gateway_notifying();
[[nodiscard]] std::vector<Row> gateway_presence();
[[nodiscard]] std::vector<Row> gateway_requests();
[[nodiscard]] std::vector<Row> gateway_sessions();
[[nodiscard]] std::vector<Row> gateway_settings();
[[nodiscard]] std::vector<Row> gateway_watching();
[[nodiscard]] std::vector<Row> sip_messages();
[[nodiscard]] std::vector<Row> dns_messages();
[[nodiscard]] std::vector<Row> xmpp_variants();
[[nodiscard]] std::vector<Row> xmpp_form_variants();
[[nodiscard]] std::vector<Row> xmpp_strange_variants();
[[nodiscard]] std::vector<Row> xmpp_foreign_variants();
[[nodiscard]] std::vector<Row> account_variants();
[[nodiscard]] std::vector<Row> gateway_variants();
[[nodiscard]] std::vector<Row> sip_variants();
[[nodiscard]] std::vector<Row> dns_variants();

}  // namespace cutover::departures
