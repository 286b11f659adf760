// The stub resolver: one query a question at a time, cached in world time.
//
// A Lookup is one question on its way: it is sent by UDP, repeated after `timeout`, asked again by TCP where the answer
// is truncated (RFC 7766 section 5), and continued at the target where the answer is only a CNAME.
#include "protocol/dns/resolver.h"

#include "protocol/base/limits.h"
#include "protocol/dns/octets.h"
#include "protocol/dns/passage.h"
#include "protocol/dns/rules.h"
#include "protocol/dns/srv.h"

#include <algorithm>
#include <map>

namespace cutover::dns {

namespace {

using Key = std::pair<std::string, Type>;
using Callback = std::function<void(Answer)>;

struct Lookup {
  std::vector<Callback> callbacks;
  std::string name;  ///< what is asked for now: the question, or the target of its CNAME
  std::size_t cname_hops = 0;
  std::uint32_t ttl_s = UINT32_MAX;  ///< the least of the records used so far
  std::uint16_t id = 0;
  int tries = 0;
  Time deadline;
  ConnectionId connection = ConnectionId::none;  ///< where the question went to TCP
  std::string received;
};

struct Cached {
  Answer answer;
  Time expires;
};

/// RFC 2308 section 5: the lesser of the SOA's own TTL and its MINIMUM field; nothing without an SOA.
std::optional<std::uint32_t> negative_ttl_s(const Message& message) {
  for (const auto& record : message.authority) {
    if (record.type != Type::soa) continue;
    const auto last_space = record.data.rfind(' ');
    if (last_space == std::string::npos) return std::nullopt;
    std::uint64_t minimum = 0;
    for (const char c : record.data.substr(last_space + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      minimum = std::min<std::uint64_t>(minimum * 10 + static_cast<std::uint64_t>(c - '0'), UINT32_MAX);
    }
    return std::min(record.ttl_s, static_cast<std::uint32_t>(minimum));
  }
  return std::nullopt;
}

/// For what is missing still, once there is somewhere to connect to (as the resolution delay of RFC 8305 section 3).
constexpr Duration grace = 1s;

/// Collects the look-ups that one domain needs and puts them together: shared by the callbacks that it waits for.
struct XmppSearch {
  std::string domain;
  std::function<void(XmppTargets)> done;
  enum class Stage { records, addresses, over } stage = Stage::records;
  std::optional<Time> goes_on;  ///< without what is missing then
  Answer direct, starttls;
  int srv_missing = 2;
  std::vector<Target> hosts;               ///< in order; the addresses are still missing
  std::vector<std::vector<Target>> found;  ///< the addresses, two slots (A, AAAA) a host
  std::vector<bool> answered;              ///< by slot
  std::size_t addresses_missing = 0;
  Outcome address_failure = Outcome::name_error;
  bool from_fallback = false;
};

}  // namespace

struct Resolver::Impl {
  Impl(Resolver& resolver, Context& the_context, Config the_config)
      : self(resolver), context(the_context), config(std::move(the_config)) {
    config.departures.adjust(config);
    if (const auto* departed = config.departures.get()) rewrites = departed->dns_messages;
  }

  Resolver& self;
  Context& context;
  Config config;
  std::uint16_t port = 0;
  std::map<Key, Lookup> lookups;
  std::map<Key, Cached> cache;
  std::vector<std::shared_ptr<XmppSearch>> impatient;  ///< searches that go on at some time
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::vector<std::function<void(Passage&)>> rewrites;  ///< at the seam; with what they remember

  [[nodiscard]] bool holds(Rule rule) const { return config.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool condition) const { return config.departures.breaks(rule, condition); }

  void resolve(const std::string& name, Type type, Callback callback) {
    const Key key{normalised_name(name), type};
    if (const auto hit = cached(key)) return callback(*hit);
    const auto [it, fresh] = lookups.try_emplace(key);
    it->second.callbacks.push_back(std::move(callback));
    if (!fresh) return;
    it->second.name = key.first;
    // What has no wire form cannot be asked for: no name server knows it.
    if (!has_wire_form(key.first)) {
      return finish(it, {.outcome = Outcome::name_error, .records = {}});
    }
    ask(it->first, it->second);
    set_wake();
  }

  std::optional<Answer> cached(const Key& key) {
    const auto it = cache.find(key);
    if (it == cache.end()) return std::nullopt;
    const bool expired = it->second.expires <= context.now();
    if (!breaks(rule_of_expiry(it->second.answer), expired)) return it->second.answer;
    cache.erase(it);
    return std::nullopt;
  }

  static Rule rule_of_expiry(const Answer& answer) {
    return answer.records.empty() ? Rule::absence_is_believed_for_a_while : Rule::answer_is_used_within_its_ttl;
  }

  // Asking.

  /// The octets to send; empty where a rewrite drops them.
  std::string query_of(const Key& key, const Lookup& lookup) const {
    const auto query = rewritten(
        Direction::out, Message{.id = lookup.id, .recursion_desired = true, .questions = {{lookup.name, key.second}}});
    return query ? serialise(*query) : std::string();
  }

  std::optional<Message> rewritten(Direction direction, std::optional<Message> message) const {
    if (!message || rewrites.empty()) return message;
    Passage passage;
    passage.direction = direction;
    passage.message = std::move(*message);
    for (const auto& rewrite : rewrites) rewrite(passage);
    if (passage.dropped) return std::nullopt;
    return std::move(passage.message);
  }

  void ask(const Key& key, Lookup& lookup) {
    lookup.id = holds(Rule::id_is_unpredictable) ? static_cast<std::uint16_t>(context.random(65536)) : 1;
    ++lookup.tries;
    lookup.deadline = context.now() + config.timeout;
    note(Direction::out, key, lookup, "");
    if (const auto query = query_of(key, lookup); !query.empty() && bound())
      context.send_to(port, config.name_server, query);
  }

  /// False on a machine that has no port to give now: the question is lost, as on the wire, and asked again.
  bool bound() {
    try {
      if (port == 0) port = context.bind_datagram(self, 0);
    } catch (const ListenError&) {
      return false;
    }
    return true;
  }

  void ask_by_tcp(const Key& key, Lookup& lookup) {
    lookup.deadline = context.now() + config.timeout;
    lookup.received.clear();
    lookup.connection = context.connect(self, config.name_server);
    note(Direction::out, key, lookup, " by TCP");
    if (const auto query = query_of(key, lookup); !query.empty())
      context.send(lookup.connection, two_octets(query.size()) + query);
  }

  void drop_connection(Lookup& lookup) {
    if (lookup.connection == ConnectionId::none) return;
    context.abort(lookup.connection);
    lookup.connection = ConnectionId::none;
  }

  void note(Direction direction, const Key& key, const Lookup& lookup, std::string_view more,
            const Message* message = nullptr) {
    if (!context.keeps_notes()) return;
    context.note({.layer = Layer::dns,
                  .direction = direction,
                  .connection = lookup.connection,
                  .summary = to_string(key.second) + " " + lookup.name + std::string(more),
                  .detail = message == nullptr ? std::string() : to_text(*message),
                  .address = config.name_server.address});
  }

  // Answers.

  void on_datagram(std::string_view bytes) {
    if (bytes.size() < 2) return;
    const auto id = number_at(bytes, 0);
    const auto message = rewritten(Direction::in, parse(bytes));
    const auto it = std::ranges::find_if(lookups, [&](const auto& entry) {
      const auto& lookup = entry.second;
      if (lookup.connection != ConnectionId::none) return false;  // its answer comes by TCP now
      return message ? answers(*message, entry.first, lookup) : lookup.id == id;
    });
    if (it != lookups.end()) on_answer(it, message);
  }

  bool answers(const Message& message, const Key& key, const Lookup& lookup) const {
    return !breaks(Rule::answer_is_no_query, !message.response) &&
           !breaks(Rule::answer_has_the_id, message.id != lookup.id) &&
           !breaks(Rule::answer_has_the_question, !repeats_question(message, key, lookup));
  }

  /// A server that failed to read the question need not repeat it (RFC 1035 section 4.1.1).
  static bool repeats_question(const Message& message, const Key& key, const Lookup& lookup) {
    if (message.questions.empty()) return message.rcode == Rcode::format_error;
    return message.questions.size() == 1 && message.questions[0].name == lookup.name &&
           message.questions[0].type == key.second;
  }

  using Position = std::map<Key, Lookup>::iterator;

  void on_answer(Position it, const std::optional<Message>& message) {
    auto& [key, lookup] = *it;
    if (!message && !holds(Rule::unreadable_answer_is_asked_again))
      return finish(it, {.outcome = Outcome::name_error, .records = {}});
    if (!message) return retry(it, Outcome::malformed);
    note(Direction::in, key, lookup, " " + to_string(message->rcode), &*message);
    const bool by_udp = lookup.connection == ConnectionId::none;
    if (breaks(Rule::truncated_answer_is_not_used, message->truncated && by_udp)) {
      ask_by_tcp(key, lookup);  // RFC 2782 "Usage rules", RFC 7766 section 5
      return set_wake();
    }
    drop_connection(lookup);
    switch (message->rcode) {
      case Rcode::no_error:
        return on_records(it, *message);
      case Rcode::name_error:
        return finish_and_cache(it, {.outcome = Outcome::name_error, .records = {}}, negative_ttl_s(*message));
      default:
        return finish(it, {.outcome = Outcome::server_failure, .records = {}});
    }
  }

  void on_records(Position it, const Message& message) {
    auto& [key, lookup] = *it;
    const auto before = lookup.name;
    Answer answer;
    // One message cannot lead further than it has records: a loop in it ends here, and the chain by its bound.
    for (auto more = message.answers.size() + limits::dns_cname_chain_max; more > 0; --more) {
      answer.records = records_at(message, lookup.name, key.second);
      if (!answer.records.empty() || !follow_cname(message, lookup, key.second)) break;
    }
    if (breaks(Rule::cname_chain_is_bounded, lookup.cname_hops > limits::dns_cname_chain_max)) {
      return finish(it, {.outcome = Outcome::malformed, .records = {}});
    }
    if (!answer.records.empty()) {
      for (const auto& record : answer.records) lookup.ttl_s = std::min(lookup.ttl_s, record.ttl_s);
      return finish_and_cache(it, answer, lookup.ttl_s);
    }
    // A CNAME that leads out of this answer: the next query asks for its target. An SOA says that the target was
    // looked for too (RFC 2308 section 2.2).
    const auto negative = negative_ttl_s(message);
    if (lookup.name != before && !negative) {
      lookup.tries = 0;
      ask(key, lookup);
      return set_wake();
    }
    finish_and_cache(it, answer, negative);
  }

  std::vector<Record> records_at(const Message& message, const std::string& name, Type type) const {
    std::vector<Record> result;
    for (const auto& record : message.answers)
      if (record.type == type && !breaks(Rule::record_has_the_name, record.name != name)) result.push_back(record);
    return result;
  }

  /// Moves on to the target of a CNAME, where the answer has one.
  bool follow_cname(const Message& message, Lookup& lookup, Type type) const {
    if (type == Type::cname || !holds(Rule::cname_is_followed)) return false;
    const auto cnames = records_at(message, lookup.name, Type::cname);
    if (cnames.empty()) return false;
    if (breaks(Rule::cname_chain_is_bounded, ++lookup.cname_hops > limits::dns_cname_chain_max)) return false;
    lookup.ttl_s = std::min(lookup.ttl_s, cnames[0].ttl_s);
    lookup.name = cnames[0].data;
    return true;
  }

  void finish_and_cache(Position it, const Answer& answer, std::optional<std::uint32_t> ttl_s) {
    const bool absence = answer.records.empty();
    Duration ttl = std::chrono::seconds(ttl_s.value_or(0));
    if (absence) ttl = std::min(ttl, config.negative_ttl_max);
    if (absence && !ttl_s && !holds(Rule::absence_wants_an_soa)) ttl = config.negative_ttl_max;
    // TTL 0: for this answer alone (RFC 1035 section 3.2.1).
    const bool kept = !breaks(rule_of_expiry(answer), ttl == Duration::zero());
    if (kept && holds(Rule::answer_is_kept)) cache.insert_or_assign(it->first, Cached{answer, context.now() + ttl});
    finish(it, answer);
  }

  /// Touches nothing after the callbacks: one of them may have destroyed the resolver.
  void finish(Position it, const Answer& answer) {
    drop_connection(it->second);
    const auto callbacks = std::move(it->second.callbacks);
    lookups.erase(it);
    set_wake();
    const auto still = alive;
    for (const auto& callback : callbacks) {
      if (!*still) return;
      callback(answer);
    }
  }

  void retry(Position it, Outcome failure) {
    auto& [key, lookup] = *it;
    drop_connection(lookup);
    if (breaks(Rule::look_up_has_an_end, lookup.tries >= config.tries))
      return finish(it, {.outcome = failure, .records = {}});
    ask(key, lookup);
    set_wake();
  }

  // TCP.

  Position at_connection(ConnectionId id) {
    return std::ranges::find_if(lookups, [&](const auto& entry) { return entry.second.connection == id; });
  }

  void on_received(ConnectionId id, std::string_view bytes) {
    const auto it = at_connection(id);
    if (it == lookups.end()) return;
    auto& [key, lookup] = *it;
    lookup.received += bytes;
    if (lookup.received.size() < 2) return;
    const auto size = number_at(lookup.received, 0);
    if (lookup.received.size() < 2 + size) return;
    const auto message = rewritten(Direction::in, parse(std::string_view(lookup.received).substr(2, size)));
    if (message && !answers(*message, key, lookup)) return connection_failed(id);
    on_answer(it, message);
  }

  void connection_failed(ConnectionId id) {
    const auto it = at_connection(id);
    if (it != lookups.end()) retry(it, Outcome::server_failure);
  }

  // Time.

  void on_wake() {
    const auto still = alive;
    while (*still) {
      const auto it =
          std::ranges::find_if(lookups, [&](const auto& entry) { return entry.second.deadline <= context.now(); });
      if (it != lookups.end()) {
        retry(it, Outcome::timed_out);
        continue;
      }
      const auto search =
          std::ranges::find_if(impatient, [&](const auto& each) { return *each->goes_on <= context.now(); });
      if (search == impatient.end()) return set_wake();
      go_on(Search(*search));
    }
  }

  void set_wake() {
    std::optional<Time> first;
    const auto not_after = [&](Time time) { first = first ? std::min(*first, time) : time; };
    for (const auto& [key, lookup] : lookups) not_after(lookup.deadline);
    for (const auto& search : impatient) not_after(*search->goes_on);
    if (!first) return context.cancel_wake(self);
    context.wake_at(self, *first);
  }

  // RFC 6120 section 3.2.

  using Search = std::shared_ptr<XmppSearch>;
  using Stage = XmppSearch::Stage;

  /// There is somewhere to connect to: what is missing is waited for no longer than that.
  void be_impatient(const Search& search) {
    if (search->goes_on) return;
    search->goes_on = context.now() + grace;
    impatient.push_back(search);
    set_wake();
  }

  void go_on(const Search& search) { search->stage == Stage::records ? on_srv(search) : on_found(search); }

  void enter(const Search& search, Stage stage) {
    search->stage = stage;
    search->goes_on.reset();
    std::erase(impatient, search);
  }

  void resolve_xmpp(std::string_view domain, std::function<void(XmppTargets)> done) {
    auto search = std::make_shared<XmppSearch>();
    search->domain = normalised_name(domain);
    search->done = std::move(done);
    if (!holds(Rule::srv_comes_first)) return fall_back(search);
    const auto ask_for = [&](std::string_view label, Answer XmppSearch::*slot) {
      resolve(std::string(label) + "._tcp." + search->domain, Type::srv, [this, search, slot](Answer answer) {
        if (search->stage != Stage::records) return;
        const bool known = slot == &XmppSearch::starttls && !failed(answer);  // its absence is no failure
        (*search).*slot = std::move(answer);
        if (--search->srv_missing == 0) return on_srv(search);
        if (known || !candidates_of(*search).candidates.empty()) be_impatient(search);
      });
    };
    const auto still = alive;
    if (config.direct_tls && holds(Rule::direct_tls_is_asked_for)) {
      ask_for("_xmpps-server", &XmppSearch::direct);
    } else {
      --search->srv_missing;
    }
    if (*still) ask_for("_xmpp-server", &XmppSearch::starttls);
  }

  static bool failed(const Answer& answer) {
    return answer.outcome != Outcome::answered && answer.outcome != Outcome::name_error;
  }

  [[nodiscard]] SrvService candidates_of(const XmppSearch& search) const {
    return merge(search.direct.records, search.starttls.records, config.departures);
  }

  void on_srv(const Search& search) {
    enter(search, Stage::addresses);
    auto service = candidates_of(*search);
    if (!service.candidates.empty()) return on_candidates(search, std::move(service.candidates));
    // "." stops here, and there is no fallback either (RFC 6120 section 3.2.1, XEP-0368 section 5).
    if (service.declared_absent) return search->done({});
    if (breaks(Rule::failure_is_no_absence, failed(search->starttls)))
      return search->done({.outcome = search->starttls.outcome, .targets = {}});
    if (!holds(Rule::no_srv_means_fallback)) return search->done({.outcome = Outcome::name_error, .targets = {}});
    fall_back(search);
  }

  void on_candidates(const Search& search, std::vector<SrvCandidate> candidates) {
    candidates = in_order(
        std::move(candidates), [this](std::uint64_t bound) { return context.random(bound); }, config.departures);
    for (const auto& [srv, direct_tls] : candidates) {
      const auto target_port = holds(Rule::port_is_of_the_record) ? srv.port : config.fallback_port;
      const bool tls = direct_tls && holds(Rule::direct_tls_is_spoken_to_its_targets);
      search->hosts.push_back({.endpoint = {"", target_port}, .host = srv.target, .direct_tls = tls});
    }
    if (!holds(Rule::srv_excludes_fallback)) add_domain_itself(search);
    find_addresses(search);
  }

  void fall_back(const Search& search) {
    search->from_fallback = true;
    add_domain_itself(search);
    find_addresses(search);
  }

  /// RFC 6120 section 3.2.2.
  void add_domain_itself(const Search& search) const {
    search->hosts.push_back({.endpoint = {"", config.fallback_port}, .host = search->domain});
  }

  void find_addresses(const Search& search) {
    enter(search, Stage::addresses);
    search->found.resize(2 * search->hosts.size());
    search->answered.resize(search->found.size());
    search->addresses_missing = search->found.size();
    const auto still = alive;
    for (std::size_t slot = 0; slot < search->found.size() && *still; ++slot) {
      const auto type = slot % 2 == 1 ? Type::aaaa : Type::a;
      if (!asks_for_addresses(*search, type)) {
        on_addresses(search, slot, {});
        continue;
      }
      resolve(search->hosts[slot / 2].host, type,
              [this, search, slot](const Answer& answer) { on_addresses(search, slot, answer); });
    }
  }

  bool asks_for_addresses(const XmppSearch& search, Type type) const {
    if (type == Type::aaaa && !holds(Rule::aaaa_is_asked_for)) return false;
    return search.from_fallback || holds(Rule::addresses_are_asked_for);
  }

  void on_addresses(const Search& search, std::size_t slot, const Answer& answer) {
    if (search->stage != Stage::addresses) return;
    if (failed(answer)) search->address_failure = answer.outcome;
    search->answered[slot] = true;
    for (const auto& record : answer.records) {
      auto target = search->hosts[slot / 2];
      target.endpoint.address = record.data;
      search->found[slot].push_back(std::move(target));
    }
    if (--search->addresses_missing == 0) return on_found(search);
    if (knows_the_first(*search)) be_impatient(search);
  }

  /// Whether there is an address of the first host that may have one.
  static bool knows_the_first(const XmppSearch& search) {
    for (std::size_t slot = 0; slot < search.found.size(); slot += 2) {
      if (!search.found[slot].empty() || !search.found[slot + 1].empty()) return true;
      if (!search.answered[slot] || !search.answered[slot + 1]) return false;
    }
    return false;
  }

  void on_found(const Search& search) {
    enter(search, Stage::over);
    XmppTargets result{.outcome = Outcome::answered, .targets = {}, .from_fallback = search->from_fallback};
    // Every address of a target is tried before the next target (RFC 6120 section 3.2.1).
    for (const auto& addresses : search->found)
      result.targets.insert(result.targets.end(), addresses.begin(), addresses.end());
    if (result.targets.empty()) result.outcome = search->address_failure;
    search->done(std::move(result));
  }
};

Resolver::Resolver(Context& context, Config config)
    : impl_(std::make_unique<Impl>(*this, context, std::move(config))) {}

Resolver::~Resolver() {
  *impl_->alive = false;
  if (impl_->port != 0) impl_->context.unbind_datagram(impl_->port);
  impl_->context.forget(*this);
}

void Resolver::resolve(std::string_view name, Type type, std::function<void(Answer)> callback) {
  impl_->resolve(std::string(name), type, std::move(callback));
}
void Resolver::resolve_xmpp(std::string_view domain, std::function<void(XmppTargets)> callback) {
  impl_->resolve_xmpp(domain, std::move(callback));
}
void Resolver::flush_cache() { impl_->cache.clear(); }

void Resolver::on_datagram(std::uint16_t, const Endpoint& from, std::string_view bytes) {
  const bool asked = from == impl_->config.name_server;
  if (!impl_->breaks(Rule::answer_comes_from_the_server, !asked)) impl_->on_datagram(bytes);
}
void Resolver::on_connected(ConnectionId) {}
void Resolver::on_connect_failed(ConnectionId id, std::string_view) { impl_->connection_failed(id); }
void Resolver::on_received(ConnectionId id, std::string_view bytes) { impl_->on_received(id, bytes); }
void Resolver::on_eof(ConnectionId id) { impl_->connection_failed(id); }
void Resolver::on_closed(ConnectionId id, std::string_view) { impl_->connection_failed(id); }
void Resolver::on_wake() { impl_->on_wake(); }

}  // namespace cutover::dns
