// The rules, in the order in which a stanza meets them; each function names the section that it reads.
#include "harness/migration/outcome.h"

#include "harness/negotiation/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace cutover::harness::migration {

namespace {

using negotiation::Method;
using negotiation::Side;
using negotiation::Why;

constexpr std::uint16_t xmpp_port = 5269;
const Srv no_record;

/// What stands in the way; `at_times`: of some members or targets only.
struct Block {
  Cause cause = Cause::none;
  bool at_times = false;
  [[nodiscard]] bool whole() const { return cause != Cause::none && !at_times; }
};

Cause fault_of(const Certificate& certificate) {
  switch (certificate.fault) {
    case Certificate::Fault::none:
      return Cause::none;
    case Certificate::Fault::expired:
      return Cause::certificate_expired;
    case Certificate::Fault::not_yet_valid:
      return Cause::certificate_not_yet_valid;
    case Certificate::Fault::untrusted_root:
      return Cause::authority_untrusted;
    case Certificate::Fault::revocation_unreachable:
      return Cause::revocation_unreachable;
  }
  return Cause::none;
}

bool wildcard_might(const Certificate& certificate, std::string_view domain) {
  return std::ranges::any_of(certificate.names, [&](const std::string& name) {
    return name.starts_with("*.") && (domain.ends_with(name.substr(1)) || name.substr(2) == domain);
  });
}

/// Why a partner does not take the certificate for `domain` (2.4); `as_client`: from a TLS client (XEP-0178).
Cause flaw_of(const Certificate& certificate, std::string_view domain, const Partner& partner, bool as_client) {
  if (const auto fault = fault_of(certificate); fault != Cause::none) return fault;
  if (!partner.trusts_our_authority) return Cause::authority_untrusted;
  if (!covers(certificate, domain))
    return wildcard_might(certificate, domain) ? Cause::wildcard_only : Cause::name_missing;
  if (as_client && partner.wants_client_usage && !certificate.client_usage) return Cause::client_usage_missing;
  return Cause::none;
}

/// The legacy gateway has a mode for each partner (2.8, 3.6; ours): in clear by dialback, or TLS with what there is.
Side legacy_side(const Legacy& legacy, const std::string& partner) {
  if (legacy.in_clear.contains(partner))
    return negotiation::side(negotiation::Certificate::good, true, negotiation::Tls::none);
  return negotiation::side(negotiation::Certificate::good, true, negotiation::Tls::optional);
}

class Judgement {
 public:
  Judgement(const State& state, const Partner& partner, const Exchange& exchange, const Readings& readings,
            const View& view)
      : state_(state),
        partner_(partner),
        exchange_(exchange),
        readings_(readings),
        view_(view),
        users_(state.users.at(exchange.user_class)),
        home_(side_of(state, users_)) {}

  Outcome run() {
    if (const auto cause = user_cannot(); cause != Cause::none) return failed(cause);
    return exchange_.way == Way::to_partner ? to_partner() : from_partner();
  }

 private:
  // What holds of the user whatever the way.
  [[nodiscard]] Cause user_cannot() const {
    if (!users_.enabled) return Cause::user_not_enabled;
    const auto pool = state_.pools.find(users_.pool);
    if (pool == state_.pools.end() || !pool->second.deployed || !pool->second.runs) return Cause::pool_down;
    if (pool->second.branch) return Cause::branch_user;  // 2.7
    if (state_.generation == Generation::sfb2019 && home_ == migration::Side::current)
      return Cause::xmpp_left_the_product;  // 1.7
    return Cause::none;
  }

  Outcome to_partner() { return configured_for_user() ? new_side_out() : legacy_out(); }

  Outcome from_partner() {
    if (!view_.open_stream.empty() && connectable(view_.open_stream, xmpp_port) == Cause::none)
      return entry_at(view_.open_stream, true);
    return by_srv();
  }

  /// 1.2.3: the switch is per partner. With the other reading users of a legacy pool are cut off by the route and not
  /// by the partner: to the letter of 1.2.6, until the partner is configured, too, and they are moved.
  [[nodiscard]] bool configured_for_user() const {
    if (state_.generation == Generation::sfb2019) return false;
    if (readings_.legacy_users == Readings::LegacyUsers::cut_off_when_routed && home_ == migration::Side::legacy)
      return !state_.configuration.xmpp_route.empty();
    return listed(state_.configuration, exchange_.remote_domain) != nullptr;
  }

  // The legacy path.

  [[nodiscard]] Cause legacy_lacks() const {
    const auto& legacy = state_.legacy;
    if (const auto cause = sip_federation_lacks(); cause != Cause::none) return cause;
    if (!legacy.routes.contains(exchange_.remote_domain)) return no_route();
    if (!legacy.edge_runs) return Cause::legacy_edge_stopped;
    return legacy_gateway_lacks();
  }

  /// To the new side a partner of the legacy gateway is a federated SIP domain (2.8), so its users need federation
  /// (3.4, 3.5). Those of a legacy pool have the policies of their own product, which are not told here.
  [[nodiscard]] Cause sip_federation_lacks() const {
    if (home_ == migration::Side::legacy) return Cause::none;
    if (!state_.configuration.allow_federated_users) return Cause::federation_switch_off;
    const auto& policy = effective(state_.policies, users_).policy;
    return policy.enable_federation_access ? Cause::none : Cause::federation_not_allowed;
  }

  [[nodiscard]] Cause legacy_gateway_lacks() const {
    const auto& legacy = state_.legacy;
    if (!legacy.gateway_runs) return Cause::legacy_gateway_stopped;
    if (!legacy.partners.contains(partner_.domain)) return Cause::legacy_partner_missing;
    return legacy.sip_domains.contains(users_.domain) ? Cause::none : Cause::legacy_domain_missing;
  }

  /// Neither side has the domain; where its partner is configured by another one, that is the mistake (F33).
  [[nodiscard]] Cause no_route() const {
    const bool other =
        exchange_.remote_domain != partner_.domain && listed(state_.configuration, partner_.domain) != nullptr;
    return other ? Cause::domain_not_listed : Cause::legacy_route_missing;
  }

  Outcome legacy_out() {
    path_ = Path::legacy;
    if (const auto cause = legacy_lacks(); cause != Cause::none) return failed(cause);
    if (partner_.hosts_our_domain) return failed(Cause::partner_hosts_our_domain);
    if (!partner_.has_srv) return failed(Cause::partner_srv_missing);
    if (const auto block = negotiated_out(legacy_side_now(true), legacy_flaw(true), std::string(legacy_gateway_box));
        block.cause != Cause::none)
      return blocked(block);
    return carried();
  }

  [[nodiscard]] Cause legacy_flaw(bool as_client) const {
    const auto& certificate = state_.legacy.certificate;
    return certificate ? flaw_of(*certificate, users_.domain, partner_, as_client) : Cause::certificate_missing;
  }
  [[nodiscard]] Side legacy_side_now(bool as_client) const {
    auto side = legacy_side(state_.legacy, partner_.domain);
    if (legacy_flaw(as_client) != Cause::none) side.certificate = negotiation::Certificate::bad;
    return side;
  }

  // The new path.

  Outcome new_side_out() {
    path_ = Path::current;
    if (home_ == migration::Side::legacy) return failed(Cause::user_on_legacy_pool);  // 1.2.6
    const auto policy = policy_lacks();
    const bool begun = std::ranges::any_of(state_.edges, [](const auto& one) { return one.second.xmpp_ticked; });
    // Neither the user nor the topology is ready: the partner was configured too early (F18).
    if (policy != Cause::none && !begun) return failed(Cause::partner_configured);
    if (policy != Cause::none) return failed(policy);
    if (state_.configuration.xmpp_route.empty()) return failed(no_way_out());
    const auto edge = state_.edges.find(state_.configuration.xmpp_route);
    if (edge == state_.edges.end()) return failed(Cause::edge_not_deployed);
    auto block = edge_lacks(edge->second);
    if (block.whole()) return blocked(block);
    const auto* row = listed(state_.replica, exchange_.remote_domain);
    if (row == nullptr) return failed(Cause::not_replicated);  // F29
    if (!edge->second.opens_out) return failed(Cause::firewall_out);
    if (!partner_.has_srv && row->proxy_fqdn.empty()) return failed(Cause::partner_srv_missing);
    if (partner_.hosts_our_domain) return failed(Cause::partner_hosts_our_domain);
    if (!row_of(*row).valid()) return failed(Cause::row_invalid);  // 3.2
    const auto flaw = flaw_now(edge->second, true);
    const auto negotiated = negotiated_out(new_side_with(*row, flaw), flaw, edge->first);
    if (negotiated.whole()) return blocked(negotiated);
    if (negotiated.at_times) block = negotiated;
    const auto members = members_lack(edge->second, *row);
    if (members.whole()) return blocked(members);
    if (members.at_times) block = members;
    if (const auto cause = partner_type_forbids(*row); cause != Cause::none) return failed(cause);
    return block.at_times ? blocked(block) : carried();
  }

  /// No route: what was not done yet, in the order in which it is to be done (1.6).
  [[nodiscard]] Cause no_way_out() const {
    if (std::ranges::none_of(state_.edges, [](const auto& edge) { return edge.second.deployed; }))
      return Cause::edge_not_deployed;
    if (std::ranges::none_of(state_.edges, [](const auto& edge) { return edge.second.xmpp_ticked; }))
      return Cause::flag_not_ticked;
    return Cause::route_not_set;
  }

  [[nodiscard]] Cause policy_lacks() const {
    // A setting of the edge (3.5), effective when the edge has it (F29).
    if (!state_.replica.allow_federated_users)
      return state_.configuration.allow_federated_users ? Cause::not_replicated : Cause::federation_switch_off;
    const auto policy = effective(state_.policies, users_).policy;
    if (!policy.enable_xmpp_access) return Cause::policy_absent;
    return policy.enable_federation_access ? Cause::none : Cause::policy_without_federation;  // 3.4
  }

  /// Whether anything listens on 5269 and 23456 of an edge pool (F1, F2).
  [[nodiscard]] Cause listener_lacks(const EdgePool& edge) const {
    if (!edge.deployed) return Cause::edge_not_deployed;
    const bool published = state_.configuration.published;
    // What is changed and not published yet has no effect either way: a proxy that is there goes on.
    if (!edge.xmpp_ticked && (published || !edge.proxy_installed)) return Cause::flag_not_ticked;
    if (!edge.proxy_installed) return published ? Cause::proxy_not_installed : Cause::not_published;
    if (!edge.live) return edge.assigned ? Cause::certificate_not_live : Cause::certificate_missing;
    if (!edge.services_run) return Cause::services_stopped;
    const bool all_down = !edge.members.empty() && std::ranges::none_of(edge.members, &EdgeMember::runs);
    return all_down ? Cause::member_down : Cause::none;
  }

  /// ... and whether the front end's gateway reaches it: it dials each member (2.2).
  [[nodiscard]] Block edge_lacks(const EdgePool& edge) const {
    if (const auto cause = listener_lacks(edge); cause != Cause::none) return {cause};
    if (!state_.gateway_installed) return {Cause::gateway_not_installed};
    if (!state_.gateway_runs) return {Cause::gateway_stopped};
    if (const auto hop = state_.pools.find(edge.next_hop);
        hop != state_.pools.end() && (!hop->second.runs || !hop->second.deployed))
      return {Cause::next_hop_down};  // F37
    const auto reached = [](const EdgeMember& member) { return member.runs && member.link_open; };
    const auto& members = edge.members;
    const auto count = std::ranges::count_if(members, reached);
    if (members.empty() || count == std::ssize(members)) return {};
    if (count == 0) return {Cause::link_closed};
    return {std::ranges::all_of(members, &EdgeMember::runs) ? Cause::link_closed : Cause::member_down, true};
  }

  /// What a partner finds wrong with the certificate that the edge shows; where the assigned one would do, the restart
  /// is what is missing (1.5).
  [[nodiscard]] Cause flaw_now(const EdgePool& edge, bool as_client) const {
    const auto flaw = flaw_of(*edge.live, users_.domain, partner_, as_client);
    if (flaw == Cause::none || !edge.assigned || *edge.assigned == *edge.live) return flaw;
    return flaw_of(*edge.assigned, users_.domain, partner_, as_client) == Cause::none ? Cause::certificate_not_live
                                                                                      : flaw;
  }

  /// What a member does with a certificate of its own: none where something can be negotiated with it (2.4).
  [[nodiscard]] Cause member_lacks(const EdgeMember& member, const AllowedPartner& row) const {
    if (!member.certificate) return Cause::none;
    const bool out = exchange_.way == Way::to_partner;
    const auto flaw = flaw_of(*member.certificate, users_.domain, partner_, out);
    const auto ours = new_side_with(row, flaw);
    const auto& theirs = partner_.side;
    const auto found = out ? negotiation::predict(ours, theirs) : negotiation::predict(theirs, ours);
    return found.method == Method::none ? cause_of(found.why, out, flaw) : Cause::none;
  }

  /// Members that differ carry it at times; where all that run fail, it is not their difference.
  [[nodiscard]] Block members_lack(const EdgePool& edge, const AllowedPartner& row) const {
    Cause first = Cause::none;
    bool carries = false;
    for (const auto& member : edge.members) {
      if (!member.runs) continue;
      const auto cause = member_lacks(member, row);
      carries = carries || cause == Cause::none;
      if (first == Cause::none) first = cause;
    }
    if (first == Cause::none) return {};
    return carries ? Block{Cause::members_differ, true} : Block{first};
  }

  static Side new_side_with(const AllowedPartner& partner, Cause flaw) {
    auto side = negotiation::side_of(row_of(partner));
    side.certificate = flaw == Cause::none ? negotiation::Certificate::good : negotiation::Certificate::bad;
    return side;
  }

  // Negotiation, and what dialback needs besides.

  /// Our stream to the partner: method, and for dialback that the partner finds the box that knows the key.
  Block negotiated_out(const Side& ours, Cause flaw, const std::string& box) {
    const auto predicted = negotiation::predict(ours, partner_.side);
    method_ = predicted.method;
    if (predicted.method == Method::none) return {cause_of(predicted.why, true, flaw)};
    const bool external_tried = ours.external && partner_.side.external && predicted.why == Why::unproved;
    if (external_tried && flaw != Cause::none && partner_.closes_on_failed_external)
      return {Cause::external_fails_and_closes};  // F14
    if (predicted.method == Method::external || view_.our_stream_open) return {};
    if (!partner_.answers_dialback) return {Cause::dialback_unanswered};  // F35
    return authority(box);
  }

  /// The partner asks the authoritative server for our domain: whoever its SRV answer names (1.6, XEP-0220 2.1.2).
  [[nodiscard]] Block authority(const std::string& box) const {
    const auto& record = partners_view();
    if (record.empty()) return {Cause::srv_missing};
    const auto targets = reachable(record);
    if (targets.empty()) return {connectable(record.front().box, record.front().port, record.front().resolves)};
    const auto knows = [&](const SrvTarget* target) { return knows_keys_of(target->box, box); };
    const auto count = std::ranges::count_if(targets, knows);
    if (count == std::ssize(targets)) return {};
    return {Cause::dialback_authority, count != 0};
  }

  /// Edge pools share the passphrase (3.3), the legacy gateway has its own.
  [[nodiscard]] static bool knows_keys_of(std::string_view asked, std::string_view box) {
    return (asked == legacy_gateway_box) == (box == legacy_gateway_box);
  }

  [[nodiscard]] Cause cause_of(Why why, bool we_initiate, Cause flaw) const {
    switch (why) {
      case Why::initiating_requires_tls:
        return we_initiate ? Cause::we_require_tls : Cause::partner_requires_tls;
      case Why::receiving_requires_tls:
        return we_initiate ? Cause::partner_requires_tls : Cause::we_require_tls;
      case Why::receiving_unproved:
      case Why::initiating_unproved: {
        const bool we_are_unproved = (why == Why::initiating_unproved) == we_initiate;
        if (!we_are_unproved) return Cause::partner_is_not_proved;
        return flaw;  // without one we were proved
      }
      default:
        break;
    }
    if (!partner_.side.features) return Cause::partner_without_version;
    if (flaw != Cause::none) return flaw;
    return partner_.side.certificate == negotiation::Certificate::good ? Cause::no_common_method
                                                                       : Cause::partner_is_not_proved;
  }

  // What a partner meets.

  [[nodiscard]] const Srv& partners_view() const {
    if (view_.srv != nullptr) return *view_.srv;
    const auto found = state_.srv.find(users_.domain);
    return found == state_.srv.end() ? no_record : found->second;
  }

  /// Why a connection to a target of our record comes to nothing.
  [[nodiscard]] Cause connectable(std::string_view box, std::uint16_t port, bool resolves = true) const {
    if (!resolves) return Cause::srv_target_dead;
    if (box == legacy_gateway_box) {
      if (!state_.legacy.gateway_runs) return Cause::legacy_gateway_stopped;
      return port == xmpp_port ? Cause::none : Cause::srv_port_wrong;
    }
    const auto edge = state_.edges.find(std::string(box));
    if (edge == state_.edges.end()) return Cause::srv_target_dead;
    if (const auto cause = listener_lacks(edge->second); cause != Cause::none) return cause;
    if (port != xmpp_port) return Cause::srv_port_wrong;
    return edge->second.opens_in ? Cause::none : Cause::firewall_in;
  }

  /// The targets of the best priority that has any that answer (RFC 2782).
  [[nodiscard]] std::vector<const SrvTarget*> reachable(const Srv& record) const {
    std::vector<const SrvTarget*> best;
    for (const auto& target : record) {
      if (connectable(target.box, target.port, target.resolves) != Cause::none) continue;
      if (!best.empty() && best.front()->priority < target.priority) continue;
      if (!best.empty() && best.front()->priority > target.priority) best.clear();
      best.push_back(&target);
    }
    return best;
  }

  Outcome by_srv() {
    if (partner_.hosts_our_domain) return failed(Cause::partner_hosts_our_domain);
    const auto& record = partners_view();
    if (record.empty()) return failed(Cause::srv_missing);
    const auto targets = reachable(record);
    if (targets.empty()) {
      const auto best = std::ranges::min_element(record, {}, &SrvTarget::priority);
      return failed(connectable(best->box, best->port, best->resolves));
    }
    auto worst = entry_at(targets.front()->box, false);
    std::optional<Outcome> carried_by;
    for (const auto* target : targets) {
      const auto one = entry_at(target->box, false);
      if (one.kind == Kind::works) carried_by = one;
      if (one.kind > worst.kind) worst = one;
    }
    if (!carried_by || worst.kind == Kind::works) return worst;
    carried_by->kind = Kind::works_at_times;
    carried_by->cause = worst.cause;
    return *carried_by;
  }

  Outcome entry_at(const std::string& box, bool stream_open) {
    return box == legacy_gateway_box ? legacy_in(stream_open) : new_side_in(box, stream_open);
  }

  Outcome legacy_in(bool stream_open) {
    path_ = Path::legacy;
    if (const auto cause = legacy_gateway_lacks(); cause != Cause::none) return failed(cause);
    if (!stream_open) {
      if (const auto cause = negotiated_in(legacy_side_now(false), legacy_flaw(false), nullptr); cause != Cause::none)
        return failed(cause);
    }
    const auto cause = legacy_refuses();
    if (cause == Cause::none) return carried();
    const bool heard =
        partner_.has_srv &&
        !negotiated_out(legacy_side_now(true), legacy_flaw(true), std::string(legacy_gateway_box)).whole();
    return refused(cause, heard);
  }

  /// ... of a stanza that it has taken.
  [[nodiscard]] Cause legacy_refuses() const {
    if (!state_.legacy.edge_runs) return Cause::legacy_edge_stopped;
    if (configured_for_user())  // 1.2.3, 1.2.6
      return home_ == migration::Side::legacy ? Cause::user_on_legacy_pool : Cause::partner_configured;
    if (const auto cause = sip_federation_lacks(); cause != Cause::none) return cause;
    return state_.legacy.routes.contains(exchange_.remote_domain) ? Cause::none : no_route();
  }

  Outcome new_side_in(const std::string& box, bool stream_open) {
    path_ = Path::current;
    const auto& edge = state_.edges.at(box);
    const auto* row = listed(state_.replica, exchange_.remote_domain);
    if (row == nullptr) return failed(not_taken());
    // The gateway of the front end has its list from the central store.
    if (listed(state_.configuration, exchange_.remote_domain) == nullptr) return failed(Cause::partner_not_allowed);
    if (!row_of(*row).valid()) return failed(Cause::row_invalid);  // 3.2
    if (!stream_open) {
      const auto flaw = flaw_now(edge, false);
      if (const auto cause = negotiated_in(new_side_with(*row, flaw), flaw, row); cause != Cause::none)
        return failed(cause);
      if (method_ != Method::external && !edge.opens_out) return failed(Cause::firewall_out);
    }
    const auto block = new_side_refuses(box, edge, *row);
    if (block.cause == Cause::none) return carried();
    if (block.at_times) return blocked(block);
    const auto flaw = flaw_now(edge, true);
    const bool heard = edge.opens_out && (partner_.has_srv || !row->proxy_fqdn.empty()) &&
                       !negotiated_out(new_side_with(*row, flaw), flaw, box).whole();
    return refused(block.cause, heard);
  }

  /// ... a stanza that the edge has taken.
  [[nodiscard]] Block new_side_refuses(const std::string& box, const EdgePool& edge, const AllowedPartner& row) const {
    if (state_.configuration.xmpp_route.empty()) return {Cause::route_not_set};
    if (state_.configuration.xmpp_route != box) return {Cause::route_elsewhere};  // F23
    const auto link = edge_lacks(edge);
    if (link.whole()) return link;
    if (home_ == migration::Side::legacy) return {Cause::user_on_legacy_pool};
    if (const auto cause = policy_lacks(); cause != Cause::none) return {cause};
    if (const auto cause = partner_type_forbids(row); cause != Cause::none) return {cause};
    if (const auto members = members_lack(edge, row); members.cause != Cause::none) return members;
    if (link.at_times) return link;
    return partner_.connections > limit_of(row) ? Block{Cause::connections_exhausted, true} : Block{};
  }

  /// Why the edge does not take a stream of that domain.
  [[nodiscard]] Cause not_taken() const {
    if (listed(state_.configuration, exchange_.remote_domain) != nullptr) return Cause::not_replicated;
    const bool other =
        exchange_.remote_domain != partner_.domain && listed(state_.configuration, partner_.domain) != nullptr;
    return other ? Cause::domain_not_listed : Cause::partner_not_allowed;
  }

  [[nodiscard]] std::uint32_t limit_of(const AllowedPartner& row) const {
    return row.connection_limit.value_or(state_.replica.gateway.partner_connection_limit);  // 3.3, F28
  }

  Cause negotiated_in(const Side& ours, Cause flaw, const AllowedPartner* row) {
    const auto predicted = negotiation::predict(partner_.side, ours);
    method_ = predicted.method;
    // Requests of dialback are ignored where it is off (4.4), so the partner waits.
    const auto& side = partner_.side;
    dialback_ignored_ = predicted.method == Method::none && row != nullptr && !row->support_dialback_negotiation &&
                        !side.external && (side.dialback_in_tls || side.dialback_in_clear);
    if (predicted.method == Method::none) return cause_of(predicted.why, false, flaw);
    if (predicted.method == Method::external) return Cause::none;
    if (!partner_.answers_dialback) return Cause::dialback_unanswered;
    const bool found = partner_.has_srv || (row != nullptr && !row->proxy_fqdn.empty());
    return found ? Cause::none : Cause::partner_srv_missing;
  }

  /// 4.1. Presence to the partner is what its contact sees of our user.
  [[nodiscard]] Cause partner_type_forbids(const AllowedPartner& row) const {
    const bool unverified = row.partner_type == PartnerType::public_unverified;
    const bool to = exchange_.way == Way::to_partner;
    if (exchange_.what == What::note)
      return to && row.partner_type != PartnerType::federated ? Cause::note_not_shown : Cause::none;
    const bool contact_acts = exchange_.what == What::message ? !to : to;
    return unverified && contact_acts && !exchange_.contact_listed ? Cause::contact_not_listed : Cause::none;
  }

  // Endings.

  [[nodiscard]] Outcome carried() const {
    const bool lost = partner_.discards_messages && exchange_.what == What::message && exchange_.way == Way::to_partner;
    return {.kind = lost ? Kind::lost : Kind::works,
            .path = path_,
            .cause = lost ? Cause::partner_discards : Cause::none,
            .method = method_};
  }

  [[nodiscard]] Outcome blocked(const Block& block) const {
    if (!block.at_times) return failed(block.cause);
    return {.kind = Kind::works_at_times, .path = path_, .cause = block.cause, .method = method_};
  }

  /// A stanza that was taken is refused by an error, which needs a stream of ours to the partner: those between servers
  /// go one way (RFC 6120 section 2.1). Where there can be none, nobody hears of it.
  [[nodiscard]] Outcome refused(Cause cause, bool heard) const {
    auto outcome = failed(cause);
    if (outcome.kind == Kind::refused && !heard) outcome.kind = Kind::black_holed;
    return outcome;
  }

  /// The kind that the sender feels: most causes refuse at once; where packets vanish or nobody answers, time passes.
  [[nodiscard]] Outcome failed(Cause cause) const {
    Outcome outcome{.kind = Kind::refused, .path = Path::none, .cause = cause};
    switch (cause) {
      case Cause::firewall_in:
      case Cause::firewall_out:
      case Cause::dialback_unanswered:
      case Cause::revocation_unreachable:
        outcome.kind = Kind::bounced;
        outcome.after = state_.replica.gateway.stream_establishment_timeout;
        break;
      case Cause::no_common_method:
        if (dialback_ignored_) {
          outcome.kind = Kind::bounced;
          outcome.after = state_.replica.gateway.stream_establishment_timeout;
        }
        break;
      case Cause::contact_not_listed:
        if (exchange_.what == What::presence || readings_.unlisted == Readings::Unlisted::dropped)
          outcome.kind = Kind::black_holed;
        break;
      case Cause::note_not_shown:
        outcome.kind = Kind::black_holed;
        break;
      default:
        break;
    }
    return outcome;
  }

  const State& state_;
  const Partner& partner_;
  const Exchange& exchange_;
  const Readings& readings_;
  const View& view_;
  const UserClass& users_;
  migration::Side home_;
  Path path_ = Path::none;
  Method method_ = Method::none;
  bool dialback_ignored_ = false;
};

}  // namespace

Outcome outcome_of(const State& state, const Partner& partner, const Exchange& exchange, const Readings& readings,
                   const View& view) {
  return Judgement(state, partner, exchange, readings, view).run();
}

std::string_view name_of(Kind kind) {
  static constexpr std::array names{"works", "works at times", "refused", "bounced", "black-holed", "lost"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view name_of(Path path) {
  static constexpr std::array names{"none", "legacy", "current"};
  return names.at(static_cast<std::size_t>(path));
}

std::string_view name_of(Way way) { return way == Way::to_partner ? "to partner" : "from partner"; }

std::string_view name_of(What what) {
  static constexpr std::array names{"message", "presence", "note"};
  return names.at(static_cast<std::size_t>(what));
}

std::string kind_of(const Outcome& outcome) {
  auto kind = std::string(name_of(outcome.kind));
  if (outcome.kind == Kind::bounced)
    kind += fmt::format(" after {} s", std::chrono::duration_cast<std::chrono::seconds>(outcome.after).count());
  return kind;
}

std::string words_of(const Outcome& outcome) {
  static constexpr std::array paths{"", ", by the legacy gateway", ", by the new side"};
  const auto words = kind_of(outcome);
  if (outcome.cause != Cause::none) return words + ": " + std::string(text_of(outcome.cause).sentence);
  return words + paths.at(static_cast<std::size_t>(outcome.path));
}

void PrintTo(const Outcome& outcome, std::ostream* out) { *out << words_of(outcome); }

}  // namespace cutover::harness::migration
