// Starts the product and writes down what its administrator would tell.
#include "harness/subjects/started_server.h"

#include "harness/subjects/subject.h"
#include "harness/worlds/live_world.h"
#include "mocks/name_server.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>

namespace cutover::harness {

namespace {

constexpr char domain[] = "judged.example", user[] = "juliet", password[] = "secret of juliet";
constexpr char authority_file[] = "authority.pem", target_file[] = "target.yaml";
constexpr std::array kinds{PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback};

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw HarnessFault("cannot write " + path.string());
}

/// In the words of fixtures/targets/remote-example.yaml.
std::string described(const Target& target, const World& world, bool clear) {
  std::vector<std::string> offers, peers, spares;
  for (const auto need : target.offers) {
    if (is_declared(need)) offers.emplace_back(name_of(need));
  }
  for (const auto kind : kinds) {
    if (target.offers.contains(need_of(kind)))
      peers.push_back(fmt::format("    - {{kind: {}, domain: {}, address: {}}}\n", name_of(kind),
                                  default_peer_domain(kind), world.address_of(target_host::peer(kind))));
  }
  for (std::size_t i = 0; i < target_host::spares_max; ++i)
    spares.push_back(world.address_of(target_host::spare + static_cast<int>(i)));
  const auto server = world.address_of(target_host::server);
  return fmt::format(
      "name: {}\ndriver: remote\noffers: [{}]\nallows: {}\npatience: {}\nsettings:\n  domain: {}\n  s2s: {}:{}\n  "
      "authority: {}\n"
      "  account: {{user: {}, password: {}, c2s: {}:{}{}}}\n  name-server: {}:{}\n  spares: [{}]\n  peers:\n{}",
      "'" + target.name + "'", fmt::join(offers, ", "), name_of(target.allows),
      std::chrono::duration_cast<std::chrono::seconds>(target.patience).count(), domain, server, RealServer::s2s_port,
      authority_file, user, password, server, RealServer::c2s_port, clear ? ", plain-in-clear: true" : "",
      world.address_of(target_host::name_server), mocks::name_server_port, fmt::join(spares, ", "),
      fmt::join(peers, ""));
}

}  // namespace

StartedServer::StartedServer(const Target& target, int block) {
  const auto& [product, mode, front] = std::get<LocalTarget>(target.driver);
  LiveWorld world({.block = block, .notes = false});
  const auto pem = tls::new_authority_pem(world.wall_clock());
  ServerSettings settings;
  settings.domain = domain;
  settings.address = world.address_of(target_host::server);
  settings.name_server = {world.address_of(target_host::name_server), mocks::name_server_port};
  settings.mode = mode;
  settings.certificate =
      tls::authority_from_pem(pem, world.wall_clock())->issue_pem({.names = {{tls::NameKind::dns, settings.domain}}});
  settings.accounts = {{user, password}};
  write(folder_.path() / authority_file, pem);
  write(folder_.path() / target_file, described(target, world, mode == ServerMode::dialback_in_clear));
  server_ = std::make_unique<RealServer>(*product, std::move(settings));
  server_->wait_until_ready(world, target_host::probe);
}

std::string StartedServer::file() const { return (folder_.path() / target_file).string(); }

}  // namespace cutover::harness
