// Runs one case and makes its result, whatever the body does.
#include "harness/judging/run.h"

#include "harness/judging/causes.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/standing/judge.h"
#include "harness/worlds/arrows.h"
#include "harness/worlds/world_factory.h"
#include "protocol/base/check.h"
#include "protocol/tls/randomness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest-spi.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace cutover::harness {

using reports::CaseResult;
using reports::Outcome;

namespace {

struct EndedEarly {
  Outcome outcome;
  std::string reason;
};

// A simulated case draws the octets of TLS from its seed, too; a live one must not.
class TlsRandomness {
 public:
  explicit TlsRandomness(const RunOptions& options) {
    if (options.world == WorldKind::sim) tls::seed_tls_randomness(options.seed);
  }
  ~TlsRandomness() { tls::unseed_tls_randomness(); }
  TlsRandomness(const TlsRandomness&) = delete;
  TlsRandomness& operator=(const TlsRandomness&) = delete;
};

// Failed assertions of GoogleTest become checks of the case, wherever the body makes them.
class AssertionsBecomeChecks final : public testing::ScopedFakeTestPartResultReporter {
 public:
  AssertionsBecomeChecks() : ScopedFakeTestPartResultReporter(INTERCEPT_ONLY_CURRENT_THREAD, nullptr) {}
  void ReportTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) {
      Verdicts::current().assertion_failed(result.message(), result.file_name() ? result.file_name() : "",
                                           result.line_number());
    }
  }
};

// The last few arrows, for the text next to an unmet expectation.
std::string excerpt(const std::vector<TraceRecord>& records) {
  constexpr std::size_t arrows_max = 8, detail_max_octets = 600;
  auto last = arrows(records);
  if (last.size() > arrows_max) last.erase(last.begin(), last.end() - arrows_max);
  std::string text;
  for (const auto& entry : last) {
    text += fmt::format("{:10.3f} ms  {} {} -> {}: {}\n", static_cast<double>(entry.time_ns) / 1e6, entry.layer,
                        entry.from, entry.to, entry.summary);
    if (!entry.detail.empty() && entry.detail != entry.summary) {
      text += "    ";
      for (const char c : entry.detail.substr(0, detail_max_octets)) text += c == '\n' ? "\n    " : std::string(1, c);
      text += entry.detail.size() > detail_max_octets ? fmt::format(" ... ({} octets)\n", entry.detail.size()) : "\n";
    }
  }
  return text;
}

std::vector<reports::RequirementText> texts_of(const CaseRecord& record) {
  std::vector<reports::RequirementText> texts;
  for (const auto& judges : record.judges) {
    auto& text = texts.emplace_back();
    text.id = judges.requirement;
    const auto* requirement = Catalogue::current().find(judges.requirement);
    if (requirement == nullptr) continue;
    text.level = requirement->level;
    text.source = requirement->source;
    text.text = requirement->text;
  }
  return texts;
}

// Where the names of the peers are given, each case that needs one which the target has never met has one of them.
std::optional<EndedEarly> no_unmet_peer(const CaseRecord& record, const RunOptions& options) {
  const auto& remote = std::get<RemoteTarget>(options.target->driver);
  for (const auto kind : kinds_met(record.needs, *options.target)) {
    const auto listed = peers_of(remote, kind);
    const auto dealt = options.peers.find(kind);
    if (dealt == options.peers.end() || dealt->second < listed) continue;
    return EndedEarly{
        Outcome::unsupported,
        fmt::format(
            "needs a peer that the target has not met: {} lists {} of kind {}, and other cases of this run meet "
            "them; list more, or let it ask our name server (name-server)",
            options.target->file, listed, harness::name_of(kind))};
  }
  return std::nullopt;
}

// What the target's file already rules out; nullopt: the case can run.
std::optional<EndedEarly> ruled_out(const CaseRecord& record, const RunOptions& options) {
  if (options.world == WorldKind::sim && !record.sim) return EndedEarly{Outcome::skipped, "does not run simulated"};
  if (options.world == WorldKind::live && !record.live) return EndedEarly{Outcome::skipped, "runs simulated only"};
  if (!options.target) return std::nullopt;
  for (const auto need : record.needs) {
    if (options.target->offers.contains(need)) continue;
    if (need != Need::unmet_peers)
      return EndedEarly{Outcome::unsupported, fmt::format("{} does not declare that it offers {}", options.target->file,
                                                          harness::name_of(need))};
    if (auto why = no_unmet_peer(record, options)) return why;
  }
  if (record.staging > options.target->allows) {
    return EndedEarly{Outcome::skipped,
                      fmt::format("the case is {}, and {} allows only what is {}", harness::name_of(record.staging),
                                  options.target->file, harness::name_of(options.target->allows))};
  }
  return std::nullopt;
}

// Why a declared requirement was not judged: a precondition, or what was last found unmet.
std::string why_not_reached(const Verdicts& verdicts) {
  if (!verdicts.unmet().empty()) return fmt::format("{}{}", did_not_happen, fmt::join(verdicts.unmet(), "; "));
  const auto& checks = verdicts.checks();
  const auto last = std::ranges::find_if(checks.rbegin(), checks.rend(),
                                         [](const auto& check) { return check.outcome != Outcome::pass; });
  if (last == checks.rend()) return "declared, but the case ended without judging it";
  return "not reached; before it, " + reports::sentence_of(*last);
}

// The standing judge hears the subject, whoever listens: a target, or all of the deployment that is not driven by hand.
// What a proxy and its gateway say to each other is their own affair.
std::vector<reports::Heard> heard_in(const std::vector<TraceRecord>& records, bool of_target, bool planted) {
  constexpr std::array judged_nodes{"proxy", "gateway", "legacy-gateway", "subject"};
  if (of_target) {
    return standing::judge(records, [](std::string_view sender, std::string_view listener) {
      return (sender == "subject" || sender == "front") && listener != "front";
    });
  }
  const auto by_hand = standing::driven_by_hand(records);
  std::set<std::string, std::less<>> ours;
  for (const auto& record : records) ours.insert(record.node);
  // A node with departures hears what its rewrites let through, which is not what was sent.
  const auto hears_otherwise = [&](std::string_view node) {
    return planted && std::ranges::any_of(judged_nodes, [&](const char* name) { return node.starts_with(name); });
  };
  const auto is_inner = [](std::string_view node) { return node.starts_with("proxy") || node.starts_with("gateway"); };
  const auto hears = [&](std::string_view sender, std::string_view listener) {
    return std::ranges::find(by_hand, sender) == by_hand.end() && ours.contains(sender) &&
           !(is_inner(sender) && is_inner(listener)) && !hears_otherwise(listener);
  };
  // Of SIP the gateways alone: users say what a case lets them say, and pools pass it on.
  return standing::judge(records, hears, [&](std::string_view sender, std::string_view listener) {
    return (sender.starts_with("gateway") || sender.starts_with("legacy-gateway")) && !hears_otherwise(listener);
  });
}

}  // namespace

Run::Run(const CaseRecord& record, const RunOptions& options)
    : record_(record),
      options_(options),
      planted_(options.planted, options.watch),
      generator_(options.seed ^ 0x72756e),  // apart from the world's numbers
      verdicts_(
          record.id, options.strict,
          [this] {
            if (shown_) return excerpt(*shown_);
            return world_ ? excerpt(world_->trace().records()) : std::string();
          },
          [this] { return world_ && !shown_ ? std::optional(world_->now()) : std::nullopt; }) {}

Run::~Run() = default;

Duration Run::patience() const {
  return patience_of(record_, options_.target ? options_.target->patience : usual_patience);
}

World& Run::world() {
  if (!world_) {
    auto addresses = options_.target ? addresses_for(*options_.target) : std::map<int, std::string>{};
    world_ = make_world(options_.world, choice(), options_.seed, options_.block, std::move(addresses));
    if (options_.world == WorldKind::live) world_->end_at(world_->now() + patience());
    if (options_.target) world_->have_patience(options_.target->patience);
  }
  return *world_;
}

Choice& Run::choice() {
  if (!choice_)
    choice_ = options_.replay.empty() ? std::make_unique<Seed>(options_.seed) : make_choice(options_.replay);
  return *choice_;
}

std::uint64_t Run::random(std::uint64_t bound) { return generator_.below(bound); }

void Run::tried(std::size_t combinations, std::uint64_t possible) {
  combinations_ += combinations;
  combinations_possible_ += possible;
}

void Run::skip(std::string reason) { throw EndedEarly{Outcome::skipped, std::move(reason)}; }
void Run::unsupported(std::string reason) { throw EndedEarly{Outcome::unsupported, std::move(reason)}; }
void Run::show(const Trace& trace) { shown_ = trace.records(); }

void Run::run_body() {
  const AssertionsBecomeChecks assertions;
  try {
    record_.body(*this);
  } catch (...) {
    // The invariants are told even when the body ended early; the first fault is the one that is reported.
    for (; !at_end_.empty(); at_end_.pop_back()) {
      try {
        at_end_.back()();
      } catch (...) {
      }
    }
    throw;
  }
  for (; !at_end_.empty(); at_end_.pop_back()) at_end_.back()();
}

// Judges the judging: something was judged, all of it declared, and everything declared was judged.
void Run::finish(CaseResult& result) {
  const auto declared = [&](const std::string& requirement) {
    // An invariant holds in every run; a case need not say so.
    const auto* item = Catalogue::current().find(requirement);
    if (item != nullptr && item->area == "invariant") return true;
    return std::ranges::find(record_.judges, requirement, &Judges::requirement) != record_.judges.end();
  };
  for (const auto& check : verdicts_.checks()) {
    if (!check.requirement.empty() && !declared(check.requirement)) {
      throw HarnessFault(
          fmt::format("{}:{}: {} is judged but not declared in `judges`", check.file, check.line, check.requirement));
    }
  }
  if (record_.judges.empty() && verdicts_.checks().empty()) throw HarnessFault("the case judged nothing");
  const auto& unmet = verdicts_.unmet();
  const auto not_reached = result.reason.empty() ? why_not_reached(verdicts_) : "not reached: " + result.reason;
  bool missing = false;
  for (const auto& judges : record_.judges) {
    const auto& checks = verdicts_.checks();
    if (std::ranges::find(checks, judges.requirement, &reports::Check::requirement) != checks.end()) continue;
    verdicts_.inconclusive(judges.requirement.c_str(), not_reached, record_.file.c_str(), record_.line);
    missing = true;
  }
  if (!unmet.empty() && !missing)
    verdicts_.incomplete(level_of(record_, Catalogue::current()), not_reached, record_.file.c_str(), record_.line);
  result.outcome = aggregate(verdicts_.checks());
}

std::string reproduction(const CaseRecord& record, const RunOptions& options, const std::string& replay) {
  auto text = "cutover run " + record.id;
  text += options.target ? " --target=" + options.target->file + (options.target->one_server ? " --one-server" : "")
                         : std::string(" --world=") + (options.world == WorldKind::sim ? "sim" : "live");
  text += " --replay=" + (replay.empty() ? "seed:" + std::to_string(options.seed) : replay);
  if (!options.topology_file.empty()) text += " --topology=" + options.topology_file;
  if (options.strict) text += " --strict";
  if (options.depth != stimuli::Depth::covering) text += fmt::format(" --depth={}", stimuli::name_of(options.depth));
  for (const auto& name : options.planted) text += " --defect=" + name;
  return text;
}

Topology Run::topology() const {
  auto topology = options_.topology.value_or(reference_topology());
  topology.places.clear();  // places are of `cutover serve`
  return topology;
}

CaseResult execute_case(const CaseRecord& record, const RunOptions& options) {
  CaseResult result;
  result.id = record.id;
  result.title = record.title;
  result.suite = suite_of(record.id);
  result.world = world_name(options);
  result.file = record.file;
  result.line = record.line;
  result.requirements = texts_of(record);
  result.seed = options.seed;
  result.attempt = options.attempt;
  result.reproduce = reproduction(record, options, options.replay);
  result.planted.assign(options.planted.begin(), options.planted.end());
  result.outcome = Outcome::broken;
  if (const auto early = ruled_out(record, options)) {
    result.outcome = early->outcome;
    result.reason = early->reason;
    return result;
  }
  try {
    Run run(record, options);
    const Verdicts::Scope scope(run.verdicts());
    const TlsRandomness randomness(options);
    try {
      try {
        run.run_body();
      } catch (const OutOfTime&) {
        result.reason = fmt::format("the case was kept waiting for all of its {} s", run.patience() / 1s);
      }
      run.finish(result);
    } catch (const EndedEarly& early) {
      result.outcome = early.outcome;
      result.reason = early.reason;
    } catch (const HarnessFault& fault) {
      result.reason = fault.what();
    } catch (const ListenError& error) {
      const std::string_view what = error.what();
      const bool taken = what.find("in use") != std::string_view::npos;
      result.reason = std::string(what) +
                      (taken ? "; something else listens there: end it, or run with --world=sim" : "") +
                      " (`cutover doctor` tells what this machine lacks)";
    } catch (const std::exception& error) {
      result.reason = std::string("exception: ") + error.what();
    }
    // A check that failed before a skip stays a failure.
    if (result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported) {
      const auto red = std::ranges::any_of(run.verdicts().checks(), [](const auto& check) { return is_red(check); });
      if (red) result.outcome = Outcome::fail;
    }
    result.checks = run.verdicts().checks();
    result.chart = run.chart_;
    result.combinations = run.combinations_;
    result.combinations_possible = run.combinations_possible_;
    if (options.target && run.world_ && run.world_->late() && result.reason.empty()) {
      result.reason =
          fmt::format("late: what was waited for came after {:.1f} s; the target file has {} s of patience",
                      std::chrono::duration<double>(*run.world_->late()).count(), run.world_->patience() / 1s);
    }
    result.asked = run.planted().asked();
    if (is_red(result)) {
      for (const auto& text : run.evidence_) result.log += text();
    }
    if (run.world_)
      result.heard = heard_in(run.world_->trace().records(), run.target() != nullptr, !run.planted().none());
    if (run.shown_) {
      result.trace = arrows(*run.shown_);
    } else if (run.world_) {
      result.trace = arrows(run.world_->trace().records());
    }
    result.columns = run.columns_.empty() ? column_order(result.trace) : run.columns_;
    // With --repeat the first trace stands for all that passed: twenty of a whole run would be half a gigabyte.
    const bool passed = result.outcome == Outcome::pass || result.outcome == Outcome::info;
    if (passed && options.attempt > 1) result.trace.clear();
    result.streams = std::move(run.streams_);
    if (!run.replay_.empty()) result.reproduce = reproduction(record, options, run.replay_);
  } catch (const std::exception& error) {
    result.outcome = Outcome::broken;
    result.reason = error.what();
  }
  return result;
}

Duration patience_of(const CaseRecord& record, Duration with_subject) {
  constexpr int waits_for_nothing = 8;  // in one case, each twice its patience
  return 2 * record.budget + 20s + 2 * waits_for_nothing * std::max(with_subject - usual_patience, Duration{});
}

std::uint64_t case_seed(std::uint64_t run_seed, std::string_view case_id, int attempt) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto mix = [&](std::uint64_t octet) { hash = (hash ^ octet) * 0x100000001b3; };
  for (const char c : case_id) mix(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) mix((run_seed >> shift) & 0xff);
  mix(static_cast<std::uint64_t>(attempt));
  return hash;
}

std::string world_name(const RunOptions& options) {
  if (options.target) return "target";
  return options.world == WorldKind::sim ? "sim" : "live";
}

}  // namespace cutover::harness
