// The text of a trace: what determinism is measured by, and what people read when a check failed.
#include "harness/worlds/trace.h"

#include <fmt/format.h>

namespace cutover::harness {

namespace {

std::string_view arrow(Direction direction) {
  switch (direction) {
    case Direction::in:
      return "<-";
    case Direction::out:
      return "->";
    case Direction::none:
      return "--";
  }
  return "?";
}

/// One line whatever the octets are.
void append_escaped(std::string& line, std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\n')
      line += "\\n";
    else if (c == '\r')
      line += "\\r";
    else if (c == '\\')
      line += "\\\\";
    else if (octet < 0x20 || octet == 0x7f)
      line += fmt::format("\\x{:02x}", octet);
    else
      line += c;
  }
}

}  // namespace

std::string_view opener_of(const TraceRecord& record) {
  // "partner-a:49152 > proxy:5269"
  return std::string_view(record.connection).substr(0, record.connection.find_first_of(": "));
}

bool tells_of_tls(const Note& note) {
  return note.layer == Layer::tls && note.summary.find("established") != std::string::npos;
}

std::string_view name_of(Layer layer) {
  switch (layer) {
    case Layer::xmpp:
      return "xmpp";
    case Layer::sip:
      return "sip";
    case Layer::dns:
      return "dns";
    case Layer::tls:
      return "tls";
    case Layer::http:
      return "http";
    case Layer::event:
      return "event";
  }
  return "?";
}

void Trace::append(TraceRecord record) {
  const auto octets = sizeof record + record.note.summary.size() + record.note.detail.size();
  const auto direction = record.note.direction;
  auto& kept = octets_[record.note.connection].at(static_cast<std::size_t>(direction));
  const auto bound = direction == Direction::out ? sent_max_octets : received_max_octets;
  if (kept >= bound || whole_ >= whole_max_octets) return;
  kept += octets;
  whole_ += octets;
  if (kept < bound && whole_ < whole_max_octets) return records_.push_back(std::move(record));
  record.note.summary = fmt::format("{}, beginning with: {}", notes_left_out, record.note.summary);
  record.note.detail.clear();
  record.note.direction = Direction::none;
  records_.push_back(std::move(record));
}

void Trace::clear() {
  records_.clear();
  octets_.clear();
  whole_ = 0;
}

std::string Trace::text() const {
  std::string text;
  for (const auto& record : records_) {
    const auto microseconds = record.time.time_since_epoch() / 1us;
    text +=
        fmt::format("{:5}.{:06} {} {} {} {} ", microseconds / 1'000'000, microseconds % 1'000'000, record.node,
                    arrow(record.note.direction), record.peer.empty() ? "." : record.peer, name_of(record.note.layer));
    if (!record.connection.empty()) text += fmt::format("[{}] ", record.connection);
    append_escaped(text, record.note.summary);
    if (!record.note.detail.empty()) {
      text += " | ";
      append_escaped(text, record.note.detail);
    }
    text += '\n';
  }
  return text;
}

}  // namespace cutover::harness
