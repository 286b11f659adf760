// Prediction against wire.
#include "suites/support/migration.h"

#include "suites/support/invariants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>
#include <span>

namespace cutover::suites {

using namespace harness;

namespace {

std::string exchange_in_words(const Exchange& exchange) {
  const auto partner = exchange.partner_user + "@" + exchange.partner_domain;
  const bool out = exchange.way == Way::to_partner;
  return fmt::format("{} from {} to {}", exchange.what == What::message ? "message" : "presence",
                     out ? exchange.user : partner, out ? partner : exchange.user);
}

std::string expected_in_words(const Outcome& expected, What what) {
  if (expected.kind == migration::Kind::works) return fmt::format("once by the {} path", name_of(expected.path));
  return words_of(expected) + (what == What::message ? ", and its sender told" : "");
}

std::string arrived_in_words(const Observation& seen) {
  const auto times = seen.copies == 1 ? std::string("once") : fmt::format("{} times", seen.copies);
  auto text = seen.both_paths    ? times + " across the legacy and the new side"
              : seen.copies == 0 ? std::string("nowhere")
                                 : fmt::format("{} by the {} path", times, name_of(seen.path));
  if (seen.copies == 0) text += seen.sender_told ? ", its sender told: " + seen.told : ", its sender not told";
  return text + (seen.nodes.empty() ? "" : fmt::format("; handled by {}", fmt::join(seen.nodes, ", ")));
}

bool as_predicted(const Observation& seen, const Outcome& expected) {
  bool works = expected.kind == migration::Kind::works;
  // Whom chance picks decides: carried once, or told.
  if (expected.kind == migration::Kind::works_at_times) works = seen.copies > 0;
  if (seen.both_paths || seen.path != (works ? expected.path : Path::none)) return false;
  if (works) return seen.copies == 1;
  return seen.exchange.what == What::presence || expected.kind == migration::Kind::black_holed || seen.sender_told ||
         (expected.kind == migration::Kind::bounced && seen.told_late);
}

}  // namespace

void PrintTo(const Deviations& deviations, std::ostream* out) {
  constexpr std::size_t shown_max = 10;
  if (deviations.empty()) {
    *out << fmt::format("all {} so", deviations.exchanges);
    return;
  }
  const auto shown = std::span(deviations.found).first(std::min(shown_max, deviations.size()));
  *out << fmt::format("{} of {} otherwise: {}", deviations.size(), deviations.exchanges, fmt::join(shown, "\n  "));
  if (shown.size() < deviations.size()) *out << fmt::format("\n  and {} more", deviations.size() - shown.size());
}

std::shared_ptr<Deployment> bring_up(Run& run) { return bring_up(run, estate_of(run.topology())); }

void check_block(Run& run, const Topology& topology) {
  const auto too_many = beyond_a_block(topology);
  if (too_many && run.world().kind() == WorldKind::live) run.unsupported(*too_many + "; the simulated world holds all");
}

std::shared_ptr<Deployment> bring_up(Run& run, migration::Estate estate) {
  return bring_up(run, run.topology(), std::move(estate));
}

std::shared_ptr<Deployment> bring_up(Run& run, Topology topology, migration::Estate estate) {
  check_block(run, topology);
  auto deployment = std::make_shared<Deployment>(
      run.world(), DeploymentOptions{.topology = std::move(topology),
                                     .estate = std::move(estate),
                                     .planted = run.planted(),
                                     .every_exchange = run.depth() == stimuli::Depth::deep});
  run.columns(deployment->columns());
  deployment->bring_up();
  hold_invariants(run, deployment);
  return deployment;
}

std::shared_ptr<Deployment> migrate(Run& run, migration::Estate estate) {
  return migrate(run, run.topology(), std::move(estate));
}

std::shared_ptr<Deployment> migrate(Run& run, Topology topology, migration::Estate estate) {
  auto deployment = bring_up(run, std::move(topology), std::move(estate));
  for (const auto step : canonical_steps()) deployment->carry_out(step);
  deployment->settle();
  return deployment;
}

mocks::RawPeer& somebody(Deployment& deployment, Layer speaks) {
  constexpr int host = 211;
  return deployment.world().add("somebody", host,
                                std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{}, speaks));
}

bool takes_connections(Deployment& deployment, mocks::RawPeer& peer, std::string_view listener) {
  auto& connection = peer.connect(deployment.endpoint(listener));
  (void)deployment.world().run_until([&] { return connection.open() || connection.closed(); }, 5s);
  const bool open = connection.open() && !connection.eof();
  connection.abort();
  deployment.world().run_for(100ms);  // it is gone at the other end, too
  return open;
}

Deviations deviations(Deployment& deployment, const std::vector<Exchange>& exchanges) {
  auto observed = exchanges;
  if (deployment.world().kind() == WorldKind::live) {
    // Nobody is told when a subscription's answer is cut off: its absence costs real time, and the simulated world
    // shows it.
    std::erase_if(observed, [&](const Exchange& exchange) {
      return exchange.what == What::presence && predict(deployment, exchange).kind != migration::Kind::works;
    });
  }
  Deviations deviations{.exchanges = observed.size(), .found = {}, .seen = observe(deployment, observed)};
  for (const auto& seen : deviations.seen) {
    const auto expected = predict(deployment, seen.exchange);
    if (as_predicted(seen, expected)) continue;
    deviations.found.push_back(fmt::format("{}: expected {}, arrived {}", exchange_in_words(seen.exchange),
                                           expected_in_words(expected, seen.exchange.what), arrived_in_words(seen)));
  }
  return deviations;
}

Deviations deviations(Deployment& deployment) {
  deployment.settle();
  return deviations(deployment, tried_exchanges(deployment));
}

std::vector<Exchange> exchanges_of(const Topology& topology, const std::string& user,
                                   const std::string& partner_domain) {
  auto exchanges = all_exchanges(topology);
  std::erase_if(exchanges, [&](const Exchange& exchange) {
    return (!user.empty() && exchange.user != user) ||
           (!partner_domain.empty() && exchange.partner_domain != partner_domain);
  });
  return exchanges;
}

std::vector<Exchange> tried_exchanges_of(const Deployment& deployment, const std::string& user) {
  auto exchanges = tried_exchanges(deployment);
  std::erase_if(exchanges, [&](const Exchange& exchange) { return exchange.user != user; });
  return exchanges;
}

std::vector<Exchange> tried_exchanges_with(const Deployment& deployment, const std::string& partner_domain) {
  auto exchanges = tried_exchanges(deployment);
  std::erase_if(exchanges, [&](const Exchange& exchange) { return exchange.partner_domain != partner_domain; });
  return exchanges;
}

std::vector<Exchange> exchanges_of_user(const Deployment& deployment, const std::string& user) {
  auto exchanges = tried_exchanges(deployment);
  const auto somebody = exchanges.front().user;
  std::erase_if(exchanges, [&](const Exchange& exchange) { return exchange.user != somebody; });
  for (auto& exchange : exchanges) exchange.user = user;
  return exchanges;
}

std::size_t predicted_on(Deployment& deployment, Path path) {
  const auto exchanges = tried_exchanges(deployment);
  return static_cast<std::size_t>(std::ranges::count_if(exchanges, [&](const Exchange& exchange) {
    const auto expected = predict(deployment, exchange);
    return expected.kind == migration::Kind::works && expected.path == path;
  }));
}

Cause predicted_cause(Deployment& deployment, const std::string& user, const std::string& partner_domain, Way way) {
  Exchange exchange{user, partner_domain, {}, way, What::message};
  return predict(deployment, exchange).cause;
}

}  // namespace cutover::suites
