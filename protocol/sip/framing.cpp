// Boundaries of messages in a stream: the empty line, then Content-Length octets.
#include "protocol/sip/framing.h"

#include "protocol/base/limits.h"
#include "protocol/sip/rules.h"
#include "protocol/sip/text.h"

namespace cutover::sip {
namespace {

struct Lengths {
  std::optional<std::string> content_length;
  bool conflict = false;
};

/// Finds Content-Length, folded or compact, without reading anything else.
Lengths scan_headers(std::string_view head) {
  Lengths result;
  std::string* open = nullptr;  // the Content-Length that a continuation line would go on with
  std::string value;
  const auto finish = [&] {
    if (open == nullptr) return;
    const auto text = std::string(trim(value));
    if (result.content_length && *result.content_length != text) result.conflict = true;
    result.content_length = text;
    open = nullptr;
  };
  auto position = head.find("\r\n");
  while (position != std::string_view::npos && position + 2 < head.size()) {
    const auto end = head.find("\r\n", position + 2);
    const auto line = head.substr(position + 2, end == std::string_view::npos ? end : end - position - 2);
    position = end;
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      if (open != nullptr) value += line;
      continue;
    }
    finish();
    if (line.empty()) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = trim(line.substr(0, colon));
    if (!same_ignoring_case(name, "Content-Length") && !same_ignoring_case(name, "l")) continue;
    value = line.substr(colon + 1);
    open = &value;
  }
  finish();
  return result;
}

/// Lines that end with LF alone as they were meant, so that they can be answered.
std::string with_line_ends(std::string_view lines) {
  std::string result;
  for (const char c : lines) {
    if (c == '\n' && !result.ends_with('\r')) result += '\r';
    result += c;
  }
  return result;
}

}  // namespace

void Framer::push(std::string_view octets) {
  if (!failed_) buffer_ += octets;
}

std::optional<Framer::Item> Framer::fail(std::string what, int status, std::string headers) {
  failed_ = true;
  buffer_.clear();
  begin_ = scanned_ = 0;
  return Fault{std::move(what), status, std::move(headers)};
}

void Framer::compact() {
  if (begin_ < buffer_.size() && begin_ < limits::sip_message_size_max_octets) return;
  buffer_.erase(0, begin_);
  scanned_ = scanned_ > begin_ ? scanned_ - begin_ : 0;
  begin_ = 0;
}

std::optional<Framer::Item> Framer::skip_blank_lines() {
  while (buffer_.size() - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n') {
    begin_ += 2;
    if (++blank_lines_ == 2) {
      blank_lines_ = 0;
      return Ping{};
    }
  }
  return std::nullopt;
}

std::optional<Framer::Item> Framer::next() {
  if (failed_) return std::nullopt;
  if (auto ping = skip_blank_lines()) {
    compact();
    return ping;
  }
  compact();
  const auto breaks = [this](Rule rule, bool condition) { return departures_.breaks(rule, condition); };
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  if (rest.empty() || rest == "\r") return std::nullopt;
  blank_lines_ = 0;
  const std::size_t from = scanned_ > begin_ + 3 ? scanned_ - begin_ - 3 : 0;
  const auto end = rest.find("\r\n\r\n", from);
  const auto head = rest.substr(0, end == std::string_view::npos ? end : end + 4);
  if (breaks(Rule::message_size_is_bounded, head.size() > limits::sip_message_size_max_octets))
    return fail("headers larger than 64 KiB", 513);
  // Headers end with CRLF (RFC 3261 section 7): who means these to be whole would wait for an answer for ever.
  const auto bare = head.find("\n\n", from);
  if (bare != std::string_view::npos)
    return fail("lines that end without CR", 400, with_line_ends(head.substr(0, bare + 2)));
  if (end == std::string_view::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  const auto lengths = scan_headers(head);
  // RFC 3261 section 18.3: on a stream there is no other end of a message.
  if (breaks(Rule::length_is_required, !lengths.content_length))
    return fail("no Content-Length on a stream", 400, std::string(head));
  if (breaks(Rule::lengths_agree, lengths.conflict))
    return fail("two Content-Lengths that differ", 400, std::string(head));
  const auto number = parse_number(lengths.content_length.value_or("0"), UINT64_MAX);
  if (breaks(Rule::length_is_a_number, !number)) return fail("Content-Length is no number", 400, std::string(head));
  const auto length = number.value_or(0);
  if (breaks(Rule::message_size_is_bounded, length > limits::sip_message_size_max_octets ||
                                                head.size() + length > limits::sip_message_size_max_octets))
    return fail("larger than 64 KiB", 513, std::string(head));
  if (rest.size() - head.size() < length) {
    scanned_ = begin_ + end;
    return std::nullopt;
  }
  Frame frame{std::string(rest.substr(0, head.size() + length))};
  begin_ += frame.octets.size();
  scanned_ = begin_;
  compact();
  return frame;
}

}  // namespace cutover::sip
