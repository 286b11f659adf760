// Reads facts.yaml, whose head tells the form of a row, and compares.
#include "harness/migration/facts.h"

#include "harness/migration/estate_file.h"
#include "harness/migration/facts_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

namespace cutover::harness::migration {

namespace {

using negotiation::Method;

constexpr std::array<std::pair<std::string_view, Kind>, 6> kinds{{{"works", Kind::works},
                                                                  {"works-at-times", Kind::works_at_times},
                                                                  {"refused", Kind::refused},
                                                                  {"bounced", Kind::bounced},
                                                                  {"black-holed", Kind::black_holed},
                                                                  {"lost", Kind::lost}}};
/// The sender or the recipient can tell that it does not work; how, the documents do not say.
constexpr std::string_view cut_off = "cut-off";

class FactsReader {
 public:
  explicit FactsReader(YamlReader& yaml) : yaml_(yaml) {}

  Facts read(const YAML::Node& root) {
    facts_.source = yaml_.source();
    if (!yaml_.map(root, "the file", {"estate", "steps", "facts"})) return {};
    facts_.estate = read_estate(yaml_, root["estate"]);
    read_steps(root["steps"]);
    for (const auto& node : yaml_.items(root["facts"], "facts")) {
      auto fact = read_fact(node);
      if (!ids_.insert(fact.id).second) yaml_.complain(node, fmt::format("'{}' is used twice", fact.id));
      if (yaml_.content()) try_out(node, fact);
      facts_.all.push_back(std::move(fact));
    }
    return std::move(facts_);
  }

 private:
  void read_steps(const YAML::Node& node) {
    const auto items = yaml_.items(node, "steps");
    if (items.size() != facts_.steps.size())
      yaml_.complain(node, fmt::format("expected {} lists of operations for 'steps'", facts_.steps.size()));
    for (std::size_t i = 0; i < std::min(items.size(), facts_.steps.size()); ++i)
      for (const auto& operation : yaml_.items(items[i], "a step")) add_operation(operation, facts_.steps.at(i));
  }

  void add_operation(const YAML::Node& node, std::vector<Operation>& into) {
    try {
      into.push_back(parse_operation(node.IsScalar() ? node.Scalar() : ""));
    } catch (const OperationError& error) {
      yaml_.complain(node, error.what());
    }
  }

  void read_operations(const YAML::Node& map, const char* key, std::vector<Operation>& into) {
    if (!map[key]) return;
    for (const auto& node : yaml_.items(map[key], key)) add_operation(node, into);
  }

  Fact read_fact(const YAML::Node& map) {
    Fact fact;
    fact.line = map.Mark().line + 1;
    if (!yaml_.map(map, "a fact",
                   {"id", "generation", "after", "without", "do", "configured-as", "exchange", "view", "outcome",
                    "standing", "source", "sentence", "reading"}))
      return fact;
    yaml_.read(map, "id", fact.id, true);
    yaml_.read_word<Generation>(map, "generation", fact.generation,
                                {{"lync2013", Generation::lync2013}, {"sfb2019", Generation::sfb2019}});
    read_after(map, fact);
    read_operations(map, "without", fact.without);
    check_without(map, fact);
    read_operations(map, "do", fact.operations);
    read_exchange(map["exchange"], fact);
    if (map["configured-as"]) fact.configured_as = read_allowed_partner(yaml_, fact.partner, map["configured-as"]);
    read_view(map["view"], fact);
    read_outcome(map["outcome"], fact.expected);
    yaml_.read_word<Standing>(map, "standing", fact.standing,
                              {{"stated", Standing::stated}, {"derived", Standing::derived}, {"ours", Standing::ours}},
                              true);
    yaml_.read(map, "source", fact.source, true);
    yaml_.read(map, "sentence", fact.sentence, true);
    read_reading(map["reading"], fact);
    return fact;
  }

  void read_after(const YAML::Node& map, Fact& fact) {
    std::uint32_t after = 0;
    yaml_.read(map, "after", after);
    if (after > steps_of_the_document)
      yaml_.complain(map["after"], fmt::format("expected a number of steps up to {}", steps_of_the_document));
    fact.after = static_cast<int>(std::min<std::uint32_t>(after, steps_of_the_document));
  }

  void check_without(const YAML::Node& map, const Fact& fact) {
    for (const auto& left_out : fact.without) {
      const auto in_step = [&](const auto& step) { return std::ranges::find(step, left_out) != step.end(); };
      if (!std::any_of(facts_.steps.begin(), facts_.steps.begin() + fact.after, in_step))
        yaml_.complain(map["without"],
                       fmt::format("'{}' is no operation of the steps that are done", words_of(left_out)));
    }
  }

  void read_exchange(const YAML::Node& map, Fact& fact) {
    Exchange exchange;
    if (!yaml_.map(map, "an exchange", {"users", "partner", "domain", "way", "what", "listed"})) return;
    (void)yaml_.find(map, "users", facts_.estate.start.users, true);
    yaml_.read(map, "users", exchange.user_class);
    const auto* partner = yaml_.find(map, "partner", facts_.estate.partners, true);
    yaml_.read(map, "partner", fact.partner);
    exchange.remote_domain = fact.partner;
    yaml_.read(map, "domain", exchange.remote_domain);
    if (partner != nullptr && map["domain"] &&
        std::ranges::find(partner->further_domains, exchange.remote_domain) == partner->further_domains.end())
      yaml_.complain(map["domain"],
                     fmt::format("'{}' is no further domain of '{}', expected one of {}", exchange.remote_domain,
                                 fact.partner, fmt::join(partner->further_domains, ", ")));
    yaml_.read_word<What>(map, "what", exchange.what,
                          {{"message", What::message}, {"presence", What::presence}, {"note", What::note}});
    yaml_.read(map, "listed", exchange.contact_listed);
    enum class Ways { to_partner, from_partner, both };
    auto ways = Ways::both;
    yaml_.read_word<Ways>(
        map, "way", ways,
        {{"to-partner", Ways::to_partner}, {"from-partner", Ways::from_partner}, {"both", Ways::both}}, true);
    for (const auto way : {Way::to_partner, Way::from_partner}) {
      if (ways != Ways::both && (ways == Ways::to_partner) != (way == Way::to_partner)) continue;
      exchange.way = way;
      fact.exchanges.push_back(exchange);
    }
  }

  void read_view(const YAML::Node& map, Fact& fact) {
    if (!map || !yaml_.map(map, "a view", {"record", "stream", "our-stream-open"})) return;
    (void)yaml_.find(map, "record", facts_.estate.records);
    yaml_.read(map, "record", fact.seen_record);
    yaml_.read(map, "stream", fact.open_stream);
    yaml_.read(map, "our-stream-open", fact.our_stream_open);
  }

  void read_outcome(const YAML::Node& map, Expected& expected) {
    if (!yaml_.map(map, "an outcome", {"kind", "path", "cause", "after", "method"})) return;
    read_kinds(map, expected);
    std::vector<std::string> causes;
    yaml_.read(map, "cause", causes);
    for (const auto& word : causes) {
      if (const auto cause = cause_of(word))
        expected.causes.push_back(*cause);
      else
        yaml_.complain(map["cause"], fmt::format("'{}' is no cause; see harness/migration/cause.cpp", word));
    }
    yaml_.read_word<Path>(map, "path", expected.path,
                          {{"none", Path::none}, {"legacy", Path::legacy}, {"current", Path::current}});
    if (map["after"]) {
      std::uint32_t seconds = 0;
      yaml_.read_seconds(map, "after", seconds);
      expected.after = std::chrono::seconds(seconds);
    }
    if (map["method"])
      yaml_.read_word<Method>(map, "method", expected.method.emplace(),
                              {{"none", Method::none},
                               {"dialback-in-clear", Method::dialback_in_clear},
                               {"dialback-over-tls", Method::dialback_in_tls},
                               {"external", Method::external}});
  }

  void read_kinds(const YAML::Node& map, Expected& expected) {
    std::vector<std::string> words;
    yaml_.read(map, "kind", words);
    if (words.empty()) yaml_.complain(map, "expected a key 'kind' here");
    for (const auto& word : words) {
      if (word == cut_off) {
        expected.kinds.insert(expected.kinds.end(), {Kind::refused, Kind::bounced, Kind::black_holed});
        continue;
      }
      const auto* const known = std::ranges::find(kinds, word, &std::pair<std::string_view, Kind>::first);
      if (known != kinds.end())
        expected.kinds.push_back(known->second);
      else
        yaml_.complain(map["kind"], fmt::format("unknown kind '{}', expected one of {}, works, works-at-times, "
                                                "refused, bounced, black-holed, lost",
                                                word, cut_off));
    }
  }

  void read_reading(const YAML::Node& map, Fact& fact) {
    if (!map || !yaml_.map(map, "a reading", {"legacy-users", "unlisted", "wrong-key"})) return;
    using LegacyUsers = Readings::LegacyUsers;
    using Unlisted = Readings::Unlisted;
    using WrongKey = Readings::WrongKey;
    if (map["legacy-users"])
      yaml_.read_word<LegacyUsers>(map, "legacy-users", fact.legacy_users.emplace(),
                                   {{"cut-off-when-configured", LegacyUsers::cut_off_when_configured},
                                    {"cut-off-when-routed", LegacyUsers::cut_off_when_routed}});
    if (map["unlisted"])
      yaml_.read_word<Unlisted>(map, "unlisted", fact.unlisted.emplace(),
                                {{"dropped", Unlisted::dropped}, {"refused", Unlisted::refused}});
    if (map["wrong-key"])
      yaml_.read_word<WrongKey>(map, "wrong-key", fact.wrong_key.emplace(),
                                {{"silence", WrongKey::silence}, {"answered", WrongKey::answered}});
  }

  /// An operation may name what the estate does not have.
  void try_out(const YAML::Node& node, const Fact& fact) {
    try {
      (void)state_of(facts_, fact);
    } catch (const OperationError& error) {
      yaml_.complain(node, fmt::format("{}: {}", fact.id, error.what()));
    }
  }

  YamlReader& yaml_;
  Facts facts_;
  std::set<std::string> ids_;
};

std::string words_of(const Expected& expected, const Exchange& exchange) {
  std::vector<std::string_view> names, causes;
  for (const auto kind : expected.kinds) names.push_back(name_of(kind));
  for (const auto cause : expected.causes) causes.push_back(text_of(cause).id);
  auto words = fmt::format("{}, {}: {}", name_of(exchange.way), name_of(exchange.what), fmt::join(names, " or "));
  if (expected.path != Path::none) words += fmt::format(" (path {})", name_of(expected.path));
  if (expected.method) words += fmt::format(" ({})", negotiation::name_of(*expected.method));
  if (expected.after)
    words += fmt::format(" after {} s", std::chrono::duration_cast<std::chrono::seconds>(*expected.after).count());
  return causes.empty() ? words : words + fmt::format(" ({})", fmt::join(causes, " or "));
}

std::string words_with_cause(const Outcome& outcome) {
  auto words = migration::words_of(outcome);
  if (outcome.cause != Cause::none) words += fmt::format(" ({})", text_of(outcome.cause).id);
  if (outcome.method != negotiation::Method::none) words += fmt::format(" ({})", negotiation::name_of(outcome.method));
  return words;
}

bool is(const Expected& expected, const Outcome& found) {
  const bool carried = found.kind == Kind::works || found.kind == Kind::works_at_times || found.kind == Kind::lost;
  if (std::ranges::find(expected.kinds, found.kind) == expected.kinds.end()) return false;
  if (!expected.causes.empty() && std::ranges::find(expected.causes, found.cause) == expected.causes.end())
    return false;
  // What works works without a cause, and names the path that carried it.
  if (found.kind == Kind::works && found.cause != Cause::none) return false;
  if (carried && found.path != expected.path) return false;
  if (found.kind == Kind::bounced && expected.after && found.after != *expected.after) return false;
  return !expected.method || found.method == *expected.method;
}

}  // namespace

std::string_view name_of(Standing standing) {
  static constexpr std::array names{"stated", "derived", "ours"};
  return names.at(static_cast<std::size_t>(standing));
}

Facts parse_facts(std::string_view yaml, const std::string& source) {
  YamlReader reader(source);
  const YAML::Node root = reader.load(yaml);
  auto facts = FactsReader(reader).read(root);
  reader.finish();
  return facts;
}

const Facts& embedded_facts() {
  static const auto facts = parse_facts(facts_text(), "fixtures/migration/facts.yaml");
  return facts;
}

State state_of(const Facts& facts, const Fact& fact) {
  auto estate = facts.estate;
  if (fact.configured_as) estate.rows[fact.partner] = *fact.configured_as;
  auto state = estate.start;
  state.generation = fact.generation;
  for (int step = 0; step < fact.after; ++step) {
    for (const auto& operation : facts.steps.at(static_cast<std::size_t>(step))) {
      if (std::ranges::find(fact.without, operation) == fact.without.end()) apply(operation, estate, state);
    }
  }
  for (const auto& operation : fact.operations) apply(operation, estate, state);
  return state;
}

std::vector<Readings> readings_of(const Fact& fact) {
  std::vector<Readings> all;
  using LegacyUsers = Readings::LegacyUsers;
  using Unlisted = Readings::Unlisted;
  using WrongKey = Readings::WrongKey;
  for (const auto users : {LegacyUsers::cut_off_when_configured, LegacyUsers::cut_off_when_routed}) {
    for (const auto unlisted : {Unlisted::dropped, Unlisted::refused}) {
      for (const auto key : {WrongKey::silence, WrongKey::answered}) {
        if (users == fact.legacy_users.value_or(users) && unlisted == fact.unlisted.value_or(unlisted) &&
            key == fact.wrong_key.value_or(key))
          all.push_back({users, unlisted, key});
      }
    }
  }
  return all;
}

std::string contradiction(const Facts& facts, const Fact& fact, const Exchange& exchange, const Outcome& found) {
  if (is(fact.expected, found)) return {};
  return fmt::format("{}:{}: {}: {} expected, and it is: {}. {} ({}): {}", facts.source, fact.line, fact.id,
                     words_of(fact.expected, exchange), words_with_cause(found), name_of(fact.standing), fact.source,
                     fact.sentence);
}

std::vector<std::string> held_against_model(const Facts& facts) {
  std::vector<std::string> all;
  for (const auto& fact : facts.all) {
    const auto state = state_of(facts, fact);
    const View view{.srv = fact.seen_record.empty() ? nullptr : &facts.estate.records.at(fact.seen_record),
                    .open_stream = fact.open_stream,
                    .our_stream_open = fact.our_stream_open};
    std::set<std::string> told;  // of several readings once
    for (const auto& exchange : fact.exchanges) {
      for (const auto& readings : readings_of(fact)) {
        const auto found = outcome_of(state, facts.estate.partners.at(fact.partner), exchange, readings, view);
        auto words = contradiction(facts, fact, exchange, found);
        if (!words.empty() && told.insert(words).second) all.push_back(std::move(words));
      }
    }
  }
  return all;
}

}  // namespace cutover::harness::migration
