// The seam of XMPP streams, and every departure of the xmpp layer by name: it shows, and it neither hangs nor crashes.
#include "departures/table.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/test_streams.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>

namespace cutover::departures {
namespace {

using namespace xmpp::test;
using xmpp::Passage;
using xmpp::PeerPolicy;
using xmpp::Seam;
using xmpp::StreamConfig;
using enum xmpp::Negotiation;

constexpr char header[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback' version='1.0' from='a.example' to=\"b.example\">";
constexpr char message[] = "<message from='x@a.example' to='y@b.example'><body>a &gt; b</body></message>";

Departures planted(std::string_view name, Nodes at = proxy) { return Planted({std::string(name)}).at(at); }

// --- The seam -----------------------------------------------------------------------------------------------------

using Rewrite = std::function<void(Passage&)>;

std::unique_ptr<Seam> seam_of(Rewrite rewrite, bool initiating = false) {
  auto departed = std::make_shared<Departed>();
  departed->xmpp_items.push_back(std::move(rewrite));
  return Seam::of(Departures(std::move(departed)), initiating, false);
}

/// What a rewrite saw: "out header", "in message", "in end", "in other".
std::string seen(const Passage& p) {
  std::string way = p.out() ? "out " : "in ";
  switch (p.kind) {
    case Passage::Kind::header:
      return way + "header";
    case Passage::Kind::element:
      return way + p.element.name();
    case Passage::Kind::end_tag:
      return way + "end";
    case Passage::Kind::other:
      return way + "other";
  }
  return way;
}
using Seen = std::vector<std::string>;
std::unique_ptr<Seam> observer(Seen& into, bool initiating = false) {
  return seam_of([&into](Passage& p) { into.push_back(seen(p)); }, initiating);
}

std::string in(Seam& seam, std::string_view octets, bool secured = false) {
  return seam.pass(Direction::in, octets, secured);
}
std::string out(Seam& seam, std::string_view octets, bool secured = false) {
  return seam.pass(Direction::out, octets, secured);
}

TEST(XmppSeam, IsThereForRewritesOnly) {
  EXPECT_FALSE(Seam::of({}, true, false));
  EXPECT_FALSE(Seam::of(planted("xmpp.spoofed-from-delivered"), true, false));
  EXPECT_FALSE(Seam::of(planted("xmpp.no-close-timeout"), true, false));
  EXPECT_TRUE(Seam::of(planted("xmpp.header-without-from"), true, false));
  EXPECT_TRUE(Seam::of(planted("xmpp.accepts-restricted-xml"), true, false));
}

TEST(XmppSeam, FramesItemsWhateverTheCut) {
  const std::string octets = std::string(header) + "<stream:features><a xmlns='urn:x' b='>'/></stream:features>" +
                             message + "</stream:stream>";
  for (std::size_t cut = 1; cut <= octets.size(); ++cut) {
    Seen items;
    const auto seam = observer(items);
    std::string passed;
    for (std::size_t at = 0; at < octets.size(); at += cut) passed += in(*seam, octets.substr(at, cut));
    EXPECT_EQ(passed, octets) << cut;
    EXPECT_EQ(items, (Seen{"in header", "in features", "in message", "in end"})) << cut;
  }
}

TEST(XmppSeam, ReadsANewDocumentInsideTls) {
  Seen items;
  const auto seam = observer(items);
  const auto restart = [&](bool secured) {
    EXPECT_EQ(in(*seam, header, secured), header);
    EXPECT_EQ(out(*seam, header, secured), header);
  };
  restart(false);
  EXPECT_EQ(out(*seam, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").size(), 50U);
  restart(true);
  EXPECT_EQ(in(*seam, message, true), message);
  EXPECT_EQ(items, (Seen{"in header", "out header", "out proceed", "in header", "out header", "in message"}));
}

TEST(XmppSeam, ReadsANewDocumentBehindSuccessOfEitherSide) {
  constexpr char success[] = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
  for (const bool initiating : {true, false}) {
    Seen items;
    const auto seam = observer(items, initiating);
    const auto say = [&](Direction direction, std::string_view octets) {
      EXPECT_EQ(seam->pass(direction, octets, true), octets);
    };
    const auto receiving = initiating ? Direction::in : Direction::out;
    for (const auto direction : {Direction::in, Direction::out}) say(direction, header);
    say(receiving, success);
    for (const auto direction : {Direction::in, Direction::out}) say(direction, header);
    say(Direction::in, message);
    EXPECT_EQ(items.size(), 6U) << initiating;
    EXPECT_EQ(items.back(), "in message") << initiating;
  }
}

TEST(XmppSeam, WhiteSpacePassesAtOnce) {
  Seen items;
  const auto seam = observer(items);
  (void)out(*seam, header);
  EXPECT_EQ(out(*seam, " "), " ");
  EXPECT_EQ(out(*seam, "\n"), "\n");
  EXPECT_EQ(out(*seam, message), message);
  EXPECT_EQ(items, (Seen{"out header", "out other", "out other", "out message"}));
}

TEST(XmppSeam, UnreadableOctetsPass) {
  Seen items;
  const auto seam = observer(items);
  (void)in(*seam, header);
  EXPECT_EQ(in(*seam, "<a></b>"), "<a></b>");
  EXPECT_EQ(in(*seam, "<never"), "<never");
  EXPECT_EQ(in(*seam, message), message);
  EXPECT_EQ(items, (Seen{"in header", "in other", "in other", "in other"}));
  EXPECT_EQ(in(*seam, header, true), header);  // a new document can be read again
  EXPECT_EQ(items.back(), "in header");
}

TEST(XmppSeam, AHeaderInsideADocumentIsNotWaitedFor) {
  Seen items;
  const auto seam = observer(items);
  (void)in(*seam, header);
  const std::string nested = std::string(header).substr(std::string_view(header).find("?>") + 2);
  EXPECT_EQ(in(*seam, nested), nested);
}

TEST(XmppSeam, DropsRepeatsAndChanges) {
  const auto after = [](const Rewrite& rewrite, std::string_view octets) {
    const auto seam = seam_of([&](Passage& p) {
      if (p.kind != Passage::Kind::header || octets == header) rewrite(p);
    });
    if (octets == header) return out(*seam, header);
    (void)out(*seam, header);
    return out(*seam, octets);
  };
  EXPECT_EQ(after([](Passage& p) { p.drop(); }, message), "");
  EXPECT_EQ(after([](Passage& p) { p.repeat(); }, message), std::string(message) + message);
  EXPECT_EQ(after([](Passage& p) { p.set_attribute("to", "it's"); }, "<message to='y' id=\"1\"/>"),
            "<message id=\"1\" to='it&apos;s'/>");
  EXPECT_EQ(after([](Passage& p) { p.set_attribute("id", "7"); }, "<message><body/></message>"),
            "<message id='7'><body/></message>");
  EXPECT_EQ(after([](Passage& p) { p.remove_attribute("to"); }, "<message xmlns:to='urn:x' to='y>' id='1'/>"),
            "<message xmlns:to='urn:x' id='1'/>");
  EXPECT_EQ(after([](Passage& p) { p.remove_attribute("none"); }, message), message);
  EXPECT_EQ(after([](Passage& p) { p.put({"presence", "jabber:server"}); }, message), "<presence/>");
  EXPECT_EQ(after([](Passage& p) { p.edit([](xml::Element& e) { e.remove_children("a", "urn:x"); }); },
                  "<stream:features><a xmlns='urn:x'/><b xmlns='urn:x'/></stream:features>"),
            "<stream:features><b xmlns='urn:x'/></stream:features>");
  EXPECT_EQ(after([](Passage& p) { (void)p.replace("a", "bb"); }, "<iq a='a'/>"), "<iq bb='bb'/>");
  const auto changed = after(
      [](Passage& p) {
        p.remove_attribute("version");
        p.set_attribute("to", "c.example");
      },
      header);
  EXPECT_TRUE(changed.starts_with("<?xml version='1.0'?><stream:stream ")) << changed;
  EXPECT_TRUE(changed.ends_with("from='a.example' to='c.example'>")) << changed;
}

TEST(XmppSeam, AnswersTheOtherWay) {
  const auto begun = [] {
    auto seam = seam_of([](Passage& p) {
      if (p.is("iq")) p.answer("<answer/>");
      if (p.is("presence")) p.end_stream("reset");
    });
    (void)in(*seam, header);
    (void)out(*seam, header);
    return seam;
  };
  auto seam = begun();
  EXPECT_EQ(in(*seam, "<iq/>"), "<iq/>");
  EXPECT_EQ(seam->take_back(Direction::in), "<answer/>");
  EXPECT_EQ(seam->take_back(Direction::in) + seam->take_back(Direction::out), "");
  EXPECT_EQ(in(*seam, "<presence/>"), "</stream:stream>");
  EXPECT_TRUE(has(seam->take_back(Direction::in), error("reset")));
  EXPECT_EQ(in(*seam, "<iq/>") + out(*seam, "<iq/>"), "") << "the stream has ended";
  EXPECT_EQ(out(*seam, "</stream:stream>"), "</stream:stream>");
  seam = begun();
  EXPECT_TRUE(has(out(*seam, "<presence/>"), error("reset")));
  EXPECT_EQ(seam->take_back(Direction::out), "</stream:stream>");
}

TEST(XmppSeam, EachStreamHasWhatItsRewritesRemember) {
  const auto departures = planted("xmpp.no-end-tag-reply");
  const auto one = Seam::of(departures, false, false), other = Seam::of(departures, false, false);
  for (auto* seam : {one.get(), other.get()}) (void)(in(*seam, header) + out(*seam, header));
  (void)in(*one, "</stream:stream>");
  EXPECT_EQ(out(*one, "</stream:stream>"), "");
  EXPECT_EQ(out(*other, "</stream:stream>"), "</stream:stream>");
}

// --- Streams with one departure -----------------------------------------------------------------------------------

StreamConfig with(std::string_view name, StreamConfig config) {
  config.departures = planted(name);
  return config;
}

/// What a receiving stream says to `octets` behind an open stream on which a.example is authorised for b.example.
std::string answer_to(std::string_view octets, std::string_view defect = {}) {
  auto settings = receiver({.tls = optional});
  settings.domains = {"b.example", "d.example"};
  if (!defect.empty()) settings = with(defect, std::move(settings));
  Raw raw(std::move(settings));
  (void)raw.open();
  raw.authorise();
  return raw.say(octets);
}

TEST(XmppDepartures, OfTheReceivingRoleShow) {
  const std::string_view spoofed = "<message from='x@c.example' to='y@b.example'/>";
  struct Probe {
    std::string_view defect, octets, correct;  ///< correct: what a stream without the defect says
  };
  for (const auto& probe :
       {Probe{"xmpp.spoofed-from-delivered", spoofed, "<invalid-from"},
        Probe{"xmpp.accepts-restricted-xml", "<!-- comment -->", "<restricted-xml"},
        Probe{"xmpp.wrong-stream-condition", spoofed, "<invalid-from"},
        Probe{"xmpp.stream-error-without-condition", spoofed, "<invalid-from"},
        Probe{"xmpp.open-after-stream-error", spoofed, "</stream:stream>"},
        Probe{"xmpp.no-end-tag-reply", "</stream:stream>", "</stream:stream>"},
        Probe{"xmpp.any-key-is-valid", "<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>",
              "type='invalid'"},
        Probe{"xmpp.verify-not-answered", "<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>",
              "type='invalid'"},
        Probe{"xmpp.unserved-verify-ends-stream", "<db:verify from='a.example' to='z.example' id='1'>k</db:verify>",
              "<item-not-found"},
        Probe{"xmpp.unserved-result-ends-stream", "<db:result from='a.example' to='z.example'>k</db:result>",
              "<item-not-found"},
        Probe{"xmpp.abort-ignored", "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<aborted"},
        Probe{"xmpp.failure-without-condition", "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<aborted"},
        Probe{"xmpp.starttls-not-answered", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<failure"}}) {
    EXPECT_TRUE(has(answer_to(probe.octets), probe.correct)) << probe.defect;
    EXPECT_FALSE(has(answer_to(probe.octets, probe.defect), probe.correct)) << probe.defect;
  }
}

TEST(XmppDepartures, AnEndOfTheStreamThatTheSeamBringsAboutIsOne) {
  auto settings = receiver({.tls = optional});
  Raw raw(with("xmpp.unserved-result-ends-stream", std::move(settings)));
  (void)raw.open();
  const auto said = raw.say("<db:result from='a.example' to='z.example'>k</db:result>");
  EXPECT_TRUE(has(said, error("host-unknown"))) << said;
  EXPECT_TRUE(said.ends_with("</stream:error></stream:stream>")) << said;
  EXPECT_TRUE(raw.stream.finished());
}

TEST(XmppDepartures, OfHeadersAndFeaturesShow) {
  struct Row {
    std::string_view defect, part;
    bool there;  ///< with the defect; without it the other way round
  };
  for (const auto& row :
       {Row{"xmpp.response-without-from", " from='b.example'", false},
        Row{"xmpp.header-without-to", " to='a.example'", false}, Row{"xmpp.header-without-lang", "xml:lang", false},
        Row{"xmpp.stream-id-missing", " id='", false},
        Row{"xmpp.stream-id-predictable", " id='00000000000000000000000000000000'", true},
        Row{"xmpp.response-in-client-namespace", "jabber:client", true},
        Row{"xmpp.header-not-answered", "<stream:stream", false}, Row{"xmpp.no-features", "<stream:features", false},
        Row{"xmpp.features-in-content-namespace", "<limits/>", true},
        Row{"xmpp.starttls-not-offered", "<starttls", false}, Row{"xmpp.starttls-without-required", "<required", false},
        Row{"xmpp.external-offered-in-clear", "EXTERNAL", true}}) {
    EXPECT_EQ(has(Raw(receiver()).open(), row.part), !row.there) << row.defect;
    EXPECT_EQ(has(Raw(with(row.defect, receiver())).open(), row.part), row.there) << row.defect;
  }
  const auto first = [](std::string_view defect) {
    return xmpp::Stream(with(defect, initiator()), Time{1s}).take_output();
  };
  EXPECT_FALSE(has(first("xmpp.header-without-from"), " from="));
  EXPECT_TRUE(has(first("xmpp.initial-header-with-id"), " id='initial'"));
  EXPECT_TRUE(has(first("xmpp.initial-version-low"), " version='0.9'"));
  EXPECT_TRUE(has(first("xmpp.initiates-in-client-namespace"), "xmlns='jabber:client'"));
}

TEST(XmppDepartures, OfAuthenticationShow) {
  struct Row {
    std::string_view defect;
    bool of_initiator;
    tls::Flaw flaw;     ///< of the other side's certificate
    PeerPolicy policy;  ///< of the defective side
    std::string_view correct, defective;
  };
  const PeerPolicy sasl_only{.sasl = required}, dialback_only{.sasl = not_supported};
  for (const auto& row :
       {Row{"xmpp.invalid-chain-accepted", false, tls::Flaw::expired, sasl_only, "none", "sasl tls"},
        Row{"xmpp.peer-certificate-not-checked", true, tls::Flaw::expired, sasl_only, "none", "sasl tls"},
        Row{"xmpp.signatures-not-checked", false, tls::Flaw::bad_signature, sasl_only, "none", "sasl tls"},
        Row{"xmpp.issuers-not-checked", false, tls::Flaw::issuer_no_ca, sasl_only, "none", "sasl tls"},
        Row{"xmpp.any-service-in-srv-names", false, tls::Flaw::foreign_service, sasl_only, "none", "sasl tls"},
        Row{"xmpp.dns-names-ignored", false, tls::Flaw::none, sasl_only, "sasl tls", "none"},
        Row{"xmpp.client-eku-demanded", false, tls::Flaw::server_only_eku, sasl_only, "sasl tls", "none"},
        Row{"xmpp.dialback-key-from-raw-digest", true, tls::Flaw::none, dialback_only, "dialback tls", "none"},
        Row{"xmpp.dialback-key-without-separators", true, tls::Flaw::none, dialback_only, "dialback tls", "none"},
        Row{"xmpp.dialback-key-without-stream-id", true, tls::Flaw::none, dialback_only, "dialback tls", "none"},
        Row{"xmpp.dialback-key-with-pre-tls-id", true, tls::Flaw::none, dialback_only, "dialback tls", "none"},
        Row{"xmpp.never-starts-tls", true, tls::Flaw::none, {.tls = optional}, "sasl tls", "dialback clear"},
        Row{"xmpp.strangers-fail-to-authenticate", false, tls::Flaw::none, {.allowed = false}, "none", "none"},
        Row{"xmpp.strangers-say-nothing", false, tls::Flaw::none, {.allowed = false}, "none", "sasl tls"},
        Row{"xmpp.strangers-accepted", false, tls::Flaw::none, {.allowed = false}, "none", "sasl tls"}}) {
    for (const bool defective : {false, true}) {
      auto subject = row.of_initiator ? initiator(row.policy) : receiver(row.policy);
      if (defective) subject = with(row.defect, std::move(subject));
      auto peer = row.of_initiator ? receiver({.tls = optional}) : initiator({.tls = optional});
      peer.identity = identity(row.of_initiator ? "b.example" : "a.example", row.flaw);
      if (!row.of_initiator) std::swap(subject, peer);
      Pair pair(std::move(subject), std::move(peer));
      EXPECT_EQ(pair.method(), defective ? row.defective : row.correct) << row.defect;
    }
  }
}

TEST(XmppDepartures, RestrictedXmlIsSkippedWhateverTheCut) {
  const std::string octets = "<!-- a > b --><?target data?>" + std::string(message) + "<!-- -->";
  for (std::size_t cut = 1; cut <= octets.size(); ++cut) {
    Raw raw(with("xmpp.accepts-restricted-xml", receiver({.tls = optional})));
    (void)raw.open();
    raw.authorise();
    for (std::size_t at = 0; at < octets.size(); at += cut) (void)raw.say(octets.substr(at, cut));
    EXPECT_EQ(count<xmpp::StanzaReceived>(raw.events), 1U) << cut;
    EXPECT_EQ(raw.stream.state(), xmpp::StreamState::open) << cut;
  }
}

TEST(XmppDepartures, TheDeafHearNothingWhileTheyClose) {
  Pair pair(initiator(), with("xmpp.deaf-while-closing", receiver()));
  pair.b.close({}, pair.now);
  ASSERT_TRUE(pair.a.send(xmpp::make_message("romeo@a.example", "juliet@b.example", "late"), pair.now));
  pair.drive();
  EXPECT_TRUE(pair.bodies().empty());
}

TEST(XmppDepartures, TheMuteAreGivenUp) {
  Pair pair(with("xmpp.no-keep-alive", initiator()), receiver());
  pair.pass(299s);
  EXPECT_EQ(pair.b.state(), xmpp::StreamState::open);
  pair.pass(2s);
  EXPECT_EQ(of<xmpp::StreamFailed>(pair.b_events).at(0).condition, "connection-timeout");
}

TEST(XmppDepartures, StanzasAreSentWithoutOrDespiteSasl) {
  Pair impatient(with("xmpp.no-restart-after-success", initiator()), receiver());
  EXPECT_TRUE(impatient.send("too early"));
  EXPECT_EQ(of<xmpp::HeadersExchanged>(impatient.b_events).size(), 2U);
  auto refused = initiator();
  refused.identity = identity("a.example", tls::Flaw::expired);
  auto careless = receiver({.sasl = required});
  careless.departures = Departures::waiving({xmpp::Rule::external_is_proved_before_offer});
  Pair stubborn(with("xmpp.sends-despite-failure", std::move(refused)), std::move(careless));
  EXPECT_EQ(of<xmpp::Negotiated>(stubborn.a_events).at(0).method, xmpp::AuthenticationMethod::sasl_external);
  EXPECT_TRUE(stubborn.bodies().empty());
}

/// The trace shows what the wire carried: no more, no less, and in the words of what it is.
TEST(XmppDepartures, NotesWhatPassed) {
  for (const auto& row : table()) {
    if (row.layer != "xmpp") continue;
    std::string noted, wire, words;
    auto settings = with(row.name, receiver({.tls = not_supported}));
    settings.note = [&](Layer layer, Direction direction, std::string said, std::string detail) {
      if (layer != Layer::xmpp || direction != Direction::out) return;
      noted += detail;
      words += said + "\n";
    };
    Raw raw(std::move(settings));
    wire += raw.open();
    wire += raw.say("<db:result from='a.example' to='z.example'>k</db:result>");
    wire += raw.say("<db:verify from='a.example' to='b.example' id='1'>guess</db:verify>");
    wire += raw.say("<message from='x@c.example' to='y@b.example'/>");
    wire += raw.say("</stream:stream>");
    EXPECT_EQ(noted, wire) << row.name;
    // What is behind the end of a document is no stream error any more.
    const auto document = wire.substr(0, wire.find("</stream:stream>"));
    const auto error = document.find("<stream:error");
    const bool sent = error != std::string::npos && has(document.substr(error), "><not-authorized");
    EXPECT_EQ(has(words, "stream:error not-authorized"), sent) << row.name << words;
  }
}

/// A subject with a departure is still driven to an end by a correct peer and by time.
TEST(XmppDepartures, NoneHangsOrCrashesEitherRole) {
  std::size_t rows = 0;
  for (const auto& row : table()) {
    if (row.layer != "xmpp") continue;
    ++rows;
    for (const auto sasl : {optional, not_supported}) {
      for (const bool initiating_is_bad : {true, false}) {
        auto a = initiator({.tls = optional, .sasl = sasl}), b = receiver({.tls = optional, .sasl = sasl});
        (initiating_is_bad ? a : b).departures = planted(row.name);
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
  EXPECT_GE(rows, 110U);
}

TEST(XmppDepartures, OfAccountsChangeWhatAServerSaysAndHears) {
  struct Row {
    std::string_view defect;
    Direction direction;
    std::string_view octets, passed;
  };
  constexpr std::string_view iq_error =
      "<iq from='y@b.example' to='x@a.example' type='error' id='1'><error type='cancel'/></iq>";
  for (const auto& row :
       {Row{"account.error-from-domain", Direction::out, iq_error,
            "<iq to='x@a.example' type='error' id='1' from='b.example'><error type='cancel'/></iq>"},
        Row{"account.error-of-odd-type", Direction::out, iq_error,
            "<iq from='y@b.example' to='x@a.example' type='error' id='1'><error type='fatal'/></iq>"},
        Row{"account.error-without-child", Direction::out, iq_error,
            "<iq from='y@b.example' to='x@a.example' type='error' id='1'/>"},
        Row{"account.error-without-id", Direction::out, iq_error,
            "<iq from='y@b.example' to='x@a.example' type='error'><error type='cancel'/></iq>"},
        Row{"account.iq-unanswered", Direction::out, iq_error, ""},
        Row{"account.iq-answered-twice", Direction::out, "<iq type='result'/>",
            "<iq type='result'/><iq type='result'/>"},
        Row{"account.subscription-from-full-jid", Direction::out, "<presence type='subscribe' from='y@b.example'/>",
            "<presence type='subscribe' from='y@b.example/home'/>"},
        Row{"account.bare-to-rewritten", Direction::in, "<message to='y@b.example'/>",
            "<message to='y@b.example/home'/>"},
        Row{"account.full-jid-messages-lost", Direction::in, "<message to='y@b.example/home'/>", ""},
        Row{"account.thread-lost", Direction::in, "<message><thread>1</thread><body>b</body></message>",
            "<message><body>b</body></message>"},
        Row{"account.payloads-lost", Direction::in, "<message><odd xmlns='urn:x'/><body>b</body></message>",
            "<message><body>b</body></message>"},
        Row{"account.presence-lost", Direction::in, "<presence from='x@a.example'/>", ""},
        Row{"account.unavailable-lost", Direction::in, "<presence type='unavailable'/>", ""},
        Row{"account.iq-answers-lost", Direction::in, "<iq type='result' to='y@b.example/home'/>", ""}}) {
    EXPECT_FALSE(Seam::of(planted(row.defect), false, false)) << row.defect << " is of a server with accounts alone";
    const auto seam = Seam::of(planted(row.defect, account_server), false, false);
    ASSERT_TRUE(seam) << row.defect;
    (void)seam->pass(row.direction, header, true);
    EXPECT_EQ(seam->pass(row.direction, row.octets, true), row.passed) << row.defect;
    EXPECT_EQ(seam->pass(row.direction, "<message type='chat' to='y@b.example/'/>", true).empty(),
              row.defect == "account.full-jid-messages-lost")
        << row.defect;
  }
}

// --- The tables ---------------------------------------------------------------------------------------------------

std::string text_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A rule that nobody asks is a defect that does nothing.
TEST(XmppDepartures, EveryRuleIsAskedSomewhere) {
  const std::filesystem::path root = CUTOVER_SOURCE_DIR;
  for (const auto* part : {"protocol/xmpp", "reference", "mocks"}) {
    std::string code = text_of(root / "harness/deployment/plan.cpp") + text_of(root / "harness/deployment/steps.cpp") +
                       text_of(root / "harness/deployment/deployment.cpp");
    for (const auto& file : std::filesystem::directory_iterator(root / part)) {
      const auto name = file.path().filename().string();
      if (name.ends_with(".cpp") && !name.ends_with("_test.cpp")) code += text_of(file.path());
    }
    const auto rows = text_of(root / part / "rules.inc");
    const std::regex row("\nRULE\\(([a-z0-9_]+),");
    for (std::sregex_iterator at(rows.begin(), rows.end(), row), end; at != end; ++at) {
      const std::regex asked("Rule::" + (*at)[1].str() + "\\b");
      EXPECT_TRUE(std::regex_search(code, asked)) << part << ": nobody asks " << (*at)[1];
    }
  }
}

}  // namespace
}  // namespace cutover::departures
