// Ends are called by the domains in their stream headers: behind one address there may be many, and one may have many.
#include "harness/captures/senders.h"

#include "protocol/xml/reader.h"
#include "protocol/xmpp/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace cutover::harness {

namespace {

/// The first header of one side, in clear or inside TLS; it may come in pieces.
std::optional<xml::StreamHeader> header_of(const Connection& connection, bool of_opener, bool inside_tls) {
  xml::Reader reader;
  for (const auto& spoken : connection.spoken) {
    if (spoken.by_opener != of_opener || spoken.inside_tls != inside_tls) continue;
    std::size_t used = 0;
    auto item = reader.feed(spoken.octets, used);
    if (!item) continue;
    if (auto* header = std::get_if<xml::StreamHeader>(&*item)) return std::move(*header);
    return std::nullopt;
  }
  return std::nullopt;
}

/// A name as it stands in an address, in small letters; empty where it cannot be one.
std::string as_name(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (static_cast<unsigned char>(c) <= ' ' || c == ':' || c == '/' || c == 0x7f) return {};
  }
  return text;
}

/// For who names himself nowhere. A colon would end a name (opener_of).
std::string as_name_of(const Endpoint& endpoint) {
  auto name = endpoint.address;
  std::ranges::replace(name, ':', '.');
  return name;
}

/// What the headers of a connection say of its two ends.
struct Ends {
  std::string opener, listener;  ///< empty where they say nothing
  bool of_client = false, speaks_xmpp = false;
};

Ends ends_of(const Connection& connection) {
  Ends ends;
  // What stands inside TLS is worth more, and the own name more than what the other one calls it.
  for (const bool inside_tls : {true, false}) {
    const auto initial = header_of(connection, true, inside_tls), response = header_of(connection, false, inside_tls);
    const auto take = [](std::string& name, const std::optional<xml::StreamHeader>& header, const char* attribute) {
      if (name.empty() && header) name = as_name(header->tag.attribute_or_empty(attribute));
    };
    take(ends.opener, initial, "from");
    take(ends.listener, response, "from");
    take(ends.listener, initial, "to");
    take(ends.opener, response, "to");
    for (const auto* header : {&initial, &response}) {
      if (!*header) continue;
      ends.speaks_xmpp = true;
      ends.of_client = ends.of_client || (*header)->content_ns == xmpp::ns::client;
    }
  }
  return ends;
}

/// As the end at which it arrives notes it.
TraceRecord record_of(const std::string& node, const std::string& peer, const Connection& connection,
                      const std::string& words, Time time) {
  return {time, node, peer, words, {.layer = Layer::xmpp, .connection = ConnectionId{connection.number + 1UL}}};
}

class Gathering {
 public:
  explicit Gathering(const Capture& capture) : capture_(capture), begin_(capture.begin()) {}

  std::vector<Sender> all() {
    for (const auto& connection : capture_.connections) add(connection);
    std::erase_if(senders_, [](const Sender& sender) { return sender.connections == 0 && sender.unread.empty(); });
    return std::move(senders_);
  }

 private:
  Sender& sender(const std::string& name) {
    const auto found = std::ranges::find(senders_, name, &Sender::name);
    if (found != senders_.end()) return *found;
    senders_.emplace_back().name = name;
    return senders_.back();
  }
  void add(const Connection& connection) {
    auto ends = ends_of(connection);
    if (ends.opener.empty()) ends.opener = as_name_of(connection.opener);
    if (ends.listener.empty()) ends.listener = as_name_of(connection.listener);
    if (ends.of_client || ends.opener == ends.listener) ends.opener += fmt::format("-{}", connection.opener.port);
    for (const bool of_opener : {true, false}) add(connection, ends, of_opener);
  }
  void add(const Connection& connection, const Ends& ends, bool of_opener) {
    if (of_opener && ends.of_client) return;  // a client is not judged
    auto& who = sender(of_opener ? ends.opener : ends.listener);
    const auto& address = (of_opener ? connection.opener : connection.listener).address;
    if (std::ranges::find(who.addresses, address) == who.addresses.end()) who.addresses.push_back(address);
    const auto words = fmt::format("{} > {}", name_of(connection.opener), name_of(connection.listener));
    if (!connection.unread.empty()) who.unread.push_back(fmt::format("{}: {}", words, connection.unread));
    if (!ends.speaks_xmpp) return;
    if (!ends.of_client) ++who.connections;
    note(connection, ends, of_opener, who.records);
  }
  void note(const Connection& connection, const Ends& ends, bool of_opener, std::vector<TraceRecord>& records) const {
    const auto& speaker = of_opener ? ends.opener : ends.listener;
    const auto& listener = of_opener ? ends.listener : ends.opener;
    // The judge takes the opener from the beginning of these words.
    const auto words = fmt::format("{} {} > {} {}", ends.opener, name_of(connection.opener), ends.listener,
                                   name_of(connection.listener));
    const auto make = [&](const Spoken& spoken) {
      return record_of(listener, speaker, connection, words, Time(spoken.time - begin_));
    };
    bool secured = false;
    for (const auto& spoken : connection.spoken) {
      if (spoken.inside_tls && !secured) {
        secured = true;
        records.push_back(make(spoken));
        records.back().note.layer = Layer::tls;
        records.back().note.direction = Direction::none;
        records.back().note.summary = "TLS is established";
      }
      records.push_back(make(spoken));
      auto& note = records.back().note;
      note.direction = spoken.by_opener == of_opener ? Direction::in : Direction::out;
      note.summary = "octets";
      note.detail = spoken.octets;
    }
  }
  const Capture& capture_;
  const Duration begin_;
  std::vector<Sender> senders_;
};

}  // namespace

std::string name_of(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.address.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
               : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

std::vector<Sender> senders_of(const Capture& capture) { return Gathering(capture).all(); }

}  // namespace cutover::harness
