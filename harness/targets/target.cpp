// Reads a target file and what it names; every mistake is told with its line.
#include "harness/targets/target.h"

#include "harness/files/text_file.h"
#include "harness/files/yaml_keys.h"
#include "protocol/base/address.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace cutover::harness {

namespace {
constexpr std::array needs{Need::sip_side,     Need::new_deployment, Need::legacy_gateway, Need::admin,
                           Need::user_account, Need::sasl_external,  Need::dialback,       Need::plaintext_dialback,
                           Need::direct_tls,   Need::partner_list,   Need::tls_required};
/// What follows from another key of the settings, and is not declared.
constexpr std::array following{std::pair{Need::spare_addresses, "spares"}, std::pair{Need::authority, "authority"},
                               std::pair{Need::direct_tls_in, "s2s-direct-tls"},
                               std::pair{Need::peer_zones, "name-server"}, std::pair{Need::unmet_peers, "name-server"}};
constexpr std::array stagings{Staging::safe, Staging::disruptive, Staging::bench_only};
constexpr std::array kinds{PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback};

/// One reader for one file, so that every error can name it.
class TargetReader {
 public:
  explicit TargetReader(const std::string& file) : file_(file) {}

  [[nodiscard]] Target read(std::string_view yaml) const {
    const auto root = load(yaml);
    if (!root.IsMap()) fail(root, "expected a target: a map with name, driver, offers, allows and settings");
    check_keys(root, {"name", "driver", "offers", "allows", "patience", "settings"});
    Target target;
    target.file = file_;
    target.name = text(root, "name");
    if (root["offers"]) {
      for (const auto& item : list(root, "offers", false)) {
        check_following(item);
        target.offers.insert(word(item, needs));
      }
    }
    if (root["allows"]) target.allows = word(root["allows"], stagings);
    if (root["patience"]) target.patience = seconds(root, "patience");
    const auto driver = text(root, "driver");
    const YAML::Node settings = root["settings"] ? root["settings"] : YAML::Node(YAML::NodeType::Map);
    if (!settings.IsMap()) fail(settings, "expected a map for 'settings'");
    if (const auto* product = product_named(driver)) {
      target.driver = local(settings, *product);
      target.offers.insert({Need::spare_addresses, Need::authority, Need::peer_zones, Need::unmet_peers});
      if (!root["patience"]) target.patience = usual_patience;
      check_mode(root, target);
    } else if (driver == "remote") {
      if (!root["settings"]) fail(root, "expected a key 'settings' for the driver remote");
      target.driver = remote(settings, target.offers);
      const auto& made = std::get<RemoteTarget>(target.driver);
      if (!made.spares.empty()) target.offers.insert(Need::spare_addresses);
      if (!made.authority.empty()) target.offers.insert(Need::authority);
      if (made.s2s_direct_tls) target.offers.insert(Need::direct_tls_in);
      if (made.name_server) target.offers.insert(Need::peer_zones);
      if (names_its_peers(target)) target.offers.insert(Need::unmet_peers);
    } else {
      fail(root["driver"], "unknown driver '" + driver + "', expected " + drivers());
    }
    if (target.offers.contains(Need::sasl_external) || target.offers.contains(Need::dialback))
      target.offers.insert(Need::tls);
    for (const auto need : target.offers) {
      if (need == Need::sip_side || need == Need::new_deployment || need == Need::legacy_gateway || need == Need::admin)
        fail(root["offers"], fmt::format("no driver can reach the {} of a target yet; leave it out", name_of(need)));
    }
    return target;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const { fail(node.Mark(), what); }
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const {
    throw TargetError(fmt::format("{}:{}: {}", file_, std::max(mark.line, 0) + 1, what));
  }

  [[nodiscard]] YAML::Node load(std::string_view yaml) const {
    YAML::Node root;
    try {
      root = YAML::Load(std::string(yaml));
    } catch (const YAML::Exception& error) {
      fail(error.mark, "expected YAML: " + error.msg);
    }
    if (const auto odd = passed_over(yaml)) throw TargetError(fmt::format("{}:{}: {}", file_, odd->line, odd->words));
    return root;
  }

  // Values.

  void check_keys(const YAML::Node& map, const std::vector<std::string>& known) const {
    for (const auto& entry : map) {
      const auto& key = entry.first.Scalar();
      if (std::ranges::find(known, key) != known.end()) continue;
      fail(entry.first, fmt::format("unknown key '{}'; expected {}", key, fmt::join(known, ", ")));
    }
  }

  [[nodiscard]] YAML::Node map(const YAML::Node& parent, const std::string& key) const {
    const auto node = parent[key];
    if (!node || !node.IsMap()) fail(key_of(parent, key), "expected a map for '" + key + "'");
    return node;
  }

  [[nodiscard]] std::string text(const YAML::Node& parent, const std::string& key) const {
    const auto node = parent[key];
    if (!node) fail(parent, "expected a key '" + key + "'");
    if (!node.IsScalar() || node.Scalar().empty()) fail(key_of(parent, key), "expected a text for '" + key + "'");
    return node.Scalar();
  }

  /// A value that is missing is where the next line begins; its key tells better.
  [[nodiscard]] static YAML::Node key_of(const YAML::Node& parent, const std::string& key) {
    for (const auto& entry : parent)
      if (entry.first.Scalar() == key) return entry.first;
    return parent;
  }

  [[nodiscard]] YAML::Node list(const YAML::Node& parent, const std::string& key, bool filled = true) const {
    const auto node = parent[key];
    const bool good = node && node.IsSequence() && (!filled || node.size() > 0);
    if (!good) fail(key_of(parent, key), fmt::format("expected a list{} for '{}'", filled ? " with entries" : "", key));
    return node;
  }

  [[nodiscard]] std::vector<std::string> texts(const YAML::Node& parent, const std::string& key) const {
    std::vector<std::string> result;
    for (const auto& item : list(parent, key)) {
      if (!item.IsScalar() || item.Scalar().empty()) fail(item, "expected a text in '" + key + "'");
      if (std::ranges::count(result, item.Scalar()) != 0) fail(item, "'" + item.Scalar() + "' is there twice");
      result.push_back(item.Scalar());
    }
    return result;
  }

  template <class Values>
  [[nodiscard]] typename Values::value_type word(const YAML::Node& node, const Values& values) const {
    std::string known;
    for (const auto value : values) {
      if (node.IsScalar() && node.Scalar() == name_of(value)) return value;
      known += (known.empty() ? "" : ", ") + std::string(name_of(value));
    }
    fail(node, "expected one of " + known);
  }

  [[nodiscard]] std::string address(const YAML::Node& node, const std::string& text) const {
    if (!is_ipv4_literal(text)) fail(node, "expected an IPv4 address such as 192.0.2.10, not '" + text + "'");
    return text;
  }

  [[nodiscard]] Endpoint endpoint(const YAML::Node& parent, const std::string& key) const {
    const auto whole = text(parent, key);
    const auto colon = whole.rfind(':');
    Endpoint endpoint;
    const auto* const end = whole.data() + whole.size();
    const auto parsed =
        std::from_chars(colon == std::string::npos ? end : whole.data() + colon + 1, end, endpoint.port);
    if (parsed.ec != std::errc() || parsed.ptr != end || endpoint.port == 0)
      fail(parent[key], fmt::format("expected ADDRESS:PORT for '{}', such as 192.0.2.10:5269", key));
    endpoint.address = address(parent[key], whole.substr(0, colon));
    return endpoint;
  }

  [[nodiscard]] std::string file(const YAML::Node& parent, const std::string& key) const {
    return file_at(parent[key], text(parent, key));
  }
  [[nodiscard]] std::string file_at(const YAML::Node& node, const std::string& name) const {
    const auto path = std::filesystem::path(file_).parent_path() / name;
    try {
      return read_text_file(path);
    } catch (const FileError& error) {
      fail(node, fmt::format("cannot read {}: it {}; expected a file beside {}", path.string(), error.what(), file_));
    }
  }

  /// PEM text that OpenSSL takes, or what is wrong with it.
  void check_pem(const YAML::Node& node, const tls::PemFiles& files) const {
    try {
      (void)tls::identity_from_pem(files);
    } catch (const std::invalid_argument& error) {
      fail(node, error.what());
    }
  }

  // Drivers.

  void check_following(const YAML::Node& item) const {
    for (const auto& [need, key] : following) {
      if (item.IsScalar() && item.Scalar() == name_of(need))
        fail(item, fmt::format("{} follows from the key '{}' of the settings; leave it out", name_of(need), key));
    }
  }

  [[nodiscard]] static std::string drivers() {
    std::string names;
    for (const auto* product : server_products()) names += fmt::format("{}, ", product->name);
    return names + "remote";
  }

  [[nodiscard]] LocalTarget local(const YAML::Node& settings, const ServerProduct& product) const {
    check_keys(settings, {"mode", "front"});
    LocalTarget target{&product, product.modes.front()};
    if (product.has(ServerMode::external_and_dialback)) target.mode = ServerMode::external_and_dialback;
    if (settings["mode"]) target.mode = word(settings["mode"], product.modes);
    if (settings["front"]) target.front = flag(settings, "front");
    return target;
  }

  void check_mode(const YAML::Node& root, const Target& target) const {
    const auto& [product, mode, front] = std::get<LocalTarget>(target.driver);
    const bool both = mode == ServerMode::external_and_dialback;
    const bool any = mode == ServerMode::opportunistic;
    const bool external = product->has(ServerMode::external_only) && (both || any || mode == ServerMode::external_only);
    const std::map<Need, bool> has{{Need::sasl_external, external},
                                   {Need::dialback, both || any || mode == ServerMode::dialback_over_tls},
                                   {Need::plaintext_dialback, any || mode == ServerMode::dialback_in_clear},
                                   {Need::tls_required, !any && mode != ServerMode::dialback_in_clear},
                                   {Need::partner_list, false}};
    for (const auto& [need, offered] : has) {
      if (!offered && target.offers.contains(need))
        fail(root["offers"],
             fmt::format("{} in mode {} does not offer {}", product->title, name_of(mode), name_of(need)));
    }
  }

  [[nodiscard]] RemoteTarget remote(const YAML::Node& settings, const std::set<Need>& offers) const {
    check_keys(settings,
               {"domain", "s2s", "s2s-direct-tls", "account", "peers", "spares", "authority", "trust", "name-server"});
    RemoteTarget target;
    target.domain = domain(settings);
    target.s2s = endpoint(settings, "s2s");
    if (settings["name-server"]) target.name_server = endpoint(settings, "name-server");
    if (settings["s2s-direct-tls"]) target.s2s_direct_tls = endpoint(settings, "s2s-direct-tls");
    if (settings["authority"]) target.authority = authority(settings);
    if (settings["trust"]) target.trust = trust(settings);
    const bool anchored = !target.authority.empty() || !target.trust.empty();
    if (settings["account"]) target.account = account(map(settings, "account"), anchored);
    if (offers.contains(Need::user_account) && !target.account)
      fail(settings, "expected a key 'account', for 'offers' names user_account");
    for (const auto& node : list(settings, "peers")) target.peers.push_back(peer(node, settings, target));
    if (settings["spares"]) target.spares = spares(settings, target);
    if (offers.contains(Need::sasl_external) && !anchored)
      fail(settings, "expected a key 'authority' or 'trust', for 'offers' names sasl_external");
    for (const auto kind : kinds) {
      const bool offered = offers.contains(need_of(kind));
      const bool played = peers_of(target, kind) > 0;
      if (offered && !played)
        fail(settings["peers"],
             fmt::format("expected a peer of kind {}, for 'offers' names {}", name_of(kind), name_of(need_of(kind))));
      if (played && !offered)
        fail(settings["peers"], fmt::format("a peer of kind {} is of no use: 'offers' does not name {}", name_of(kind),
                                            name_of(need_of(kind))));
    }
    return target;
  }

  /// Two at least: cases about the order of several targets have as many.
  [[nodiscard]] std::vector<std::string> spares(const YAML::Node& settings, const RemoteTarget& target) const {
    auto spares = texts(settings, "spares");
    const auto node = settings["spares"];
    for (const auto& one : spares) {
      (void)address(node, one);
      if (std::ranges::count(target.peers, one, &TargetPeer::address) != 0)
        fail(node, one + " is the address of a peer already");
    }
    if (spares.size() < target_host::spares_min || spares.size() > target_host::spares_max)
      fail(node, fmt::format("expected {} to {} addresses for 'spares', or none", target_host::spares_min,
                             target_host::spares_max));
    return spares;
  }

  [[nodiscard]] std::string authority(const YAML::Node& settings) const {
    auto pem = file(settings, "authority");
    try {
      (void)tls::authority_from_pem(pem, 0);
    } catch (const std::invalid_argument& error) {
      fail(settings["authority"], error.what());
    }
    return pem;
  }

  [[nodiscard]] std::string trust(const YAML::Node& settings) const {
    std::string roots;
    for (const auto& name : texts(settings, "trust")) {
      const auto pem = file_at(settings["trust"], name);
      check_pem(settings["trust"], {.certificate_chain = {}, .private_key = {}, .root = pem.empty() ? "empty" : pem});
      roots += pem + "\n";
    }
    return roots;
  }

  [[nodiscard]] std::string domain(const YAML::Node& node) const {
    auto name = text(node, "domain");
    if (!xmpp::is_domain(name)) fail(node["domain"], "expected a domain, not '" + name + "'");
    return name;
  }

  [[nodiscard]] TargetPeer peer(const YAML::Node& node, const YAML::Node& settings, const RemoteTarget& target) const {
    if (!node.IsMap()) fail(node, "expected a map with domain, address and kind");
    check_keys(node, {"domain", "address", "kind", "certificate", "key"});
    TargetPeer peer{word(node["kind"] ? node["kind"] : node, kinds), domain(node), {}};
    if (node["certificate"] || node["key"]) {
      peer.certificate = {.certificate_chain = file(node, "certificate"), .private_key = file(node, "key"), .root = {}};
      check_pem(node["certificate"], peer.certificate);
    }
    peer.address = address(node["address"], text(node, "address"));
    const auto alike = std::ranges::find(target.peers, peer.kind, &TargetPeer::kind);
    if (alike != target.peers.end() && target.name_server)
      fail(node, fmt::format("expected one peer of kind {} only, for with 'name-server' each case has one below it",
                             name_of(peer.kind)));
    if (alike != target.peers.end() && alike->address != peer.address)
      fail(node,
           fmt::format("expected the address of the other peer of kind {}, {}", name_of(peer.kind), alike->address));
    const auto same = [&](const std::string& other) {
      return xmpp::canonical_domain(other) == xmpp::canonical_domain(peer.domain);
    };
    if (std::ranges::any_of(target.peers, same, &TargetPeer::domain))
      fail(node, "'" + peer.domain + "' is there twice");
    if (same(target.domain)) fail(node, "'" + peer.domain + "' is the target's own domain");
    const bool shows = peer.kind == PartnerKind::sasl_external;
    if (shows && target.authority.empty() && peer.certificate.certificate_chain.empty())
      fail(settings,
           fmt::format("expected a key 'authority', or 'certificate' and 'key' of {}, for it authenticates by EXTERNAL",
                       peer.domain));
    return peer;
  }

  [[nodiscard]] TargetAccount account(const YAML::Node& node, bool has_authority) const {
    check_keys(node, {"user", "password", "password-file", "c2s", "fingerprint", "plain-in-clear", "direct-tls"});
    TargetAccount account;
    account.user = text(node, "user");
    account.c2s = endpoint(node, "c2s");
    if (node["password"]) {
      account.password = text(node, "password");
    } else if (node["password-file"]) {
      const auto content = file(node, "password-file");
      account.password = content.substr(0, content.find_first_of("\r\n"));
    } else {
      fail(node, "expected a key 'password' or 'password-file'");
    }
    if (node["fingerprint"]) account.fingerprint = fingerprint(node);
    if (node["plain-in-clear"]) account.plain_in_clear = flag(node, "plain-in-clear");
    if (node["direct-tls"]) account.direct_tls = flag(node, "direct-tls");
    if (!has_authority && account.fingerprint.empty() && !account.plain_in_clear)
      fail(node,
           "nothing says which server may have the password; expected a key 'authority' or 'trust' beside 'account', "
           "or in it "
           "'fingerprint', or for a lab without TLS 'plain-in-clear: true'");
    return account;
  }

  /// As `openssl x509 -noout -fingerprint -sha256` prints it, with or without colons.
  [[nodiscard]] std::string fingerprint(const YAML::Node& node) const {
    std::string digits;
    for (const char c : text(node, "fingerprint"))
      if (c != ':') digits += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
      fail(node["fingerprint"], "expected the SHA-256 of a certificate, 32 octets in hex digits, for 'fingerprint'");
    return digits;
  }

  [[nodiscard]] Duration seconds(const YAML::Node& parent, const std::string& key) const {
    constexpr int seconds_max = 600;
    const auto digits = text(parent, key);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 1 || value > seconds_max)
      fail(parent[key], fmt::format("expected 1 to {} seconds for '{}'", seconds_max, key));
    return std::chrono::seconds(value);
  }

  [[nodiscard]] bool flag(const YAML::Node& parent, const std::string& key) const {
    const auto word = text(parent, key);
    if (word != "true" && word != "false") fail(parent[key], "expected true or false for '" + key + "'");
    return word == "true";
  }

  const std::string& file_;
};
}  // namespace

const char* name_of(Need need) {
  switch (need) {
    case Need::sip_side:
      return "sip_side";
    case Need::new_deployment:
      return "new_deployment";
    case Need::legacy_gateway:
      return "legacy_gateway";
    case Need::admin:
      return "admin";
    case Need::user_account:
      return "user_account";
    case Need::sasl_external:
      return "sasl_external";
    case Need::dialback:
      return "dialback";
    case Need::plaintext_dialback:
      return "plaintext_dialback";
    case Need::direct_tls:
      return "direct_tls";
    case Need::partner_list:
      return "partner_list";
    case Need::tls_required:
      return "tls_required";
    case Need::direct_tls_in:
      return "direct_tls_in";
    case Need::tls:
      return "tls";
    case Need::authority:
      return "authority";
    case Need::spare_addresses:
      return "spare_addresses";
    case Need::peer_zones:
      return "peer_zones";
    case Need::unmet_peers:
      return "unmet_peers";
  }
  return "?";
}

const char* name_of(Staging staging) {
  switch (staging) {
    case Staging::safe:
      return "safe";
    case Staging::disruptive:
      return "disruptive";
    case Staging::bench_only:
      return "bench_only";
  }
  return "?";
}

bool has_secrets(const Target& target) {
  const auto* remote = std::get_if<RemoteTarget>(&target.driver);
  return remote != nullptr && remote->account;
}

bool is_declared(Need need) {
  const bool follows = std::ranges::find(following, need, &std::pair<Need, const char*>::first) != following.end();
  return !follows && std::ranges::find(needs, need) != needs.end();
}

bool names_its_peers(const Target& target) {
  const auto* remote = std::get_if<RemoteTarget>(&target.driver);
  if (remote == nullptr) return true;
  // A certificate that somebody brings is for the name that he listed.
  const bool brought = std::ranges::any_of(
      remote->peers, [](const TargetPeer& peer) { return !peer.certificate.certificate_chain.empty(); });
  return remote->name_server && !brought && !target.offers.contains(Need::partner_list);
}

std::size_t peers_of(const RemoteTarget& target, PartnerKind kind) {
  return static_cast<std::size_t>(std::ranges::count(target.peers, kind, &TargetPeer::kind));
}

std::vector<PartnerKind> kinds_met(const std::vector<Need>& asked, const Target& target) {
  std::vector<PartnerKind> met;
  for (const auto kind : kinds)
    if (std::ranges::find(asked, need_of(kind)) != asked.end()) met.push_back(kind);
  if (!met.empty()) return met;
  const auto best = std::ranges::find_if(kinds, [&](const auto kind) { return target.offers.contains(need_of(kind)); });
  if (best != kinds.end()) met.push_back(*best);
  return met;
}

Need need_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return Need::sasl_external;
    case PartnerKind::dialback_over_tls:
      return Need::dialback;
    case PartnerKind::plaintext_dialback:
      break;
  }
  return Need::plaintext_dialback;
}

std::map<int, std::string> addresses_for(const Target& target) {
  const auto* remote = std::get_if<RemoteTarget>(&target.driver);
  if (remote == nullptr) return {};
  std::map<int, std::string> addresses;
  const auto& first = remote->peers.front().address;
  if (names_its_peers(target)) {
    for (const auto kind : kinds) addresses[target_host::peer(kind)] = first;  // one that nobody listed is named, too
  }
  for (const auto& peer : remote->peers) addresses[target_host::peer(peer.kind)] = peer.address;
  for (std::size_t i = 0; i < remote->spares.size(); ++i)
    addresses[target_host::spare + static_cast<int>(i)] = remote->spares[i];
  addresses[target_host::client] = addresses[target_host::probe] = first;
  if (remote->name_server) addresses[target_host::name_server] = remote->name_server->address;
  return addresses;
}

Target parse_target(std::string_view yaml, const std::string& file) { return TargetReader(file).read(yaml); }

Target load_started(const std::string& file, const std::string& started) {
  auto target = load_target(started);
  target.file = file;
  target.one_server = true;
  return target;
}

Target load_target(const std::string& path) {
  try {
    return parse_target(read_text_file(path), path);
  } catch (const FileError& error) {
    throw TargetError(path + ": " + error.what());
  }
}

}  // namespace cutover::harness
