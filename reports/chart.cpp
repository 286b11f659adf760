// The drawing: every place is worked out here, so that a page needs no script.
#include "reports/chart.h"

#include "reports/chart_rows.h"
#include "reports/chart_scale.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace cutover::reports {

namespace {

// In units of the drawing, which are pixels on a screen that is wide enough.
constexpr double width = 1240, left = 276, right = width - 12, names_end = 164;
constexpr double row_height = 17, group_gap = 5, bar = 15, pale_bar = 12, axis = 32;
constexpr double base = 12.4;                                       // of a line of text in a row
constexpr double least_loss = 3;                                    // whatever the scale makes of it, a loss is seen
constexpr double letter = 6.1, bold_letter = 7.2, letter_fits = 9;  // about as wide as text of this size is
constexpr std::size_t rows_on_a_page = 36, rows_of_one_of_several = 20;

struct FateText {
  Fate fate = Fate::legacy;
  const char *word = "", *name = "", *brief = "", *letter = "";
};
constexpr std::array<FateText, fates> texts{{
    {Fate::legacy, "legacy", "works by the legacy gateway", "legacy", "L"},
    {Fate::current, "current", "works by the new side", "new side", "N"},
    {Fate::at_times, "at-times", "works at times", "at times", "A"},
    {Fate::refused, "refused", "refused: the sender is told at once", "refused", "R"},
    {Fate::bounced, "bounced", "bounced: the sender is told later", "bounced", "B"},
    {Fate::black_holed, "black-holed", "black-holed: nobody is told", "black-holed", "H"},
    {Fate::lost, "lost", "lost: the sender is told success", "lost", "X"},
}};
const FateText& text_of(Fate fate) { return texts.at(static_cast<std::size_t>(fate)); }

constexpr char style[] = R"(
.charts { --c-ink:#1f2328; --c-grey:#57606a; --c-line:#d0d7de; --c-back:#fff; --c-bad:#cf222e; --c-zone:#cf222e14;
  --c-legacy:#dbe6f4; --c-legacy-edge:#7f9cc0; --c-current:#d8f2dd; --c-current-edge:#4f9a62; }
@media screen and (prefers-color-scheme: dark) { .charts { --c-ink:#e6edf3; --c-grey:#9198a1; --c-line:#30363d;
  --c-back:#0d1117; --c-bad:#ff7b72; --c-zone:#ff7b721f;
  --c-legacy:#22324a; --c-legacy-edge:#5b7ba6; --c-current:#17402a; --c-current-edge:#3f8a55; } }
.charts figure { margin: 14px 0; } .charts figcaption { margin: 0 0 4px; } .charts figcaption b { font-size: 15px; }
.charts .plot { overflow-x: auto; } .charts .plot svg { display: block; width: 100%; min-width: 760px; height: auto; }
.charts svg text { font: 11.5px system-ui, sans-serif; fill: var(--c-ink); }
.charts svg text.small { font-size: 10.5px; fill: var(--c-grey); } .charts svg text.name { font-weight: 600; }
.charts .line { stroke: var(--c-line); } .charts .step { stroke: var(--c-grey); stroke-dasharray: 3 2; }
.charts .takes { fill: var(--c-grey); opacity: .12; } .charts .pill { fill: var(--c-back); stroke: var(--c-grey); }
.charts .back { stroke: var(--c-bad); stroke-width: 2.5; } .charts .pill.back { stroke-width: 2; }
.charts svg text.back { fill: var(--c-bad); stroke: none; font-weight: 600; } .charts .zone { fill: var(--c-zone); }
.charts .f-legacy { fill: var(--c-legacy); stroke: var(--c-legacy-edge); }
.charts .f-current { fill: var(--c-current); stroke: var(--c-current-edge); }
.charts .f-at-times { fill: #ffe38a; stroke: #8a6a00; } .charts .f-refused { fill: #f7a650; stroke: #8a4b00; }
.charts .f-bounced { fill: #ee7b4a; stroke: #7d2a05; } .charts .f-black-holed { fill: #5b2a86; stroke: #2c0f47; }
.charts .f-lost { fill: #a40e26; stroke: #4d0009; } .charts rect { stroke-width: 1; } .charts .over { stroke: none; }
.charts svg text.i-at-times, .charts svg text.i-refused, .charts svg text.i-bounced { fill: #1f2328; }
.charts svg text.i-black-holed, .charts svg text.i-lost { fill: #fff; }
.charts svg text.i { paint-order: stroke; stroke-width: 3px; font-weight: 600; }
.charts svg text.i-at-times { stroke: #ffe38a; } .charts svg text.i-refused { stroke: #f7a650; }
.charts svg text.i-bounced { stroke: #ee7b4a; } .charts svg text.i-black-holed { stroke: #5b2a86; }
.charts svg text.i-lost { stroke: #a40e26; }
.charts .cut { fill: none; stroke: var(--c-grey); } .charts .cut.gap { stroke: var(--c-back); stroke-width: 5; }
.charts ul { list-style: none; margin: 4px 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: 2px 18px; font-size: 13px; }
.charts ul.steps b { display: inline-block; min-width: 18px; }
.charts ul.steps .no { color: var(--c-bad); font-weight: 600; }
.charts .facts { color: var(--c-grey); } .charts ul.legend svg { width: 22px; height: 16px; vertical-align: -3px; }
@media (max-width: 700px) { .charts .plot svg { min-width: 900px; } .charts svg text { font-size: 13px; } }
@media print { .charts ul { font-size: 7.5pt; gap: 0 3.5mm; margin: .5mm 0; } .charts figcaption { font-size: 8.5pt; }
  .charts figure { margin: .5mm 0; } .charts figcaption b { font-size: 10pt; } .charts .plot svg { min-width: 0; }
  .charts ul.legend svg { width: 4mm; height: 3mm; vertical-align: -.5mm; }
  .charts details { display: none; } }
)";

/// Marks that do not live by their colour: dots, lines, a lattice; and stripes for what some are spared.
std::string patterns(const std::string& id) {
  return fmt::format(
      "<defs><pattern id=\"{0}-at-times\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><circle cx=\"3\" "
      "cy=\"3\" r=\"1.1\" fill=\"#8a6a00\"/></pattern><pattern id=\"{0}-bounced\" width=\"5\" height=\"5\" "
      "patternUnits=\"userSpaceOnUse\"><path d=\"M0,2.5H5\" stroke=\"#7d2a05\" stroke-width=\"1.2\"/></pattern>"
      "<pattern id=\"{0}-lost\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\"><path d=\"M0,0L7,7M7,0L0,7\" "
      "stroke=\"#fff\" stroke-width=\"1\"/></pattern><pattern id=\"{0}-unsure\" width=\"7\" height=\"7\" "
      "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"3.4\" height=\"7\" "
      "fill=\"#fff\" fill-opacity=\".72\"/></pattern></defs>",
      id);
}
bool has_pattern(Fate fate) { return fate == Fate::at_times || fate == Fate::bounced || fate == Fate::lost; }

std::string rectangle(double x, double y, double w, double h, const std::string& attributes) {
  return fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" {}/>)", x, y, w, h, attributes);
}
std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>)", x1, y1, x2, y2, kind);
}
std::string label(double x, double y, const char* anchor, const std::string& kind, std::string_view text) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>)", x, y, anchor, kind,
                     xml_escape(text));
}
/// With the patterns that its kind has.
std::string filled(double x, double y, double w, double h, Fate fate, bool certain, const std::string& id) {
  auto drawn = rectangle(x, y, w, h, fmt::format("class=\"f-{}\"", word_of(fate)));
  const auto over = [&](const char* pattern) {
    drawn += rectangle(x, y, w, h, fmt::format("class=\"over\" fill=\"url(#{}-{})\"", id, pattern));
  };
  if (has_pattern(fate)) over(word_of(fate));
  if (!certain) over("unsure");
  return drawn;
}

/// At most so many letters, whole characters of UTF-8.
std::string shortened(const std::string& text, std::size_t letters) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (++count > letters) return text.substr(0, text.find_last_not_of(" ,", i - 2) + 1) + "…";
  }
  return text;
}

/// A text in lines of some letters; what is left over ends the last one with dots.
std::vector<std::string> in_lines(const std::string& text, std::size_t letters, std::size_t lines_max) {
  std::vector<std::string> lines;
  std::string rest = text;
  while (lines.size() + 1 < lines_max && rest.size() > letters) {
    const auto space = rest.rfind(' ', letters);
    if (space == std::string::npos || space == 0) break;
    lines.push_back(rest.substr(0, space));
    rest.erase(0, space + 1);
  }
  lines.push_back(shortened(rest, letters));
  return lines;
}

std::string in_thousands(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string name_of(const ChartGroup& group) {
  if (group.partners.size() == 1) return group.partners.front();
  return fmt::format("{} partners: {}", group.partners.size(), fmt::join(group.partners, ", "));
}

/// Each has a line to itself.
bool named_apart(const ChartGroup& group) { return group.partners.size() <= group.rows.size(); }

struct Clock {
  std::string day, time;
};
Clock clock_of(const std::optional<std::int64_t>& start, std::int64_t at) {
  using namespace std::chrono;
  const sys_seconds moment{seconds(start.value_or(0) + at)};
  const auto day = floor<days>(moment);
  const hh_mm_ss time(moment - day);
  const auto seconds = time.seconds().count() == 0 ? std::string() : fmt::format(":{:02}", time.seconds().count());
  Clock clock{"", fmt::format("{:02}:{:02}{}", time.hours().count(), time.minutes().count(), seconds)};
  if (start) {
    static constexpr std::array week{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const year_month_day date(day);
    clock.day = fmt::format("{} {} {}", week.at(weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
                            months.at(static_cast<unsigned>(date.month()) - 1));
  } else if (at < 0) {
    // The time before the start, not the hour of the day before it.
    const auto before = clock_of(std::nullopt, -at);
    return {before.day.empty() ? "" : "-" + before.day.substr(1), "-" + before.time.substr(1)};
  } else {
    if (day.time_since_epoch().count() != 0) clock.day = fmt::format("+{} d", day.time_since_epoch().count());
    clock.time = "+" + clock.time;
  }
  return clock;
}

class Drawing {
 public:
  Drawing(const Chart& chart, const std::vector<ChartGroup>& groups, std::size_t index, const ChartScale& scale,
          std::string id)
      : chart_(chart), groups_(groups), index_(index), scale_(scale), id_(std::move(id)) {
    const bool no_return = std::ranges::any_of(chart.marks, &ChartMark::no_return);
    top_ = no_return ? 42 : 28;
    bottom_ = top_;
    for (const auto& group : groups) bottom_ += static_cast<double>(group.rows.size()) * row_height + group_gap;
    for (const auto& mark : chart.marks) crossings_.push_back(scale.x(mark.at));
    for (const auto& cut : scale.cuts()) crossings_.push_back((scale.x(cut.from) + scale.x(cut.to)) / 2);
    std::ranges::sort(crossings_);
  }

  std::string svg() {
    std::string out = fmt::format("<svg viewBox=\"0 0 {} {:.0f}\" role=\"img\" aria-label=\"{}\">{}", width,
                                  bottom_ + (chart_.by_step ? 4 : axis),
                                  xml_escape(chart_.title + ": " + chart_.summary), patterns(id_));
    add_ground(out);
    add_rows(out);
    add_cuts(out);
    add_numbers(out);
    if (!chart_.by_step) add_times(out);
    return out + "</svg>";
  }

 private:
  void add_ground(std::string& out) const {
    for (const auto& mark : chart_.marks) {
      const auto x = scale_.x(mark.at);
      if (mark.no_return) out += rectangle(x, top_ - 4, right - x, bottom_ - top_ + 4, "class=\"zone over\"");
      if (mark.until > mark.at)
        out += rectangle(x, top_ - 4, scale_.x(mark.until) - x, bottom_ - top_ + 4, "class=\"takes over\"");
    }
  }

  void add_rows(std::string& out) const {
    auto y = top_;
    for (const auto& group : groups_) {
      out += line(0, y - group_gap / 2, right, y - group_gap / 2, "line");
      add_name(out, group, y);
      for (const auto& row : group.rows) {
        add_row(out, group, row, y);
        y += row_height;
      }
      y += group_gap;
    }
    out += line(0, bottom_ - group_gap / 2, right, bottom_ - group_gap / 2, "line");
    for (const auto& mark : chart_.marks) {
      const auto x = scale_.x(mark.at);
      out += line(x, top_ - 4, x, bottom_, mark.no_return ? "back" : "step");
    }
  }

  static void add_name(std::string& out, const ChartGroup& group, double y) {
    const auto name = name_of(group);
    out += "<g><title>" + xml_escape(name + (group.worst_of ? " (their fortunes are alike; the worst is shown)" : "")) +
           "</title>";
    const auto letters = static_cast<std::size_t>(names_end / bold_letter);
    const auto lines = named_apart(group) ? group.partners : in_lines(name, letters, group.rows.size());
    for (const auto& one : lines) {
      out += label(0, y + base, "start", "name", shortened(one, letters));
      y += row_height - 3;
    }
    out += "</g>";
  }

  static std::string users_of(const ChartRow& row) { return fmt::format("{}", fmt::join(row.users, ", ")); }

  void add_row(std::string& out, const ChartGroup& group, const ChartRow& row, double y) const {
    const auto way = std::string(row.to_partner ? "to partner" : "from partner");
    const auto users = row.users.empty() ? "everybody" : users_of(row);
    const auto letters = static_cast<std::size_t>((left - 14 - names_end) / letter);
    const auto words = (row.to_partner ? "→ " : "← ") + (row.users.empty() ? way : users_of(row));
    out += fmt::format("<g><title>{}</title>{}</g>",
                       xml_escape(fmt::format("{} ({} users), {}", users, in_thousands(row.count), way)),
                       label(left - 8, y + base, "end", "", shortened(words, letters)));
    // What is lost stands above what works: its least width may reach into its neighbour.
    for (const bool loss : {false, true}) {
      for (const auto& segment : row.charts[index_]) {
        if (works(segment.fate) != loss)
          add_segment(out, fmt::format("{}, {}, {}", name_of(group), way, users), segment, y);
      }
    }
  }

  void add_segment(std::string& out, const std::string& who, const ChartSegment& segment, double y) const {
    const bool good = works(segment.fate);
    const auto height = good ? pale_bar : bar;
    const auto x = scale_.x(segment.from);
    const auto w = std::max(scale_.x(segment.to) - x, good ? 0.5 : least_loss);
    const auto& text = text_of(segment.fate);
    out += fmt::format("<g><title>{}</title>", xml_escape(fmt::format("{}: {}: {}{}", who, span_of(segment),
                                                                      segment.words.empty() ? text.name : segment.words,
                                                                      segment.certain ? "" : " (for some of them)")));
    out += filled(x, y + (row_height - height) / 2, w, height, segment.fate, segment.certain, id_);
    add_word(out, segment, text, x, x + w, y);
    out += "</g>";
  }

  /// In the widest place that no line of a step and no cut goes through; the letter where the word does not fit.
  void add_word(std::string& out, const ChartSegment& segment, const FateText& text, double from, double to,
                double y) const {
    std::vector<double> lines{from};
    for (const auto at : crossings_) {
      if (at > from && at < to) lines.push_back(at);
    }
    lines.push_back(to);
    double room = 0, middle = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      if (lines[i] - lines[i - 1] <= room + 1) continue;
      room = lines[i] - lines[i - 1];
      middle = (lines[i] + lines[i - 1]) / 2;
    }
    const std::string_view brief = text.brief;
    const bool whole = room > static_cast<double>(brief.size()) * letter + 6;
    if (!whole && to - from < letter_fits) return;
    if (room < letter_fits) middle = (from + to) / 2;
    out += label(middle, y + base, "middle", fmt::format("{}i-{}", works(segment.fate) ? "small " : "i ", text.word),
                 whole ? brief : text.letter);
  }

  [[nodiscard]] std::string span_of(const ChartSegment& segment) const {
    if (chart_.by_step) {
      const auto from = segment.from == 0 ? std::string("from the start") : "from step " + step_at(segment.from);
      return from + (segment.to == chart_.end ? " to the end" : " until step " + step_at(segment.to));
    }
    return moment_of(chart_.start, segment.from) + " to " + moment_of(chart_.start, segment.to);
  }
  [[nodiscard]] std::string step_at(std::int64_t at) const {
    const auto mark = std::ranges::find(chart_.marks, at, &ChartMark::at);
    return mark == chart_.marks.end() ? std::to_string(at) : mark->label;
  }

  /// A torn strip where a long time without any change is left out.
  void add_cuts(std::string& out) const {
    for (const auto& cut : scale_.cuts()) {
      const auto x = (scale_.x(cut.from) + scale_.x(cut.to)) / 2;
      for (const auto& [shift, kind] : {std::pair(0.0, "cut gap"), std::pair(-3.0, "cut"), std::pair(3.0, "cut")}) {
        std::string path = fmt::format("M{:.1f},{:.1f}", x + shift, top_ - 4);
        int side = 1;
        for (auto y = top_ + 2; y < bottom_ + 3; y += 6, side = -side)
          path += fmt::format("L{:.1f},{:.1f}", x + shift + 2 * side, y);
        out += fmt::format(R"(<path d="{}" class="{}"/>)", path, kind);
      }
    }
  }

  struct Pill {
    double x = 0, half = 0;
    std::size_t first = 0, last = 0;
    bool no_return = false;
  };
  [[nodiscard]] std::string text_of_pill(const Pill& pill) const {
    const auto &first = chart_.marks[pill.first].label, &last = chart_.marks[pill.last].label;
    if (pill.first == pill.last) return first;
    return first + (pill.last - pill.first == 1 ? ", " : "–") + last;
  }
  void place(Pill& pill) const {
    double sum = 0;
    for (auto i = pill.first; i <= pill.last; ++i) sum += scale_.x(chart_.marks[i].at);
    pill.half = std::max(8.0, static_cast<double>(text_of_pill(pill).size()) * letter / 2 + 3);
    pill.x = std::clamp(sum / static_cast<double>(pill.last - pill.first + 1), left, right - pill.half + 8);
  }

  /// The numbers of the steps; those that would touch are one.
  void add_numbers(std::string& out) const {
    std::vector<Pill> pills;
    for (std::size_t i = 0; i < chart_.marks.size(); ++i) {
      pills.push_back({.first = i, .last = i, .no_return = chart_.marks[i].no_return});
      place(pills.back());
      while (pills.size() > 1) {
        auto &before = pills[pills.size() - 2], &now = pills.back();
        if (before.x + before.half + 1 < now.x - now.half) break;
        before.last = now.last;
        before.no_return = before.no_return || now.no_return;
        pills.pop_back();
        place(pills.back());
      }
    }
    for (const auto& pill : pills) {
      const auto y = top_ - 22;
      out += rectangle(pill.x - pill.half, y, 2 * pill.half, 16,
                       fmt::format(R"(rx="8" class="pill{}")", pill.no_return ? " back" : ""));
      out += label(pill.x, y + 12, "middle", "", text_of_pill(pill));
      if (!pill.no_return) continue;
      const bool late = pill.x > right - 110;
      out += label(late ? pill.x + pill.half : pill.x - pill.half, y - 5, late ? "end" : "start", "back",
                   "point of no return");
    }
  }

  /// Clock times below, as many as there is room for: begin, end, steps, then everything else.
  void add_times(std::string& out) const {
    std::vector<std::int64_t> wanted{chart_.begin, chart_.end};
    for (const auto& mark : chart_.marks) wanted.push_back(mark.at);
    for (const auto& group : groups_) {
      for (const auto& row : group.rows) {
        for (const auto& segment : row.charts[index_]) {
          if (!works(segment.fate)) wanted.insert(wanted.end(), {segment.from, segment.to});
        }
      }
    }
    struct Placed {
      double x = 0, half = 0;
      Clock clock;
    };
    std::vector<Placed> placed;
    for (const auto at : wanted) {
      auto clock = clock_of(chart_.start, at);
      const auto half = static_cast<double>(clock.time.size()) * letter / 2;
      const auto x = scale_.x(at);
      const bool free =
          std::ranges::none_of(placed, [&](const Placed& one) { return std::abs(one.x - x) < one.half + half + 5; });
      if (free) placed.push_back({x, half, std::move(clock)});
    }
    std::ranges::sort(placed, {}, &Placed::x);
    std::string day;
    double day_end = 0;
    for (const auto& one : placed) {
      const auto x = std::min(one.x, width - one.half - 3);
      out += line(one.x, bottom_ - group_gap / 2, one.x, bottom_ + 2, "line");
      out += label(x, bottom_ + 13, "middle", "small", one.clock.time);
      const auto half = static_cast<double>(one.clock.day.size()) * letter / 2;
      const auto at = std::min(x, width - half - 3);
      if (one.clock.day == day || at - half < day_end) continue;
      out += label(at, bottom_ + 26, "middle", "small", one.clock.day);
      day = one.clock.day;
      day_end = at + half + 5;
    }
  }

  const Chart& chart_;
  const std::vector<ChartGroup>& groups_;
  std::size_t index_;
  const ChartScale& scale_;
  std::string id_;
  double top_ = 0, bottom_ = 0;
  std::vector<double> crossings_;  ///< where steps and cuts are
};

std::string steps_of(const Chart& chart) {
  std::string out = "<ul class=\"steps\">";
  std::string day;
  for (const auto& mark : chart.marks) {
    const auto clock = clock_of(chart.start, mark.at);
    const auto time = clock.day == day ? clock.time : moment_of(chart.start, mark.at);
    day = clock.day;
    out += fmt::format("<li><b>{}</b> {}{}{}</li>", xml_escape(mark.label),
                       chart.by_step ? "" : "<span class=\"facts\">" + time + "</span> ", xml_escape(mark.name),
                       mark.no_return ? " <span class=\"no\">point of no return</span>" : "");
  }
  return out + "</ul>\n";
}

std::string legend_of(const std::vector<ChartGroup>& groups, const ChartScale& scale, const std::string& id) {
  std::array<bool, fates> used{};
  bool unsure = false, worst_of = false;
  for (const auto& group : groups) {
    worst_of = worst_of || group.worst_of;
    for (const auto& row : group.rows) {
      for (const auto& segments : row.charts) {
        for (const auto& one : segments) {
          used.at(static_cast<std::size_t>(one.fate)) = true;
          unsure = unsure || !one.certain;
        }
      }
    }
  }
  std::string out = "<ul class=\"legend\">";
  const auto swatch = [](const std::string& drawn) {
    return "<svg viewBox=\"0 0 22 16\" aria-hidden=\"true\">" + drawn + "</svg>";
  };
  for (const auto& text : texts) {
    if (!used.at(static_cast<std::size_t>(text.fate))) continue;
    const auto ink = fmt::format("{}i-{}", works(text.fate) ? "small " : "i ", text.word);
    out += "<li>" + swatch(filled(1, 1, 20, 14, text.fate, true, id) + label(11, 12, "middle", ink, text.letter)) +
           " " + text.name + "</li>";
  }
  if (unsure)
    out += "<li>" + swatch(filled(1, 1, 20, 14, Fate::refused, false, id)) +
           " striped: at worst; some are better off (cache, open stream, one of several)</li>";
  if (!scale.cuts().empty())
    out += "<li>" + swatch("<path d=\"M8,0L12,5L8,10L12,16M13,0L17,5L13,10L17,16\" class=\"cut\"/>") +
           " torn: a long time in which nothing changes, cut</li>";
  if (scale.widened()) out += "<li>short times are drawn wider than they are</li>";
  if (worst_of) out += "<li>rows of several show the worst that one of them has</li>";
  return out + "</ul>\n";
}

/// All names of the rows that stand for several, for who wants to know.
std::string names_of(const std::vector<ChartGroup>& groups) {
  std::string names;
  for (const auto& group : groups) {
    if (!named_apart(group)) names += "<li>" + xml_escape(name_of(group)) + "</li>";
  }
  return names.empty() ? ""
                       : "<details><summary>which partners share a row</summary><ul>" + names + "</ul></details>\n";
}

ChartScale scale_of(std::span<const Chart> charts, const std::vector<ChartGroup>& groups) {
  std::vector<std::int64_t> moments;
  for (const auto& chart : charts) {
    moments.insert(moments.end(), {chart.begin, chart.end});
    for (const auto& mark : chart.marks) moments.push_back(mark.at);
  }
  for (const auto& group : groups) {
    for (const auto& row : group.rows) {
      for (const auto& segments : row.charts) {
        for (const auto& one : segments) moments.insert(moments.end(), {one.from, one.to});
      }
    }
  }
  return {std::move(moments), left, right};
}

}  // namespace

const char* name_of(Fate fate) { return text_of(fate).name; }
const char* word_of(Fate fate) { return text_of(fate).word; }
std::optional<Fate> fate_of(std::string_view word) {
  const auto found = std::ranges::find(texts, word, &FateText::word);
  return found == texts.end() ? std::nullopt : std::optional(found->fate);
}

std::string moment_of(const std::optional<std::int64_t>& start, std::int64_t at) {
  const auto [day, time] = clock_of(start, at);
  return day.empty() ? time : day + " " + (start ? time : time.substr(1));
}

std::string charts_html(std::span<const Chart> charts, const std::string& id) {
  if (charts.empty()) return {};
  const auto groups = groups_of(charts, charts.size() > 1 ? rows_of_one_of_several : rows_on_a_page);
  const auto scale = scale_of(charts, groups);
  std::string out = "<div class=\"charts\">\n<style>" + std::string(style) + "</style>\n";
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const auto& chart = charts[i];
    out += fmt::format("<figure>\n<figcaption><b>{}</b> {}</figcaption>\n<div class=\"plot\" tabindex=\"0\">{}</div>\n",
                       xml_escape(chart.title), xml_escape(chart.summary),
                       Drawing(chart, groups, i, scale, fmt::format("{}{}", id, i)).svg());
    out += steps_of(chart) + "</figure>\n";
  }
  return out + legend_of(groups, scale, id + "0") + names_of(groups) + "</div>\n";
}

}  // namespace cutover::reports
