// One arrow for what two ends noted: equal words for items, octets in common for what a raw peer sent or got.
#include "harness/arrows.h"

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

/// What a raw peer notes.
bool is_octets(const TraceRecord& record) {
  return record.note.layer == Layer::xmpp && record.note.summary.starts_with("octets");
}

class Drawing {
 public:
  void draw(const TraceRecord& record) {
    auto entry = entry_of(record);
    if (entry.from == entry.to) return keep(std::move(entry));
    const bool in = record.note.direction == Direction::in;
    if (in && (met_by_words(entry) || (is_octets(record) ? met_by_items(entry) : met_by_octets(entry)))) return;
    auto& way = ways_[{entry.layer, entry.from, entry.to}];
    if (!in) {
      ++way.words[entry.summary];
      auto& sent = is_octets(record) ? way.octets : way.items;
      sent.push_back({entry.detail, entries_.size()});
      if (sent.size() > unmet_max) sent.pop_front();
    }
    keep(std::move(entry));
  }
  std::vector<reports::TraceEntry> take() {
    for (auto& entry : entries_) {
      if (const auto tag = first_tag(entry.detail); entry.summary.starts_with("octets") && !tag.empty())
        entry.summary += ": " + tag;
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
    std::deque<Sent> octets, items;
  };
  static constexpr std::size_t unmet_max = 64;  ///< what was lost is never met

  void keep(reports::TraceEntry entry) { entries_.push_back(std::move(entry)); }
  Way& way_of(const reports::TraceEntry& entry) { return ways_[{entry.layer, entry.from, entry.to}]; }

  bool met_by_words(const reports::TraceEntry& entry) {
    auto& words = way_of(entry).words;
    const auto noted = words.find(entry.summary);
    if (noted == words.end() || noted->second == 0) return false;
    --noted->second;
    return true;
  }

  /// An item came out of octets that a raw peer sent: it gives their arrow its words.
  bool met_by_octets(const reports::TraceEntry& item) {
    if (item.detail.empty()) return false;
    for (auto& sent : way_of(item).octets) {
      const auto at = sent.unmet.find(item.detail);
      if (at == std::string::npos) continue;
      sent.unmet.erase(0, at + item.detail.size());
      auto& words = entries_[sent.entry].summary;
      if (words.starts_with("octets"))
        words = item.summary;
      else
        words.append(" + ").append(item.summary);
      return true;
    }
    return false;
  }

  /// Octets that a raw peer got are those of items whose sender noted them, however the network cut them.
  bool met_by_items(const reports::TraceEntry& octets) {
    auto& items = way_of(octets).items;
    std::string unmet;
    for (const auto& sent : items) unmet += sent.unmet;
    const auto at = unmet.find(octets.detail);
    if (octets.detail.empty() || at == std::string::npos) return false;
    unmet.erase(0, at + octets.detail.size());
    if (items.empty()) return false;
    const auto last = items.back().entry;
    items.assign(1, {std::move(unmet), last});
    return true;
  }

  std::vector<reports::TraceEntry> entries_;
  std::map<std::tuple<std::string, std::string, std::string>, Way> ways_;  ///< layer, from, to
};

int rank_of(const std::string& node) {
  constexpr std::array words{"partner",        "raw",   "prosody", "name", "dns", "legacy-gateway",
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
