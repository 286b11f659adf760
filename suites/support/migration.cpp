// Prediction against wire.
#include "suites/support/migration.h"

#include "suites/support/invariants.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

namespace {

std::string deviation_of(const Observation& seen, const Prediction& expected) {
  const auto told = [&](const std::string& what) { return fmt::format("{}; {}", what, seen.text()); };
  if (seen.both_paths) return told("crossed the legacy and the new side");
  if (seen.path != expected.path) {
    return told(fmt::format("expected {} ({})", name_of(expected.path), name_of(expected.cause)));
  }
  if (expected.path != Path::cut_off && seen.copies != 1) return told("expected exactly one copy");
  if (expected.path == Path::cut_off && seen.exchange.kind == Kind::message && !seen.sender_told) {
    return told("cut off, and its sender was not told");
  }
  return {};
}

}  // namespace

std::shared_ptr<Deployment> bring_up(Run& run) {
  auto deployment = std::make_shared<Deployment>(
      run.world(), DeploymentOptions{.topology = run.topology(), .planted = run.planted()});
  run.columns(deployment->columns());
  deployment->bring_up();
  hold_invariants(run, deployment);
  return deployment;
}

std::vector<std::string> deviations(Deployment& deployment, const std::vector<Exchange>& exchanges) {
  auto observed = exchanges;
  if (deployment.world().kind() == WorldKind::live) {
    // Nobody is told when a subscription's answer is cut off: its absence costs real time, and the simulated world
    // shows it.
    std::erase_if(observed, [&](const Exchange& exchange) {
      return exchange.kind == Kind::presence &&
             predict(deployment.state(), deployment.topology(), exchange).path == Path::cut_off;
    });
  }
  std::vector<std::string> found;
  for (const auto& seen : observe(deployment, observed)) {
    auto deviation = deviation_of(seen, predict(deployment.state(), deployment.topology(), seen.exchange));
    if (!deviation.empty()) found.push_back(std::move(deviation));
  }
  return found;
}

std::vector<std::string> deviations(Deployment& deployment) {
  deployment.settle();
  return deviations(deployment, all_exchanges(deployment.topology()));
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

std::size_t predicted_on(Deployment& deployment, Path path) {
  const auto exchanges = all_exchanges(deployment.topology());
  return static_cast<std::size_t>(std::ranges::count_if(exchanges, [&](const Exchange& exchange) {
    return predict(deployment.state(), deployment.topology(), exchange).path == path;
  }));
}

Cause predicted_cause(Deployment& deployment, const std::string& user, const std::string& partner_domain, Way way) {
  Exchange exchange{user, partner_domain, {}, way, Kind::message};
  return predict(deployment.state(), deployment.topology(), exchange).cause;
}

}  // namespace cutover::suites
