// The rules themselves, as tables where they are tables.
#include "tools/tidy/tidy.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

namespace cutover::tidy {

namespace {

constexpr std::size_t line_length_max = 120;

/// What a layer may include, itself left out. What is not here (tools, fuzz) may include everything.
const std::map<std::string, std::set<std::string>, std::less<>> layers = {
    {"protocol", {}},
    {"reference", {"protocol"}},
    {"mocks", {"protocol"}},
    {"departures", {"reference", "mocks", "protocol"}},
    {"reports", {"protocol"}},  // its base alone: base64
    {"harness", {"departures", "reference", "mocks", "protocol", "reports"}},
    {"suites", {"harness", "departures", "reference", "mocks", "protocol", "reports"}},
};

/// The rooms of a layer from the ground floor up, each row a floor: a file may include what is on lower floors and in
/// its own room. Files that lie in no room of the table are above all of them.
const std::map<std::string, std::vector<std::vector<std::string_view>>, std::less<>> floors = {
    {"protocol", {{"base"}, {"xml"}, {"tls"}, {"dns", "sip"}, {"xmpp"}, {"interworking"}}},
    {"harness",
     {{"files"},
      {"worlds"},
      {"servers", "standing", "stimuli", "negotiation"},
      {"migration"},
      {"deployment", "captures", "exports"},
      {"targets"},
      {"judging"},
      {"subjects"},
      {"running"},
      {"serve", "bench"},
      {"cli", "cli_tests"}}},
};

/// A library that has one home in the tree.
struct Home {
  std::string_view include;              ///< prefix of what stands between < and >
  std::vector<std::string_view> places;  ///< prefixes of paths
};
const std::vector<Home> homes = {
    {"libxml/",
     {"protocol/xml/", "protocol/sip/", "protocol/interworking/", "reference/exports/", "reports/", "tools/"}},
    {"ldns/", {"protocol/dns/"}},
    {"osipparser2/", {"protocol/sip/"}},
    {"unicode/", {"protocol/xmpp/", "protocol/tls/"}},
    {"openssl/", {"protocol/base/base64", "protocol/tls/", "mocks/scram", "protocol/xmpp/dialback", "harness/"}},
    {"boost/asio", {"harness/worlds/live_world", "harness/serve/", "reference/admin"}},
    {"yaml-cpp/", {"harness/"}},
    {"CLI/", {"harness/"}},
};

/// Headers in which a third-party header is the purpose.
const std::set<std::string, std::less<>> open_headers = {"harness/judging/verdict.h", "harness/cli_tests/program.h",
                                                         "reports/junit_schema.h"};

struct Ban {
  std::string_view word;  ///< a whole identifier, or its end when it begins with '*'
  std::string_view instead;
  std::vector<std::string_view> allowed;  ///< prefixes of paths
};
const std::vector<Ban> bans = {
    {"co_await", "g++ 12 miscompiles it; pump the world with run_until", {}},
    {"co_return", "g++ 12 miscompiles coroutines; write a plain function", {}},
    {"co_yield", "g++ 12 miscompiles coroutines; write a plain function", {}},
    {"steady_clock",
     "ask Context::now() or World::now()",
     {"harness/worlds/live_world", "harness/running/", "harness/bench/"}},
    {"system_clock",
     "ask Context::wall_clock()",
     {"reports/", "harness/worlds/live_world", "harness/running/", "harness/bench/"}},
    {"high_resolution_clock", "ask World::now()", {}},
    {"sleep_for", "World::run_until with the condition waited for", {}},
    {"sleep_until", "World::run_until with the condition waited for", {}},
    {"usleep", "World::run_until with the condition waited for", {}},
    {"nanosleep", "World::run_until with the condition waited for", {}},
    {"rand", "Context::random, which the seed decides", {}},
    {"srand", "Context::random, which the seed decides", {}},
    {"random_device", "Context::random, which the seed decides", {}},
    {"mt19937", "Context::random, which the seed decides", {}},
    {"*_distribution", "Context::random(bound): the standard ones differ between libraries", {}},
    {"getenv", "an option of the command line", {"harness/servers/preloaded/", "harness/cli/console.cpp"}},
    {"setjmp", "return a value", {}},
    {"gets", "std::getline", {}},
};

struct Line {
  int number;
  std::string_view raw, code;
};

bool begins_with_any(std::string_view path, const std::vector<std::string_view>& prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return path.starts_with(prefix); });
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view layer_of(std::string_view path) { return path.substr(0, path.find('/')); }

/// "worlds" of "harness/worlds/world.h"; empty where the file lies in the layer itself.
std::string_view room_of(std::string_view path) {
  const auto rest = path.substr(std::min(path.size(), layer_of(path).size() + 1));
  const auto end = rest.find('/');
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

/// The number of the floor on which a room lies; one above the last for a room that the table does not have.
std::size_t floor_of(const std::vector<std::vector<std::string_view>>& rooms, std::string_view room) {
  const auto found =
      std::ranges::find_if(rooms, [&](const auto& floor) { return std::ranges::find(floor, room) != floor.end(); });
  return static_cast<std::size_t>(found - rooms.begin());
}

bool is_source(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".h") || path.ends_with(".inc");
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// What a line includes, with its delimiters; empty for any other line.
std::string_view included(std::string_view raw) {
  const auto begin = raw.find_first_not_of(' ');
  if (begin == std::string_view::npos || !raw.substr(begin).starts_with("#include ")) return {};
  const auto open = raw.find_first_of("<\"", begin);
  if (open == std::string_view::npos) return {};
  const auto close = raw.find(raw[open] == '<' ? '>' : '"', open + 1);
  if (close == std::string_view::npos) return {};
  return raw.substr(open, close - open + 1);
}

/// Standard headers have neither a path nor an extension.
bool is_standard(std::string_view name) { return name.find_first_of("/.") == std::string_view::npos; }

class Inspector {
 public:
  explicit Inspector(const Tree& tree) : tree_(tree) {}

  std::vector<Finding> all() {
    for (const auto& [path, content] : tree_) {
      if (is_source(path)) source(path, content);
      machine_paths(path, content);
    }
    dead_files();
    std::ranges::stable_sort(findings_, {}, [](const Finding& f) { return std::pair(f.path, f.line); });
    return std::move(findings_);
  }

 private:
  void add(std::string_view path, int line, std::string message) {
    findings_.push_back({std::string(path), line, std::move(message)});
  }

  void source(std::string_view path, const std::string& content) {
    if (!content.starts_with("// ") || content.find('\n') < 20) {
      add(path, 1, "the first line says the one purpose of the file: // Words.");
    }
    const std::string code = code_only(content);
    const auto raw_lines = split_lines(content);
    const auto code_lines = split_lines(code);
    for (std::size_t i = 0; i < raw_lines.size(); ++i) {
      const Line line{static_cast<int>(i) + 1, raw_lines[i], code_lines[i]};
      length(path, line);
      if (!line.code.empty()) include(path, line);
      if (included(line.raw).empty()) banned_words(path, line);
      unordered(path, line);
    }
  }

  void length(std::string_view path, const Line& line) {
    if (path.ends_with(".inc")) return;  // tables: a row stays a line
    const auto width = columns(line.raw);
    if (width > line_length_max)
      add(path, line.number, fmt::format("{} columns; break the line at {}", width, line_length_max));
  }

  void include(std::string_view path, const Line& line) {
    const auto delimited = line.code.find('#') == std::string_view::npos ? std::string_view{} : included(line.raw);
    if (delimited.empty()) return;
    const auto name = delimited.substr(1, delimited.size() - 2);
    if (delimited.front() == '"')
      ours(path, line, name);
    else
      theirs(path, line, name);
  }

  void ours(std::string_view path, const Line& line, std::string_view name) {
    used_.emplace(name);
    const auto from = layer_of(path), to = layer_of(name);
    const auto layer = layers.find(from);
    if (from == to) return rooms(path, line, name);
    if (layer == layers.end()) return;
    if (name.find('/') == std::string_view::npos) {
      add(path, line.number, fmt::format("include \"{}\" by its path from the root of the tree", name));
    } else if (!layer->second.contains(std::string(to))) {
      add(path, line.number, fmt::format("{} must not know {}: move the shared part down, or pass it in", from, to));
    }
  }

  /// Within a layer, arrows go down: never up, and never across between rooms of one floor.
  void rooms(std::string_view path, const Line& line, std::string_view name) {
    const auto layer = floors.find(layer_of(path));
    if (layer == floors.end()) return;
    const auto from = room_of(path), to = room_of(name);
    if (from == to || floor_of(layer->second, to) < floor_of(layer->second, from)) return;
    add(path, line.number,
        fmt::format("{}/{} must not know {}/{}: move the shared part down, or pass it in", layer->first, from,
                    layer->first, to));
  }

  void theirs(std::string_view path, const Line& line, std::string_view name) {
    if (is_standard(name)) return;
    if (path.ends_with(".h") && !open_headers.contains(path)) {
      add(path, line.number, fmt::format("<{}> belongs into a .cpp file: hide it behind a type of ours", name));
    }
    for (const auto& home : homes) {
      if (name.starts_with(home.include) && !begins_with_any(path, home.places)) {
        add(path, line.number,
            fmt::format("<{}> is used in {} only: go through what stands there", name, home.places.front()));
      }
    }
  }

  void banned_words(std::string_view path, const Line& line) {
    for (const auto& ban : bans) {
      const bool suffix = ban.word.front() == '*';
      const auto word = ban.word.substr(suffix ? 1 : 0);
      for (auto at = line.code.find(word); at != std::string_view::npos; at = line.code.find(word, at + 1)) {
        const bool begins = suffix || at == 0 || !is_word(line.code[at - 1]);
        const bool ends = at + word.size() >= line.code.size() || !is_word(line.code[at + word.size()]);
        if (!begins || !ends || begins_with_any(path, ban.allowed)) continue;
        add(path, line.number, fmt::format("{} is banned here; instead: {}", word, ban.instead));
        break;
      }
    }
  }

  void unordered(std::string_view path, const Line& line) {
    if (line.code.find("std::unordered_") == std::string_view::npos) return;
    if (line.raw.find("tidy: never iterated") != std::string_view::npos) return;
    add(path, line.number, "std::map and std::set have one order on every machine; or say `// tidy: never iterated`");
  }

  void machine_paths(std::string_view path, const std::string& content) {
    int number = 0;
    for (const auto line : split_lines(content)) {
      ++number;
      // In two pieces, so that this file does not find itself.
      for (const std::string_view place : {"/wo"
                                           "rk/",
                                           "/ho"
                                           "me/"}) {
        const auto at = line.find(place);
        if (at == std::string_view::npos || (at > 0 && (is_word(line[at - 1]) || line[at - 1] == '.'))) continue;
        if (path.starts_with("tools/prove_")) continue;  // a home that it makes itself, in its chroot
        add(path, number, fmt::format("{}... is a path of one machine", place));
      }
    }
  }

  void dead_files() {
    for (const auto& [path, content] : tree_) {
      const bool included_only = path.ends_with(".h") || path.ends_with(".inc");
      if (included_only && !used_.contains(path)) add(path, 0, "nothing includes this file: delete it, or use it");
    }
  }

  const Tree& tree_;
  std::set<std::string, std::less<>> used_;
  std::vector<Finding> findings_;
};

/// Where the literal or comment that begins at `at` ends (one past it); `at` itself when none begins there.
std::size_t end_of_literal(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at);
  const auto until = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return until("*/", at + 2);
  if (rest.starts_with("R\"") && (at == 0 || !is_word(text[at - 1]))) {
    const auto open = text.find('(', at);
    return open == std::string_view::npos ? text.size()
                                          : until(fmt::format("){}\"", text.substr(at + 2, open - at - 2)), open);
  }
  const char quote = text[at];
  const bool separator = quote == '\'' && at > 0 && is_word(text[at - 1]);  // 1'000
  if ((quote != '"' && quote != '\'') || separator) return at;
  auto end = at + 1;
  while (end < text.size() && text[end] != quote && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

}  // namespace

std::string code_only(std::string_view text) {
  std::string code(text);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = end_of_literal(text, at);
    for (auto i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

std::vector<Finding> inspect(const Tree& tree) { return Inspector(tree).all(); }

std::string text(const std::vector<Finding>& findings) {
  std::string lines;
  for (const auto& finding : findings) lines += fmt::format("{}:{}: {}\n", finding.path, finding.line, finding.message);
  return lines;
}

}  // namespace cutover::tidy
