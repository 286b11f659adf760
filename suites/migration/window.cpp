// lync-facts 1.2.7, 1.4.7, 1.6 and 4.4: how long nobody is reached while certificates, partners and DNS change
// together, and what records and streams do that are older than the change.
#include "harness/migration/rehearsal.h"
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::HasSubstr;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment, Need::legacy_gateway};
constexpr char by_legacy[] = "1 by the legacy path", by_current[] = "1 by the current path", told[] = "told";

/// The messages of the first user with the partners that are tried, both ways.
std::vector<Exchange> messages_of_first_user(const Deployment& deployment) {
  auto exchanges = exchanges_of_user(deployment, deployment.topology().users.front());
  std::erase_if(exchanges, [&](const Exchange& one) { return one.what != What::message; });
  return exchanges;
}

/// What became of a message of the partner's user: its copies and their path, or that its sender was told.
std::string writes(Deployment& deployment, const PartnerSpec& partner) {
  const auto& user = deployment.topology().users.front();
  const auto seen =
      observe(deployment, {{user, partner.domain, partner.users.front(), Way::from_partner, What::message}}).front();
  if (seen.copies > 0) return fmt::format("{} by the {} path", seen.copies, name_of(seen.path));
  return seen.sender_told ? told : "lost";
}

/// Of the records that a partner may have.
std::uint32_t longest_ttl_s(const Topology& topology) {
  std::uint32_t longest = 0;
  for (const auto& domain : domains_of(topology)) longest = std::max(longest, srv_ttl_of(topology, domain));
  return longest;
}

/// The last three steps at once, as the documents want them done. The legacy gateway stops: whoever has a stream to it
/// would go on writing there.
void change_together(Deployment& deployment) {
  for (const auto step : canonical_steps().subspan(3)) deployment.carry_out(step);
  deployment.carry_out("stop-legacy-gateway");
}

void parallel_window(Run& run) {
  const auto deployment = bring_up(run);
  auto& world = deployment->world();
  const auto messages = messages_of_first_user(*deployment);
  for (const auto step : canonical_steps().first(3)) deployment->carry_out(step);
  const auto met = observe(*deployment, messages);  // caches are filled, and streams open
  const bool before = std::ranges::all_of(met, [](const Observation& seen) { return seen.copies == 1; });
  if (!CONFORMS("MIG-O14", "every message arrived before the window", before, Eq(true))) return;
  const auto begun = world.now();
  change_together(*deployment);
  const auto ttl_s = longest_ttl_s(deployment->topology());
  const auto budget = std::chrono::seconds(ttl_s) + 120s;
  bool reached = false;
  while (!reached && world.now() - begun <= budget) {
    world.run_for(10s);
    const auto seen = observe(*deployment, messages);
    reached =
        std::ranges::all_of(seen, [](const Observation& one) { return one.copies == 1 && one.path == Path::current; });
  }
  CONFORMS("MIG-O14",
           fmt::format("every message arrives by the new side within the TTL of {} s and two minutes", ttl_s), reached,
           Eq(true));
}

CUTOVER_CASE(window){
    .id = "migration.parallel-window",
    .title = "Certificates, partners and DNS changed together: whoever was reached is reached again within the budget",
    .procedure =
        "The first three steps; messages both ways; then the last three at once, and the legacy gateway is "
        "stopped; messages again and again.",
    .accepted = "All arrive by the new side when the TTL of the old record and two minutes are over.",
    .likely_causes = "A record, a cache or a stream that is older than it may be.",
    .judges = {{"MIG-O14",
                {"migration.srv-not-repointed", "migration.edge-stays-closed", "migration.record-for-a-day"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 3h,
    .body = parallel_window};

void older_streams(Run& run) {
  const auto partner = partner_by_certificate(run);
  const auto deployment = bring_up(run);
  auto& world = deployment->world();
  for (const auto step : canonical_steps().first(5)) deployment->carry_out(step);
  deployment->remove_partner(partner.domain);
  if (!CONFORMS("MIG-O15", "what became of a message before DNS was changed", writes(*deployment, partner),
                Eq(by_legacy)))
    return;
  deployment->carry_out(Step::update_dns);
  CONFORMS("MIG-O15", "what became of a message over the stream that is older than the record",
           writes(*deployment, partner), Eq(by_legacy));
  deployment->allow_partner(partner.domain);
  deployment->carry_out("stop-legacy-gateway");
  const auto over = [&] { return deployment->legacy_gateway().drained(); };
  CONFORMS("MIG-O15", "the streams of the legacy gateway end when it is stopped", world.run_until(over, 600s),
           Eq(true));
  auto& peer = somebody(*deployment, Layer::event);
  CONFORMS("MIG-O15", "the stopped gateway takes a connection", takes_connections(*deployment, peer, "legacy-gateway"),
           Eq(false));
  world.run_for(std::chrono::seconds(longest_ttl_s(deployment->topology())));
  CONFORMS("MIG-O15", "what became of a message when the cached record was over", writes(*deployment, partner),
           Eq(by_current));
}

CUTOVER_CASE(old_stream){
    .id = "migration.stream-older-than-the-record",
    .title =
        "A partner's stream to the legacy gateway outlives the change of DNS, and ends when the gateway is stopped",
    .procedure =
        "All but one partner on the new side; its user writes, DNS is changed, its user writes again; the partner is "
        "allowed and the legacy gateway stopped; the TTL passes, its user writes again.",
    .accepted = "By the legacy path twice; the streams end; then by the new path.",
    .likely_causes = "A gateway that is stopped and goes on; a partner's stream that is forgotten.",
    .judges = {{"MIG-O15",
                {"migration.srv-not-repointed", "xmpp.drain-keeps-listening", "migration.record-for-a-day"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 3h,
    .body = older_streams};

constexpr Duration outage_max = 5min;

/// A plan that changes all together, with the same TTL.
migration::Plan plan_for(const migration::Estate& estate) {
  migration::Plan plan{
      .name = "all at once", .estate = estate, .budget = std::chrono::floor<migration::Seconds>(outage_max)};
  const auto at = [](int number) { return number < 4 ? std::chrono::hours(number) : std::chrono::hours(4); };
  for (int number = 1; number <= migration::steps_of_the_document; ++number)
    plan.steps.push_back({.name = fmt::format("step {}", number),
                          .at = at(number),
                          .operations = migration::operations_of_step(number, estate)});
  plan.steps.back().operations.push_back({migration::Verb::stop_legacy_gateway, {}, {}});
  return plan;
}

std::string verdict_of(const migration::Estate& estate) {
  const auto rehearsal = migration::rehearse(plan_for(estate));
  return rehearsal.go() ? "go" : fmt::format("no-go: {}", fmt::join(rehearsal.objections, "; "));
}

/// What became of the partner's messages behind the change, minute by minute up to the first that arrived.
struct Behind {
  Duration first{};                    ///< when one arrived by the new side, from the change; zero: none did
  std::vector<std::string> otherwise;  ///< what became of those before that were neither carried nor told
};

Behind behind_the_change(Deployment& deployment, const PartnerSpec& partner, Duration until) {
  auto& world = deployment.world();
  const auto begun = world.now();
  Behind behind;
  while (world.now() - begun <= until) {
    world.run_for(1min);
    const auto became = writes(deployment, partner);
    if (became == by_current) {
      behind.first = world.now() - begun;
      break;
    }
    if (became != told) behind.otherwise.push_back(became);
  }
  return behind;
}

/// A deployment whose record may be kept for that long, a partner that has just looked it up, and the change.
std::shared_ptr<Deployment> changed(Run& run, const PartnerSpec& partner, std::uint32_t ttl_s) {
  auto estate = estate_of(run.topology());
  for (auto& [domain, ttl] : estate.start.ttl_s) ttl = ttl_s;
  auto deployment = bring_up(run, std::move(estate));
  for (const auto step : canonical_steps().first(3)) deployment->carry_out(step);
  if (!GIVEN(writes(*deployment, partner) == by_legacy, "a message of the partner's arrived before the change"))
    return nullptr;
  change_together(*deployment);
  return deployment;
}

/// In a world of its own for each TTL, for hosts are there once.
void ttl_within(Run& run) {
  constexpr std::uint32_t ttl_s = 60;
  const auto partner = partner_by_certificate(run);
  const auto deployment = changed(run, partner, ttl_s);
  if (deployment == nullptr) return;
  const auto behind = behind_the_change(*deployment, partner, 2 * outage_max);
  CONFORMS("MIG-D05", "a message of a partner with the old record arrives by the new side within five minutes",
           behind.first > Duration{} && behind.first <= outage_max, Eq(true));
  CONFORMS("MIG-D05", "what became of messages that neither arrived nor were told of", behind.otherwise,
           testing::IsEmpty());
  CONFORMS("MIG-D05", "the verdict on a plan with a budget of five minutes and a TTL of one",
           verdict_of(deployment->estate()), Eq("go"));
}

CUTOVER_CASE(ttl_short){
    .id = "migration.ttl-within-the-window",
    .title = "With a TTL of a minute whoever has the old record reaches the new side within a window of five",
    .procedure =
        "The TTL of our record is 60 s; a partner writes, the last three steps at once and the legacy gateway stopped, "
        "it writes every minute; the "
        "rehearsal of a plan that does the same with a budget of five minutes.",
    .accepted = "Messages are told of until one arrives, within five minutes; the plan is a go.",
    .likely_causes = "A resolver that keeps an answer for longer than its TTL; another TTL in the zone.",
    .judges = {{"MIG-D05", {"migration.record-for-a-day", "migration.srv-not-repointed"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 3h,
    .body = ttl_within};

void ttl_beyond(Run& run) {
  constexpr std::uint32_t ttl_s = 3600;
  const auto partner = partner_by_certificate(run);
  const auto deployment = changed(run, partner, ttl_s);
  if (deployment == nullptr) return;
  const auto behind = behind_the_change(*deployment, partner, std::chrono::seconds(ttl_s) + outage_max);
  // A resolver may forget an answer before its time; not behind it.
  CONFORMS("MIG-D05", "a message of a partner with the old record arrives by the new side when its hour is over",
           behind.first > Duration{}, Eq(true));
  CONFORMS("MIG-D05", "what became of messages that neither arrived nor were told of", behind.otherwise,
           testing::IsEmpty());
  CONFORMS("MIG-D05", "the verdict on a plan with a budget of five minutes and a TTL of an hour",
           verdict_of(deployment->estate()), HasSubstr("no-go: for up to 1 h"));
}

CUTOVER_CASE(ttl_long){
    .id = "migration.ttl-beyond-the-window",
    .title = "With a TTL of an hour whoever has the old record may be cut off for an hour, and the plan says so",
    .procedure =
        "The TTL of our record is an hour; a partner writes, the last three steps at once and the legacy gateway "
        "stopped, it writes every minute; the "
        "rehearsal of a plan that does the same with a budget of five minutes.",
    .accepted =
        "Messages are told of until one arrives, which is when the hour is over at the latest; the plan is a no-go "
        "for the old record.",
    .likely_causes = "The TTL of the record is not looked at before the night.",
    .judges = {{"MIG-D05", {"migration.record-for-a-day", "migration.srv-not-repointed"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 3h,
    .body = ttl_beyond};

}  // namespace
}  // namespace cutover::suites
