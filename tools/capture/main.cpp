// record_capture FOLDER: two foreign servers talk to each other while dumpcap listens; what `cutover grade` is tested
// by.
#include "harness/running/block_lease.h"
#include "harness/servers/real_partner.h"
#include "harness/worlds/live_world.h"
#include "mocks/name_server.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace cutover;
using namespace cutover::harness;
namespace fs = std::filesystem;

constexpr Duration patience = 30s;
constexpr char dumpcap[] = "/usr/bin/dumpcap";

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// dumpcap, from before the first packet until it has written all of them.
class Recorder {
 public:
  Recorder(World& world, const fs::path& file, const fs::path& log)
      : world_(world),
        process_(dumpcap,
                 {"-q", "-i", "lo", "-f",
                  "tcp port 5269 and (host " + world.address_of(5) + " or host " + world.address_of(6) + ")", "-w",
                  file.string()},
                 {"PATH=/usr/bin:/bin"}, log) {
    while (process_.running() && content_of(log).find("File: ") == std::string::npos) world_.run_for(20ms);
    if (!process_.running()) throw HarnessFault("dumpcap does not capture: " + content_of(log));
    world_.run_for(1s);  // its file is there before it listens
  }
  void finish() {
    world_.run_for(1s);  // packets that are on the way to it
    process_.terminate();
    while (process_.running()) world_.run_for(20ms);
  }

 private:
  World& world_;
  ChildProcess process_;
};

/// Two servers, each with one user, and what the two say to each other.
class Talk {
 public:
  Talk(World& world, const fs::path& secrets, ServerMode mode)
      : world_(world), authority_(tls::make_openssl_authority(world.wall_clock())), mode_(mode), secrets_(secrets) {
    dns::DnsServer zones;
    for (const auto& [domain, host] : {std::pair("prosody.example", 5), std::pair("ejabberd.example", 6)}) {
      zones.add_empty_zone(domain);
      zones.set(std::string("xmpp.") + domain, dns::Type::a, 60, {world.address_of(host)});
      zones.set(std::string("_xmpp-server._tcp.") + domain, dns::Type::srv, 60,
                {std::string("0 0 5269 xmpp.") + domain});
    }
    const auto names = world.add("dns", 1, std::make_unique<mocks::NameServer>(std::move(zones))).endpoint();
    juliet_.emplace(prosody(), settings("prosody.example", "juliet", 5, names));
    romeo_.emplace(ejabberd(), settings("ejabberd.example", "romeo", 6, names));
    const auto anchors = authority_->issue({.names = {{tls::NameKind::dns, "client.example"}}});
    const auto identity = mode == ServerMode::dialback_in_clear ? nullptr : anchors;
    juliet_->sign_users_in(world, 10, identity);
    romeo_->sign_users_in(world, 11, identity);
  }

  /// Messages, presence, requests and their errors, both ways.
  void hold() {
    juliet_->send_message("juliet", "romeo@ejabberd.example", "Art thou not Romeo, and a Montague?");
    await([&] { return romeo_->user("romeo").messages.size() == 1; }, "the message to ejabberd");
    romeo_->send_message("romeo", "juliet@prosody.example", "Neither, fair saint, if either thee dislike.");
    await([&] { return juliet_->user("juliet").messages.size() == 1; }, "the message to Prosody");
    juliet_->send_presence("juliet", "romeo@ejabberd.example", "subscribe");
    romeo_->send_presence("romeo", "juliet@prosody.example", "subscribe");
    await([&] { return juliet_->user("juliet").presences.size() > 2 && romeo_->user("romeo").presences.size() > 2; },
          "presence both ways");
    juliet_->send_message("juliet", "nobody@ejabberd.example", "Is nobody there?");
    romeo_->send_message("romeo", "nobody@prosody.example", "Is nobody there?");
    ask(*juliet_, "juliet", "ejabberd.example");
    ask(*romeo_, "romeo", "prosody.example");
    world_.run_for(1s);
  }
  /// Both close their streams.
  void end() {
    juliet_->server().terminate();
    if (!juliet_->server().wait_until_ended(world_, 12, patience)) throw HarnessFault("Prosody does not end");
    world_.run_for(1s);
    romeo_->server().terminate();
    if (!romeo_->server().wait_until_ended(world_, 12, patience)) romeo_->server().kill();
  }

 private:
  ServerSettings settings(const std::string& domain, const std::string& user, int host, const Endpoint& names) {
    ServerSettings settings;
    settings.domain = domain;
    settings.address = world_.address_of(host);
    settings.name_server = names;
    settings.mode = mode_;
    settings.certificate = authority_->issue_pem({.names = {{tls::NameKind::dns, domain}}});
    settings.accounts = {{user, "secret"}};
    settings.tls_secrets = secrets_;
    return settings;
  }
  void await(const std::function<bool()>& condition, const std::string& what) {
    if (!world_.run_until(condition, patience)) throw HarnessFault("waited in vain for " + what);
  }
  /// What the server is, and something that it does not know.
  void ask(RealPartner& by, const std::string& user, const std::string& whom) {
    int id = 0;
    for (const char* ns : {"http://jabber.org/protocol/disco#info", "urn:ietf:params:xml:ns:xmpp-unknown"}) {
      xml::Element iq("iq", "jabber:server");
      iq.set_attribute("type", "get");
      iq.set_attribute("to", whom);
      iq.set_attribute("id", fmt::format("q{}", ++id));
      iq.add(xml::Element("query", ns));
      by.send(user, std::move(iq));
    }
    await([&] { return !by.user(user).iqs.empty(); }, "the answer of " + whom);
  }

  World& world_;
  std::unique_ptr<tls::Authority> authority_;
  ServerMode mode_;
  fs::path secrets_;
  std::optional<RealPartner> juliet_, romeo_;
};

void record(const fs::path& folder, ServerMode mode) {
  const BlockLease lease;
  LiveWorld world({.block = lease.block()});
  const auto stem = fs::absolute(folder) / fmt::format("prosody-ejabberd-{}", name_of(mode));
  const auto file = [&](const char* ending) { return fs::path(stem.string() + ending); };
  fs::create_directories(folder);
  fs::remove(file(".keys"));
  Talk talk(world, mode == ServerMode::dialback_in_clear ? fs::path() : file(".keys"), mode);
  Recorder recorder(world, file(".pcapng"), file(".log"));
  talk.hold();
  talk.end();
  recorder.finish();
  fs::remove(file(".log"));
  fmt::print("{}\n", file(".pcapng").string());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr
        << "record_capture FOLDER: Prosody and ejabberd talk, by EXTERNAL and by dialback in clear; dumpcap (package "
           "wireshark-common) writes what was sent there, and its TLS secrets beside it. Wants the right to capture "
           "on loopback, as root has.\n";
    return 4;
  }
  try {
    for (const auto mode : {ServerMode::external_only, ServerMode::dialback_over_tls, ServerMode::dialback_in_clear})
      record(argv[1], mode);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "record_capture: " << error.what() << '\n';
    return 3;
  }
}
