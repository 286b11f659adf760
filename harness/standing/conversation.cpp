// Octets that two ends noted become items again, with one strict reader a document.
#include "harness/standing/conversation.h"

#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool all_space(std::string_view text) { return std::ranges::all_of(text, is_space); }

/// A record of TLS where no session of ours reads it: there is no XML any more. A network may cut behind each octet.
bool is_tls_record(std::string_view octets) {
  if (octets.empty() || octets[0] < 0x14 || octets[0] > 0x17) return false;
  return octets.size() == 1 || octets[1] == 0x03;
}

/// Whether octets begin a document: a declaration, or the open tag of a stream.
bool begin_a_document(std::string_view octets) {
  if (octets.starts_with("<?xml") || octets.starts_with("\xef\xbb\xbf")) return true;
  const auto name = octets.substr(0, octets.find_first_of(" \t\r\n>"));
  return name == "<stream" || (name.starts_with("<") && !name.starts_with("</") && name.ends_with(":stream"));
}

/// Whatever its namespace: who says it begins TLS.
bool is_proceed(const Said& one) { return one.element() != nullptr && one.element()->name() == "proceed"; }

/// One direction of a connection.
class Voice {
 public:
  explicit Voice(bool by_sender) : by_sender_(by_sender) {}

  /// Reads what can be read, and shows each element before the next is read; false where the rest of the connection
  /// cannot be.
  bool hear(std::string_view more, Conversation& conversation, const std::function<void(const Said&)>& watch) {
    if (deaf_) return false;
    const auto held = std::exchange(held_, {}) + std::string(more);
    std::string_view octets = held;
    if (!secured_ && is_tls_record(octets)) return give_up();
    while (!octets.empty()) {
      if (tls_due_ && !secured_) return behind_proceed(octets, conversation);
      if (restart_due_ && !begin_anew(octets, conversation)) return true;
      if (over_) return behind_the_end(octets, conversation);
      std::size_t used = 0;
      auto item = reader_.feed(octets, used);
      partial_ += octets.substr(0, used);
      octets.remove_prefix(std::min(used, octets.size()));
      if (!item) break;
      over_ = std::holds_alternative<xml::StreamEnd>(*item);
      const bool unreadable = std::holds_alternative<xml::Fault>(*item);
      std::visit([&](auto& one) { say(std::move(one), conversation); }, *item);
      if (unreadable) return give_up();
      if (is_proceed(conversation.said.back())) expect_tls();
      watch(conversation.said.back());
    }
    if (header_seen_ && !partial_.empty() && all_space(partial_)) say(Space(), conversation);
    return true;
  }
  /// What follows is a new document, unless it goes on with the old one: who refuses what came may end that.
  void expect_restart() { restart_due_ = true; }
  /// <proceed/> was said: what follows is TLS.
  void expect_tls() { tls_due_ = true; }
  void secure() {
    secured_ = true;
    expect_restart();
  }

 private:
  /// False where there is only white space yet. What stands before the new document belongs to the old one.
  bool begin_anew(std::string_view& octets, Conversation& conversation) {
    const auto space = octets.substr(0, octets.find_first_not_of(" \t\r\n"));
    if (!space.empty()) {
      partial_ = space;
      say(Space(), conversation);
      octets.remove_prefix(space.size());
    }
    if (octets.empty()) return false;
    if (octets.starts_with('<') && octets.find_first_of(" \t\r\n>") == std::string_view::npos) {
      held_ = octets;  // cut within its first name
      return false;
    }
    restart_due_ = false;
    if (!begin_a_document(octets)) return true;
    reader_ = xml::Reader();
    partial_.clear();
    over_ = header_seen_ = false;
    ++document_;
    return true;
  }
  bool give_up() {
    deaf_ = true;
    return false;
  }
  template <class Item>
  void say(Item item, Conversation& conversation) {
    if constexpr (std::is_same_v<Item, xml::StreamHeader>) {
      header_seen_ = true;
    }
    conversation.said.push_back({by_sender_, secured_, document_, std::exchange(partial_, {}), std::move(item)});
  }
  bool behind_the_end(std::string_view octets, Conversation& conversation) {
    if (all_space(octets) || std::exchange(told_, true)) return true;
    partial_ = octets;
    say(BehindTheEnd(), conversation);
    return true;
  }

  bool behind_proceed(std::string_view octets, Conversation& conversation) {
    if (is_tls_record(octets)) return give_up();
    partial_ = octets;
    say(BehindProceed(), conversation);
    return give_up();
  }

  bool by_sender_, secured_ = false, tls_due_ = false, deaf_ = false, over_ = false, told_ = false,
                   header_seen_ = false;
  bool restart_due_ = false;
  int document_ = 0;
  xml::Reader reader_;
  std::string partial_, held_;
};

class Listening {
 public:
  explicit Listening(const TraceRecord& first) {
    conversation_.listener = first.node;
    conversation_.sender = first.peer;
    conversation_.connection = first.connection;
    conversation_.sender_initiates = opener_of(first) == first.peer;
  }
  void take(const TraceRecord& record) {
    if (over_) return;
    const auto& note = record.note;
    if (note.summary.starts_with("so many notes")) over_ = true;
    if (tells_of_tls(note)) return take_tls();
    if (note.layer != Layer::xmpp || note.direction == Direction::none) return;
    const bool heard = note.direction == Direction::in;
    auto& voice = heard ? sender_ : listener_;
    const auto watch = [this](const Said& one) {
      watch_tls(one);
      watch_sasl(one);
    };
    if (!voice.hear(note.detail, conversation_, watch) && !heard) conversation_.listener_errs = true;
  }
  [[nodiscard]] Conversation finish() { return std::move(conversation_); }

 private:
  void take_tls() {
    sender_.secure();
    listener_.secure();
    conversation_.said.push_back({.by_sender = false, .secured = true, .octets = {}, .item = Secured()});
  }
  /// A <proceed/> that was asked for is the last of both in clear.
  void watch_tls(const Said& one) {
    const bool initiating = one.by_sender == conversation_.sender_initiates;
    if (initiating && one.element() != nullptr && one.element()->is("starttls", ns::tls)) starttls_sent_ = true;
    if (!initiating && starttls_sent_ && is_proceed(one)) (one.by_sender ? listener_ : sender_).expect_tls();
  }
  /// A <success/> that was asked for ends the documents of both, whatever its namespace: who says it goes on so.
  void watch_sasl(const Said& one) {
    const auto* element = one.element();
    if (element == nullptr) return;
    const bool initiating = one.by_sender == conversation_.sender_initiates;
    // A stanza behind <auth/> in the same breath may be the root of a new document to who has taken that.
    if (initiating && !one.by_sender && auth_sent_ && xmpp::is_stanza(*element)) conversation_.listener_errs = true;
    if (initiating && element->is("auth", ns::sasl)) {
      auth_sent_ = true;
      // Who restarts without <success/> breaks an order, and no rule of XML.
      (one.by_sender ? sender_ : listener_).expect_restart();
    }
    // Who cannot be read may have asked for it.
    if (initiating || element->name() != "success" || (!auth_sent_ && !conversation_.listener_errs)) return;
    auth_sent_ = false;
    sender_.expect_restart();
    listener_.expect_restart();
  }

  Conversation conversation_;
  Voice sender_{true}, listener_{false};
  bool over_ = false, starttls_sent_ = false, auth_sent_ = false;
};

bool is_with_a_client(const Conversation& conversation) {
  const auto* ours = conversation.first_header(false);
  const auto* theirs = conversation.first_header(true);
  if (ours != nullptr) return ours->content_ns == ns::client;
  return theirs != nullptr && theirs->content_ns == ns::client;
}

}  // namespace

const xml::StreamHeader* Conversation::first_header(bool of_sender) const {
  for (const auto& one : said)
    if (one.by_sender == of_sender && one.header() != nullptr) return one.header();
  return nullptr;
}

std::vector<Conversation> conversations(const std::vector<TraceRecord>& records, const Judged& judged) {
  std::map<std::pair<std::string, ConnectionId>, std::size_t> places;
  std::vector<Listening> all;
  for (const auto& record : records) {
    const auto& note = record.note;
    if (note.layer == Layer::event && note.summary == case_is_over) break;
    if (note.connection == ConnectionId::none || record.peer.empty()) continue;
    if (note.layer != Layer::xmpp && note.layer != Layer::tls) continue;
    if (!judged(record.peer, record.node)) continue;
    const auto [place, fresh] = places.try_emplace({record.node, note.connection}, all.size());
    if (fresh) all.emplace_back(record);
    all[place->second].take(record);
  }
  std::vector<Conversation> result;
  for (auto& listening : all) {
    auto conversation = listening.finish();
    conversation.with_client = is_with_a_client(conversation);
    if (!conversation.said.empty()) result.push_back(std::move(conversation));
  }
  return result;
}

}  // namespace cutover::harness::standing
