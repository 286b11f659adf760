// Choice: whatever a simulated world leaves open is decided here - at random, exhaustively, or as once before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// A source of decisions. `bound` is at least 1 and the answer is below it; 0 is the undisturbed course of things.
class Choice {
 public:
  virtual ~Choice() = default;
  /// A decision that an exploration enumerates in full, such as the moment of an operator's step.
  [[nodiscard]] virtual std::size_t choose(std::size_t bound) = 0;
  /// A decision of the network that detours from the default order when it is not 0; an exploration allows a few in a
  /// run.
  [[nodiscard]] virtual std::size_t detour(std::size_t bound) = 0;
  /// True when detour() can only answer 0 for the rest of the run, so that nobody need count what is possible.
  [[nodiscard]] virtual bool detours_spent() const { return false; }
  /// What make_choice() turns into the same decisions again.
  [[nodiscard]] virtual std::string replay() const = 0;
};

/// The generator of every random number in a simulated world (splitmix64), the same on every machine and library.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  /// A number below `bound`; the bias of the remainder is irrelevant for bounds far below 2^64.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

/// Random decisions from a seed that is printed.
class Seed final : public Choice {
 public:
  explicit Seed(std::uint64_t seed) : seed_(seed), generator_(seed) {}
  [[nodiscard]] std::size_t choose(std::size_t bound) override;
  [[nodiscard]] std::size_t detour(std::size_t bound) override;
  [[nodiscard]] std::string replay() const override;

 private:
  std::uint64_t seed_;
  Generator generator_;
};

/// Always the default: the undisturbed course.
class Undisturbed final : public Choice {
 public:
  [[nodiscard]] std::size_t choose(std::size_t) override { return 0; }
  [[nodiscard]] std::size_t detour(std::size_t) override { return 0; }
  [[nodiscard]] bool detours_spent() const override { return true; }
  [[nodiscard]] std::string replay() const override { return "0/"; }
};

/// Every sequence of decisions once: `while (all.next()) run(all);`. Throws HarnessFault "the world is not
/// deterministic" when a run that should repeat the last one up to some point is asked something else.
class Exhaust final : public Choice {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  explicit Exhaust(std::size_t detours_max = unlimited) : detours_max_(detours_max) {}
  /// Prepares the next run; false when every sequence was visited.
  [[nodiscard]] bool next();

  [[nodiscard]] std::size_t choose(std::size_t bound) override;
  [[nodiscard]] std::size_t detour(std::size_t bound) override;
  [[nodiscard]] bool detours_spent() const override { return detours_ >= detours_max_; }
  [[nodiscard]] std::string replay() const override;

 private:
  struct Digit {
    std::size_t value, bound;
    bool detours;
  };
  [[nodiscard]] std::size_t digit(std::size_t bound, bool detours);

  std::size_t detours_max_;
  std::vector<Digit> digits_;
  std::size_t at_ = 0, detours_ = 0;
  bool started_ = false;
};

/// The decisions of one run of Exhaust again. Throws HarnessFault when a decision does not fit what is asked.
class Replay final : public Choice {
 public:
  Replay(std::size_t detours_max, std::vector<std::size_t> values)
      : detours_max_(detours_max), values_(std::move(values)) {}
  [[nodiscard]] std::size_t choose(std::size_t bound) override;
  [[nodiscard]] std::size_t detour(std::size_t bound) override;
  [[nodiscard]] bool detours_spent() const override { return detours_ >= detours_max_; }
  [[nodiscard]] std::string replay() const override;

 private:
  std::size_t detours_max_;
  std::vector<std::size_t> values_;
  std::size_t at_ = 0, detours_ = 0;
};

/// Passes on what another decides, and keeps it.
class Recorded final : public Choice {
 public:
  explicit Recorded(Choice& inner) : inner_(inner) {}
  [[nodiscard]] std::size_t choose(std::size_t bound) override { return keep(inner_.choose(bound)); }
  [[nodiscard]] std::size_t detour(std::size_t bound) override { return keep(inner_.detour(bound)); }
  [[nodiscard]] bool detours_spent() const override { return inner_.detours_spent(); }
  [[nodiscard]] std::string replay() const override { return inner_.replay(); }
  [[nodiscard]] const std::vector<std::size_t>& values() const { return values_; }

 private:
  std::size_t keep(std::size_t value) { return values_.emplace_back(value); }

  Choice& inner_;
  std::vector<std::size_t> values_;
};

/// Decisions that need not be those of a run: one that is too large is the largest that is possible, and one that is
/// missing is 0. So a list that is made shorter or smaller is still a run.
class Fitted final : public Choice {
 public:
  explicit Fitted(std::vector<std::size_t> values) : values_(std::move(values)) {}
  [[nodiscard]] std::size_t choose(std::size_t bound) override;
  [[nodiscard]] std::size_t detour(std::size_t bound) override { return choose(bound); }
  [[nodiscard]] bool detours_spent() const override { return at_ >= values_.size(); }
  [[nodiscard]] std::string replay() const override;

 private:
  std::vector<std::size_t> values_;
  std::size_t at_ = 0;
};

/// From the text of replay(): "seed:42"; "2/0.0.3" (at most 2 detours; decisions, then zeros; "*" for no limit); or
/// "~/0.0.3", where decisions are fitted to the run. "0*7" stands for seven zeros. Throws std::invalid_argument for
/// other text.
[[nodiscard]] std::unique_ptr<Choice> make_choice(std::string_view text);
/// The decisions of the text of a Fitted; nothing for another text. Throws std::invalid_argument as make_choice() does.
[[nodiscard]] std::vector<std::size_t> fitted_decisions(std::string_view text);

}  // namespace cutover::harness
