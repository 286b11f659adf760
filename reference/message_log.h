// What a box writes down of the messages that pass it; their text only where the administrator asks for it
// (EnableLoggingAllMessageBodies, domain facts 4.5).
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/history.h"
#include "protocol/base/time.h"
#include "protocol/xml/element.h"

#include <optional>
#include <string>

namespace cutover::reference {

struct LoggedMessage {
  Time at{};
  std::string from, to, id, type;
  std::size_t octets = 0;  ///< of the text
  std::optional<std::string> body;
};
[[nodiscard]] std::size_t octets_of(const LoggedMessage&);

class MessageLog {
 public:
  explicit MessageLog(Departures departures) : departures_(std::move(departures)) {}
  /// Nothing for a stanza that is no message.
  void note(const xml::Element& stanza, Time now, bool with_bodies);
  [[nodiscard]] const History<LoggedMessage>& messages() const { return messages_; }

 private:
  Departures departures_;
  History<LoggedMessage> messages_;
};

}  // namespace cutover::reference
