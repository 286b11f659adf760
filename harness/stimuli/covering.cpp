// Greedy: each new combination takes the pairs that are left, and draws where none is.
#include "harness/stimuli/covering.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace cutover::harness::stimuli {

namespace {

constexpr std::array<std::pair<Depth, const char*>, 3> names{
    {{Depth::quick, "quick"}, {Depth::covering, "covering"}, {Depth::deep, "deep"}}};

std::vector<std::vector<std::size_t>> legal_values(const Grammar& grammar) {
  std::vector<std::vector<std::size_t>> all;
  for (const auto& dimension : grammar.dimensions()) {
    auto& values = all.emplace_back();
    for (std::size_t i = 0; i < dimension.values.size(); ++i)
      if (dimension.values[i].status == Status::legal) values.push_back(i);
  }
  return all;
}

class Drawing {
 public:
  Drawing(std::vector<std::vector<std::size_t>> values, Generator& numbers)
      : values_(std::move(values)), numbers_(numbers) {}

  [[nodiscard]] Combination drawn() {
    Combination made;
    for (const auto& values : values_) made.push_back(values[numbers_.below(values.size())]);
    return made;
  }

  /// Each value once, in as many combinations as the dimension with most values has; the usual one where a dimension
  /// has no more to show.
  [[nodiscard]] std::vector<Combination> each_once() {
    std::size_t rows = 0;
    for (const auto& values : values_) rows = std::max(rows, values.size());
    std::vector<Combination> all(rows, Combination(values_.size()));
    for (std::size_t i = 0; i < values_.size(); ++i) {
      // Shifted by dimension, so that not all first values meet.
      const auto shift = numbers_.below(rows - 1) + 1;
      for (std::size_t row = 1; row < rows && row < values_[i].size(); ++row)
        all[1 + (row - 1 + shift) % (rows - 1)][i] = values_[i][row];
    }
    return all;
  }

  [[nodiscard]] std::vector<Combination> pairs() {
    collect_pairs();
    std::vector<Combination> all{Combination(values_.size())};
    meet(all.front());
    while (!left_.empty()) {
      all.push_back(next());
      meet(all.back());
    }
    return all;
  }

 private:
  using Place = std::pair<std::size_t, std::size_t>;  ///< dimension, value
  using Pair = std::pair<Place, Place>;

  void collect_pairs() {
    for (std::size_t a = 0; a < values_.size(); ++a)
      for (std::size_t b = a + 1; b < values_.size(); ++b)
        for (const auto value_a : values_[a])
          for (const auto value_b : values_[b]) left_.insert({{a, value_a}, {b, value_b}});
  }

  void meet(const Combination& one) {
    for (std::size_t a = 0; a < one.size(); ++a)
      for (std::size_t b = a + 1; b < one.size(); ++b) left_.erase({{a, one[a]}, {b, one[b]}});
  }

  /// The first pair that is left, and around it what meets most of the others.
  [[nodiscard]] Combination next() {
    const auto [first, second] = *left_.begin();
    constexpr std::size_t unset = static_cast<std::size_t>(-1);
    Combination made(values_.size(), unset);
    made[first.first] = first.second;
    made[second.first] = second.second;
    const auto start = numbers_.below(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto dimension = (start + i) % values_.size();
      if (made[dimension] != unset) continue;
      std::size_t best = 0, best_value = values_[dimension].front();
      for (const auto value : values_[dimension]) {
        std::size_t met = 0;
        for (std::size_t other = 0; other < made.size(); ++other) {
          if (made[other] == unset || other == dimension) continue;
          const Place here{dimension, value}, there{other, made[other]};
          met += left_.contains(dimension < other ? Pair{here, there} : Pair{there, here}) ? 1 : 0;
        }
        if (met > best) {
          best = met;
          best_value = value;
        }
      }
      made[dimension] = best > 0 ? best_value : values_[dimension][numbers_.below(values_[dimension].size())];
    }
    return made;
  }

  std::vector<std::vector<std::size_t>> values_;
  Generator& numbers_;
  std::set<Pair> left_;
};

}  // namespace

const char* name_of(Depth depth) {
  return std::ranges::find(names, depth, &std::pair<Depth, const char*>::first)->second;
}

std::optional<Depth> depth_of(std::string_view name) {
  const auto found = std::ranges::find_if(names, [&](const auto& one) { return name == one.second; });
  return found == names.end() ? std::nullopt : std::optional(found->first);
}

std::vector<Combination> covering(const Grammar& grammar, Depth depth, Generator& numbers) {
  Drawing drawing(legal_values(grammar), numbers);
  if (depth == Depth::quick) return drawing.each_once();
  auto all = drawing.pairs();
  if (depth == Depth::covering) return all;
  const auto pairs = all.size();
  for (std::size_t i = 0; i < 10 * pairs; ++i) all.push_back(drawing.drawn());
  return all;
}

std::vector<Combination> alone(const Grammar& grammar, Status status) {
  std::vector<Combination> all;
  for (std::size_t i = 0; i < grammar.dimensions().size(); ++i) {
    const auto& values = grammar.dimensions()[i].values;
    for (std::size_t value = 1; value < values.size(); ++value) {
      if (values[value].status != status) continue;
      all.push_back(grammar.usual());
      all.back()[i] = value;
    }
  }
  return all;
}

Combination smallest(Combination failing, std::size_t tries, const std::function<bool(const Combination&)>& fails) {
  const auto unusual = [&] {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < failing.size(); ++i)
      if (failing[i] != 0) places.push_back(i);
    return places;
  };
  const auto without = [&](const std::vector<std::size_t>& places, std::size_t from, std::size_t to) {
    auto smaller = failing;
    for (auto i = from; i < to; ++i) smaller[places[i]] = 0;
    return smaller;
  };
  // Most fail for one value, and what is taken is known soon, while a refusal may be silence that is waited for.
  for (const auto place : unusual()) {
    Combination one(failing.size());
    one[place] = failing[place];
    if (tries-- == 0) return failing;
    if (one == failing) return failing;
    if (fails(one)) return one;
  }
  // Else large parts are left out first, as delta debugging does, then one by one.
  for (auto size = unusual().size() / 2; size > 0; size = size == 1 ? 0 : size / 2) {
    auto places = unusual();
    for (std::size_t from = 0; from < places.size(); from += size) {
      if (tries-- == 0) return failing;
      const auto smaller = without(places, from, std::min(from + size, places.size()));
      if (smaller != Combination(failing.size()) && fails(smaller)) failing = smaller;
    }
  }
  return failing;
}

bool contains(const Combination& whole, const Combination& part) {
  for (std::size_t i = 0; i < part.size(); ++i)
    if (part[i] != 0 && part[i] != whole[i]) return false;
  return true;
}

}  // namespace cutover::harness::stimuli
