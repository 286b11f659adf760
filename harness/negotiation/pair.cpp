// One message over a stream that does not exist yet, and a look at how it came about.
#include "harness/negotiation/pair.h"

#include "harness/worlds/sim_world.h"
#include "mocks/name_server.h"
#include "mocks/partner.h"

#include <algorithm>
#include <array>

namespace cutover::harness::negotiation {

namespace {

constexpr char initiating_domain[] = "initiating.example", receiving_domain[] = "receiving.example";
constexpr int name_server_host = 2, initiating_host = 10, receiving_host = 20;
constexpr std::uint16_t port = 5269, direct_tls_port = 5270;
constexpr Duration patience = 3min;  ///< of world time: longer than every time-out of a server of ours

xmpp::Negotiation negotiation_of(Tls tls) {
  switch (tls) {
    case Tls::required:
      return xmpp::Negotiation::required;
    case Tls::optional:
      return xmpp::Negotiation::optional;
    case Tls::none:
      break;
  }
  return xmpp::Negotiation::not_supported;
}

xmpp::Negotiation negotiation_of(Use use) {
  return use == Use::required   ? xmpp::Negotiation::required
         : use == Use::optional ? xmpp::Negotiation::optional
                                : xmpp::Negotiation::not_supported;
}

bool serves_direct_tls(const Side& side) {
  return side.direct_tls && side.tls != Tls::none && side.certificate != Certificate::none;
}

void publish(dns::DnsServer& names, const std::string& domain, const std::string& address, const Side& side) {
  names.add_empty_zone(domain);
  names.set("xmpp." + domain, dns::Type::a, 60, {address});
  names.set("_xmpp-server._tcp." + domain, dns::Type::srv, 60, {"10 0 5269 xmpp." + domain});
  if (serves_direct_tls(side))
    names.set("_xmpps-server._tcp." + domain, dns::Type::srv, 60, {"0 0 5270 xmpp." + domain});
}

}  // namespace

std::string words_of(const Used& used) {
  std::string words(name_of(used.method));
  if (used.direct_tls) words += ", direct TLS";
  if (used.method != Method::none && !used.delivered) words += ", and nothing was delivered";
  if (!used.delivered && !used.ending.empty()) words += " (" + used.ending + ")";
  return words;
}

Used used_on(const xmpp::StreamInfo& stream) {
  Used used;
  if (stream.authorised_pairs.empty()) return used;
  const bool external = stream.method == xmpp::AuthenticationMethod::sasl_external;
  used.direct_tls = stream.direct_tls;
  used.method = external                     ? Method::external
                : stream.tls_version.empty() ? Method::dialback_in_clear
                                             : Method::dialback_in_tls;
  return used;
}

void apply(const Side& side, mocks::PartnerSettings& settings) {
  settings.policy.tls = negotiation_of(side.tls);
  settings.policy.sasl = side.external ? xmpp::Negotiation::optional : xmpp::Negotiation::not_supported;
  settings.policy.dialback = side.dialback_in_tls || side.dialback_in_clear;
  settings.policy.proof_needed = !side.lenient;
  settings.policy.keep_alive = false;
  settings.send_version = side.features;
  settings.direct_tls_port = serves_direct_tls(side) ? direct_tls_port : 0;
  settings.calls_direct_tls = side.direct_tls && side.tls != Tls::none;
}

xmpp::PeerPolicy policy_of(const ProductRow& row) {
  return {
      .tls = negotiation_of(row.tls), .sasl = negotiation_of(row.sasl), .dialback = row.dialback, .keep_alive = false};
}

Stage::Stage(Crypto crypto) {
  const auto now = SimOptions{}.epoch;
  authority_ = crypto == Crypto::real ? tls::make_openssl_authority(now) : tls::make_paper_authority(now);
}

std::shared_ptr<const tls::Identity> Stage::identity(const std::string& domain, const Side& side) {
  static constexpr std::array bad{tls::Flaw::self_signed, tls::Flaw::wrong_name, tls::Flaw::unknown_root,
                                  tls::Flaw::expired};
  auto flaw = tls::Flaw::none;
  if (side.certificate == Certificate::none) flaw = tls::Flaw::no_certificate;
  if (side.certificate == Certificate::bad) flaw = bad.at(bad_++ % bad.size());
  auto& made = identities_[{domain, flaw}];
  if (!made) made = authority_->issue({.names = {{tls::NameKind::dns, domain}}, .flaw = flaw});
  return made;
}

Used Stage::play(const Player& initiating, const Player& receiving, Judged judged, Trace* trace) {
  Undisturbed choice;
  SimWorld world(choice, {.latency = 1ms, .jitter_max = {}, .fragment = false, .notes = trace != nullptr});
  auto& names = world.add("name-server", name_server_host, std::make_unique<mocks::NameServer>());
  const auto add = [&](const char* name, const std::string& domain, int host, const Player& player) {
    const auto& side = player.side;
    publish(names.server(), domain, world.address_of(host), side);
    mocks::PartnerSettings settings;
    settings.domain = domain;
    settings.users = {"user"};
    settings.identity = identity(domain, side);
    settings.dialback_secret = "secret of " + domain;
    settings.name_server = names.endpoint();
    settings.port = port;
    settings.departures = player.departures;
    apply(side, settings);
    if (player.policy) settings.policy = *player.policy;
    return &world.add(name, host, std::make_unique<mocks::Partner>(std::move(settings)));
  };
  const bool initiates = judged == Judged::initiating;
  auto* from = add("initiating", initiating_domain, initiating_host, initiating);
  auto* to = add("receiving", receiving_domain, receiving_host, receiving);
  from->send_message("user", to->bare_jid("user"), "hello");
  Used used;
  auto& watched = initiates ? *to : *from;
  (void)world.run_until(
      [&] {
        for (const auto& stream : watched.server().streams()) {
          const bool carries = stream.initiated_by_us != initiates && !stream.authorised_pairs.empty();
          if (carries && used.method == Method::none) used = used_on(stream);
        }
        used.delivered = !to->user("user").messages.empty();
        return used.delivered || !from->user("user").errors.empty();
      },
      patience);
  const auto& errors = from->user("user").errors;
  if (!errors.empty()) {
    const auto* error = errors.back().child("error", errors.back().ns());
    if (error != nullptr && !error->children().empty()) used.ending = error->children().front()->name();
  }
  if (trace != nullptr) *trace = world.trace();
  return used;
}

}  // namespace cutover::harness::negotiation
