// The stream engine: two of them back to back in virtual time, and one against octets written by hand.
#include "protocol/xmpp/stream.h"

#include "protocol/base/quirk_table.h"
#include "protocol/tls/authority.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/sasl_external.h"
#include "protocol/xmpp/stanza.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace cutover::xmpp {
namespace {

using enum Negotiation;

constexpr std::time_t wall = 1'700'000'000;
const DomainPair a_to_b{"a.example", "b.example"};

tls::Authority& authority() {
  static const auto instance = tls::make_paper_authority(wall);
  return *instance;
}
std::shared_ptr<const tls::Identity> identity(std::string domain, tls::Flaw flaw = tls::Flaw::none) {
  return authority().issue({.names = {{tls::NameKind::dns, std::move(domain)}}, .flaw = flaw});
}

std::uint64_t next_random(std::uint64_t bound) {
  static std::uint64_t state = 1;
  state = state * 6364136223846793005U + 1442695040888963407U;
  return (state >> 16U) % bound;
}

StreamConfig config(StreamRole role, const PeerPolicy& policy = {}) {
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
StreamConfig initiator(const PeerPolicy& policy = {}) { return config(StreamRole::initiating, policy); }
StreamConfig receiver(const PeerPolicy& policy = {}) { return config(StreamRole::receiving, policy); }

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
  explicit Raw(StreamConfig config = receiver({.tls = optional})) : stream(std::move(config), now) {}
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

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
std::string error(std::string_view condition) {
  return "<stream:error><" + std::string(condition) + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
}

// --- Two engines --------------------------------------------------------------------------------------------------

TEST(StreamPair, AuthenticatesByExternalAtEveryCut) {
  for (std::size_t cut = 1; cut < 90; ++cut) {
    Pair pair(initiator(), receiver(), cut);
    ASSERT_EQ(pair.method(), "sasl tls") << cut;
    ASSERT_TRUE(pair.send("one") && pair.send("two"));
    pair.a.close({}, pair.now);
    pair.drive();
    EXPECT_EQ(pair.bodies(), (std::vector<std::string>{"one", "two"})) << cut;
    EXPECT_TRUE(of<StreamClosed>(pair.a_events).at(0).clean && of<StreamClosed>(pair.b_events).at(0).clean) << cut;
    const auto headers = of<HeadersExchanged>(pair.a_events);
    ASSERT_EQ(headers.size(), 3U);
    EXPECT_TRUE(headers[0].id != headers[1].id && headers[1].id != headers[2].id && headers[0].id != headers[2].id);
  }
}

TEST(StreamPair, AuthenticatesByDialbackAtEveryCut) {
  for (const auto tls : {required, not_supported}) {
    const PeerPolicy policy{.tls = tls, .sasl = not_supported};
    for (std::size_t cut = 1; cut < 60; ++cut) {
      Pair pair(initiator(policy), receiver(policy), cut);
      ASSERT_EQ(pair.method(), tls == required ? "dialback tls" : "dialback clear") << cut;
      ASSERT_TRUE(pair.send("one"));
      EXPECT_EQ(pair.bodies().size(), 1U);
    }
  }
}

TEST(StreamPair, SpeaksRealTls) {
  const auto real = tls::make_openssl_authority(wall);
  const auto real_identity = [&](const char* domain, tls::Flaw flaw = tls::Flaw::none) {
    return real->issue({.names = {{tls::NameKind::dns, domain}}, .flaw = flaw});
  };
  const auto negotiate = [&](tls::Flaw flaw, StreamPurpose purpose, bool direct) {
    auto a = initiator(), b = receiver();
    a.identity = real_identity("a.example", flaw);
    b.identity = real_identity("b.example");
    a.purpose = b.purpose = purpose;
    a.direct_tls = b.direct_tls = direct;
    return std::make_unique<Pair>(std::move(a), std::move(b), 700);
  };
  EXPECT_EQ(negotiate(tls::Flaw::none, StreamPurpose::stanzas, false)->method(), "sasl tls");
  EXPECT_EQ(negotiate(tls::Flaw::none, StreamPurpose::stanzas, true)->method(), "sasl tls");
  EXPECT_EQ(negotiate(tls::Flaw::expired, StreamPurpose::stanzas, false)->method(), "dialback tls");
  auto link = negotiate(tls::Flaw::none, StreamPurpose::trusted_link, true);
  EXPECT_TRUE(link->b.send(make_message("x@c.example", "y@d.example", "back"), link->now));
  link->b.close({}, link->now);
  link->drive();
  EXPECT_EQ(count<StanzaReceived>(link->a_events), 1U);
  EXPECT_TRUE(of<StreamClosed>(link->a_events).at(0).clean);
  // TLS 1.3: the client believes that it is through when the server refuses it.
  auto refused = negotiate(tls::Flaw::no_certificate, StreamPurpose::trusted_link, true);
  EXPECT_TRUE(refused->a.finished() && refused->b.finished());
}

TEST(StreamPair, SpeaksDirectTls) {
  auto initiating = initiator(), receiving = receiver();
  initiating.direct_tls = receiving.direct_tls = true;
  EXPECT_EQ(Pair(std::move(initiating), std::move(receiving)).method(), "sasl tls");
}

TEST(StreamPair, SpeaksToPeersWithoutVersion) {
  const PeerPolicy clear{.tls = not_supported, .sasl = not_supported};
  for (const bool old_initiator : {true, false}) {
    auto initiating = initiator(clear), receiving = receiver(clear);
    (old_initiator ? initiating : receiving).send_version = false;
    EXPECT_EQ(Pair(std::move(initiating), std::move(receiving)).method(), "dialback clear") << old_initiator;
  }
  auto old = initiator(clear);
  old.send_version = false;
  EXPECT_EQ(Pair(std::move(old), receiver()).method(), "none");
}

/// The method that a policy leaves, towards a peer that can do everything, by the negotiation matrix.
std::string expected(const PeerPolicy& policy, bool certificate_good, bool peer_has_tls) {
  const auto methods = methods_of(policy);
  if (policy.tls == not_supported || !peer_has_tls) return methods.tcp_dialback ? "dialback clear" : "none";
  if (certificate_good && methods.sasl_over_tls) return "sasl tls";
  return methods.tls_dialback ? "dialback tls" : "none";
}

TEST(StreamPair, FollowsThePolicyMatrixInBothRolesForEveryCertificate) {
  const PeerPolicy open_minded{.tls = optional, .sasl = optional};
  const tls::Flaw flaws[] = {tls::Flaw::none,         tls::Flaw::expired,       tls::Flaw::wrong_name,
                             tls::Flaw::self_signed,  tls::Flaw::unknown_root,  tls::Flaw::not_yet_valid,
                             tls::Flaw::ca_true_leaf, tls::Flaw::no_certificate};
  for (const auto tls : {required, optional, not_supported}) {
    for (const auto sasl : {required, optional, not_supported}) {
      for (const bool dialback : {true, false}) {
        const PeerPolicy policy{.tls = tls, .sasl = sasl, .dialback = dialback};
        const auto where = "tls " + std::to_string(static_cast<int>(tls)) + " sasl " +
                           std::to_string(static_cast<int>(sasl)) + (dialback ? " dialback" : "");
        for (const auto flaw : flaws) {
          const bool good = flaw == tls::Flaw::none;
          auto peer = initiator(open_minded);
          peer.identity = identity("a.example", flaw);
          EXPECT_EQ(Pair(std::move(peer), receiver(policy)).method(), expected(policy, good, true))
              << where << static_cast<int>(flaw);
          if (flaw == tls::Flaw::no_certificate) continue;  // a TLS server has one
          peer = receiver(open_minded);
          peer.identity = identity("b.example", flaw);
          EXPECT_EQ(Pair(initiator(policy), std::move(peer)).method(), expected(policy, good, true))
              << where << static_cast<int>(flaw);
        }
        auto peer = receiver(open_minded);
        peer.identity = nullptr;
        EXPECT_EQ(Pair(initiator(policy), std::move(peer)).method(), expected(policy, true, false)) << where;
      }
    }
  }
}

TEST(StreamPair, CarriesSeveralDomainPairs) {
  auto receiving = receiver();
  receiving.domains = {"b.example", "d.example"};
  Pair pair(initiator(), std::move(receiving));
  const DomainPair other{"a.example", "d.example"};
  EXPECT_FALSE(pair.a.may_send(other));
  pair.a.authorise(other, pair.now);
  pair.drive();
  EXPECT_TRUE(pair.a.may_send(other) && pair.a.may_send(a_to_b));
  pair.a.authorise({"a.example", "nobody.example"}, pair.now);
  pair.drive();
  EXPECT_EQ(of<PairRefused>(pair.a_events).at(0).condition, "item-not-found");
  EXPECT_TRUE(pair.send("still open"));
}

TEST(StreamPair, WrongKeyClosesTheStream) {
  const PeerPolicy policy{.sasl = not_supported};
  auto initiating = initiator(policy);
  initiating.dialback_secret = "another secret";
  Pair pair(std::move(initiating), receiver(policy));
  EXPECT_EQ(of<PairRefused>(pair.a_events).at(0).condition, "invalid");
  EXPECT_FALSE(pair.send("never"));
  EXPECT_TRUE(pair.a.finished() && pair.b.finished());
}

TEST(StreamPair, AnswersAVerification) {
  auto asking = config(StreamRole::initiating);
  asking.purpose = StreamPurpose::verification;
  Pair pair(std::move(asking), receiver());
  // b.example is the sender domain here; a.example received a stream with the id "id1" from it.
  const DomainPair claimed{"b.example", "a.example"};
  pair.a.verify(claimed, "id1", dialback_key("secret of b", "a.example", "b.example", "id1"), pair.now);
  pair.a.verify(claimed, "id2", "0123", pair.now);
  pair.a.verify({"x.example", "a.example"}, "id3", "0123", pair.now);
  pair.drive();
  const auto answers = of<VerificationAnswered>(pair.a_events);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].verdict, Verdict::valid);
  EXPECT_EQ(answers[1].verdict, Verdict::invalid);
  EXPECT_EQ(answers[2].verdict, Verdict::error);
  EXPECT_EQ(answers[2].condition, "item-not-found");
}

TEST(StreamPair, DeliversWhatArrivesWhileClosing) {
  Pair pair(initiator(), receiver());
  pair.b.close("system-shutdown", pair.now);
  ASSERT_TRUE(pair.a.send(make_message("romeo@a.example", "juliet@b.example", "late"), pair.now));
  pair.drive();
  EXPECT_EQ(pair.bodies(), std::vector<std::string>{"late"});
  EXPECT_TRUE(of<StreamClosed>(pair.a_events).at(0).clean && of<StreamClosed>(pair.b_events).at(0).clean);

  auto deaf = receiver();
  deaf.departures = Departures({"xmpp.deaf-while-closing"});
  Pair lossy(initiator(), std::move(deaf));
  lossy.b.close({}, lossy.now);
  ASSERT_TRUE(lossy.a.send(make_message("romeo@a.example", "juliet@b.example", "late"), lossy.now));
  lossy.drive();
  EXPECT_TRUE(lossy.bodies().empty());
}

TEST(StreamPair, TrustedLinkCarriesEveryDomainBothWays) {
  const auto link = [](StreamRole role) {
    auto out = config(role);
    out.purpose = StreamPurpose::trusted_link;
    return out;
  };
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    Pair pair(link(StreamRole::initiating), link(StreamRole::receiving), cut);
    ASSERT_TRUE(pair.a.send(make_message("x@c.example", "y@d.example", "out"), pair.now));
    ASSERT_TRUE(pair.b.send(make_message("y@d.example", "x@c.example", "back"), pair.now));
    pair.drive();
    EXPECT_EQ(of<StanzaReceived>(pair.b_events).at(0).sender_domain, "c.example");
    EXPECT_EQ(of<StanzaReceived>(pair.a_events).at(0).sender_domain, "d.example");
  }
  for (const auto flaw : {tls::Flaw::no_certificate, tls::Flaw::unknown_root, tls::Flaw::expired}) {
    auto stranger = link(StreamRole::initiating);
    stranger.identity = identity("a.example", flaw);
    Pair pair(std::move(stranger), link(StreamRole::receiving));
    EXPECT_NE(pair.b.state(), StreamState::open) << static_cast<int>(flaw);
    EXPECT_EQ(count<Negotiated>(pair.b_events), 0U);
  }
}

// --- Time ---------------------------------------------------------------------------------------------------------

TEST(StreamTime, KeepAlivesHoldAStreamUntilItIsIdleTooLong) {
  Pair pair(initiator(), receiver());
  pair.pass(599s);
  EXPECT_TRUE(pair.send("in use"));
  pair.pass(599s);
  EXPECT_EQ(pair.b.state(), StreamState::open);
  pair.pass(2s);
  EXPECT_TRUE(pair.a.finished() && pair.b.finished());
  EXPECT_EQ(count<StreamFailed>(pair.a_events) + count<StreamFailed>(pair.b_events), 0U);
}

TEST(StreamTime, ASilentPeerIsGivenUp) {
  auto mute = initiator();
  mute.departures = Departures({"xmpp.no-keep-alive"});
  Pair pair(std::move(mute), receiver());
  pair.pass(299s);
  EXPECT_EQ(pair.b.state(), StreamState::open);
  pair.pass(2s);
  EXPECT_EQ(of<StreamFailed>(pair.b_events).at(0).condition, "connection-timeout");
  EXPECT_TRUE(pair.a.finished());
}

TEST(StreamTime, EstablishmentAndClosingAreBounded) {
  Raw raw;
  (void)raw.open();
  EXPECT_EQ(raw.stream.deadline(), raw.now + 60s);
  raw.stream.timeout(raw.now += 60s);
  EXPECT_TRUE(has(raw.say(""), error("connection-timeout")));
  EXPECT_EQ(raw.stream.state(), StreamState::closing);
  raw.stream.timeout(raw.now += 5s);
  EXPECT_TRUE(raw.stream.finished());
}

// --- By hand ------------------------------------------------------------------------------------------------------

TEST(StreamHeader, ErrorsComeBehindAHeaderOfOurs) {
  struct Row {
    std::string_view from, to, condition;
  };
  for (const auto& row :
       {Row{"a.example", "nobody.example", "host-unknown"}, Row{"a.example", "", "improper-addressing"},
        Row{"x@a.example", "b.example", "improper-addressing"}, Row{"b.example", "b.example", "invalid-from"},
        Row{"a.example", "juliet@b.example", "improper-addressing"}}) {
    Raw raw;
    const auto answer = raw.open(row.from, row.to);
    EXPECT_TRUE(answer.starts_with("<?xml version='1.0'?><stream:stream ")) << answer;
    EXPECT_TRUE(has(answer, "from='b.example'") && has(answer, " id='") && has(answer, "xml:lang=")) << answer;
    EXPECT_TRUE(has(answer, error(row.condition))) << row.from << " " << row.to << answer;
    EXPECT_TRUE(answer.ends_with("</stream:stream>"));
  }
}

TEST(StreamHeader, NamespacesAndVersionsAreJudged) {
  const auto header = [](std::string_view root, std::string_view ns, std::string_view content,
                         std::string_view version) {
    return "<stream:" + std::string(root) + " xmlns='" + std::string(content) + "' xmlns:stream='" + std::string(ns) +
           "' " + std::string(version) + " from='a.example' to='b.example'>";
  };
  const std::string streams = "http://etherx.jabber.org/streams";
  EXPECT_TRUE(has(Raw().say(header("stream", "urn:x", "jabber:server", "version='1.0'")), error("invalid-namespace")));
  EXPECT_TRUE(has(Raw().say(header("stream", streams, "jabber:client", "version='1.0'")), error("invalid-namespace")));
  EXPECT_TRUE(has(Raw().say(header("flow", streams, "jabber:server", "version='1.0'")), error("bad-format")));
  EXPECT_TRUE(
      has(Raw().say(header("stream", streams, "jabber:server", "version='one'")), error("unsupported-version")));
  for (const auto* version : {"version='1.0'", "version='1.1'", "version='2.0'", "version='01.00'", "version='10.0'"}) {
    const auto answer = Raw().say(header("stream", streams, "jabber:server", version));
    EXPECT_TRUE(has(answer, " version='1.0'") && has(answer, "<stream:features>")) << version << answer;
  }
  for (const auto* version : {"", "version='0.9'"}) {
    const auto answer = Raw().say(header("stream", streams, "jabber:server", version));
    EXPECT_FALSE(has(answer.substr(answer.find("?>")), "version=") || has(answer, "features")) << version << answer;
  }
}

TEST(StreamHeader, ASecondOneIsRefused) {
  const std::string second =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='c.example' "
      "to='b.example'>";
  Raw raw;
  (void)raw.open();
  EXPECT_TRUE(has(raw.say(second), error("bad-format")));
  Raw declared;
  (void)declared.open();
  EXPECT_TRUE(has(declared.open("c.example"), "<stream:error>"));
  auto defective = receiver({.tls = optional});
  defective.departures = Departures({"xmpp.duplicate-header-accepted", "xmpp.restart-with-other-from-accepted"});
  Raw accepting(std::move(defective));
  (void)accepting.open();
  EXPECT_TRUE(has(accepting.open("c.example"), "to='c.example'"));
}

TEST(StreamFeatures, RequiredStartTlsIsAlone) {
  Raw strict(receiver());
  const auto alone = strict.open();
  EXPECT_TRUE(has(alone, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"))
      << alone;
  Raw lenient;
  const auto both = lenient.open();
  EXPECT_TRUE(has(both, "xmpp-tls'></starttls>") && has(both, "urn:xmpp:features:dialback'><errors/>")) << both;
  EXPECT_FALSE(has(both, "mechanisms"));
}

TEST(StreamTls, OctetsBehindStartTlsAreRefused) {
  Raw raw;
  (void)raw.open();
  const auto answer = raw.say(
      "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><db:result from='a.example' to='b.example'>k</db:result>");
  EXPECT_TRUE(has(answer, "<failure") && !has(answer, "<proceed")) << answer;
  EXPECT_TRUE(raw.stream.finished());
}

TEST(StreamTls, OctetsBehindProceedAreRefused) {
  Time now{1s};
  Stream stream(initiator(), now);
  stream.receive(
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1' "
      "from='b.example' to='a.example'><stream:features><starttls "
      "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
      now);
  EXPECT_EQ(stream.state(), StreamState::proceed);
  stream.receive("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:stream>", now);
  EXPECT_TRUE(stream.finished());
}

TEST(StreamTls, StartTlsWhereItWasNotOfferedFails) {
  Raw raw(receiver({.tls = not_supported}));
  (void)raw.open();
  EXPECT_TRUE(has(raw.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), "<failure"));
  EXPECT_TRUE(raw.stream.finished());
}

TEST(StreamSasl, IsRefusedInClearAndTriesAreCounted) {
  Raw raw;
  (void)raw.open();
  const auto* attempt = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";
  EXPECT_TRUE(has(raw.say(attempt), "<encryption-required/>"));
  EXPECT_TRUE(has(raw.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>=</auth>"),
                  "<invalid-mechanism/>"));
  EXPECT_TRUE(has(raw.say("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), error("policy-violation")));
}

TEST(StreamStanza, OnlyAuthorisedPairsAreDelivered) {
  const auto message = [](std::string_view from, std::string_view to) {
    return "<message from='" + std::string(from) + "' to='" + std::string(to) + "'><body>x</body></message>";
  };
  struct Row {
    std::string_view octets, condition;
  };
  const std::string spoofed = message("x@c.example", "y@b.example"), sub = message("x@sub.a.example", "y@b.example"),
                    target = message("x@a.example", "y@d.example"), relay = message("x@a.example", "y@e.example"),
                    no_to = "<message from='x@a.example'/>", no_from = "<presence to='y@b.example'/>",
                    client = "<message xmlns='jabber:client' from='x@a.example' to='y@b.example'/>",
                    malformed = message("x@a.example", "@b.example"),
                    trick = message("a.example/x@c.example", "y@b.example");
  for (const auto& row :
       {Row{spoofed, "invalid-from"}, Row{sub, "invalid-from"}, Row{target, "host-unknown"}, Row{relay, "host-unknown"},
        Row{no_to, "improper-addressing"}, Row{no_from, "improper-addressing"}, Row{client, "invalid-namespace"},
        Row{malformed, "improper-addressing"}, Row{"<strange xmlns='urn:x'/>", "unsupported-stanza-type"},
        Row{trick, ""}, Row{"<!-- c -->", "restricted-xml"}, Row{"<?p i?>", "restricted-xml"},
        Row{"<a></b>", "not-well-formed"}}) {
    auto settings = receiver({.tls = optional});
    settings.domains = {"b.example", "d.example"};
    Raw raw(std::move(settings));
    (void)raw.open();
    raw.authorise();
    const auto answer = raw.say(row.octets);
    if (row.condition.empty()) {
      EXPECT_EQ(of<StanzaReceived>(raw.events).at(0).sender_domain, "a.example");
      continue;
    }
    EXPECT_TRUE(has(answer, error(row.condition))) << row.octets << "\n" << answer;
    EXPECT_EQ(count<StanzaReceived>(raw.events), 0U) << row.octets;
  }
  Raw unauthenticated;
  (void)unauthenticated.open();
  EXPECT_TRUE(has(unauthenticated.say(message("x@a.example", "y@b.example")), error("not-authorized")));
}

TEST(StreamDialback, UnsolicitedAnswersAuthoriseNothing) {
  Raw raw;
  (void)raw.open();
  EXPECT_EQ(raw.say("<db:result from='a.example' to='b.example' type='valid'/>"
                    "<db:verify from='a.example' to='b.example' id='1' type='valid'/>"),
            "");
  EXPECT_TRUE(raw.stream.authorised_pairs().empty());
}

TEST(StreamDialback, RefusalsAreErrorsAndLeaveTheStreamOpen) {
  Raw raw;
  (void)raw.open();
  EXPECT_TRUE(has(raw.say("<db:result from='a.example' to='nobody.example'>k</db:result>"), "<item-not-found"));
  EXPECT_TRUE(has(raw.say("<db:verify from='a.example' to='nobody.example' id='1'>k</db:verify>"), "<item-not-found"));
  EXPECT_TRUE(has(raw.say("<db:result from='b.example' to='b.example'>k</db:result>"), "<forbidden"));
  EXPECT_EQ(raw.stream.state(), StreamState::open);
  Raw strict(receiver());
  (void)strict.open();
  EXPECT_TRUE(has(strict.say("<db:result from='a.example' to='b.example'>k</db:result>"), "<policy-violation"));
  Raw missing;
  (void)missing.open();
  EXPECT_TRUE(has(missing.say("<db:result to='b.example'>k</db:result>"), error("improper-addressing")));
}

TEST(StreamDialback, AnInvalidResultWithdrawsItsPairOnly) {
  Raw raw;
  (void)raw.open();
  raw.authorise("a.example");
  raw.authorise("c.example");
  (void)raw.say("<db:result from='c.example' to='b.example'>k</db:result>");
  raw.stream.answer_result({"c.example", "b.example"}, Verdict::invalid, {}, raw.now);
  EXPECT_TRUE(has(raw.say(""), "type='invalid'"));
  EXPECT_EQ(raw.stream.authorised_pairs(), std::set<DomainPair>{a_to_b});
  EXPECT_EQ(raw.stream.state(), StreamState::open);
}

TEST(StreamEnd, ATruncatedStreamIsNotClean) {
  Raw raw;
  (void)raw.open();
  raw.authorise();
  raw.stream.receive_eof(raw.now);
  (void)raw.say("");
  EXPECT_FALSE(of<StreamClosed>(raw.events).at(0).clean);
  EXPECT_EQ(of<StreamFailed>(raw.events).at(0).condition, "truncated");
}

TEST(StreamEnd, AHeaderCanBeTheEndToo) {
  Raw raw;
  EXPECT_TRUE(has(
      raw.say("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='b.example'/>"),
      "</stream:stream>"));
  EXPECT_TRUE(raw.stream.finished());
}

TEST(StreamEnd, TheEndTagIsAnswered) {
  Raw raw;
  (void)raw.open();
  EXPECT_EQ(raw.say("</stream:stream>"), "</stream:stream>");
  EXPECT_TRUE(of<StreamClosed>(raw.events).at(0).clean);
}

/// What a receiving stream with the defect says to `octets` behind an open stream on which a.example is authorised.
struct Probe {
  std::string_view defect, octets;
  std::string_view correct;  ///< what a correct stream says
};

TEST(StreamQuirks, DefectsOfTheReceivingRoleShow) {
  const std::string_view message = "<message from='x@c.example' to='y@b.example'/>";
  const Probe probes[] = {
      {"xmpp.spoofed-from-delivered", message, "<invalid-from"},
      {"xmpp.relays-for-peers", "<message from='x@a.example' to='y@z.example'/>", "<host-unknown"},
      {"xmpp.unauthorised-target-delivered", "<message from='x@a.example' to='y@d.example'/>", "<host-unknown"},
      {"xmpp.improper-addressing-ignored", "<message from='x@a.example'/>", "<improper-addressing"},
      {"xmpp.client-namespace-accepted", "<message xmlns='jabber:client' from='x@a.example' to='y@b.example'/>",
       "<invalid-namespace"},
      {"xmpp.accepts-restricted-xml", "<!-- comment -->", "<restricted-xml"},
      {"xmpp.wrong-stream-condition", message, "<invalid-from"},
      {"xmpp.open-after-stream-error", message, "</stream:stream>"},
      {"xmpp.no-end-tag-reply", "</stream:stream>", "</stream:stream>"},
      {"xmpp.any-key-is-valid", "<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>",
       "type='invalid'"},
      {"xmpp.verify-not-answered", "<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>",
       "type='invalid'"},
      {"xmpp.unserved-verify-ends-stream", "<db:verify from='a.example' to='z.example' id='1'>k</db:verify>",
       "<item-not-found"},
      {"xmpp.unserved-result-ends-stream", "<db:result from='a.example' to='z.example'>k</db:result>",
       "<item-not-found"},
  };
  const auto answer = [](const Probe& probe, bool defective) {
    auto settings = receiver({.tls = optional});
    settings.domains = {"b.example", "d.example"};
    if (defective) settings.departures = Departures({std::string(probe.defect)});
    Raw raw(std::move(settings));
    (void)raw.open();
    raw.authorise();
    return raw.say(probe.octets);
  };
  for (const auto& probe : probes) {
    EXPECT_TRUE(has(answer(probe, false), probe.correct)) << probe.defect;
    EXPECT_FALSE(has(answer(probe, true), probe.correct)) << probe.defect;
  }
}

TEST(StreamQuirks, DefectsOfAuthenticationShow) {
  struct Row {
    std::string_view defect;
    bool of_initiator;
    tls::Flaw flaw;            ///< of the other side's certificate
    PeerPolicy policy;         ///< of the defective side
    std::string_view correct;  ///< method without the defect
    std::string_view defective;
  };
  const PeerPolicy sasl_only{.sasl = required};
  for (const auto& row :
       {Row{"xmpp.invalid-chain-accepted", false, tls::Flaw::expired, sasl_only, "none", "sasl tls"},
        Row{"xmpp.invalid-chain-accepted", false, tls::Flaw::unknown_root, sasl_only, "none", "sasl tls"},
        Row{"xmpp.wrong-certificate-name-accepted", false, tls::Flaw::wrong_name, sasl_only, "none", "sasl tls"},
        Row{"xmpp.external-without-certificate", false, tls::Flaw::no_certificate, sasl_only, "none", "sasl tls"},
        Row{"xmpp.peer-certificate-not-checked", true, tls::Flaw::expired, sasl_only, "none", "sasl tls"},
        Row{"xmpp.dialback-key-from-raw-digest",
            true,
            tls::Flaw::none,
            {.sasl = not_supported},
            "dialback tls",
            "none"},
        Row{"xmpp.strangers-accepted", false, tls::Flaw::none, {.allowed = false}, "none", "sasl tls"}}) {
    for (const bool defective : {false, true}) {
      auto subject = row.of_initiator ? initiator(row.policy) : receiver(row.policy);
      if (defective) subject.departures = Departures({std::string(row.defect)});
      auto peer = row.of_initiator ? receiver({.tls = optional}) : initiator({.tls = optional});
      peer.identity = identity(row.of_initiator ? "b.example" : "a.example", row.flaw);
      if (!row.of_initiator) std::swap(subject, peer);
      Pair pair(std::move(subject), std::move(peer));
      EXPECT_EQ(pair.method(), defective ? row.defective : row.correct) << row.defect;
    }
  }
}

/// A subject with a defect is still driven to an end by a correct peer and by time.
TEST(StreamQuirks, NoDefectHangsOrCrashesEitherRole) {
  for (const auto& row : quirk_table()) {
    if (!row.name.starts_with("xmpp.")) continue;
    for (const auto sasl : {optional, not_supported}) {
      for (const bool initiating_is_bad : {true, false}) {
        auto a = initiator({.tls = optional, .sasl = sasl}), b = receiver({.tls = optional, .sasl = sasl});
        (initiating_is_bad ? a : b).departures = Departures({std::string(row.name)});
        Pair pair(std::move(a), std::move(b), 100);
        (void)pair.send("one");
        pair.pass(700s);
        pair.a.close({}, pair.now);
        pair.drive();
        pair.pass(10s);
        EXPECT_TRUE((initiating_is_bad ? pair.b : pair.a).finished()) << row.name;
      }
    }
  }
}

/// A misspelt name would be a defect that no run can switch on, and a table row without code one that kills nothing.
TEST(StreamQuirks, TheTableAndTheCodeNameTheSameDefects) {
  std::set<std::string> used;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(CUTOVER_SOURCE_DIR "/protocol/xmpp")) {
    if (entry.path().extension() != ".cpp" || entry.path().filename().string().ends_with("_test.cpp")) continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto source = text.str();
    const std::regex name("\"(xmpp\\.[a-z0-9-]+)\"");
    for (std::sregex_iterator at(source.begin(), source.end(), name), end; at != end; ++at) used.insert((*at)[1]);
  }
  std::set<std::string> listed;
  for (const auto& row : quirk_table()) {
    if (row.name.starts_with("xmpp.")) listed.insert(std::string(row.name));
  }
  EXPECT_EQ(used, listed);
  EXPECT_GE(listed.size(), 45U);
}

}  // namespace
}  // namespace cutover::xmpp
