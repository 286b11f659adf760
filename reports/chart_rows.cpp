// First what is equal is merged; where that is not enough, what is alike.
#include "reports/chart_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace cutover::reports {

namespace {

using Segments = std::vector<ChartSegment>;
using Groups = std::vector<ChartGroup>;

/// What can be seen of a row: times and fates, not the words.
std::string seen(const std::vector<Segments>& charts) {
  std::string text;
  for (const auto& segments : charts) {
    for (const auto& one : segments)
      text += fmt::format("{}-{}{}{} ", one.from, one.to, static_cast<int>(one.fate), one.certain ? "" : "?");
    text += '|';
  }
  return text;
}

/// The fates in their order, whenever.
std::string sequence(const std::vector<Segments>& charts) {
  std::string text;
  for (const auto& segments : charts) {
    for (const auto& one : segments) {
      const auto letter = static_cast<char>('0' + static_cast<int>(one.fate));
      if (text.empty() || text.back() != letter) text += letter;
    }
    text += '|';
  }
  return text;
}

void add_words(std::string& words, const std::string& more, const char* between = "; or ") {
  if (words.empty()) {
    words = more;
  } else if (!more.empty() && words.find(more) == std::string::npos && words.size() < 300) {
    words += between + more;
  }
}

/// What is seen as one is one; its words tell what comes after what.
Segments joined(const Segments& segments) {
  Segments made;
  for (const auto& one : segments) {
    if (made.empty() || made.back().fate != one.fate || made.back().certain != one.certain ||
        made.back().to != one.from) {
      made.push_back(one);
      continue;
    }
    made.back().to = one.to;
    add_words(made.back().words, one.words, "; then ");
  }
  return made;
}

/// At each moment the worst that one of them has.
Segments worst_of(const std::vector<const Segments*>& all) {
  std::set<std::int64_t> moments;
  for (const auto* segments : all) {
    for (const auto& one : *segments) moments.insert({one.from, one.to});
  }
  Segments worst;
  std::vector<std::size_t> next(all.size());
  for (auto at = moments.begin(); at != moments.end() && std::next(at) != moments.end(); ++at) {
    std::optional<ChartSegment> now;
    for (std::size_t i = 0; i < all.size(); ++i) {
      while (next[i] < all[i]->size() && (*all[i])[next[i]].to <= *at) ++next[i];
      if (next[i] == all[i]->size() || (*all[i])[next[i]].from > *at) continue;
      const auto& one = (*all[i])[next[i]];
      if (!now) {
        now = one;
        continue;
      }
      const bool certain = now->certain && one.certain && works(now->fate) == works(one.fate);
      if (one.fate == now->fate) add_words(now->words, one.words);
      if (one.fate > now->fate) now = one;
      now->certain = certain;
    }
    if (!now) continue;
    now->from = *at;
    now->to = *std::next(at);
    if (!worst.empty() && worst.back().to == now->from && worst.back().fate == now->fate &&
        worst.back().certain == now->certain) {
      worst.back().to = now->to;
      add_words(worst.back().words, now->words);
    } else {
      worst.push_back(std::move(*now));
    }
  }
  return worst;
}

ChartRow worst_row(const std::vector<const ChartRow*>& rows, std::size_t charts) {
  ChartRow row{.to_partner = rows.front()->to_partner};
  for (std::size_t chart = 0; chart < charts; ++chart) {
    std::vector<const Segments*> all;
    all.reserve(rows.size());
    for (const auto* one : rows) all.push_back(&one->charts[chart]);
    row.charts.push_back(worst_of(all));
  }
  return row;
}

/// Every class a row, every partner a group.
Groups finest(std::span<const Chart> charts) {
  Groups groups;
  std::map<std::string, std::size_t, std::less<>> places;
  std::map<std::string, std::map<std::pair<bool, std::string>, std::size_t>> rows;
  for (std::size_t chart = 0; chart < charts.size(); ++chart) {
    for (const auto& lane : charts[chart].lanes) {
      const auto [place, fresh] = places.try_emplace(lane.partner, groups.size());
      if (fresh) groups.push_back({.partners = {lane.partner}, .rows = {}});
      auto& group = groups[place->second];
      const auto [row, first] = rows[lane.partner].try_emplace({!lane.to_partner, lane.users}, group.rows.size());
      if (first)
        group.rows.push_back({lane.to_partner, {lane.users}, lane.count, std::vector<Segments>(charts.size())});
      auto& segments = group.rows[row->second].charts[chart];
      segments = segments.empty() ? joined(lane.segments) : worst_of({&segments, &lane.segments});
    }
  }
  return groups;
}

/// Classes of equal fortune share a row; where all do, it names none.
void merge_equal_classes(ChartGroup& group) {
  std::set<std::string> classes;
  for (const auto& row : group.rows) classes.insert(row.users.begin(), row.users.end());
  std::vector<ChartRow> merged;
  for (const bool way : {true, false}) {
    std::map<std::string, std::size_t> places;
    for (auto& row : group.rows) {
      if (row.to_partner != way) continue;
      const auto [place, fresh] = places.try_emplace(seen(row.charts), merged.size());
      if (fresh) {
        merged.push_back(std::move(row));
        continue;
      }
      auto& same = merged[place->second];
      same.users.insert(same.users.end(), row.users.begin(), row.users.end());
      same.count += row.count;
      for (std::size_t chart = 0; chart < row.charts.size(); ++chart) {
        for (std::size_t i = 0; i < row.charts[chart].size(); ++i)
          add_words(same.charts[chart][i].words, row.charts[chart][i].words);
      }
    }
  }
  for (auto& row : merged) {
    if (row.users.size() == classes.size()) row.users.clear();
  }
  group.rows = std::move(merged);
}

/// One row a direction.
void merge_classes(ChartGroup& group, std::size_t charts) {
  std::vector<ChartRow> merged;
  for (const bool way : {true, false}) {
    std::vector<const ChartRow*> rows;
    std::uint64_t count = 0;
    for (const auto& row : group.rows) {
      if (row.to_partner != way) continue;
      rows.push_back(&row);
      count += row.count;
    }
    if (rows.empty()) continue;
    merged.push_back(worst_row(rows, charts));
    merged.back().count = count;
    group.worst_of = group.worst_of || rows.size() > 1;
  }
  group.rows = std::move(merged);
}

/// Partners for which `key` is the same are one group.
Groups merge_by(const Groups& groups, std::size_t charts, const std::function<std::string(const ChartGroup&)>& key) {
  std::map<std::string, std::vector<const ChartGroup*>> same;
  std::vector<std::string> order;
  for (const auto& group : groups) {
    auto& list = same[key(group)];
    if (list.empty()) order.push_back(key(group));
    list.push_back(&group);
  }
  Groups merged;
  for (const auto& name : order) {
    const auto& list = same[name];
    auto one = *list.front();
    for (std::size_t i = 1; i < list.size(); ++i) {
      one.partners.insert(one.partners.end(), list[i]->partners.begin(), list[i]->partners.end());
      one.worst_of = one.worst_of || list[i]->worst_of;
    }
    for (std::size_t row = 0; row < one.rows.size() && list.size() > 1; ++row) {
      std::vector<const ChartRow*> rows;
      for (const auto* group : list) rows.push_back(&group->rows[row]);
      const auto before = seen(one.rows[row].charts);
      one.rows[row].charts = worst_row(rows, charts).charts;
      one.worst_of =
          one.worst_of || std::ranges::any_of(rows, [&](const auto* each) { return seen(each->charts) != before; });
    }
    merged.push_back(std::move(one));
  }
  return merged;
}

template <class F>
auto key_of_rows(F of) {
  return [of](const ChartGroup& group) {
    std::string key;
    for (const auto& row : group.rows) {
      key += row.to_partner ? '>' : '<';
      for (const auto& name : row.users) key += name + ",";
      key += of(row.charts);
    }
    return key;
  };
}

std::size_t rows_in(const Groups& groups) {
  std::size_t count = 0;
  for (const auto& group : groups) count += group.rows.size();
  return count;
}

/// How bad it is, for the order of those that are shown by themselves: the worst fate first, then for how long.
std::pair<Fate, std::int64_t> badness(const ChartGroup& group) {
  std::pair<Fate, std::int64_t> bad{Fate::legacy, 0};
  for (const auto& row : group.rows) {
    for (const auto& segments : row.charts) {
      for (const auto& one : segments) {
        if (!works(one.fate)) bad = {std::max(bad.first, one.fate), bad.second + one.to - one.from};
      }
    }
  }
  return bad;
}

/// The worst by themselves, the rest together.
Groups the_rest_in_one(const Groups& groups, std::size_t charts, std::size_t rows_max) {
  auto order = groups;
  std::ranges::stable_sort(order, std::greater(), badness);
  std::set<std::string> alone;
  std::size_t rows = 2;
  for (const auto& group : order) {
    rows += group.rows.size();
    if (rows > rows_max) break;
    alone.insert(group.partners.front());
  }
  return merge_by(groups, charts, [&](const ChartGroup& group) {
    return alone.contains(group.partners.front()) ? "=" + group.partners.front() : std::string();
  });
}

}  // namespace

Groups groups_of(std::span<const Chart> charts, std::size_t rows_max) {
  const auto count = charts.size();
  auto groups = finest(charts);
  for (auto& group : groups) merge_equal_classes(group);
  auto merged = merge_by(groups, count, key_of_rows(seen));
  if (rows_in(merged) <= rows_max) return merged;
  for (auto& group : groups) merge_classes(group, count);
  merged = merge_by(groups, count, key_of_rows(seen));
  if (rows_in(merged) <= rows_max) return merged;
  merged = merge_by(merged, count, key_of_rows(sequence));
  if (rows_in(merged) <= rows_max) return merged;
  return the_rest_in_one(merged, count, rows_max);
}

}  // namespace cutover::reports
