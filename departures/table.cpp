// Rules, rewrites, settings and inner departures gathered into one table, and planted by name.
#include "departures/table.h"

#include "mocks/rules.h"
#include "protocol/dns/passage.h"
#include "protocol/dns/rules.h"
#include "protocol/interworking/rules.h"
#include "protocol/sip/passage.h"
#include "protocol/sip/rules.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/rules.h"
#include "reference/rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace cutover::departures {

namespace {

struct RuleRow {
  Part part;
  std::size_t number;
  std::string_view defect, requirements, sentence, without, file;
  int line;
};

#define RULE(rule, defect, requirements, sentence, without) \
  {part, number_of(Rule::rule), defect, requirements, sentence, without, __FILE__, __LINE__},
template <class R>
constexpr std::size_t number_of(R rule) {
  return static_cast<std::size_t>(rule);
}
using Rows = std::vector<RuleRow>;
Rows dns_rules() {
  using dns::Rule;
  [[maybe_unused]] constexpr auto part = Part::dns;
  return {
#include "protocol/dns/rules.inc"
  };
}
Rows sip_rules() {
  using sip::Rule;
  [[maybe_unused]] constexpr auto part = Part::sip;
  return {
#include "protocol/sip/rules.inc"
  };
}
Rows xmpp_rules() {
  using xmpp::Rule;
  [[maybe_unused]] constexpr auto part = Part::xmpp;
  return {
#include "protocol/xmpp/rules.inc"
  };
}
Rows interworking_rules() {
  using interworking::Rule;
  [[maybe_unused]] constexpr auto part = Part::interworking;
  return {
#include "protocol/interworking/rules.inc"
  };
}
Rows reference_rules() {
  using reference::Rule;
  [[maybe_unused]] constexpr auto part = Part::reference;
  return {
#include "reference/rules.inc"
  };
}
Rows mocks_rules() {
  using mocks::Rule;
  [[maybe_unused]] constexpr auto part = Part::mocks;
  return {
#include "mocks/rules.inc"
  };
}
#undef RULE

struct InnerRow {
  Inner inner;
  std::string_view name, requirements, sentence, file;
  int line;
};
constexpr InnerRow inner_rows[] = {
#define INNER(constant, name, requirements, sentence) \
  {Inner::constant, name, requirements, sentence, __FILE__, __LINE__},
#include "protocol/base/inner.inc"
#undef INNER
};

/// What the departures of a run did so far, by name; null where nobody watches.
using Acted = std::shared_ptr<std::set<std::string>>;

/// A departure and what planting it does.
struct Entry {
  Departure shown;
  std::function<void(Departed&, const Acted&)> plant;
};

std::string_view layer_of(std::string_view name) { return name.substr(0, name.find('.')); }

// What a rewrite can change of a passage.
std::string told_by(const xmpp::Passage& p) { return p.octets + '\0' + p.back; }
std::string told_by(const sip::Passage& p) {
  return sip::serialise(p.message) + (p.dropped ? "dropped" : "") + std::to_string(p.behind.size()) + ' ' +
         std::to_string(p.back.size()) + ' ' + std::to_string(p.edits.size());
}
std::string told_by(const dns::Passage& p) { return dns::serialise(p.message) + (p.dropped ? "dropped" : ""); }

struct Planter {
  Departed& into;
  const Acted& acted;
  std::string_view name;

  void operator()(const std::function<void(xmpp::Passage&)>& rewrite) const { add(rewrite, into.xmpp_items); }
  void operator()(const std::function<void(Direction, std::string&)>& rewrite) const {
    if (!acted) return into.xmpp_octets.push_back(rewrite);
    into.xmpp_octets.emplace_back([rewrite, watched = watched()](Direction direction, std::string& octets) mutable {
      const auto before = octets;
      rewrite(direction, octets);
      if (octets != before) watched();
    });
  }
  void operator()(const std::function<void(sip::Passage&)>& rewrite) const { add(rewrite, into.sip_messages); }
  void operator()(const std::function<void(dns::Passage&)>& rewrite) const { add(rewrite, into.dns_messages); }
  /// That an engine takes another setting does not show; that there is one does.
  template <class C>
  void operator()(void (*change)(C&)) const {
    if (acted) watched()();
    std::get<std::vector<void (*)(C&)>>(into.settings).push_back(change);
  }

 private:
  [[nodiscard]] std::function<void()> watched() const {
    return [acted = acted, name = std::string(name)] { acted->insert(name); };
  }
  template <class P>
  void add(const std::function<void(P&)>& rewrite, std::vector<std::function<void(P&)>>& to) const {
    if (!acted) return to.push_back(rewrite);
    to.emplace_back([rewrite, watched = watched()](P& passage) mutable {
      const auto before = told_by(passage);
      rewrite(passage);
      if (told_by(passage) != before) watched();
    });
  }
};
constexpr std::size_t first_setting = 4;  // of the alternatives of Action

/// Rules of the reference that the documents leave open: who waives one is as right.
constexpr std::string_view of_our_choice[] = {
    "xmpp.external-offered-without-match",   // RFC 6120 section 6.3.4: MAY be offered under other circumstances
    "xmpp.unknown-elements-ignored",         // section 4.8.4: ignored, or a stream error
    "account.no-disco",                      // XEP-0030 section 3.1: a result or an error
    "xmpp.sasl-in-clear-tried",              // section 6.5.4: in clear nobody is known by a certificate, and so refused
    "xmpp.anything-taken-for-sasl-failure",  // section 4.8.4: either way the stream comes to its end
    "xmpp.own-domain-accepted-as-from",      // who cannot prove what it calls itself is authorised for nothing
    "xmpp.sends-key-unannounced",            // XEP-0220 section 2.4: no word against a key that was not invited
    "xmpp.shops-around",             // RFC 6120 section 3.2.1: whether the next target is asked is the server's choice
    "xmpp.takes-the-other-role",     // section 4.8.4: refused, or no notice taken
    "xmpp.odd-version-accepted",     // section 4.9.3.25: refused, or taken for 0.9
    "xmpp.header-from-not-checked",  // section 4.7.1: who has no name is authenticated as nobody
    "xmpp.header-to-not-checked",    // section 4.7.2: what names no server may be for a default domain
    "xmpp.dialback-without-addresses-ignored",  // XEP-0220 section 6.1: it authorises nothing
    "gateway.accepts-any-expires",              // RFC 6665 section 4.2.1.1: 423 MAY be sent
    // A domain in the place of a user may be mapped to a domain (RFC 7247 section 6.1); whose it is refuses it.
    "gateway.accepts-domains", "gateway.relays-messages-for-the-domain", "gateway.translates-presence-for-the-domain",
    "gateway.accepts-ip-literals",     // no partner has an address for its domain: refused as a stranger's
    "gateway.serves-strangers",        // the proxy refuses strangers both ways, whatever its gateway takes
    "gateway.repeats-typing",          // RFC 3994 section 3.3: a state that comes again is handled as well
    "account.message-to-server-lost",  // RFC 6120 section 10.5.1: handled there, or an error
    // What the gateway judges, a proxy or pool beside it may judge as well.
    "migration.policy-ignored", "migration.stranger-passes", "migration.any-domain-has-a-route",
    // RFC 6120 section 3.2.1: who gets no response to the SRV query SHOULD fall back, and these are hardly one.
    "dns.counts-server-failure-as-absence", "dns.takes-rubbish-for-absence",
    "dns.never-caches",  // RFC 1035 section 3.2.1: the TTL is how long an answer may be kept
};

Entry entry_of(const RuleRow& row) {
  const bool ours = std::ranges::find(of_our_choice, row.defect) != std::end(of_our_choice);
  return {{row.defect, row.without, row.requirements, layer_of(row.defect), row.sentence, Kind::rule,
           ours ? Nature::variant : Nature::defect, judged, row.file, row.line},
          [part = static_cast<std::size_t>(row.part), number = row.number](Departed& into, const Acted&) {
            into.waived[part].set(number);
          }};
}

Entry entry_of(const InnerRow& row) {
  return {{row.name, row.sentence, row.requirements, layer_of(row.name), "", Kind::inner, Nature::defect, judged,
           row.file, row.line},
          [inner = static_cast<std::size_t>(row.inner)](Departed& into, const Acted&) { into.inner.set(inner); }};
}

Entry entry_of(const Row& row) {
  const auto kind = row.action.index() >= first_setting ? Kind::setting : Kind::rewrite;
  return {{row.name, row.sentence, row.requirements, layer_of(row.name), {}, kind, row.nature, row.nodes, row.file},
          [action = row.action, name = row.name](Departed& into, const Acted& acted) {
            std::visit(Planter{into, acted, name}, action);
          }};
}

const std::vector<Entry>& entries() {
  static const auto all = [] {
    std::vector<Entry> made;
    const auto add = [&](const auto& rows) {
      std::ranges::transform(rows, std::back_inserter(made), [](const auto& row) { return entry_of(row); });
    };
    for (const auto& rules :
         {dns_rules(), sip_rules(), xmpp_rules(), interworking_rules(), reference_rules(), mocks_rules()})
      add(rules);
    add(inner_rows);
    for (const auto& rows : {xmpp_headers(),       xmpp_features(),
                             xmpp_tls(),           xmpp_certificates(),
                             xmpp_sasl(),          xmpp_order(),
                             tls_hellos(),         xmpp_dialback(),
                             xmpp_closing(),       xmpp_stanzas(),
                             xmpp_forms(),         xmpp_hearing(),
                             xmpp_crossing(),      xmpp_field(),
                             xmpp_slips(),         xmpp_stanza_slips(),
                             xmpp_strange_slips(), xmpp_strange_stanza_slips(),
                             xmpp_foreign_slips(), xmpp_foreign_stanza_slips(),
                             xmpp_accounts(),      xmpp_settings()})
      add(rows);
    for (const auto& rows :
         {gateway_addresses(), gateway_errors(), gateway_messages(), gateway_notifying(), gateway_presence(),
          gateway_requests(), gateway_sessions(), gateway_settings(), gateway_watching()})
      add(rows);
    for (const auto& rows : {sip_messages(), sip_responses(), dns_messages()}) add(rows);
    for (const auto& rows : {xmpp_variants(), xmpp_form_variants(), xmpp_strange_variants(), xmpp_foreign_variants(),
                             account_variants(), gateway_variants(), sip_variants(), dns_variants()})
      add(rows);
    std::ranges::sort(made, {}, [](const Entry& entry) { return entry.shown.name; });
    return made;
  }();
  return all;
}

const Entry* entry(std::string_view name) {
  const auto& all = entries();
  const auto found = std::ranges::lower_bound(all, name, {}, [](const Entry& one) { return one.shown.name; });
  return found != all.end() && found->shown.name == name ? &*found : nullptr;
}

constexpr std::pair<std::string_view, Nodes> node_names[] = {{"proxy", proxy},
                                                             {"gateway", gateway},
                                                             {"legacy-gateway", legacy_gateway},
                                                             {"account-server", account_server},
                                                             {"partner", partner},
                                                             {"pool", pool},
                                                             {"sip-user", sip_user},
                                                             {"routes", routes},
                                                             {"front", front}};

}  // namespace

std::vector<Row> defects(unsigned nodes, std::initializer_list<std::vector<Row>> rows) {
  std::vector<Row> all;
  for (const auto& some : rows) {
    for (auto row : some) {
      if (row.nodes == judged) row.nodes = nodes;
      all.push_back(std::move(row));
    }
  }
  return all;
}

std::vector<Row> variants(unsigned nodes, std::initializer_list<std::vector<Row>> rows) {
  auto all = defects(nodes, rows);
  for (auto& row : all) row.nature = Nature::variant;
  return all;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::rule:
      return "rule";
    case Kind::rewrite:
      return "rewrite";
    case Kind::setting:
      return "setting";
    case Kind::inner:
      return "inner";
  }
  return "?";
}

const char* name_of(Nature nature) { return nature == Nature::defect ? "defect" : "variant"; }

std::span<const Departure> table() {
  static const auto shown = [] {
    std::vector<Departure> all;
    std::ranges::transform(entries(), std::back_inserter(all), &Entry::shown);
    return all;
  }();
  return shown;
}

std::string_view without_node(std::string_view name) { return name.substr(0, name.find('@')); }

const Departure* find(std::string_view name) {
  const auto* found = entry(without_node(name));
  return found == nullptr ? nullptr : &found->shown;
}

std::vector<std::string_view> requirements_of(const Departure& departure) {
  std::vector<std::string_view> ids;
  for (auto rest = departure.requirements; !rest.empty();) {
    const auto end = rest.find(' ');
    if (end != 0) ids.push_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return ids;
}

std::string names_of_nodes(unsigned nodes) {
  std::string names;
  for (const auto& [word, node] : node_names) {
    if ((nodes & node) != 0) names += names.empty() ? word : ", " + std::string(word);
  }
  return names;
}

Named named(std::string_view name) {
  const auto at = name.find('@');
  const auto* departure = find(name);
  if (departure == nullptr) throw UnknownDeparture("no such defect or variant: " + std::string(name));
  if (at == std::string_view::npos) return {departure, departure->nodes};
  std::string known;
  for (const auto& [word, node] : node_names) {
    if ((departure->nodes & node) == 0) continue;
    if (name.substr(at + 1) == word) return {departure, node};
    known += known.empty() ? word : ", " + std::string(word);
  }
  throw UnknownDeparture("'" + std::string(name) + "': behind @ stands one of " + known);
}

Planted::Planted(std::set<std::string, std::less<>> names, Watch watch) : names_(std::move(names)) {
  for (const auto& name : names_) (void)named(name);
  if (watch == Watch::no) return;
  watched_ = std::make_shared<std::vector<std::shared_ptr<const Departed>>>();
  acted_ = std::make_shared<std::set<std::string>>();
}

Departures Planted::at(Nodes node) const {
  std::shared_ptr<Departed> departed;
  if (watched_ && (node & judged) != 0) watched_->push_back(departed = std::make_shared<Departed>());
  for (const auto& name : names_) {
    const auto [departure, nodes] = named(name);
    if ((nodes & node) == 0) continue;
    if (!departed) departed = std::make_shared<Departed>();
    entry(departure->name)->plant(*departed, acted_);
  }
  return departed ? Departures(std::move(departed)) : Departures();
}

std::vector<std::string> Planted::asked() const {
  if (!watched_) return {};
  std::vector<std::string> names(acted_->begin(), acted_->end());
  Departed all;
  for (const auto& departed : *watched_) {
    for (std::size_t part = 0; part < parts; ++part) all.asked[part] |= departed->asked[part];
  }
  for (const auto& [shown, plant] : entries()) {
    if (shown.kind != Kind::rule) continue;
    Departed one;
    plant(one, nullptr);
    for (std::size_t part = 0; part < parts; ++part) {
      if ((one.waived[part] & all.asked[part]).any()) names.emplace_back(shown.name);
    }
  }
  return names;
}

}  // namespace cutover::departures
