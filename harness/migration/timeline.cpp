// A sweep over the moments at which anything changes.
#include "harness/migration/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <tuple>
#include <utility>

namespace cutover::harness::migration {

namespace {

/// What comes of the last change is to be seen, too.
constexpr Seconds tail = std::chrono::minutes(10);

/// A record as it was published for a while, and until when somebody may have it.
struct Published {
  Seconds from{};
  Srv srv;
  Seconds ttl{};
  std::optional<Seconds> replaced = {};
};

/// A partner may hold a stream to a box that our record has left, or open one by an answer that it has cached.
struct OldStream {
  std::string domain, box;
  Seconds left{}, ttl{};               ///< when the record was replaced, and how long it was to be cached
  std::optional<Seconds> closed = {};  ///< when the box closed its streams last
};

/// A class that is on its way to another pool.
struct Move {
  std::string to;
  Seconds from{}, until{};
};

/// Which lanes an operation can touch; empty: all.
struct Touch {
  std::set<std::string> partners, classes;
  bool all = false;
};

bool of_configuration(Verb verb) {
  return verb == Verb::allow_partner || verb == Verb::remove_partner || verb == Verb::allow_federated_users ||
         verb == Verb::set_route || verb == Verb::publish;
}

class Sweep {
 public:
  Sweep(const Estate& estate, const std::vector<TimedOperation>& operations, const TimelineOptions& options)
      : estate_(estate), operations_(operations), options_(options), state_(estate.start) {
    std::ranges::stable_sort(operations_, {}, &TimedOperation::at);
    replicate(state_);
    snapshots_.push_back({Seconds::min(), state_.configuration});
    for (const auto& domain : state_.sip_domains) records_[domain].push_back(now_published(domain, Seconds(0)));
    make_lanes();
  }

  Timeline run() {
    for (auto& row : rows_) row.before = judged(row, Seconds(0)).outcome;
    moments_.insert(Seconds(0));
    for (const auto& one : operations_) {
      moments_.insert(one.at);
      if (one.operation.verb == Verb::move_users && one.begins < one.at) {
        moments_.insert(one.begins);
        moves_[one.operation.subject].push_back({one.operation.value, one.begins, one.at});
      }
    }
    std::size_t next = 0;
    for (auto moment = moments_.begin(); moment != moments_.end(); ++moment) {
      Touch touch = touched_by_time(*moment);
      while (next < operations_.size() && operations_[next].at == *moment) carry_out(operations_[next++], touch);
      if (std::exchange(configuration_changed_, false)) {
        snapshots_.push_back({*moment, state_.configuration});
        moments_.insert(*moment + Seconds(estate_.replication_s));
      }
      follow_replication(*moment, touch);
      judge(*moment, touch);
    }
    return finish();
  }

 private:
  struct Snapshot {
    Seconds at{};
    Configuration configuration;
  };
  struct Row {
    const Partner* partner = nullptr;
    Exchange exchange;
    Outcome before = {};
    std::vector<Segment> segments = {};
  };

  void make_lanes() {
    for (const auto& [domain, partner] : estate_.partners) {
      for (const auto& [name, users] : state_.users) {
        for (const auto way : {Way::to_partner, Way::from_partner}) {
          for (const auto what : {What::message, What::presence}) {
            if (what == What::presence && !partner.discards_messages) continue;
            rows_of_partner_[domain].push_back(rows_.size());
            rows_of_class_[name].push_back(rows_.size());
            rows_.push_back({&partner, {name, domain, way, what, true}});
          }
        }
      }
    }
  }

  Published now_published(const std::string& domain, Seconds from) const {
    const auto srv = state_.srv.find(domain);
    const auto ttl = state_.ttl_s.find(domain);
    return {from, srv == state_.srv.end() ? Srv() : srv->second, Seconds(ttl == state_.ttl_s.end() ? 0 : ttl->second)};
  }

  void carry_out(const TimedOperation& timed, Touch& touch) {
    const auto& operation = timed.operation;
    try {
      check_possible(operation, state_);
      apply(operation, estate_, state_);
    } catch (const OperationError& error) {
      throw OperationError(fmt::format("{}: {}", migration::words_of(operation), error.what()));
    }
    configuration_changed_ = configuration_changed_ || of_configuration(operation.verb);
    if (operation.verb == Verb::replicate) {
      snapshots_.assign(1, {Seconds::min(), state_.configuration});
      configuration_changed_ = false;
    }
    if (operation.verb == Verb::repoint || operation.verb == Verb::set_ttl) publish_record(operation.subject, timed.at);
    end_streams(operation, timed.at);
    add_touch(operation, touch);
  }

  void publish_record(const std::string& domain, Seconds at) {
    auto& history = records_[domain];
    auto& old = history.back();
    old.replaced = at;
    for (const auto& [name, partner] : estate_.partners)
      moments_.insert(at + std::max(old.ttl, Seconds(partner.cache_s)));
    const auto now = now_published(domain, at);
    for (const auto& target : old.srv) {
      const bool stays = std::ranges::any_of(now.srv, [&](const auto& one) { return one.box == target.box; });
      if (stays) continue;
      streams_.push_back({domain, target.box, at, old.ttl});
      for (const auto& [name, partner] : estate_.partners) moments_.insert(end_of(streams_.back(), partner));
    }
    history.push_back(now);
  }

  /// A service that stops ends the streams to its box. Whoever still has the old record opens them again.
  void end_streams(const Operation& operation, Seconds at) {
    const bool legacy = operation.verb == Verb::drain_streams || operation.verb == Verb::stop_legacy_gateway;
    const bool edge = operation.verb == Verb::stop_edge || operation.verb == Verb::restart_edge;
    for (auto& stream : streams_) {
      if ((legacy && stream.box == legacy_gateway_box) || (edge && stream.box == operation.subject)) stream.closed = at;
    }
  }

  /// When the partner has no such stream any more.
  [[nodiscard]] Seconds end_of(const OldStream& stream, const Partner& partner) const {
    const auto expired = stream.left + std::max(stream.ttl, Seconds(partner.cache_s));
    return stream.closed && *stream.closed >= expired ? *stream.closed : expired + options_.quiet_within;
  }

  static void add_touch(const Operation& operation, Touch& touch) {
    switch (operation.verb) {
      case Verb::allow_partner:
      case Verb::remove_partner:
      case Verb::add_legacy_route:
      case Verb::remove_legacy_route:
        touch.partners.insert(operation.subject);
        break;
      case Verb::move_users:
      case Verb::grant_policy:
      case Verb::enable_users:
      case Verb::disable_users:
        touch.classes.insert(operation.subject);
        break;
      default:
        touch.all = true;
    }
  }

  /// Time alone ends caches and streams, and begins moves.
  Touch touched_by_time(Seconds now) const {
    Touch touch;
    touch.all = now == Seconds(0);
    for (const auto& [users, moves] : moves_) {
      for (const auto& move : moves) {
        if (move.from == now || move.until == now) touch.classes.insert(users);
      }
    }
    for (const auto& stream : streams_) {
      for (const auto& [name, partner] : estate_.partners) {
        if (end_of(stream, partner) == now) touch.partners.insert(name);
      }
    }
    for (const auto& [domain, history] : records_) {
      for (const auto& one : history) touch_expiring(one, now, touch);
    }
    return touch;
  }

  void touch_expiring(const Published& one, Seconds now, Touch& touch) const {
    if (!one.replaced) return;
    for (const auto& [name, partner] : estate_.partners) {
      if (*one.replaced + std::max(one.ttl, Seconds(partner.cache_s)) == now) touch.partners.insert(name);
    }
  }

  /// The edge has what the central store had a replication ago.
  void follow_replication(Seconds now, Touch& touch) {
    const auto lag = Seconds(estate_.replication_s);
    auto arrived = snapshots_.begin();
    for (auto one = snapshots_.begin(); one != snapshots_.end(); ++one) {
      if (one->at == Seconds::min() || one->at + lag <= now) arrived = one;
    }
    if (arrived == snapshots_.begin()) return;
    if (arrived->at + lag == now) touch_difference(arrived->configuration, touch);
    state_.replica = arrived->configuration;
    snapshots_.erase(snapshots_.begin(), arrived);
  }

  void touch_difference(const Configuration& arrived, Touch& touch) const {
    for (const auto& [domain, row] : estate_.rows) {
      if (arrived.partners.contains(domain) != state_.replica.partners.contains(domain)) touch.partners.insert(domain);
    }
    touch.all = touch.all || arrived.xmpp_route != state_.replica.xmpp_route ||
                arrived.allow_federated_users != state_.replica.allow_federated_users;
  }

  /// By number: at most moments nothing happens to most rows.
  [[nodiscard]] std::set<std::size_t> touched(const Touch& touch) const {
    std::set<std::size_t> numbers;
    const auto add = [&](const auto& names, const auto& index) {
      for (const auto& name : names) {
        if (const auto found = index.find(name); found != index.end())
          numbers.insert(found->second.begin(), found->second.end());
      }
    };
    add(touch.partners, rows_of_partner_);
    add(touch.classes, rows_of_class_);
    return numbers;
  }

  void judge(Seconds now, const Touch& touch) {
    if (touch.all) {
      for (auto& row : rows_) judge(now, row);
    } else {
      for (const auto number : touched(touch)) judge(now, rows_[number]);
    }
  }

  void judge(Seconds now, Row& row) {
    const auto segment = judged(row, now);
    if (!row.segments.empty()) {
      auto& last = row.segments.back();
      if (last.outcome == segment.outcome && last.certain == segment.certain && last.one_path == segment.one_path)
        return;
      last.to = now;
    }
    row.segments.push_back(segment);
  }

  Segment judged(const Row& row, Seconds now) {
    auto& users = state_.users.at(row.exchange.user_class);
    std::optional<Segment> all;
    const auto take = [&](const View& view) {
      auto outcome = outcome_of(state_, *row.partner, row.exchange, options_.readings, view);
      ++judged_;
      name_what_lingers(outcome, view, row, users.domain);
      if (!all) {
        all = Segment{now, now, outcome, true};
        return;
      }
      all->certain = all->certain && (outcome.kind == Kind::works) == (all->outcome.kind == Kind::works);
      all->one_path = all->one_path && outcome.path == all->outcome.path;
      if (outcome.kind > all->outcome.kind) all->outcome = outcome;
    };
    over_views(row, users.domain, now, take);
    const auto moves = moves_.find(row.exchange.user_class);
    if (moves == moves_.end()) return *all;
    for (const auto& move : moves->second) {
      if (now < move.from || now >= move.until) continue;
      const auto home = std::exchange(users.pool, move.to);
      over_views(row, users.domain, now, take);
      users.pool = home;
    }
    return *all;
  }

  /// What fails for an old record or stream alone has that for its cause.
  void name_what_lingers(Outcome& outcome, const View& view, const Row& row, const std::string& domain) const {
    if (outcome.kind == Kind::works || outcome.cause == Cause::dialback_authority) return;
    const auto* current = &records_.at(domain).back().srv;
    if (view.srv == current && view.open_stream.empty()) return;
    const auto now = outcome_of(state_, *row.partner, row.exchange, options_.readings, {.srv = current});
    if (now.kind == Kind::works)
      outcome.cause = view.open_stream.empty() ? Cause::old_record_cached : Cause::old_stream_open;
  }

  void over_views(const Row& row, const std::string& domain, Seconds now,
                  const std::function<void(const View&)>& take) {
    const auto history = records_.find(domain);
    for (const auto& one : history->second) {
      const bool held = !one.replaced || now < *one.replaced + std::max(one.ttl, Seconds(row.partner->cache_s));
      if (held && one.from <= now) take({.srv = &one.srv});
    }
    if (row.exchange.way == Way::to_partner) return;
    for (const auto& stream : streams_) {
      if (stream.domain == domain && stream.left <= now && now < end_of(stream, *row.partner))
        take({.srv = &history->second.back().srv, .open_stream = stream.box});
    }
  }

  Timeline finish() {
    Timeline made;
    made.end = std::max(options_.until, *moments_.rbegin() + tail);
    made.judged = judged_;
    replicate(state_);
    made.last = state_;
    for (auto& row : rows_) {
      row.segments.back().to = made.end;
      std::erase_if(row.segments, [](const Segment& one) { return one.from == one.to; });
      add_to_lane(made, row);
    }
    return made;
  }

  /// Classes of equal fortune with a partner share a lane.
  void add_to_lane(Timeline& made, Row& row) {
    const auto& [name, domain, way, what, contact] = row.exchange;
    const auto count = state_.users.at(name).count;
    auto& of_partner = lanes_[{domain, way, what}];
    const auto same = std::ranges::find_if(of_partner, [&](std::size_t number) {
      const auto& lane = made.lanes[number];
      return lane.before == row.before && lane.segments == row.segments;
    });
    if (same != of_partner.end()) {
      auto& lane = made.lanes[*same];
      lane.classes.push_back(name);
      lane.users += count;
      return;
    }
    of_partner.push_back(made.lanes.size());
    made.lanes.push_back({domain, way, what, {name}, count, row.before, std::move(row.segments)});
  }

  const Estate& estate_;
  std::vector<TimedOperation> operations_;
  const TimelineOptions& options_;
  State state_;
  std::set<Seconds> moments_;
  std::vector<Snapshot> snapshots_;  ///< the first one has arrived
  bool configuration_changed_ = false;
  std::map<std::string, std::vector<Published>> records_;
  std::vector<OldStream> streams_;
  std::map<std::string, std::vector<Move>> moves_;  ///< by class
  std::vector<Row> rows_;
  std::map<std::string, std::vector<std::size_t>> rows_of_partner_, rows_of_class_;
  std::map<std::tuple<std::string, Way, What>, std::vector<std::size_t>> lanes_;  ///< numbers of those that are made
  std::uint64_t judged_ = 0;
};

double weight_of(const Segment& segment) {
  static constexpr std::array weights{0.0, 0.5, 1.0, 1.5, 3.0, 4.0};
  return weights.at(static_cast<std::size_t>(segment.outcome.kind)) * (segment.certain ? 1.0 : 0.5);
}

}  // namespace

Timeline timeline_of(const Estate& estate, const std::vector<TimedOperation>& operations,
                     const TimelineOptions& options) {
  return Sweep(estate, operations, options).run();
}

const Segment& segment_at(const Lane& lane, Seconds at) {
  for (const auto& segment : lane.segments) {
    if (segment.from <= at && at < segment.to) return segment;
  }
  return lane.segments.back();
}

bool worked_before(const Lane& lane) { return lane.before.kind == Kind::works; }

std::vector<Outage> outages_of(const Lane& lane) {
  std::vector<Outage> outages;
  for (const auto& segment : lane.segments) {
    if (segment.outcome.kind == Kind::works) continue;
    if (outages.empty() || outages.back().to != segment.from)
      outages.push_back({segment.from, segment.to, &segment, &segment, segment.certain});
    auto& last = outages.back();
    last.to = segment.to;
    last.certain = last.certain && segment.certain;
    if (segment.outcome.kind > last.worst->outcome.kind) last.worst = &segment;
    if (segment.to - segment.from > last.longest->to - last.longest->from) last.longest = &segment;
  }
  return outages;
}

Loss loss_of(const Lane& lane) {
  Loss loss;
  for (const auto& segment : lane.segments) {
    if (segment.outcome.kind == Kind::works) continue;
    loss.at_worst += segment.to - segment.from;
    if (segment.certain) loss.certain += segment.to - segment.from;
  }
  return loss;
}

double cost_of(const Timeline& timeline) {
  // What does not work in the end goes on not working; one more day stands for it.
  constexpr Seconds for_ever = std::chrono::days(1);
  double cost = 0;
  for (const auto& lane : timeline.lanes) {
    const auto users = static_cast<double>(lane.users);
    for (const auto& segment : lane.segments) {
      const bool first = &segment == &lane.segments.front(), last = &segment == &lane.segments.back();
      auto time = segment.to - segment.from;
      if (last)
        time = for_ever;  // whatever the length of the timeline
      else if (first && lane.before.kind != Kind::works)
        time = {};  // what never worked before the plan is no loss of it
      cost += weight_of(segment) * users * static_cast<double>(time.count());
    }
  }
  return cost;
}

std::string words_of(Seconds time) {
  using namespace std::chrono;
  const auto days = duration_cast<std::chrono::days>(time);
  const auto hours = duration_cast<std::chrono::hours>(time - days);
  const auto minutes = duration_cast<std::chrono::minutes>(time - days - hours);
  const auto rest = time - days - hours - minutes;
  std::vector<std::string> parts;
  if (days.count() != 0) parts.push_back(fmt::format("{} d", days.count()));
  if (hours.count() != 0) parts.push_back(fmt::format("{} h", hours.count()));
  if (minutes.count() != 0) parts.push_back(fmt::format("{} min", minutes.count()));
  if (rest.count() != 0 || parts.empty()) parts.push_back(fmt::format("{} s", rest.count()));
  if (parts.size() > 2) parts.resize(2);
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace cutover::harness::migration
