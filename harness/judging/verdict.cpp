// Turns judgements into checks: the catalogue gives the level, the level gives the outcome.
#include "harness/judging/verdict.h"

#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "protocol/base/check.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace cutover::harness {

namespace {
thread_local Verdicts* current_verdicts = nullptr;

std::string level_of(const char* requirement) {
  const auto [id, part] = id_and_part(requirement);
  const auto* found = Catalogue::current().find(id);
  if (found == nullptr) throw HarnessFault(std::string("no such requirement in the catalogue: ") + requirement);
  if (!part.empty() && std::ranges::count(parts_of(*found), part) == 0)
    throw HarnessFault(fmt::format("{} has no part '{}' in the catalogue", id, part));
  return std::string(found->level);
}
}  // namespace

Verdicts::Verdicts(std::string case_id, bool strict, std::function<std::string()> wire,
                   std::function<std::optional<Time>()> now)
    : case_id_(std::move(case_id)), strict_(strict), wire_(std::move(wire)), now_(std::move(now)) {}

reports::Check& Verdicts::add(const std::string& requirement, std::string level, const char* file, int line) {
  const auto [id, part] = id_and_part(requirement);
  const int count = ++judged_[std::string(id)];
  auto& check = checks_.emplace_back();
  check.id = fmt::format("{}#{}{}", case_id_, id, count == 1 ? "" : "." + std::to_string(count));
  check.requirement = id;
  check.part = part;
  check.level = std::move(level);
  check.file = source_path(file);
  check.line = line;
  return check;
}

void Verdicts::judge(const char* requirement, std::string looked_at, bool met, std::string expected, std::string actual,
                     const char* file, int line) {
  auto& check = add(requirement, level_of(requirement), file, line);
  check.looked_at = std::move(looked_at);
  check.outcome = outcome_of(check.level, met, strict_);
  check.expected = std::move(expected);
  check.actual = std::move(actual);
  if (met) return;
  if (const auto now = now_ ? now_() : std::nullopt) check.time_ns = now->time_since_epoch().count();
  if (!wire_) return;
  if (const auto wire = wire_(); !wire.empty()) check.actual += "\nLast on the wire:\n" + wire;
}

bool Verdicts::given(bool met, std::string words) {
  if (!met && std::ranges::find(unmet_, words) == unmet_.end()) unmet_.push_back(std::move(words));
  return met;
}

void Verdicts::inconclusive(const char* requirement, std::string reason, const char* file, int line) {
  auto& check = add(requirement, level_of(requirement), file, line);
  check.outcome = reports::Outcome::inconclusive;
  check.actual = std::move(reason);
}

void Verdicts::incomplete(std::string level, std::string reason, const char* file, int line) {
  auto& check = add("precondition", std::move(level), file, line);
  check.requirement.clear();
  check.outcome = reports::Outcome::inconclusive;
  check.actual = std::move(reason);
}

void Verdicts::assertion_failed(const std::string& message, const char* file, int line) {
  auto& check = add("assertion", "", file, line);
  check.requirement.clear();
  check.outcome = reports::Outcome::fail;
  check.looked_at = "the case can go on here";
  check.expected = "yes";
  check.actual = "no: " + message;
  if (!wire_) return;
  if (const auto wire = wire_(); !wire.empty()) check.actual += "\nLast on the wire:\n" + wire;
}

Verdicts& Verdicts::current() {
  if (current_verdicts == nullptr) throw HarnessFault("CONFORMS outside a case");
  return *current_verdicts;
}

Verdicts::Scope::Scope(Verdicts& verdicts) : outer_(current_verdicts) { current_verdicts = &verdicts; }
Verdicts::Scope::~Scope() { current_verdicts = outer_; }

namespace {
/// How a matcher's description begins, and what a person says instead; what follows is kept.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> usual_beginnings{{
    {"is equal to true", "yes"},
    {"is equal to false", "no"},
    {"is equal to ", ""},
    {"isn't equal to ", "anything but "},
    {"is empty", "nothing"},
    {"isn't empty", "anything"},
    {"is >= ", "at least "},
    {"is <= ", "at most "},
    {"is > ", "more than "},
    {"is < ", "less than "},
    {"starts with ", "a text that starts with "},
    {"has substring ", "a text that contains "},
    {"contains regular expression ", "a text that matches "},
    {"only contains elements that ", "each of them "},
    {"contains at least one element that ", "among them "},
    {"doesn't contain any element that ", "none of them "},
    {"has 1 element that ", "only "},
    {"is ", ""},
}};

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  for (auto at = text.find(by); at != std::string_view::npos; at = text.find(by)) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + by.size());
  }
  parts.emplace_back(text);
  return parts;
}

std::string joined_in_words(const std::vector<std::string>& parts, const char* by) {
  std::vector<std::string> words;
  std::ranges::transform(parts, std::back_inserter(words), in_words);
  return fmt::format("{}", fmt::join(words, by));
}

/// "has 2 elements where\nelement #0 is ...,\nelement #1 is ...": the elements alone.
std::string elements_in_words(std::string_view description) {
  std::vector<std::string> elements;
  for (const auto& line : split(description, "\n")) {
    const auto mark = line.find("element #");
    if (mark == std::string::npos) continue;
    auto element = line.substr(line.find(' ', mark + 9) + 1);
    for (const std::string_view end : {" and", ","})
      if (element.ends_with(end)) element.resize(element.size() - end.size());
    elements.push_back(std::move(element));
  }
  const bool any_order = description.find("permutation") != std::string_view::npos;
  return joined_in_words(elements, ", ") + (any_order ? ", in any order" : "");
}
}  // namespace

std::string in_words(std::string description) {
  description = readable(std::move(description));
  if (description.find("\nelement #0 ") != std::string::npos ||
      description.find("\n - element #0 ") != std::string::npos)
    return elements_in_words(description);
  if (description.starts_with('(') && description.ends_with(')')) {
    const auto inside = description.substr(1, description.size() - 2);
    const auto both = split(inside, ") and (");
    return both.size() > 1 ? joined_in_words(both, " and ") : joined_in_words(split(inside, ") or ("), " or ");
  }
  for (const auto& [beginning, words] : usual_beginnings) {
    if (!description.starts_with(beginning)) continue;
    auto rest = description.substr(beginning.size());
    const bool nested = beginning.ends_with(" that ");
    return std::string(words) + (nested ? in_words(std::move(rest)) : rest);
  }
  return description;
}

namespace {
void drop_addresses(std::string& text) {
  constexpr std::string_view mark = " pointing to ";
  for (auto end = text.find(mark); end != std::string::npos; end = text.find(mark)) {
    const auto start = text.rfind("0x", end);
    const bool address = start != std::string::npos && text.find_first_not_of("0123456789abcdef", start + 2) == end;
    if (!address) break;
    text.erase(start, end + mark.size() - start);
  }
}

/// The octets of a text as GoogleMock prints it, from the opening quote at `at` on, which is set behind it. "\xC3" "a"
/// is one text in two literals.
std::string octets_of(std::string_view printed, std::size_t& at) {
  constexpr std::string_view names = "abtnvfr0", meant{"\a\b\t\n\v\f\r\0", 8};
  std::string octets;
  for (++at; at < printed.size(); ++at) {
    if (printed[at] == '"') {
      if (!printed.substr(at).starts_with("\" \"")) break;
      at += 2;
    } else if (printed[at] != '\\' || at + 1 == printed.size()) {
      octets += printed[at];
    } else if (printed[++at] == 'x') {
      unsigned octet = 0;
      const auto* end = std::from_chars(printed.data() + at + 1, printed.data() + printed.size(), octet, 16).ptr;
      octets += static_cast<char>(octet);
      at = static_cast<std::size_t>(end - printed.data()) - 1;
    } else {
      const auto name = names.find(printed[at]);
      octets += name == std::string_view::npos ? printed[at] : meant[name];
    }
  }
  ++at;
  return octets;
}

/// In letters, in one line.
std::string letters_of(const std::string& octets) {
  std::string letters;
  for (const char c : reports::xml_clean(octets)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      letters += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else {
      letters += c;
    }
  }
  return letters;
}
}  // namespace

std::string readable(std::string printed) {
  drop_addresses(printed);
  const std::string_view view = printed;
  std::string result;
  for (std::size_t at = 0; at < view.size();) {
    if (view[at] != '"') {
      result += view[at++];
      continue;
    }
    const auto octets = octets_of(view, at);
    result += fmt::format("\"{}\"", letters_of(octets));
    const auto again = fmt::format("\n    As Text: \"{}\"", octets);
    if (at < view.size() && view.substr(at).starts_with(again)) at += again.size();
  }
  return result;
}

}  // namespace cutover::harness
