// What is no export of the shell: zones, certificates, and the topology as a document.
#include "harness/exports/records.h"

#include "protocol/dns/zone.h"
#include "protocol/xml/reader.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace cutover::harness::exports {

namespace {

constexpr std::string_view topology_namespace = "urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008";

std::vector<std::string_view> words_in(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

/// The lines before the first record, and that record; a zone has its SOA there.
std::vector<std::string_view> first_lines(std::string_view text) {
  constexpr std::size_t lines_max = 100;
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < lines_max) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The place of "SOA" among the words of a line; 0 for a line without (it is never the first).
std::size_t soa_in(const std::vector<std::string_view>& words) {
  for (std::size_t i = 0; i < std::min<std::size_t>(words.size(), 4); ++i) {
    if (lower(words[i]) == "soa") return words.size() > i + 2 ? i : 0;
    if (words[i].starts_with(';')) return 0;
  }
  return 0;
}

/// "contoso.example" of "db.contoso.example", "contoso.example.dns", "zones/contoso.example.zone".
std::string origin_by_name(std::string_view file) {
  file = file.substr(file.find_last_of("/\\") + 1);
  for (const std::string_view before : {"db.", "zone."}) {
    if (file.starts_with(before)) file.remove_prefix(before.size());
  }
  for (const std::string_view behind : {".dns", ".zone", ".txt", ".db", ".hosts"}) {
    if (file.ends_with(behind)) file.remove_suffix(behind.size());
  }
  return std::string(file);
}

/// By $ORIGIN, by a whole name before the SOA, or by the name of the file; nothing where none of them is one.
std::optional<std::string> origin_of(std::string_view text, std::string_view file) {
  std::optional<std::string> origin;
  for (const auto line : first_lines(text)) {
    const auto words = words_in(line);
    if (words.size() > 1 && lower(words[0]) == "$origin" && words[1].ends_with('.') && words[1].size() > 1)
      origin = words[1].substr(0, words[1].size() - 1);
    if (soa_in(words) == 0) continue;
    const auto owner = words[0];
    if (line.front() != ' ' && line.front() != '\t' && owner.ends_with('.') && owner.size() > 1)
      origin = owner.substr(0, owner.size() - 1);
    break;
  }
  if (!origin) origin = origin_by_name(file);
  if (!xmpp::is_domain(*origin) || origin->find('.') == std::string::npos) return std::nullopt;
  return origin;
}

/// All elements of that name in the namespace of the topology.
void each_named(const xml::Element& element, std::string_view name,
                const std::function<void(const xml::Element&)>& visit) {
  for (const auto* child : element.children()) {
    if (child->is(name, topology_namespace)) visit(*child);
    each_named(*child, name, visit);
  }
}

std::string id_of(const xml::Element& element) {
  const auto* id = element.child("ClusterId", topology_namespace);
  return id == nullptr ? "" : id->attribute_or_empty("SiteId") + ":" + id->attribute_or_empty("Number");
}

struct TopologyDocument {
  explicit TopologyDocument(const xml::Element& root) {
    each_named(root, "CentralSite", [&](const xml::Element& site) {
      const auto* name = site.child("Name", topology_namespace);
      sites[site.attribute_or_empty("SiteId")] = name == nullptr ? "" : name->text();
    });
    each_named(root, "Cluster", [&](const xml::Element& cluster) {
      auto& pool = pools[id_of(cluster)];
      pool.fqdn = lower(cluster.attribute_or_empty("Fqdn"));
      const auto* id = cluster.child("ClusterId", topology_namespace);
      if (id != nullptr) pool.site = sites[id->attribute_or_empty("SiteId")];
      each_named(cluster, "Machine", [&](const xml::Element& machine) {
        pool.computers.push_back(lower(machine.attribute_or_empty("Fqdn")));
      });
    });
    each_named(root, "Service", [&](const xml::Element& service) {
      const auto* id = service.child("ServiceId", topology_namespace);
      const auto* on = service.child("InstalledOn", topology_namespace);
      if (id == nullptr || on == nullptr) return;
      const auto pool = pools.find(id_of(*on));
      if (pool != pools.end())
        pool->second.services.push_back(id->attribute_or_empty("RoleName") + ":" + pool->second.fqdn);
    });
  }
  std::map<std::string, std::string> sites;  ///< names by number
  std::map<std::string, Pool> pools;         ///< by site and number
};

}  // namespace

bool is_topology(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '<' &&
         text.substr(0, 65536).find(topology_namespace) != std::string_view::npos;
}

void read_topology(Inventory& inventory, std::string_view text, const std::string& file) {
  // It says that it is UTF-16, which it was; the shell writes the declaration first.
  if (text.starts_with("<?xml")) text.remove_prefix(std::min(text.find("?>") + 2, text.size()));
  const auto parsed = xml::parse(text);
  if (const auto* fault = std::get_if<xml::Fault>(&parsed)) {
    inventory.problems.push_back({{file, 0}, "is no whole topology: " + fault->text, "export it again"});
    return;
  }
  // The root is looked at like all others.
  xml::Element above("above", "");
  above.add(std::get<xml::Element>(parsed));
  TopologyDocument document(above);
  std::size_t domains = 0;
  each_named(above, "InternalDomain", [&](const xml::Element& domain) {
    inventory.sip_domains.push_back({lower(domain.attribute_or_empty("Name")), {file, 0}});
    ++domains;
  });
  each_named(above, "Sites", [&](const xml::Element& sites) {
    for (const auto* site : sites.children()) {
      if (site->name() == "CentralSite") continue;
      inventory.problems.push_back({{file, 0},
                                    "a <" + site->name() + "> among the sites of the topology is not understood",
                                    "give Get-CsSite, too",
                                    false});
    }
  });
  for (auto& [id, pool] : document.pools) {
    pool.place = {file, 0};
    if (!pool.fqdn.empty()) inventory.pools.push_back(std::move(pool));
  }
  inventory.problems.push_back({{file, 0},
                                "of the topology its SIP domains, sites and pools are read; where XMPP federation is "
                                "enabled and routed is not understood from it",
                                "give Get-CsSite and Get-CsService -EdgeServer, too",
                                false});
  inventory.files.push_back({file, "a topology", {{"SIP domains", domains}, {"pools", document.pools.size()}}});
}

bool is_zone(std::string_view text) {
  bool directive = false;
  for (const auto line : first_lines(text)) {
    const auto words = words_in(line);
    if (words.empty() || words[0].starts_with(';')) continue;
    if (soa_in(words) > 0) return true;
    const auto first = lower(words[0]);
    if (first != "$origin" && first != "$ttl") break;
    directive = true;
  }
  return directive;
}

void read_zone_file(Inventory& inventory, std::string_view text, const std::string& file) {
  const auto origin = origin_of(text, file);
  if (!origin) {
    inventory.problems.push_back(
        {{file, 1}, "is a zone whose name it does not tell", "begin with a line such as $ORIGIN contoso.example."});
    return;
  }
  auto reading = dns::read_zone(text, *origin, file);
  for (auto& error : reading.errors) {
    auto what = "expected " + error.expected;
    if (!error.found.empty()) what += ", found \"" + error.found + "\"";
    inventory.problems.push_back({{file, error.line}, std::move(what), {}});
  }
  Zone zone{reading.zone.origin, {}, {file, 1}};
  for (std::size_t i = 0; i < reading.zone.records.size(); ++i)
    zone.records.push_back({std::move(reading.zone.records[i]), {file, reading.lines[i]}});
  inventory.files.push_back({file, "a zone", {{"records", zone.records.size()}}});
  inventory.zones.push_back(std::move(zone));
}

void read_certificates(Inventory& inventory, std::string_view octets, const std::string& file) {
  auto read = tls::read_certificate_file(octets);
  for (auto& fault : read.faults)
    inventory.problems.push_back({{file, fault.line}, std::move(fault.what), std::move(fault.remedy)});
  if (read.has_private_key) {
    inventory.problems.push_back({{file, read.private_key_line},
                                  "holds a private key; it was not read",
                                  "take it away: nothing here needs it, and whoever has it can pass for you",
                                  false});
  }
  inventory.files.push_back({file, "certificates", {{"certificates", read.certificates.size()}}});
  for (auto& stored : read.certificates) {
    const Place place{file, stored.line};
    inventory.certificates.push_back({std::move(stored), place});
  }
}

}  // namespace cutover::harness::exports
