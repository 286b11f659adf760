// Invariants over deliveries, traces and worlds.
#include "harness/judging/invariants.h"

#include "protocol/sip/message.h"
#include "protocol/xmpp/stream_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <variant>

namespace cutover::harness {

namespace {

/// What one pair did with one text.
struct Fate {
  std::size_t sent = 0, received = 0, returned = 0;
};

std::map<Delivery, Fate> fates_of(const Deliveries& deliveries) {
  std::map<Delivery, Fate> fates;
  for (const auto& delivery : deliveries.sent) fates[delivery].sent++;
  for (const auto& delivery : deliveries.received) fates[delivery].received++;
  for (const auto& delivery : deliveries.returned) fates[delivery].returned++;
  return fates;
}

void judge(const Delivery& delivery, const Fate& fate, DeliveryRules rules, std::vector<std::string>& violations) {
  const auto say = [&](std::string_view what) {
    violations.push_back(fmt::format("{}: '{}' {}", delivery.pair, delivery.text, what));
  };
  if (fate.sent == 0) return say("was never sent, yet it came");
  if (fate.received > fate.sent) say(fmt::format("was sent {} times and came {} times", fate.sent, fate.received));
  if (fate.received + fate.returned < fate.sent && !rules.may_lose) say("was lost, and nobody was told");
  if (fate.received + fate.returned > fate.sent && fate.received <= fate.sent && !rules.may_doubt)
    say("came, and an error came back for it too");
}

/// Later copies are the business of the check for duplicates.
std::map<std::string, std::vector<std::string>> firsts_by_pair(const std::vector<Delivery>& deliveries) {
  std::map<std::string, std::vector<std::string>> by_pair;
  std::set<Delivery> seen;
  for (const auto& delivery : deliveries)
    if (seen.insert(delivery).second) by_pair[delivery.pair].push_back(delivery.text);
  return by_pair;
}

void judge_order(const Deliveries& deliveries, std::vector<std::string>& violations) {
  const auto sent = firsts_by_pair(deliveries.sent);
  for (const auto& [pair, texts] : firsts_by_pair(deliveries.received)) {
    const auto order = sent.find(pair);
    if (order == sent.end()) continue;
    std::map<std::string, std::size_t> place;
    for (const auto& text : order->second) place.emplace(text, place.size());
    const std::string* latest = nullptr;
    for (const auto& text : texts) {
      if (!place.contains(text)) continue;
      if (latest != nullptr && place[text] < place[*latest]) {
        violations.push_back(fmt::format("{}: '{}' was sent before '{}' and came after it", pair, text, *latest));
      } else {
        latest = &text;
      }
    }
  }
}

bool carries(const TraceRecord& record, std::string_view marker) {
  if (record.note.layer != Layer::xmpp && record.note.layer != Layer::sip) return false;
  return record.note.detail.find(marker) != std::string::npos || record.note.summary.find(marker) != std::string::npos;
}

/// What makes a message the same message; empty for what may rightly come again, such as presence.
std::string identity_of(const Note& note) {
  const auto& octets = note.detail;
  if (note.layer == Layer::xmpp) {
    const auto tag = std::string_view(octets).substr(0, octets.find('>'));
    return tag.starts_with("<message") && tag.find(" id=") != std::string_view::npos ? octets : std::string();
  }
  if (note.layer != Layer::sip || !octets.starts_with("MESSAGE ")) return {};
  // Read, for headers have compact names and may be folded.
  const auto read = sip::parse(octets);
  const auto* message = std::get_if<sip::Message>(&read);
  if (message == nullptr) return octets;
  return message->call_id() + ' ' + std::to_string(message->cseq_number());
}

bool is_payload(const Note& note) {
  if (note.layer == Layer::sip) return true;
  if (note.layer != Layer::xmpp) return false;
  const auto& octets = note.detail;
  return octets.starts_with("<message") || octets.starts_with("<presence") || octets.starts_with("<iq");
}

}  // namespace

std::vector<std::string> check_deliveries(const Deliveries& deliveries, DeliveryRules rules) {
  std::vector<std::string> violations;
  for (const auto& [delivery, fate] : fates_of(deliveries)) judge(delivery, fate, rules, violations);
  judge_order(deliveries, violations);
  return violations;
}

std::vector<std::string> path_of(const Trace& trace, std::string_view marker) {
  std::vector<std::string> path;
  for (const auto& record : trace.records())
    if (carries(record, marker) && (path.empty() || path.back() != record.node)) path.push_back(record.node);
  return path;
}

std::size_t arrivals_of(const Trace& trace, std::string_view marker, std::string_view node) {
  return static_cast<std::size_t>(std::ranges::count_if(trace.records(), [&](const TraceRecord& record) {
    return record.node == node && record.note.direction == Direction::in && carries(record, marker);
  }));
}

std::vector<std::string> check_path(const Trace& trace, std::string_view marker, const std::vector<std::string>& path) {
  std::vector<std::string> violations;
  const auto taken = path_of(trace, marker);
  if (taken != path)
    violations.push_back(
        fmt::format("'{}' went by {} and not by {}", marker, fmt::join(taken, " > "), fmt::join(path, " > ")));
  for (std::size_t i = 1; i < path.size(); i++)
    if (const auto count = arrivals_of(trace, marker, path[i]); count != 1)
      violations.push_back(fmt::format("'{}' came to {} {} times", marker, path[i], count));
  return violations;
}

std::vector<std::string> check_no_loop(const Trace& trace, std::string_view marker) {
  std::vector<std::string> violations;
  std::set<std::string> nodes;
  for (const auto& record : trace.records())
    if (carries(record, marker)) nodes.insert(record.node);
  for (const auto& node : nodes)
    if (const auto count = arrivals_of(trace, marker, node); count > 1)
      violations.push_back(fmt::format("'{}' came to {} {} times", marker, node, count));
  return violations;
}

std::vector<std::string> check_no_stanza_in_clear(const Trace& trace, const std::vector<std::string>& nodes) {
  std::vector<std::string> violations;
  std::set<std::pair<std::string, ConnectionId>> secured;
  for (const auto& record : trace.records()) {
    if (std::ranges::find(nodes, record.node) == nodes.end()) continue;
    const auto key = std::pair(record.node, record.note.connection);
    const auto& summary = record.note.summary;
    if (tells_of_tls(record.note)) secured.insert(key);
    if (is_payload(record.note) && !secured.contains(key))
      violations.push_back(fmt::format("{}: '{}' in clear on {}", record.node, summary, record.connection));
  }
  return violations;
}

std::vector<std::string> check_nothing_twice(const Trace& trace) {
  std::vector<std::string> violations;
  std::set<std::pair<std::string, std::string>> came;
  for (const auto& record : trace.records()) {
    if (record.note.direction != Direction::in) continue;
    const auto identity = identity_of(record.note);
    if (identity.empty() || came.insert({record.node, identity}).second) continue;
    violations.push_back(fmt::format("{}: '{}' came again by {}", record.node, record.note.summary, record.connection));
  }
  return violations;
}

std::vector<std::string> check_streams_ended(const Trace& trace, const std::vector<std::string>& nodes) {
  struct Ends {
    std::string connection;
    bool sent = false, received = false;
  };
  std::map<std::pair<std::string, ConnectionId>, Ends> streams;
  for (const auto& record : trace.records()) {
    const auto& note = record.note;
    if (note.layer != Layer::xmpp || std::ranges::find(nodes, record.node) == nodes.end()) continue;
    const auto key = std::pair(record.node, note.connection);
    if (!record.connection.ends_with(":5269")) continue;  // the trusted link is no S2S stream
    streams[key].connection = record.connection;
    // It may come in one write with what goes before it, and is noted with that.
    if (note.summary != "end of stream" && !note.detail.ends_with(xmpp::end_tag)) continue;
    (note.direction == Direction::out ? streams[key].sent : streams[key].received) = true;
  }
  std::vector<std::string> violations;
  for (const auto& [key, ends] : streams) {
    if (!ends.sent) violations.push_back(fmt::format("{} sent no </stream:stream> on {}", key.first, ends.connection));
    if (!ends.received)
      violations.push_back(fmt::format("{} received no </stream:stream> on {}", key.first, ends.connection));
  }
  return violations;
}

std::vector<std::string> check_all_closed(const World& world, const std::vector<const Node*>& nodes) {
  std::vector<std::string> violations;
  for (std::size_t i = 0; i < nodes.size(); i++)
    if (const auto open = world.open_connections(*nodes[i]); open != 0)
      violations.push_back(fmt::format("node {} of {} still holds {} connections", i + 1, nodes.size(), open));
  return violations;
}

}  // namespace cutover::harness
