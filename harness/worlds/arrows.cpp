// One arrow for what two ends noted: equal words for items, octets in common for what a raw peer sent or got.
#include "harness/worlds/arrows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <tuple>

namespace cutover::harness {

namespace {

reports::TraceEntry entry_of(const TraceRecord& record) {
  reports::TraceEntry entry;
  entry.time_ns = record.time.time_since_epoch().count();
  entry.layer = name_of(record.note.layer);
  entry.from = entry.to = record.node;
  if (!record.peer.empty() && record.note.direction == Direction::out) entry.to = record.peer;
  if (!record.peer.empty() && record.note.direction == Direction::in) entry.from = record.peer;
  entry.summary = record.note.summary;
  entry.detail = record.note.detail;
  return entry;
}

void shorten(std::string& detail) {
  if (detail.size() <= shown_detail_max_octets) return;
  constexpr std::size_t head = shown_detail_max_octets / 2, tail = shown_detail_max_octets / 8;
  const auto left_out = detail.size() - head - tail;
  detail = fmt::format("{}\n[... {} octets are not shown ...]\n{}", detail.substr(0, head), left_out,
                       detail.substr(detail.size() - tail));
}

/// The name of the first tag, for octets that nobody else put into words.
std::string first_tag(std::string_view octets) {
  for (auto at = octets.find('<'); at != std::string_view::npos; at = octets.find('<', at + 1)) {
    const auto name = octets.substr(at + 1, octets.find_first_of(" />\t\r\n", at + 2) - at - 1);
    if (!name.empty() && name.front() != '?' && name.front() != '!') return std::string(name.substr(0, 40));
  }
  return {};
}

/// What a raw peer says of what it notes, until somebody puts it into words.
bool are_octets(std::string_view summary) { return summary.starts_with("octets"); }

class Drawing {
 public:
  void draw(const TraceRecord& record) {
    auto entry = entry_of(record);
    if (entry.from == entry.to) return keep(std::move(entry));
    auto& way = ways_[{entry.layer, entry.from, entry.to}];
    if (record.note.direction == Direction::in) {
      if (met_by_words(way, entry)) return;
      if (are_octets(entry.summary) ? met_by_items(way, entry) : met_by_octets(way, entry)) return;
    } else {
      note_sent(way, entry);
    }
    keep(std::move(entry));
  }
  std::vector<reports::TraceEntry> take() {
    for (auto& entry : entries_) {
      if (are_octets(entry.summary)) add_first_tag(entry);
      shorten(entry.detail);
    }
    return std::move(entries_);
  }

 private:
  struct Sent {
    std::string unmet;  ///< octets that the receiver has not noted yet
    std::size_t entry;
  };
  struct Way {
    std::map<std::string, int> words;  ///< summaries of the sender, not met yet
    std::deque<Sent> octets;
    std::deque<std::string> items;  ///< octets of each that the receiver has not noted yet
  };
  static constexpr std::size_t unmet_max = 64;  ///< what was lost is never met

  void keep(reports::TraceEntry entry) { entries_.push_back(std::move(entry)); }
  static void add_first_tag(reports::TraceEntry& entry) {
    if (const auto tag = first_tag(entry.detail); !tag.empty()) entry.summary += ": " + tag;
  }

  /// `entry` will be the next that is kept.
  void note_sent(Way& way, const reports::TraceEntry& entry) {
    ++way.words[entry.summary];
    if (are_octets(entry.summary))
      way.octets.push_back({entry.detail, entries_.size()});
    else
      way.items.push_back(entry.detail);
    if (way.octets.size() > unmet_max) way.octets.pop_front();
    if (way.items.size() > unmet_max) way.items.pop_front();
  }

  static bool met_by_words(Way& way, const reports::TraceEntry& entry) {
    const auto noted = way.words.find(entry.summary);
    if (noted == way.words.end() || noted->second == 0) return false;
    --noted->second;
    return true;
  }

  /// An item came out of octets that a raw peer sent: it gives their arrow its words.
  bool met_by_octets(Way& way, const reports::TraceEntry& item) {
    if (item.detail.empty()) return false;
    for (auto& sent : way.octets) {
      const auto at = sent.unmet.find(item.detail);
      if (at == std::string::npos) continue;
      sent.unmet.erase(0, at + item.detail.size());
      auto& words = entries_[sent.entry].summary;
      if (are_octets(words))
        words = item.summary;
      else
        words.append(" + ").append(item.summary);
      return true;
    }
    return false;
  }

  /// Octets that a raw peer got are those of items whose sender noted them, however the network cut them.
  static bool met_by_items(Way& way, const reports::TraceEntry& octets) {
    std::string unmet;
    for (const auto& item : way.items) unmet += item;
    const auto at = unmet.find(octets.detail);
    if (octets.detail.empty() || at == std::string::npos) return false;
    unmet.erase(0, at + octets.detail.size());
    way.items = {std::move(unmet)};
    return true;
  }

  std::vector<reports::TraceEntry> entries_;
  std::map<std::tuple<std::string, std::string, std::string>, Way> ways_;  ///< layer, from, to
};

int rank_of(const std::string& node) {
  constexpr std::array words{"partner",        "raw",   "prosody", "ejabberd",
                             "jabberd2",       "name",  "dns",     "legacy-gateway",
                             "legacy_gateway", "proxy", "gateway", "pool"};
  for (std::size_t rank = 0; rank < words.size(); ++rank) {
    if (node.find(words[rank]) != std::string::npos) return static_cast<int>(rank);
  }
  return static_cast<int>(words.size());
}

}  // namespace

std::vector<reports::TraceEntry> arrows(const std::vector<TraceRecord>& records) {
  Drawing drawing;
  for (const auto& record : records) drawing.draw(record);
  return drawing.take();
}

std::vector<std::string> column_order(const std::vector<reports::TraceEntry>& trace) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const auto& entry : trace) {
    add(entry.from);
    add(entry.to);
  }
  std::ranges::stable_sort(names, {}, rank_of);
  return names;
}

}  // namespace cutover::harness
