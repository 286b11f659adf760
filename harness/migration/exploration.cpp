// States are numbered, and so is what partners may hold of our records; a schedule is a walk over these numbers.
#include "harness/migration/exploration.h"

#include <algorithm>
#include <bitset>
#include <map>

namespace cutover::harness::migration {

namespace {

constexpr std::size_t causes_max = 128;
using Records = std::map<std::string, Srv>;

/// What becomes of all exchanges in one situation.
struct Summary {
  Kind worst = Kind::works;
  bool known = false;
};

/// A state on the way, and the records that our zone has in it, by their numbers.
struct Point {
  std::size_t state = 0, records = 0;
};

/// Something that is done at once: a step, the move of one class, or a part of the way back.
using Chunk = std::vector<Operation>;

class Explorer {
 public:
  explicit Explorer(const Plan& plan) : plan_(plan) {}

  void walk(const Order& order) {
    auto state = plan_.estate.start;
    replicate(state);
    std::vector<Point> path{point_of(state, 0)};
    std::vector<Operation> dns_back, rest_back;  // the last first
    std::uint64_t key = 0;
    walk_back(path, state, {}, {}, 0);
    for (const auto& chunk : chunks_of(order)) {
      for (const auto& operation : chunk) {
        if (takes_back(operation.verb)) {
          auto& list = operation.verb == Verb::repoint ? dns_back : rest_back;
          const auto undo = undo_of(operation, plan_.estate, state);
          list.insert(list.begin(), undo.begin(), undo.end());
        }
        apply(operation, plan_.estate, state);
      }
      replicate(state);
      key += key_of(chunk);
      path.push_back(point_of(state, key));
      walk_back(path, state, dns_back, rest_back, key);
    }
  }

  Exploration finish() {
    made_.states = states_.size();
    for (std::size_t i = 0; i < causes_.size(); ++i) {
      if (causes_.test(i)) made_.causes.insert(static_cast<Cause>(i));
    }
    return std::move(made_);
  }

 private:
  /// Users are moved one class after the other.
  [[nodiscard]] std::vector<Chunk> chunks_of(const Order& order) const {
    std::vector<Chunk> chunks;
    for (const auto step : order) {
      auto operations = operations_of_step(step, plan_.estate);
      if (step != moving) {
        chunks.push_back(std::move(operations));
        continue;
      }
      for (auto& operation : operations) chunks.push_back({std::move(operation)});
    }
    return chunks;
  }

  /// Orders that have done the same have equal keys, and as a rule equal states.
  static std::uint64_t key_of(const Chunk& chunk) {
    std::uint64_t sum = 0;
    for (const auto& operation : chunk) sum += std::hash<std::string>()(migration::words_of(operation));
    return sum;
  }

  Point point_of(const State& state, std::uint64_t key) {
    auto& known = by_key_[key];
    const auto found = std::ranges::find_if(known, [&](std::size_t one) { return states_[one] == state; });
    if (found != known.end()) return {*found, records_of(state.srv)};
    known.push_back(states_.size());
    states_.push_back(state);
    return {known.back(), records_of(state.srv)};
  }

  std::size_t records_of(const Records& records) {
    const auto found = std::ranges::find(records_, records);
    if (found != records_.end()) return static_cast<std::size_t>(found - records_.begin());
    records_.push_back(records);
    return records_.size() - 1;
  }

  /// From the point that was reached last: all that is to come if one goes back there, DNS first and then the rest.
  void walk_back(std::vector<Point> path, State state, const Chunk& dns, const Chunk& rest, std::uint64_t key) {
    constexpr std::uint64_t back_mark = 0x9e3779b97f4a7c15;
    for (const auto* chunk : {&dns, &rest}) {
      if (chunk->empty()) continue;
      for (const auto& operation : *chunk) apply(operation, plan_.estate, state);
      replicate(state);
      key = key * back_mark + key_of(*chunk);
      path.push_back(point_of(state, key));
    }
    every_age(path);
  }

  /// Caches and streams that are as many operations old as there were, or of this moment.
  void every_age(const std::vector<Point>& path) {
    for (std::size_t cache = 0; cache < path.size(); ++cache) {
      for (std::size_t stream = 0; stream < path.size(); ++stream) follow(path, cache, stream);
    }
  }

  /// `stream` 0: the partner opens a new one each time.
  void follow(const std::vector<Point>& path, std::size_t cache, std::size_t stream) {
    auto worst = Kind::works;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const auto held = path[i - std::min(i, cache)].records;
      const auto streams_to = path[i - std::min(i, stream)].records;
      worst = std::max(worst, summary_of(path[i].state, held, stream == 0 ? no_stream : streams_to).worst);
    }
    made_.schedules++;
    made_.moments += path.size();
    made_.worst.at(static_cast<std::size_t>(worst))++;
  }

  const Summary& summary_of(std::size_t state, std::size_t held, std::size_t stream) {
    if (state >= summaries_.size()) summaries_.resize(state + 1);
    auto& summary = summaries_[state][held * views + stream];
    if (!summary.known) judge(states_[state], held, stream, summary);
    return summary;
  }

  void judge(const State& state, std::size_t held, std::size_t stream, Summary& summary) {
    summary.known = true;
    made_.situations++;
    for (const auto& [domain, partner] : plan_.estate.partners) {
      for (const auto& [name, users] : state.users) {
        for (const auto way : {Way::to_partner, Way::from_partner}) {
          const auto outcome = outcome_of(state, partner, {name, domain, way, What::message, true}, plan_.readings,
                                          view_of(users.domain, held, stream));
          made_.judged++;
          made_.exchanges.at(static_cast<std::size_t>(outcome.kind))++;
          causes_.set(static_cast<std::size_t>(outcome.cause));
          summary.worst = std::max(summary.worst, outcome.kind);
        }
      }
    }
  }

  [[nodiscard]] View view_of(const std::string& domain, std::size_t held, std::size_t stream) const {
    static const Srv none;
    const auto record = [&](std::size_t number) -> const Srv& {
      const auto found = records_[number].find(domain);
      return found == records_[number].end() ? none : found->second;
    };
    View view{.srv = &record(held)};
    if (stream != no_stream && !record(stream).empty()) view.open_stream = record(stream).front().box;
    return view;
  }

  static constexpr int moving = 3;
  static constexpr std::size_t views = 8;  ///< records that differ are two or three; the last number is that of none
  static constexpr std::size_t no_stream = views - 1;

  const Plan& plan_;
  std::map<std::uint64_t, std::vector<std::size_t>> by_key_;
  std::vector<State> states_;
  std::vector<Records> records_;
  std::vector<std::array<Summary, views * views>> summaries_;
  std::bitset<causes_max> causes_;
  Exploration made_;
};

}  // namespace

bool takes_back(Verb verb) { return verb == Verb::repoint || verb == Verb::allow_partner; }

Exploration explore_orders(const Plan& plan, const std::vector<Order>& possible) {
  Explorer explorer(plan);
  for (const auto& order : possible) explorer.walk(order);
  return explorer.finish();
}

}  // namespace cutover::harness::migration
