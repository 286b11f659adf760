// SIP messages out of a stream of octets, with every bound (RFC 3261 section 18.3, RFC 5626 section 3.5.1).
#pragma once

#include "protocol/base/departures.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace cutover::sip {

/// Cuts a stream into messages. After a Fault the stream has no boundaries any more: it gives nothing further.
class Framer {
 public:
  struct Frame {
    std::string octets;  ///< headers and body of exactly one message
  };
  /// CRLF CRLF between messages: a keep-alive that wants CRLF in return.
  struct Ping {};
  struct Fault {
    std::string what;
    int status = 400;     ///< what to answer before the connection is closed
    std::string headers;  ///< what was read, up to and including the empty line; empty where that never came
  };
  using Item = std::variant<Frame, Ping, Fault>;

  explicit Framer(Departures departures = {}) : departures_(std::move(departures)) {}
  void push(std::string_view octets);
  [[nodiscard]] std::optional<Item> next();
  /// Octets that wait for the rest of a message.
  [[nodiscard]] std::size_t buffered_octets() const { return buffer_.size() - begin_; }

 private:
  std::optional<Item> skip_blank_lines();
  std::optional<Item> fail(std::string what, int status, std::string headers = {});
  void compact();

  Departures departures_;
  std::string buffer_;
  std::size_t begin_ = 0;    ///< first octet not yet given out
  std::size_t scanned_ = 0;  ///< up to here there is no empty line
  std::size_t blank_lines_ = 0;
  bool failed_ = false;
};

}  // namespace cutover::sip
