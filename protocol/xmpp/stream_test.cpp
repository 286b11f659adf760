// The stream engine: two of them back to back in virtual time, and one against octets written by hand. Defects that go
// by name are in departures/xmpp_test.cpp.
#include "protocol/xmpp/test_streams.h"

#include <gtest/gtest.h>

namespace cutover::xmpp {
namespace {

using namespace test;
using enum Negotiation;

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

TEST(StreamPair, GoesOnWithWhoIsUnprovenAsThePolicyHasIt) {
  const PeerPolicy lenient{.tls = optional};
  auto strict = lenient;
  strict.proof_needed = true;
  for (const auto flaw : {tls::Flaw::none, tls::Flaw::expired, tls::Flaw::wrong_name, tls::Flaw::no_certificate}) {
    for (const bool waived : {false, true}) {
      for (const bool initiating : {true, false}) {
        if (initiating && flaw == tls::Flaw::no_certificate) continue;  // a TLS server has one
        auto subject = initiating ? initiator(strict) : receiver(strict);
        auto peer = initiating ? receiver(lenient) : initiator(lenient);
        peer.identity = identity(initiating ? "b.example" : "a.example", flaw);
        if (waived) subject.departures = Departures::waiving({Rule::proof_by_policy});
        if (!initiating) std::swap(subject, peer);
        const auto method = flaw == tls::Flaw::none ? "sasl tls" : waived ? "dialback tls" : "none";
        EXPECT_EQ(Pair(std::move(subject), std::move(peer)).method(), method) << static_cast<int>(flaw) << initiating;
      }
    }
  }
}

TEST(StreamPair, IsInTlsAsClientAloneWithoutACertificate) {
  const PeerPolicy policy{.tls = optional};
  auto client = initiator(policy), server = receiver(policy);
  client.identity = identity("a.example", tls::Flaw::no_certificate);
  EXPECT_EQ(Pair(std::move(client), receiver(policy)).method(), "dialback tls");
  server.identity = identity("b.example", tls::Flaw::no_certificate);
  EXPECT_EQ(Pair(initiator(policy), std::move(server)).method(), "dialback clear");
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
  mute.keep_alive_interval = 24h;
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
  EXPECT_FALSE(has(Raw().say(header("stream", streams, streams, "version='1.0'")), "invalid-namespace"));
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
  auto careless = receiver({.tls = optional});
  careless.departures = Departures::waiving({Rule::restart_only_where_due, Rule::restart_keeps_addresses});
  Raw accepting(std::move(careless));
  (void)accepting.open();
  EXPECT_TRUE(has(accepting.say(second), "to='c.example'"));
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

// --- Rules -----------------------------------------------------------------------------------------------------------

/// What a receiving stream says to `octets` behind an open stream on which a.example is authorised for b.example.
std::string answer_to(std::string_view octets, const Departures& departures = {}) {
  auto settings = receiver({.tls = optional});
  settings.domains = {"b.example", "d.example"};
  settings.departures = departures;
  Raw raw(std::move(settings));
  (void)raw.open();
  raw.authorise();
  return raw.say(octets);
}

TEST(StreamRules, EachIsKeptByTheReferenceAndWaivedAlone) {
  const std::string_view spoofed = "<message from='x@c.example' to='y@b.example'/>";
  struct Row {
    Rule rule;
    std::string_view octets, kept;
  };
  for (const auto& row :
       {Row{Rule::sender_is_authenticated, spoofed, "<invalid-from"},
        Row{Rule::target_is_served, "<message from='x@a.example' to='y@z.example'/>", "<host-unknown"},
        Row{Rule::target_is_authorised, "<message from='x@a.example' to='y@d.example'/>", "<host-unknown"},
        Row{Rule::stanza_is_addressed, "<message from='x@a.example'/>", "<improper-addressing"},
        Row{Rule::stanza_is_in_jabber_server, "<message xmlns='jabber:client' from='x@a.example' to='y@b.example'/>",
            "<invalid-namespace"},
        Row{Rule::unreadable_ends_the_stream, "<a></b>", "<not-well-formed"},
        Row{Rule::unknown_elements_are_refused, "<strange xmlns='urn:x'/>", "<unsupported-stanza-type"},
        Row{Rule::error_ends_the_stream, spoofed, "</stream:stream>"},
        Row{Rule::peer_error_ends_the_stream, "<stream:error/>", "</stream:stream>"},
        Row{Rule::key_is_checked, "<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>",
            "type='invalid'"},
        Row{Rule::verify_target_is_served, "<db:verify from='a.example' to='z.example' id='1'>k</db:verify>",
            "<item-not-found"},
        Row{Rule::result_target_is_served, "<db:result from='a.example' to='z.example'>k</db:result>",
            "<item-not-found"},
        Row{Rule::from_is_foreign, "<db:result from='d.example' to='b.example'>k</db:result>", "<forbidden"},
        Row{Rule::dialback_is_addressed, "<db:result to='b.example'>k</db:result>", "<improper-addressing"},
        Row{Rule::sasl_is_inside_tls, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
            "<encryption-required"}}) {
    EXPECT_TRUE(has(answer_to(row.octets), row.kept)) << row.octets;
    EXPECT_FALSE(has(answer_to(row.octets, Departures::waiving({row.rule})), row.kept)) << row.octets;
  }
}

TEST(StreamRules, WaivedOnesLetAPeerBeAnybody) {
  const PeerPolicy sasl_only{.sasl = required};
  struct Row {
    Rule rule{};
    bool of_initiator = false;
    tls::Flaw flaw{};   ///< of the other side's certificate
    PeerPolicy policy;  ///< of the careless side
  };
  for (const auto& row : {Row{Rule::chain_is_valid, false, tls::Flaw::expired, sasl_only},
                          Row{Rule::chain_is_valid, false, tls::Flaw::unknown_root, sasl_only},
                          Row{Rule::certificate_covers_the_domain, false, tls::Flaw::wrong_name, sasl_only},
                          Row{Rule::certificate_is_presented, false, tls::Flaw::no_certificate, sasl_only},
                          Row{Rule::peer_certificate_is_checked, true, tls::Flaw::expired, sasl_only},
                          Row{Rule::partner_is_allowed, false, tls::Flaw::none, {.allowed = false}}}) {
    for (const bool careless : {false, true}) {
      auto subject = row.of_initiator ? initiator(row.policy) : receiver(row.policy);
      if (careless) subject.departures = Departures::waiving({row.rule});
      auto peer = row.of_initiator ? receiver({.tls = optional}) : initiator({.tls = optional});
      peer.identity = identity(row.of_initiator ? "b.example" : "a.example", row.flaw);
      if (!row.of_initiator) std::swap(subject, peer);
      Pair pair(std::move(subject), std::move(peer));
      EXPECT_EQ(pair.method(), careless ? "sasl tls" : "none") << static_cast<int>(row.rule);
    }
  }
}

/// A stream that waives a rule is still driven to an end by a correct peer and by time.
TEST(StreamRules, NoWaivedRuleHangsOrCrashesEitherRole) {
  for (std::size_t number = 0; number < static_cast<std::size_t>(Rule::count); ++number) {
    for (const auto sasl : {optional, not_supported}) {
      for (const bool initiating_is_bad : {true, false}) {
        auto a = initiator({.tls = optional, .sasl = sasl}), b = receiver({.tls = optional, .sasl = sasl});
        (initiating_is_bad ? a : b).departures = Departures::waiving({static_cast<Rule>(number)});
        Pair pair(std::move(a), std::move(b), 100);
        (void)pair.send("one");
        pair.pass(700s);
        pair.a.close({}, pair.now);
        pair.drive();
        pair.pass(10s);
        EXPECT_TRUE((initiating_is_bad ? pair.b : pair.a).finished()) << number;
      }
    }
  }
}

}  // namespace
}  // namespace cutover::xmpp
