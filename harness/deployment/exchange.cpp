// How an exchange is made, awaited and traced.
#include "harness/deployment/exchange.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

namespace cutover::harness {

namespace {

/// Longer than the 32 s of a SIP transaction, so that an error has its time.
constexpr Duration exchange_limit = 45s;
/// ... and than the 60 s in which a stream is to be established, where waiting costs nothing.
constexpr Duration simulated_limit = 90s;
constexpr std::string_view marker_prefix = "marker-";  // see Deployment::next_marker()
constexpr std::size_t tried_whole_max = 3;

std::string jid_of(Deployment& deployment, const std::string& user) { return address_of(deployment.topology(), user); }

std::string sip_uri_of(const Exchange& exchange) {
  return "sip:" + exchange.partner_user + "@" + exchange.partner_domain;
}

std::string body_of(const xml::Element& message) {
  const auto* body = message.child("body", message.ns());
  return body == nullptr ? std::string() : body->text();
}

std::string status_of(const xml::Element& presence) {
  const auto* status = presence.child("status", presence.ns());
  return status == nullptr ? std::string() : status->text();
}

std::string with_reason(const std::string& what, const std::string& reason) {
  return reason.empty() ? what : what + " " + reason;
}

bool is_machine(const Deployment& deployment, const std::string& node) {
  const auto& machines = deployment.machines();
  return std::ranges::find(machines, node, &EdgeMachine::node) != machines.end();
}

/// One exchange with its two ends.
class Probe {
 public:
  Probe(Deployment& deployment, const Exchange& exchange, std::string marker)
      : deployment_(deployment),
        user_(deployment.user(exchange.user)),
        partner_(deployment.partner_domain(exchange.partner_domain)),
        partner_user_(partner_.user(exchange.partner_user)) {
    seen_.exchange = exchange;
    seen_.marker = std::move(marker);
  }

  Observation run() {
    errors_before_ = partner_user_.errors.size();
    presences_before_ = partner_user_.presences.size();
    start();
    const bool simulated = deployment_.world().kind() == WorldKind::sim;
    (void)deployment_.world().run_until([this] { return copies() > 0 || told(); },
                                        simulated ? simulated_limit : exchange_limit);
    seen_.sender_told = told();
    if (!seen_.sender_told && copies() == 0) seen_.told_late = gateway_told();
    finish();
    return seen_;
  }

  [[nodiscard]] std::size_t copies() const {
    const auto& marker = seen_.marker;
    const auto holds = [&](const mocks::SipPresence& document) {
      return std::ranges::any_of(document, [&](const auto& presence) { return presence.status == marker; });
    };
    const bool out = seen_.exchange.way == Way::to_partner;
    if (seen_.exchange.what == What::message) {
      return out ? count(partner_user_.messages, [&](const auto& m) { return body_of(m) == marker; })
                 : count(user_.texts(), [&](const auto& text) { return text.body == marker; });
    }
    return out ? count(partner_user_.presences, [&](const auto& p) { return status_of(p) == marker; })
               : count(user_.contact(sip_uri_of(seen_.exchange)).history, holds);
  }

 private:
  template <class Range, class F>
  static std::size_t count(const Range& range, F matches) {
    return static_cast<std::size_t>(std::ranges::count_if(range, matches));
  }

  void start() {
    const auto& exchange = seen_.exchange;
    const auto jid = jid_of(deployment_, exchange.user);
    if (exchange.what == What::message) {
      if (exchange.way == Way::to_partner) return user_.send_message(sip_uri_of(exchange), seen_.marker);
      partner_.send_message(exchange.partner_user, jid, seen_.marker);
      return;
    }
    interworking::Presence presence;
    presence.status = seen_.marker;
    if (exchange.way == Way::to_partner) {
      user_.set_presence(presence);
      partner_.send_presence(exchange.partner_user, jid, "subscribe");
    } else {
      change_partners_presence(presence, jid);
      user_.subscribe(sip_uri_of(exchange));
    }
  }

  /// A user whom the partner knows as subscriber is told of the change. That must have arrived before the SUBSCRIBE, or
  /// its first NOTIFY holds the old state and the marker waits out the five seconds of RFC 3856 section 6.10.
  void change_partners_presence(const interworking::Presence& presence, const std::string& jid) {
    const bool told_of_it = std::ranges::count(partner_user_.subscribers, jid) != 0;
    const auto before = deployment_.world().trace().records().size();
    partner_.set_presence(seen_.exchange.partner_user, presence);
    const auto arrived = [&] {
      const auto fresh = std::span(deployment_.world().trace().records()).subspan(before);
      return std::ranges::any_of(fresh, [&](const auto& record) {
        const bool gateway = record.node == "gateway" || record.node == "legacy-gateway";
        return gateway && record.note.detail.find(seen_.marker) != std::string::npos;
      });
    };
    const auto bounced = [&] { return partner_user_.errors.size() > errors_before_; };
    if (told_of_it) (void)deployment_.world().run_until([&] { return arrived() || bounced(); }, exchange_limit);
  }

  /// The sender of a message, or of a subscription, was told that it did not work.
  bool told() {
    const auto& exchange = seen_.exchange;
    const bool user_sends = (exchange.way == Way::to_partner) == (exchange.what == What::message);
    if (!user_sends) {
      if (partner_user_.errors.size() > errors_before_) {
        const auto error = xmpp::error_of(partner_user_.errors.back());
        seen_.told = error ? with_reason(error->condition, error->text) : "an error";
        return true;
      }
      return exchange.what == What::presence && refused_subscription();
    }
    if (exchange.what == What::presence) return user_subscription_failed();
    for (const auto& outcome : user_.outcomes()) {
      if (outcome.body != seen_.marker || (outcome.status >= 200 && outcome.status < 300)) continue;
      seen_.told = outcome.status == 0 ? outcome.reason : with_reason(std::to_string(outcome.status), outcome.reason);
      return true;
    }
    return false;
  }

  /// An error of XMPP came back from the proxy that was given the marker to its gateway. A MESSAGE waits some seconds
  /// for it at most.
  [[nodiscard]] bool gateway_told() const {
    const auto& exchange = seen_.exchange;
    if (exchange.way != Way::to_partner || exchange.what != What::message) return false;
    std::string id;
    for (const auto& record : deployment_.world().trace().records()) {
      if (!is_machine(deployment_, record.node) || record.peer != "gateway" || record.note.layer != Layer::xmpp)
        continue;
      const auto& text = record.note.detail;
      const bool given = record.note.direction == Direction::in;
      if (given && text.find(seen_.marker) != std::string::npos) id = attribute_of(text, "id");
      if (!given && !id.empty() && attribute_of(text, "type") == "error" && attribute_of(text, "id") == id) return true;
    }
    return false;
  }

  /// Of the first element in the octets of a note.
  static std::string attribute_of(std::string_view text, std::string_view name) {
    const auto begin = text.find(fmt::format(" {}='", name));
    if (begin == std::string_view::npos || begin > text.find('>')) return {};
    const auto value = text.substr(begin + name.size() + 3);
    return std::string(value.substr(0, value.find('\'')));
  }

  bool refused_subscription() {
    const auto jid = xmpp::canonical_bare(jid_of(deployment_, seen_.exchange.user));
    const auto fresh = std::span(partner_user_.presences.items()).subspan(presences_before_);
    const bool refused = std::ranges::any_of(fresh, [&](const auto& presence) {
      return presence.attribute_or_empty("type") == "unsubscribed" &&
             xmpp::canonical_bare(presence.attribute_or_empty("from")) == jid;
    });
    if (refused) seen_.told = "unsubscribed";
    return refused;
  }

  bool user_subscription_failed() {
    const auto& contact = user_.contact(sip_uri_of(seen_.exchange));
    if (contact.subscribe_status >= 300) {
      seen_.told = std::to_string(contact.subscribe_status);
      return true;
    }
    if (contact.state != "terminated") return false;
    seen_.told = "terminated " + contact.reason;
    return true;
  }

  /// Ends the subscription that the exchange made, and waits for the end where there is one to end.
  void finish() {
    const auto& exchange = seen_.exchange;
    if (exchange.what == What::message) return;
    exchange.way == Way::to_partner ? end_partners_subscription() : end_users_subscription();
  }

  void end_partners_subscription() {
    const auto watchers = user_.watchers().size();
    partner_.send_presence(seen_.exchange.partner_user, jid_of(deployment_, seen_.exchange.user), "unsubscribe");
    if (copies() == 0 || watchers == 0) return;
    (void)deployment_.world().run_until([&] { return user_.watchers().size() < watchers; }, exchange_limit);
  }

  void end_users_subscription() {
    const auto uri = sip_uri_of(seen_.exchange);
    const auto& contact = user_.contact(uri);
    if (contact.state == "terminated" || contact.subscribe_status < 200 || contact.subscribe_status >= 300) return;
    user_.unsubscribe(uri);
    (void)deployment_.world().run_until([&] { return contact.state == "terminated"; }, exchange_limit);
  }

  Deployment& deployment_;
  mocks::SipUser& user_;
  mocks::PartnerDomain& partner_;
  mocks::PartnerUser& partner_user_;
  Observation seen_;
  std::size_t errors_before_ = 0, presences_before_ = 0;
};

/// The nodes whose notes have a marker, by marker, in the order of their notes.
using Handlers = std::map<std::string, std::vector<std::string>, std::less<>>;
Handlers handlers_since(const Trace& trace, std::size_t first_record) {
  Handlers handlers;
  for (const auto& record : std::span(trace.records()).subspan(first_record)) {
    if (record.note.summary.starts_with(notes_left_out))
      throw HarnessFault(
          "a trace holds no more than what was said so far: take fewer users and partners, or leave "
          "--depth=deep out");
    const std::string_view text = record.note.detail;
    for (auto at = text.find(marker_prefix); at != std::string_view::npos; at = text.find(marker_prefix, at + 1)) {
      const auto end = text.find_first_not_of("0123456789", at + marker_prefix.size());
      auto& nodes = handlers[std::string(text.substr(at, end == std::string_view::npos ? end : end - at))];
      if (std::ranges::count(nodes, record.node) == 0) nodes.push_back(record.node);
    }
  }
  return handlers;
}

/// Which gateways handled the marker.
void trace_path(const Deployment& deployment, const Handlers& handlers, Observation& seen) {
  if (const auto found = handlers.find(seen.marker); found != handlers.end()) seen.nodes = found->second;
  const bool legacy = std::ranges::count(seen.nodes, "legacy-gateway") != 0;
  const bool current = std::ranges::any_of(
      seen.nodes, [&](const auto& node) { return node == "gateway" || is_machine(deployment, node); });
  seen.both_paths = legacy && current;
  if (seen.copies == 0) return;
  seen.path = legacy ? Path::legacy : Path::current;
}

}  // namespace

namespace {

/// `judged`: what becomes of it one way.
template <class Judged>
Outcome predict_by(const Exchange& exchange, Judged judged) {
  const auto one_way = judged(exchange.way);
  if (exchange.what == What::message || one_way.kind != migration::Kind::works) return one_way;
  const auto other_way = judged(exchange.way == Way::to_partner ? Way::from_partner : Way::to_partner);
  return other_way.kind == migration::Kind::works ? one_way : other_way;
}

Outcome outcome_in(const migration::State& state, const Topology& topology, const Exchange& exchange, Way way) {
  const auto spec = std::ranges::find(topology.partners, exchange.partner_domain, &PartnerSpec::domain);
  return outcome_of(state, partner_of(*spec),
                    {moved_with(topology, exchange.user), exchange.partner_domain, way, exchange.what});
}

}  // namespace

Outcome predict(const migration::State& state, const Topology& topology, const Exchange& exchange) {
  return predict_by(exchange, [&](Way way) { return outcome_in(state, topology, exchange, way); });
}

Outcome predict(const Deployment& deployment, const Exchange& exchange) {
  return predict_by(exchange,
                    [&](Way way) { return outcome_in(deployment.met(way), deployment.topology(), exchange, way); });
}

namespace {

/// Everything between these users and these partners.
std::vector<Exchange> exchanges_between(const std::vector<std::string>& users,
                                        const std::vector<PartnerSpec>& partners) {
  std::vector<Exchange> exchanges;
  for (const auto& user : users) {
    for (const auto& partner : partners) {
      for (const auto what : {What::message, What::presence}) {
        for (const auto way : {Way::to_partner, Way::from_partner}) {
          exchanges.push_back({user, partner.domain, partner.users.front(), way, what});
        }
      }
    }
  }
  return exchanges;
}

/// Of each class all, or the first and the last where they are many.
template <class T, class Same>
std::vector<T> standing_for(const std::vector<T>& all, Same same) {
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto alike = [&](const auto& members) { return same(all[members.front()], all[i]); };
    const auto found = std::ranges::find_if(classes, alike);
    found == classes.end() ? classes.push_back({i}) : found->push_back(i);
  }
  std::set<std::size_t> chosen;
  for (const auto& members : classes) {
    if (members.size() <= tried_whole_max) {
      chosen.insert(members.begin(), members.end());
    } else {
      chosen.insert({members.front(), members.back()});
    }
  }
  std::vector<T> some;
  some.reserve(chosen.size());
  for (const auto i : chosen) some.push_back(all[i]);
  return some;
}

/// Whether nothing that decides a route tells them apart before the first step.
bool same_situation(const Deployment& deployment, const std::string& one, const std::string& other) {
  const auto& topology = deployment.topology();
  const auto &first = moved_with(topology, one), &second = moved_with(topology, other);
  if (first == second) return true;
  const auto grouped = [&](const std::string& name) {
    return std::ranges::find(topology.groups, name, &UserGroup::name) != topology.groups.end();
  };
  const auto& estate = deployment.estate();
  const auto target = [&](const std::string& name) {
    const auto told = estate.moves_to.find(name);
    return told == estate.moves_to.end() ? std::string() : told->second;
  };
  const auto& users = estate.start.users;
  return !grouped(first) && !grouped(second) && users.at(first) == users.at(second) && target(first) == target(second);
}

bool same_kind(const Deployment& deployment, const PartnerSpec& one, const PartnerSpec& other) {
  const auto row = [&](const PartnerSpec& spec) {
    const auto& estate = deployment.estate();
    auto partner = estate.partners.at(primary_of(estate, spec.domain));
    partner.domain.clear();
    return partner;
  };
  return one.kind == other.kind && one.server == other.server && one.side == other.side && row(one) == row(other);
}

}  // namespace

std::vector<Exchange> all_exchanges(const Topology& topology) {
  return exchanges_between(topology.users, topology.partners);
}

std::vector<Exchange> tried_exchanges(const Deployment& deployment) {
  const auto& topology = deployment.topology();
  if (deployment.tries_every_exchange()) return all_exchanges(topology);
  const auto users = standing_for(
      topology.users, [&](const auto& one, const auto& other) { return same_situation(deployment, one, other); });
  const auto partners = standing_for(
      topology.partners, [&](const auto& one, const auto& other) { return same_kind(deployment, one, other); });
  return exchanges_between(users, partners);
}

std::string everybody_in_words(const Deployment& deployment) {
  const auto all = all_exchanges(deployment.topology()).size(), tried = tried_exchanges(deployment).size();
  if (tried == all) return "everybody";
  return fmt::format("everybody ({} stand for {}; --depth=deep tries all)", tried, all);
}

std::vector<Observation> observe(Deployment& deployment, const std::vector<Exchange>& exchanges) {
  static_assert(exchange_limit > 32s);
  std::vector<Observation> seen;
  const auto first_record = deployment.world().trace().records().size();
  std::vector<Probe> probes;
  probes.reserve(exchanges.size());
  seen.reserve(exchanges.size());
  for (const auto& exchange : exchanges) {
    seen.push_back(probes.emplace_back(deployment, exchange, deployment.next_marker()).run());
  }
  const auto handlers = handlers_since(deployment.world().trace(), first_record);
  for (std::size_t i = 0; i < seen.size(); i++) {
    seen[i].copies = probes[i].copies();
    trace_path(deployment, handlers, seen[i]);
  }
  return seen;
}

}  // namespace cutover::harness
