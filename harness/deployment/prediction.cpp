// The rules, in the order in which a stanza meets them.
#include "harness/deployment/prediction.h"

#include <ostream>

namespace cutover::harness {

namespace {

Prediction cut_off(Cause cause) { return {Path::cut_off, cause}; }

bool by_dialback(const PartnerSpec& partner) { return partner.kind != PartnerKind::sasl_external; }

bool moved(const MigrationState& state, const std::string& user) {
  const auto home = state.homes.find(user);
  return home != state.homes.end() && home->second == Pool::current;
}

/// What the new side needs before any stanza of `user` crosses it.
Cause missing_on_new_side(const MigrationState& state, const std::string& user) {
  if (!state.certificate_assigned) return Cause::certificate_missing;
  if (!state.federation_enabled || !state.edge_deployed) return Cause::federation_not_enabled;
  if (!moved(state, user)) return Cause::user_on_legacy_pool;
  if (!state.policies_granted) return Cause::policy_denies;
  return Cause::none;
}

Prediction through_new_side(const MigrationState& state, const std::string& user) {
  const auto cause = missing_on_new_side(state, user);
  return cause == Cause::none ? Prediction{Path::current, cause} : cut_off(cause);
}

Prediction predict_to_partner(const MigrationState& state, const std::string& user, const PartnerSpec& partner) {
  // The switch is per partner domain, never per user (lync-facts 1.2.3).
  if (state.allowed_partners.contains(partner.domain)) {
    const auto prediction = through_new_side(state, user);
    // A partner that verifies by dialback asks the box that our SRV names at that moment.
    if (prediction.path == Path::current && by_dialback(partner) && !state.srv_names_edge)
      return cut_off(Cause::dialback_authority);
    return prediction;
  }
  if (!state.legacy_gateway_runs) return cut_off(Cause::legacy_gateway_stopped);
  if (by_dialback(partner) && state.srv_names_edge) return cut_off(Cause::dialback_authority);
  return {Path::legacy, Cause::none};
}

Prediction predict_from_partner(const MigrationState& state, const std::string& user, const PartnerSpec& partner) {
  if (state.srv_names_edge) {
    if (!state.certificate_assigned) return cut_off(Cause::certificate_missing);
    if (!state.federation_enabled || !state.edge_deployed) return cut_off(Cause::federation_not_enabled);
    if (!state.allowed_partners.contains(partner.domain)) return cut_off(Cause::partner_not_allowed);
    return through_new_side(state, user);
  }
  if (!state.legacy_gateway_runs) return cut_off(Cause::legacy_gateway_stopped);
  if (state.allowed_partners.contains(partner.domain)) return cut_off(Cause::partner_configured);
  return {Path::legacy, Cause::none};
}

}  // namespace

const char* name_of(Path path) {
  switch (path) {
    case Path::legacy:
      return "legacy gateway";
    case Path::current:
      return "new proxy and gateway";
    case Path::cut_off:
      return "cut off";
  }
  return "?";
}

const char* name_of(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "nothing";
    case Cause::partner_not_allowed:
      return "the partner is not allowed on the new side";
    case Cause::partner_configured:
      return "the partner is configured on the new side, so its legacy path has stopped";
    case Cause::user_on_legacy_pool:
      return "the user is still homed on the legacy pool";
    case Cause::federation_not_enabled:
      return "XMPP federation is not enabled on the new side";
    case Cause::certificate_missing:
      return "the edge has no certificate for the XMPP domain";
    case Cause::policy_denies:
      return "no external access policy allows XMPP for the user";
    case Cause::dialback_authority:
      return "dialback: our SRV record names the box that does not know the key";
    case Cause::legacy_gateway_stopped:
      return "the legacy gateway is stopped";
  }
  return "?";
}

void PrintTo(Cause cause, std::ostream* out) { *out << name_of(cause); }

Prediction predict(const MigrationState& state, const std::string& user, const PartnerSpec& partner, Way way) {
  return way == Way::to_partner ? predict_to_partner(state, user, partner) : predict_from_partner(state, user, partner);
}

}  // namespace cutover::harness
