// The XMPP connections of a capture, as tshark reassembles and decrypts them.
#pragma once

#include "protocol/base/node.h"
#include "protocol/base/time.h"

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cutover::harness {

/// A file that is no capture, or no file with keys; what() names it, and what was expected.
struct CaptureError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What one side of a connection sent, in one piece.
struct Spoken {
  std::uint32_t packet = 0;
  Duration time{};  ///< since 1970
  bool by_opener = false;
  bool inside_tls = false;
  std::string octets;
};

struct Connection {
  std::uint32_t number = 0;  ///< tshark's tcp.stream
  Endpoint opener, listener;
  std::vector<Spoken> spoken;  ///< decrypted, in the order of the packets
  std::string unread;          ///< why it could not be read, or not to its end; empty: all of it was
};

struct Capture {
  std::vector<Connection> connections;  ///< those that speak XMPP, or may
  std::size_t others = 0;               ///< that do not
  bool cut_short = false;               ///< the file ends within a packet

  /// When the first octet was sent, since 1970; zero where none is there.
  [[nodiscard]] Duration begin() const;
};

struct CaptureOptions {
  std::filesystem::path file;
  std::filesystem::path keys;        ///< a key log as SSLKEYLOGFILE has it; empty: none
  std::vector<std::uint16_t> ports;  ///< of XMPP, beside the usual ones
};

/// Where tshark is; nullopt without.
[[nodiscard]] std::optional<std::filesystem::path> tshark_program();
/// Throws CaptureError, and HarnessFault where there is no tshark.
[[nodiscard]] Capture read_capture(const CaptureOptions&);

}  // namespace cutover::harness
