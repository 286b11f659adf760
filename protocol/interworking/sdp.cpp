// Offer, answer and reading of the one media line that an IM session has.
#include "protocol/interworking/sdp.h"

#include "protocol/interworking/mapping/text.h"

#include <fmt/format.h>
#include <algorithm>
#include <vector>

namespace cutover::interworking {

namespace {

struct MediaLine {
  std::string media, port, protocol, formats;
  std::string accept_types;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) out.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

MediaLine read_media(std::string_view value) {
  MediaLine out;
  out.media = lowered(next_word(value));
  out.port = next_word(value);
  out.protocol = next_word(value);
  out.formats = value;
  return out;
}

bool is_im(const MediaLine& line) {
  return (line.media == "message" || line.media == "x-ms-message") && lowered(line.protocol) == "sip" &&
         line.port != "0";
}

std::vector<MediaLine> media_of(std::string_view sdp) {
  std::vector<MediaLine> out;
  for (const std::string_view line : lines_of(sdp)) {
    if (line.starts_with("m=")) out.push_back(read_media(line.substr(2)));
    constexpr std::string_view types = "a=accept-types:";
    if (line.starts_with(types) && !out.empty()) out.back().accept_types = lowered(line.substr(types.size()));
  }
  return out;
}

std::string head(std::string_view host, std::string_view session_id, std::string_view timing) {
  return fmt::format("v=0\r\no=- {} 1 IN IP4 {}\r\ns=session\r\nc=IN IP4 {}\r\nt={}\r\n", session_id, host, host,
                     timing);
}

}  // namespace

std::string im_offer(std::string_view host, std::string_view session_id) {
  return head(host, session_id, "0 0") + "m=message 5060 sip null\r\na=accept-types:" + im_accept_types + "\r\n";
}

std::optional<ImMedia> read_sdp(std::string_view sdp) {
  if (!sdp.starts_with("v=0")) return std::nullopt;
  ImMedia out;
  for (const MediaLine& line : media_of(sdp)) {
    if (is_im(line) && !out.accepted) {
      out.accepted = true;
      out.accept_types = line.accept_types;
    } else if (line.port != "0") {
      ++out.other_media;
    }
  }
  return out;
}

std::string im_answer(std::string_view offer, std::string_view host, std::string_view session_id,
                      std::string_view user_uri) {
  std::string timing = "0 0";
  for (const std::string_view line : lines_of(offer)) {
    if (line.starts_with("t=")) timing = line.substr(2);
  }
  std::string out = head(host, session_id, timing);
  bool taken = false;
  for (const MediaLine& line : media_of(offer)) {
    if (!taken && is_im(line)) {
      taken = true;
      out += fmt::format("m={} 5060 sip {}\r\na=accept-types:{}\r\n", line.media, user_uri, im_accept_types);
    } else {
      out += fmt::format("m={} 0 {} {}\r\n", line.media, line.protocol, line.formats);
    }
  }
  return out;
}

}  // namespace cutover::interworking
