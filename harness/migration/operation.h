// Operations: what an administrator does to an estate, one command each, with its undo and the commands of the product.
// A plan, a fact and a rehearsal are written in them.
#pragma once

#include "harness/migration/state.h"

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::migration {

/// An estate: how it is at the beginning, and what its operations may name.
struct Estate {
  State start;
  std::map<std::string, Partner> partners;          ///< by primary domain
  std::map<std::string, AllowedPartner> rows;       ///< how each will be configured on the new side
  std::map<std::string, Certificate> certificates;  ///< by name
  std::map<std::string, Srv> records;               ///< by name: what a domain's record may be repointed to
  std::uint32_t replication_s = 60;                 ///< from a change in the central store to the edge
  /// By class of users: the pool that the third step of the document moves them to. Others take the new ones in turn.
  std::map<std::string, std::string> moves_to = {};
};

enum class Verb {
  deploy_pool,
  remove_pool,
  start_pool,
  stop_pool,
  deploy_edge,
  remove_edge,
  move_users,
  enable_users,
  disable_users,
  set_policy,
  delete_policy,
  grant_policy,
  allow_federated_users,
  assign_certificate,
  restart_edge,
  tick_xmpp,
  set_route,
  publish,
  replicate,
  set_up_edge,
  set_up_front_end,
  start_edge,
  stop_edge,
  start_member,
  stop_member,
  open_link,
  close_link,
  open_firewall,
  close_firewall,
  set_next_hop,
  start_gateway,
  stop_gateway,
  allow_partner,
  remove_partner,
  set_ttl,
  repoint,
  drain_streams,
  start_legacy_gateway,
  stop_legacy_gateway,
  start_legacy_edge,
  stop_legacy_edge,
  add_legacy_route,
  remove_legacy_route,
};

/// "move-users sales pool13": verb, what it is done to, and to which value. Both may be empty.
struct Operation {
  Verb verb = Verb::publish;
  std::string subject;
  std::string value;
  bool operator==(const Operation&) const = default;
};

struct VerbText {
  Verb verb = Verb::publish;
  std::string_view name;     ///< "move-users"
  std::string_view subject;  ///< what the subject names, for people: "class of users"; empty: none
  std::string_view value;    ///< likewise
  std::string_view says;     ///< what it does, with the section
};
[[nodiscard]] std::span<const VerbText> verbs();
[[nodiscard]] const VerbText& text_of(Verb);

/// What is wrong with an operation: what was expected, and a remedy.
struct OperationError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
/// Reads "move-users sales pool13". Throws OperationError with the verbs or arguments that there are.
[[nodiscard]] Operation parse_operation(std::string_view text);
[[nodiscard]] std::string words_of(const Operation&);

/// The state behind it. Throws OperationError where it names what the estate does not have.
void apply(const Operation&, const Estate&, State&);
/// Throws OperationError for what nobody could do in that state: work at an edge pool that is not deployed yet. apply()
/// lets it happen, so that a state can be made in which it was left out.
void check_possible(const Operation&, const State&);
/// What takes it back, to the state `before`; empty where nothing does, or where it changed nothing.
[[nodiscard]] std::vector<Operation> undo_of(const Operation&, const Estate&, const State& before);
/// How an administrator carries it out: commands of the product and lines of the zone, to be read by a person.
[[nodiscard]] std::vector<std::string> commands_of(const Operation&, const Estate&, const State& before);

/// The certificate that the fourth step assigns, where the estate has one of that name.
inline constexpr std::string_view edge_certificate = "edge";
/// The six steps of the source document, each as the operations that it amounts to for an estate, in their order:
/// 1 pools, 2 edges, 3 users, 4 policies and certificates, 5 XMPP federation, 6 DNS.
inline constexpr int steps_of_the_document = 6;
[[nodiscard]] std::vector<Operation> operations_of_step(int number, const Estate&);
[[nodiscard]] std::string_view title_of_step(int number);

}  // namespace cutover::harness::migration
