// What of an estate the nodes of a deployment can show, and what an observation says in the model's terms.
#pragma once

#include "harness/deployment/exchange.h"

namespace cutover::harness {

/// The partner is one that a mock can be: it has none of the habits that only the model knows.
[[nodiscard]] bool shown_by_nodes(const migration::Partner&);
/// The operation changes something that is here: nodes that exist, a certificate that can be issued.
[[nodiscard]] bool shown_by_nodes(const migration::Operation&, const migration::Estate&);
/// Users whom a pool of the deployment can home from the beginning.
[[nodiscard]] bool shown_by_nodes(const migration::UserClass&, const migration::State&);

/// A deployment of the estate with these classes, a user each, and these domains of partners, with one user each.
[[nodiscard]] Topology topology_of(const migration::Estate&, const std::vector<std::string>& classes,
                                   const std::vector<std::string>& partner_domains);
inline constexpr char partners_user[] = "romeo";

/// The user adds the contact, as most have: who is added may write to him whatever the partner's type (4.1).
void list_contact(Deployment&, const std::string& user, const std::string& partner_domain);

/// What the sender felt, as far as the wire tells it; no cause, no method.
[[nodiscard]] migration::Outcome felt(const Observation&, Duration took);

}  // namespace cutover::harness
