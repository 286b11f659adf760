// Traffic that never stops: the operations of a migration one by one, in any order and taken back, while every user and
// every partner keeps writing. Real pools, gateways and proxy in virtual time; TLS of paper.
#include "harness/deployment/on_the_wire.h"
#include "harness/worlds/explore.h"
#include "harness/worlds/sim_world.h"
#include "protocol/xmpp/stanza.h"
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <set>

namespace cutover::suites {
namespace {

using namespace harness;
using migration::Kind;
using migration::Operation;
using migration::Verb;

constexpr char by_legacy[] = "a message went by the legacy path", by_new_side[] = "a message went by the new side",
               returned[] = "a sender was told that it did not work", silent[] = "nobody was told, as the rules say",
               taken_back[] = "an operation was taken back";

/// Who writes to whom.
struct Lane {
  std::string user, partner_domain, partner_user;
  Way way = Way::to_partner;
};

/// One message on its way. States are numbered as they follow one another.
struct Text {
  const Lane* lane = nullptr;
  std::string marker, id;
  std::size_t possible_from = 0, sent_in = 0, settled_in = 0;
  std::size_t copies = 0;
  std::string told;                      ///< what its sender was told instead; empty: nothing
  bool legacy = false, current = false;  ///< gateways that handled it
};

/// Ends connections or registrations, so that what is on its way may come to nothing, and whoever wrote on one cannot
/// know what has arrived.
bool disturbs(Verb verb) {
  static const std::set<Verb> ending{
      Verb::move_users,   Verb::drain_streams,    Verb::stop_legacy_gateway, Verb::stop_edge,      Verb::restart_edge,
      Verb::stop_gateway, Verb::stop_pool,        Verb::remove_edge,         Verb::remove_partner, Verb::remove_pool,
      Verb::tick_xmpp,    Verb::set_up_front_end, Verb::set_up_edge};
  return ending.contains(verb);
}

/// What the document does, one operation after another, and what may be done besides.
struct Repertoire {
  std::vector<Operation> documented, others;

  explicit Repertoire(const migration::Estate& estate) {
    for (int step = 1; step <= migration::steps_of_the_document; ++step) {
      for (const auto& operation : operations_of_step(step, estate)) {
        if (shown_by_nodes(operation, estate)) documented.push_back(operation);
      }
    }
    others = documented;
    std::vector<Operation> besides;
    for (const auto verb : {Verb::drain_streams, Verb::stop_legacy_gateway, Verb::start_legacy_gateway,
                            Verb::stop_gateway, Verb::start_gateway})
      besides.push_back({verb, "", ""});
    for (const auto& [edge, pool] : estate.start.edges) {
      for (const auto verb : {Verb::stop_edge, Verb::start_edge, Verb::restart_edge})
        besides.push_back({verb, edge, ""});
    }
    // Where there is one of a side, nobody could be told anything else than without a deployment.
    constexpr std::size_t one_of_each_side = 2;
    for (const auto& [pool, where] : estate.start.pools) {
      if (estate.start.pools.size() == one_of_each_side) break;
      for (const auto verb : {Verb::stop_pool, Verb::start_pool}) besides.push_back({verb, pool, ""});
    }
    for (const auto& operation : besides) {
      if (shown_by_nodes(operation, estate)) others.push_back(operation);
    }
  }
};

/// One schedule.
class Schedule {
 public:
  Schedule(Exploration& exploration, const Run& run)
      : exploration_(exploration),
        world_(choice_, {.latency = 1ms, .jitter_max = {}, .fragment = false}),
        deployment_(world_, {.topology = run.topology(), .paper_tls = true, .planted = run.planted()}),
        repertoire_(deployment_.estate()) {
    // Whoever stands for the others writes; in all schedules, for each has thousands of messages as it is.
    for (const auto& one : tried_exchanges(deployment_)) {
      if (one.what == What::message) lanes_.push_back({one.user, one.partner_domain, one.partner_user, one.way});
    }
  }

  void operator()() {
    deployment_.bring_up();
    enter("the beginning", false);
    constexpr std::size_t turns_besides = 8;
    const auto turns = repertoire_.documented.size() + turns_besides;
    for (std::size_t turn = 0; turn < turns; ++turn) {
      operate();
      everybody_writes();
      pass_time();
      look();
    }
    wait_for_the_end();
    judge();
  }

  [[nodiscard]] const Trace& trace() { return world_.trace(); }

 private:
  struct Done {
    Operation operation;
    migration::State before;
    bool documented = false;
  };
  struct Moment {
    migration::State state;
    std::string by;  ///< the operation that led to it
    bool disturbs = false;
    Time at = {};  ///< when it was done
  };

  // What the administrator does.

  void operate() {
    constexpr std::size_t ways = 10;  // the first ones go on as the document does
    enum { any = 7, back, nothing };
    const auto how = exploration_.choice().choose(ways);
    if (how == nothing) return;
    if (how == back) return take_back();
    if (how == any) {
      const auto& others = repertoire_.others;
      return (void)carry_out(others[exploration_.choice().choose(others.size())], false);
    }
    while (next_ < repertoire_.documented.size()) {
      if (carry_out(repertoire_.documented[next_++], true)) return;
    }
  }

  /// False where nobody could do that now, or where it would change nothing.
  bool carry_out(const Operation& operation, bool documented) {
    auto before = deployment_.state();
    auto after = before;
    try {
      check_possible(operation, before);
      apply(operation, deployment_.estate(), after);
    } catch (const migration::OperationError&) {
      return false;
    }
    if (after == before && !disturbs(operation.verb)) return false;
    deployment_.carry_out(operation);
    enter(words_of(operation), disturbs(operation.verb));
    done_.push_back({operation, std::move(before), documented});
    return true;
  }

  void take_back() {
    if (done_.empty()) return;
    const auto last = std::move(done_.back());
    done_.pop_back();
    if (last.documented) --next_;
    for (const auto& operation : undo_of(last.operation, deployment_.estate(), last.before)) {
      try {
        check_possible(operation, deployment_.state());
      } catch (const migration::OperationError&) {
        return;
      }
      deployment_.carry_out(operation);
      enter(words_of(operation), true);
      exploration_.reached(taken_back);
    }
  }

  void enter(std::string by, bool disturbing) {
    moments_.push_back({deployment_.state(), std::move(by), disturbing, world_.now()});
    for (const auto& [domain, record] : deployment_.state().srv) {
      auto& known = records_[domain];
      if (std::ranges::find(known, record) == known.end()) known.push_back(record);
    }
  }

  // What users do.

  void everybody_writes() {
    for (const auto& lane : lanes_) {
      texts_.push_back({.lane = &lane,
                        .marker = fmt::format("traffic-{}.", texts_.size()),
                        .possible_from = first_that_lingers(),
                        .sent_in = last_moment()});
      auto& text = texts_.back();
      const auto& [user, domain, partner_user, way] = lane;
      if (way == Way::to_partner)
        deployment_.user(user).send_message(fmt::format("sip:{}@{}", partner_user, domain), text.marker);
      else
        text.id = deployment_.partner_domain(domain).send_message(
            partner_user, address_of(deployment_.topology(), user), text.marker);
    }
  }

  void pass_time() {
    constexpr std::array<Duration, 4> waits{1s, 0s, 40s, 0s};
    const auto how = exploration_.choice().choose(waits.size());
    world_.run_for(how + 1 == waits.size() ? longest_ttl() + 1s : waits.at(how));
  }

  [[nodiscard]] Duration longest_ttl() const {
    Duration longest{};
    for (const auto& [domain, seconds] : deployment_.state().ttl_s)
      longest = std::max<Duration>(longest, std::chrono::seconds(seconds));
    return longest;
  }

  // What is seen.

  void look() {
    follow_the_wire();
    std::map<std::string, std::size_t> copies;
    std::map<std::string, std::string> told;
    for (const auto& user : deployment_.topology().users) {
      for (const auto& text : deployment_.user(user).texts()) ++copies[text.body];
      for (const auto& outcome : deployment_.user(user).outcomes()) {
        if (outcome.status < 200 || outcome.status >= 300)
          told[outcome.body] = fmt::format("{} {}", outcome.status, outcome.reason);
      }
    }
    for (const auto& partner : deployment_.topology().partners) {
      auto& user = deployment_.partner_domain(partner.domain).user(partner.users.front());
      for (const auto& message : user.messages) {
        const auto* body = message.child("body", message.ns());
        if (body != nullptr) ++copies[body->text()];
      }
      for (const auto& error : user.errors) {
        const auto what = xmpp::error_of(error);
        told[partner.domain + " " + error.attribute_or_empty("id")] = what ? what->condition : "an error";
      }
    }
    for (auto& text : texts_) {
      const auto& what =
          told[text.lane->way == Way::to_partner ? text.marker : text.lane->partner_domain + " " + text.id];
      const bool nothing_new = text.copies == copies[text.marker] && text.told == what;
      const bool settled = text.copies > 0 || !text.told.empty();
      if (settled && nothing_new) continue;
      text.copies = copies[text.marker];
      text.told = what;
      text.settled_in = last_moment();
    }
  }

  /// Which gateways handled what. A big deployment says more than a trace holds, and of what is left out nobody knows
  /// the path: it is begun anew before that.
  void follow_the_wire() {
    constexpr std::size_t records_max = 20'000;
    const auto& records = world_.trace().records();
    for (; followed_ < records.size(); ++followed_) {
      const auto& record = records[followed_];
      const bool legacy = record.node == "legacy-gateway", current = record.node == "proxy" || record.node == "gateway";
      if (!legacy && !current) continue;
      constexpr std::string_view prefix = "traffic-";
      constexpr std::size_t digits_max = 20;
      const auto& octets = record.note.detail;  // of several messages, where they were written at once
      for (auto at = octets.find(prefix); at != std::string::npos; at = octets.find(prefix, at + 1)) {
        auto& text = texts_.at(std::stoul(octets.substr(at + prefix.size(), digits_max)));
        text.legacy = text.legacy || legacy;
        text.current = text.current || current;
      }
    }
    if (records.size() < records_max) return;
    world_.trace().clear();
    followed_ = 0;
  }

  void wait_for_the_end() {
    // SIP gives up after 32 s, a stream that does not come about after 60 s, and the next one begins anew.
    constexpr Duration enough = 3min;
    world_.run_for(enough);
    look();
  }

  // What the rules say.

  void judge() {
    for (const auto& text : texts_) {
      if (const auto wrong = what_is_wrong_with(text); !wrong.empty())
        exploration_.violated(fmt::format("{}: {} ({})", words_of(text), wrong, history_of(text)));
    }
  }

  std::string what_is_wrong_with(const Text& text) {
    if (text.copies > 1) return fmt::format("it came {} times", text.copies);
    if (text.copies == 1) return what_is_wrong_with_delivered(text);
    if (!text.told.empty()) {
      exploration_.reached(returned);
      const bool failed = possible(text, [](const Outcome& one) { return one.kind != Kind::works; });
      return failed || disturbed(text) ? "" : "the rules have no reason for the error " + text.told;
    }
    // A box that stops can open no stream any more that would carry its refusal.
    const auto unheard = disturbed(text) ? Kind::refused : Kind::black_holed;
    const bool mute = possible(text, [&](const Outcome& one) { return one.kind >= unheard; });
    if (mute) exploration_.reached(silent);
    return mute ? "" : "it did not come, and its sender was not told";
  }

  std::string what_is_wrong_with_delivered(const Text& text) {
    if (!text.told.empty() && !disturbed(text)) return "it came, and yet its sender was told " + text.told;
    if (text.legacy && text.current) return "it crossed the legacy and the new side";
    const auto path = text.legacy ? Path::legacy : Path::current;
    exploration_.reached(text.legacy ? by_legacy : by_new_side);
    const auto carries = [&](const Outcome& one) { return one.path == path && one.kind <= Kind::works_at_times; };
    if (possible(text, carries)) return "";
    return fmt::format("it came by the {} path, which the rules do not let it take", name_of(path));
  }

  [[nodiscard]] Outcome outcome(const migration::State& state, const Lane& lane, const migration::View& view) const {
    const auto& partner = deployment_.estate().partners.at(lane.partner_domain);
    return outcome_of(state, partner,
                      {moved_with(deployment_.topology(), lane.user), lane.partner_domain, lane.way, What::message}, {},
                      view);
  }

  /// In a state between its sending and its end, with a record that was ever there, and any stream open or none.
  template <class F>
  [[nodiscard]] bool possible(const Text& text, F holds) const {
    const auto& domain = moments_.front().state.users.at(moved_with(deployment_.topology(), text.lane->user)).domain;
    std::vector<std::string> streams{"", std::string(migration::legacy_gateway_box)};
    for (const auto& [edge, pool] : deployment_.estate().start.edges) streams.push_back(edge);
    for (auto number = text.possible_from; number <= text.settled_in; ++number) {
      for (const auto& record : records_.at(domain)) {
        for (const auto& stream : streams) {
          for (const bool ours : {false, true}) {
            if (holds(outcome(moments_[number].state, *text.lane,
                              {.srv = &record, .open_stream = stream, .our_stream_open = ours})))
              return true;
          }
        }
      }
    }
    return false;
  }

  [[nodiscard]] bool disturbed(const Text& text) const {
    for (auto number = text.possible_from; number <= text.settled_in; ++number) {
      if (moments_[number].disturbs) return true;
    }
    return false;
  }

  /// A state that was left in this second is not over yet: a box that stops closes its streams, and reads until they
  /// end.
  [[nodiscard]] std::size_t first_that_lingers() const {
    const auto now = world_.now();
    auto number = last_moment();
    while (number > 0 && now - moments_[number].at < 1s) --number;
    return number;
  }

  [[nodiscard]] std::size_t last_moment() const { return moments_.size() - 1; }

  [[nodiscard]] std::string words_of(const Text& text) const {
    const auto& [user, domain, partner_user, way] = *text.lane;
    const auto partner = partner_user + "@" + domain;
    const bool out = way == Way::to_partner;
    return fmt::format("{} from {} to {}", text.marker, out ? user : partner, out ? partner : user);
  }
  static std::string words_of(const Operation& operation) { return migration::words_of(operation); }

  /// The operations up to its end.
  [[nodiscard]] std::string history_of(const Text& text) const {
    std::vector<std::string> before, meanwhile;
    for (std::size_t number = 1; number <= text.settled_in; ++number)
      (number <= text.sent_in ? before : meanwhile).push_back(moments_[number].by);
    auto words = fmt::format("sent behind {}", before.empty() ? "nothing" : fmt::format("{}", fmt::join(before, ", ")));
    if (!meanwhile.empty()) words += fmt::format("; then {}", fmt::join(meanwhile, ", "));
    return words;
  }

  Exploration& exploration_;
  Undisturbed choice_;
  SimWorld world_;
  Deployment deployment_;
  Repertoire repertoire_;
  std::vector<Lane> lanes_;
  std::vector<Moment> moments_;
  std::map<std::string, std::vector<migration::Srv>> records_;  ///< that our zone ever had, by domain
  std::vector<Done> done_;
  std::size_t next_ = 0;  ///< of the documented operations
  std::vector<Text> texts_;
  std::size_t followed_ = 0;  ///< records of the trace
};

/// One schedule with its trace: the undisturbed one, which is the document's own order, or that which went wrong.
void show_schedule(Run& run, const std::string& replay, ExploreResult& result) {
  const auto choice = make_choice(replay);
  std::vector<std::string> violations;
  Exploration exploration(*choice, result.reached, violations);
  Schedule schedule(exploration, run);
  schedule();
  run.show(schedule.trace());
  ++result.schedules;
  if (result.violations.empty()) {
    for (const auto& what : violations) result.violations.push_back({what, replay});
  }
}

void explore_traffic(Run& run) {
  constexpr std::size_t schedules = 30, many_schedules = 1'000;
  const bool deep = run.options().depth == stimuli::Depth::deep;
  // A schedule of a big deployment takes seconds; the more nodes, the fewer of them.
  constexpr std::size_t fewest = 3, nodes_usual = 20;
  const auto topology = run.topology();
  const auto nodes = std::max(nodes_usual, topology.users.size() + topology.partners.size());
  const auto affordable = std::max(fewest, (deep ? many_schedules : schedules) * nodes_usual / nodes);
  ExploreBounds bounds{.seeds = affordable, .first_seed = run.seed()};
  const auto& replay = run.options().replay;
  if (!replay.starts_with("seed:")) bounds.replay = replay;
  auto result = explore([&](Exploration& one) { Schedule(one, run)(); }, bounds);
  const auto usual = bounds.replay.empty() ? std::string("0/") : bounds.replay;
  show_schedule(run, result.violations.empty() ? usual : result.violations.front().replay, result);
  const bool sound = result.violations.empty();
  if (!sound) run.reproduce_with(result.violations.front().replay);
  for (const auto* mark : {by_legacy, by_new_side, returned}) {
    if (sound && bounds.replay.empty() && !GIVEN(result.reached.contains(mark), fmt::format("in a schedule {}", mark)))
      return;
  }
  CONFORMS_THAT(
      "MIG-D06", "what became of every message, whatever was done while it was on its way", sound,
      "each comes once, by a path that the rules name, or its sender is told, or the rules say that nobody is",
      (sound ? "" : result.violations.front().what + "; ") + result.text());
}

CUTOVER_CASE(traffic){
    .id = "migration.traffic-explored",
    .title =
        "Whatever is done in whatever order, and taken back, while everybody writes: no message is doubled, or lost "
        "where the rules do not say so",
    .procedure =
        "Schedules at random: the operations of the six steps one by one, mostly in the document's order, now and then "
        "any other one, or the last one taken back; behind each, every user and every partner's user writes, and then "
        "nothing, a second, 40 s or a TTL passes. A schedule that fails is made as small as it can be.",
    .accepted =
        "Each message comes once, by a path that the rules have for it in a state between its sending and its end, by "
        "any record or stream of earlier; or its sender is told; or the rules say that nobody is.",
    .likely_causes = "A box that forgets what it holds when a setting changes; a refusal that has no way back.",
    .judges = {{"MIG-D06", {"xmpp.deaf-while-closing@legacy-gateway"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .takes = 8s,
    .body = explore_traffic};

}  // namespace
}  // namespace cutover::suites
