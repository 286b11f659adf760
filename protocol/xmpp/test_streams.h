// Streams for tests: two engines back to back in virtual time, and one against octets written by hand.
#pragma once

#include "protocol/tls/authority.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>

namespace cutover::xmpp::test {

inline constexpr std::time_t wall = 1'700'000'000;
inline const DomainPair a_to_b{"a.example", "b.example"};

inline tls::Authority& authority() {
  static const auto instance = tls::make_paper_authority(wall);
  return *instance;
}
inline std::shared_ptr<const tls::Identity> identity(std::string domain, tls::Flaw flaw = tls::Flaw::none) {
  return authority().issue({.names = {{tls::NameKind::dns, std::move(domain)}}, .flaw = flaw});
}

inline std::uint64_t next_random(std::uint64_t bound) {
  static std::uint64_t state = 1;
  state = state * 6364136223846793005U + 1442695040888963407U;
  return (state >> 16U) % bound;
}

inline StreamConfig config(StreamRole role, const PeerPolicy& policy = {}) {
  StreamConfig out;
  out.role = role;
  const bool initiating = role == StreamRole::initiating;
  out.local_domain = "a.example";
  out.remote_domain = "b.example";
  out.domains = {initiating ? "a.example" : "b.example"};
  out.policy = [policy](std::string_view) { return policy; };
  out.identity = identity(initiating ? "a.example" : "b.example");
  out.dialback_secret = initiating ? "secret of a" : "secret of b";
  out.wall_clock = wall;
  out.random = next_random;
  return out;
}
inline StreamConfig initiator(const PeerPolicy& policy = {}) { return config(StreamRole::initiating, policy); }
inline StreamConfig receiver(const PeerPolicy& policy = {}) { return config(StreamRole::receiving, policy); }

template <class E>
std::vector<E> of(const std::vector<StreamEvent>& events) {
  std::vector<E> out;
  for (const auto& event : events) {
    if (const auto* one = std::get_if<E>(&event)) out.push_back(*one);
  }
  return out;
}
template <class E>
std::size_t count(const std::vector<StreamEvent>& events) {
  return of<E>(events).size();
}

/// Two engines and the network between them. The test is the owner of both: it asks for pairs and verifies keys.
struct Pair {
  Pair(StreamConfig initiating, StreamConfig receiving, std::size_t cut_octets = SIZE_MAX)
      : a(std::move(initiating), now), b(std::move(receiving), now), cut(cut_octets) {
    drive();
  }

  void drive() {
    for (bool moved = true; moved;) {
      moved = carry(a, b, a_eof);
      moved = carry(b, a, b_eof) || moved;
      moved = take(a, a_events) || moved;
      moved = take(b, b_events) || moved;
    }
  }
  bool carry(Stream& from, Stream& to, bool& eof) {
    const auto octets = from.take_output();
    for (std::size_t at = 0; at < octets.size(); at += std::min(cut, octets.size() - at)) {
      to.receive(std::string_view(octets).substr(at, cut), now);
    }
    if (from.finished() && !eof) {
      eof = true;
      to.receive_eof(now);
      return true;
    }
    return !octets.empty();
  }
  bool take(Stream& stream, std::vector<StreamEvent>& events) {
    bool any = false;
    while (auto event = stream.poll()) {
      any = true;
      if (const auto* n = std::get_if<Negotiated>(&*event); n && n->method == AuthenticationMethod::none) {
        stream.authorise(a_to_b, now);
      }
      if (const auto* v = std::get_if<VerificationWanted>(&*event)) {
        const auto key = dialback_key("secret of a", v->pair.target, v->pair.sender, v->id);
        stream.answer_result(v->pair, same_key(key, v->key) ? Verdict::valid : Verdict::invalid, {}, now);
      }
      events.push_back(std::move(*event));
    }
    return any;
  }
  /// Moves time on in the order of deadlines, so that no timer is late.
  void pass(Duration duration) {
    const auto end = now + duration;
    for (;;) {
      auto next = end;
      for (const auto* s : {&a, &b}) {
        if (const auto when = s->deadline()) next = std::min(next, std::max(now, *when));
      }
      now = next;
      if (now >= end) break;
      a.timeout(now);
      b.timeout(now);
      drive();
    }
  }
  bool send(std::string_view body) {
    const bool sent = a.send(make_message("romeo@a.example", "juliet@b.example", body), now);
    drive();
    return sent;
  }
  [[nodiscard]] std::vector<std::string> bodies() const {
    std::vector<std::string> out;
    for (const auto& received : of<StanzaReceived>(b_events))
      out.push_back(received.stanza.child("body", "jabber:server")->text());
    return out;
  }
  /// "sasl tls", "dialback tls", "dialback clear" or "none", as both ends agree.
  [[nodiscard]] std::string method() const {
    if (!a.may_send(a_to_b) || !b.authorised_pairs().contains(a_to_b) || a.method() != b.method()) return "none";
    return std::string(a.method() == AuthenticationMethod::dialback ? "dialback" : "sasl") +
           (a.secured() ? " tls" : " clear");
  }

  Time now{1s};
  Stream a, b;
  std::size_t cut;
  bool a_eof = false, b_eof = false;
  std::vector<StreamEvent> a_events, b_events;
};

/// A receiving stream, and what it says to octets written by hand.
struct Raw {
  explicit Raw(StreamConfig config = receiver({.tls = Negotiation::optional})) : stream(std::move(config), now) {}
  std::string say(std::string_view octets) {
    stream.receive(octets, now);
    std::string out = stream.take_output();
    while (auto event = stream.poll()) events.push_back(std::move(*event));
    return out;
  }
  std::string open(std::string_view from = "a.example", std::string_view to = "b.example") {
    return say(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
        "xmlns:db='jabber:server:dialback' version='1.0' from='" +
        std::string(from) + "' to='" + std::string(to) + "'>");
  }
  /// Opens and has the pair authorised by dialback.
  void authorise(std::string_view from = "a.example", std::string_view to = "b.example") {
    (void)say("<db:result from='" + std::string(from) + "' to='" + std::string(to) + "'>key</db:result>");
    stream.answer_result({std::string(from), std::string(to)}, Verdict::valid, {}, now);
    (void)say(" ");
  }
  Time now{1s};
  Stream stream;
  std::vector<StreamEvent> events;
};

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
inline std::string error(std::string_view condition) {
  return "<stream:error><" + std::string(condition) + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
}

}  // namespace cutover::xmpp::test
