// Seeds, exhaustive enumeration with a bound of detours, and their replay.
#include "harness/worlds/choice.h"

#include "protocol/base/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace cutover::harness {

namespace {

/// The same decision more than three times in a row is written once, with how often.
std::string decisions_text(std::vector<std::size_t> values) {
  constexpr std::ptrdiff_t written_out_max = 3;
  while (!values.empty() && values.back() == 0) values.pop_back();
  std::vector<std::string> words;
  for (auto at = values.begin(); at != values.end();) {
    const auto end = std::find_if(at, values.end(), [&](std::size_t value) { return value != *at; });
    if (end - at > written_out_max) {
      words.push_back(fmt::format("{}*{}", *at, end - at));
      at = end;
    } else {
      words.push_back(std::to_string(*at++));
    }
  }
  return fmt::format("{}", fmt::join(words, "."));
}

std::string replay_text(std::size_t detours_max, std::vector<std::size_t> values) {
  const auto limit = detours_max == Exhaust::unlimited ? std::string("*") : std::to_string(detours_max);
  return limit + "/" + decisions_text(std::move(values));
}

template <class N>
N parse_number(std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("not a number in a replay text: '{}'", text));
  return value;
}

std::vector<std::size_t> parse_decisions(std::string_view text) {
  constexpr std::size_t decisions_max = 1'000'000;
  std::vector<std::size_t> values;
  while (!text.empty()) {
    const auto dot = text.find('.');
    const auto word = text.substr(0, dot);
    const auto star = word.find('*');
    const auto times = star == std::string_view::npos ? 1 : parse_number<std::size_t>(word.substr(star + 1));
    if (times > decisions_max - values.size()) throw std::invalid_argument("too many decisions in a replay text");
    values.insert(values.end(), times, parse_number<std::size_t>(word.substr(0, star)));
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  return values;
}

}  // namespace

std::uint64_t Generator::below(std::uint64_t bound) {
  CUTOVER_CHECK(bound > 0);
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return (z ^ (z >> 31)) % bound;
}

std::size_t Seed::choose(std::size_t bound) { return generator_.below(bound); }
std::size_t Seed::detour(std::size_t bound) { return generator_.below(bound); }
std::string Seed::replay() const { return fmt::format("seed:{}", seed_); }

bool Exhaust::next() {
  at_ = detours_ = 0;
  if (!started_) return started_ = true;
  while (!digits_.empty() && digits_.back().value + 1 == digits_.back().bound) digits_.pop_back();
  if (digits_.empty()) return false;
  digits_.back().value++;
  return true;
}

std::size_t Exhaust::digit(std::size_t bound, bool detours) {
  CUTOVER_CHECK(bound > 0);
  if (at_ == digits_.size()) digits_.push_back({0, bound, detours});
  const auto& digit = digits_[at_++];
  if (digit.bound != bound || digit.detours != detours) throw HarnessFault("the world is not deterministic");
  return digit.value;
}

std::size_t Exhaust::choose(std::size_t bound) { return digit(bound, false); }

std::size_t Exhaust::detour(std::size_t bound) {
  if (detours_spent()) return 0;
  const auto value = digit(bound, true);
  if (value != 0) detours_++;
  return value;
}

std::string Exhaust::replay() const {
  std::vector<std::size_t> values;
  for (const auto& digit : digits_) values.push_back(digit.value);
  return replay_text(detours_max_, std::move(values));
}

std::size_t Replay::choose(std::size_t bound) {
  const auto value = at_ < values_.size() ? values_[at_++] : 0;
  if (value >= bound)
    throw HarnessFault("the replay does not fit this scenario: other code, other options or other bounds");
  return value;
}

std::size_t Replay::detour(std::size_t bound) {
  if (detours_spent()) return 0;
  const auto value = choose(bound);
  if (value != 0) detours_++;
  return value;
}

std::string Replay::replay() const { return replay_text(detours_max_, values_); }

std::size_t Fitted::choose(std::size_t bound) { return at_ < values_.size() ? std::min(values_[at_++], bound - 1) : 0; }

std::string Fitted::replay() const { return "~/" + decisions_text(values_); }

std::vector<std::size_t> fitted_decisions(std::string_view text) {
  return text.starts_with("~/") ? parse_decisions(text.substr(2)) : std::vector<std::size_t>();
}

std::unique_ptr<Choice> make_choice(std::string_view text) {
  if (text.starts_with("seed:")) return std::make_unique<Seed>(parse_number<std::uint64_t>(text.substr(5)));
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    throw std::invalid_argument(fmt::format("neither seed:N nor LIMIT/DECISIONS: '{}'", text));
  const auto limit = text.substr(0, slash);
  auto values = parse_decisions(text.substr(slash + 1));
  if (limit == "~") return std::make_unique<Fitted>(std::move(values));
  return std::make_unique<Replay>(limit == "*" ? Exhaust::unlimited : parse_number<std::size_t>(limit),
                                  std::move(values));
}

}  // namespace cutover::harness
