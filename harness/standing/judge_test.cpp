// Each rule of the standing judge: the octets that break it and nothing else, and a whole exchange that breaks none.
#include "harness/standing/judge.h"

#include "harness/standing/ledger.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace cutover::harness::standing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A connection between the one that is judged and a peer by hand, as that peer notes it.
class Wire {
 public:
  static Wire initiating() { return Wire("subject:40001 > peer:5269"); }
  static Wire receiving() { return Wire("peer:40001 > subject:5269"); }
  static Wire with_client() {
    Wire wire("user:40002 > subject:5222");
    wire.listener_ = "user";
    wire.id_ = ConnectionId{2};
    return wire;
  }

  /// The one that is judged says it.
  Wire& says(std::string octets) { return note(Layer::xmpp, Direction::in, "octets", std::move(octets)); }
  /// The peer says it.
  Wire& hears(std::string octets) { return note(Layer::xmpp, Direction::out, "octets", std::move(octets)); }
  Wire& tls() { return note(Layer::tls, Direction::none, "established TLSv1.3", {}); }
  /// The same on another connection.
  Wire& as(ConnectionId id) {
    id_ = id;
    for (auto& record : records_) record.note.connection = id;
    return *this;
  }
  [[nodiscard]] const std::vector<TraceRecord>& records() const { return records_; }

 private:
  explicit Wire(std::string connection) : connection_(std::move(connection)) {}
  Wire& note(Layer layer, Direction direction, std::string summary, std::string octets) {
    records_.push_back(
        {Time(1us), listener_, "subject", connection_, {layer, direction, id_, std::move(summary), std::move(octets)}});
    return *this;
  }
  std::string connection_, listener_ = "peer";
  ConnectionId id_{1};
  std::vector<TraceRecord> records_;
};

std::vector<std::string> broken_in(const std::vector<TraceRecord>& records) {
  std::vector<std::string> broken;
  for (const auto& heard :
       judge(records, [](std::string_view sender, std::string_view) { return sender == "subject"; }))
    if (heard.breaches > 0) broken.push_back(heard.rule);
  return broken;
}

std::string header(const std::string& attributes, const std::string& content = "xmlns='jabber:server' ") {
  return "<?xml version='1.0'?><stream:stream " + content +
         "xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' " + attributes + ">";
}
const std::string ours = "from='b.example' to='a.example' version='1.0' xml:lang='en'";
std::string initial() { return header(ours); }
std::string response(const std::string& id) {
  return header("id='" + id + "' from='b.example' to='a.example' version='1.0' xml:lang='en'");
}
/// Of the peer, in the other role.
std::string peer_initial() { return header("from='a.example' to='b.example' version='1.0' xml:lang='en'"); }
std::string peer_response(const std::string& id) {
  return header("id='" + id + "' from='a.example' to='b.example' version='1.0' xml:lang='en'");
}
const std::string tls_ns = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'",
                  sasl_ns = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'",
                  errors_ns = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'",
                  stanzas_ns = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
std::string features(const std::string& inside) { return "<stream:features>" + inside + "</stream:features>"; }
const std::string offers_tls = features("<starttls " + tls_ns + "><required/></starttls>"),
                  offers_external =
                      features("<mechanisms " + sasl_ns + "><mechanism>EXTERNAL</mechanism></mechanisms>");

/// The subject has opened a stream and authenticated by SASL.
Wire sending() {
  auto wire = Wire::initiating();
  wire.says(initial()).hears(peer_response("1") + offers_tls).says("<starttls " + tls_ns + "/>");
  wire.hears("<proceed " + tls_ns + "/>").tls().says(initial()).hears(peer_response("2") + offers_external);
  wire.says("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>").hears("<success " + sasl_ns + "/>");
  wire.says(initial()).hears(peer_response("3") + features(""));
  return wire;
}
/// The peer has opened one, and has come to TLS.
Wire secured() {
  auto wire = Wire::receiving();
  wire.hears(peer_initial()).says(response("1") + offers_tls).hears("<starttls " + tls_ns + "/>");
  wire.says("<proceed " + tls_ns + "/>").tls().hears(peer_initial());
  return wire;
}
/// The peer has opened one, in clear, and has its features.
Wire in_clear() {
  auto wire = Wire::receiving();
  wire.hears(peer_initial()).says(response("1") + features(""));
  return wire;
}
/// The subject has opened one towards a server without SASL.
Wire dialling_back() {
  auto wire = Wire::initiating();
  wire.says(initial()).hears(peer_response("77") + features(""));
  return wire;
}
std::string stanza(const std::string& inside = "<body>x</body>", const std::string& attributes = "") {
  return "<message from='u@b.example/r' to='v@a.example' id='m1'" + attributes + ">" + inside + "</message>";
}
std::string iq(const std::string& type, const std::string& inside, const std::string& id = "i1") {
  return "<iq from='u@b.example' to='v@a.example' type='" + type + "' id='" + id + "'>" + inside + "</iq>";
}
std::string stream_error(const std::string& inside) { return "<stream:error>" + inside + "</stream:error>"; }
const std::string end = "</stream:stream>";

struct Row {
  Rule rule;
  std::vector<TraceRecord> records;
};

// Every row breaks its rule, and no other.
std::vector<Row> rows() {
  std::vector<Row> all;
  const auto add = [&](Rule rule, const Wire& wire) { all.push_back({rule, wire.records()}); };
  const auto initial_with = [&](const std::string& head) { return Wire::initiating().says(head); };
  const auto response_with = [&](const std::string& attributes) {
    return Wire::receiving().hears(peer_initial()).says(header(attributes) + features(""));
  };
  const auto says_there = [](Wire wire, const std::string& octets) { return wire.says(octets); };
  const auto ends_with = [&](const std::string& error) { return in_clear().says(stream_error(error) + end); };
  const auto sends = [&](const std::string& octets) { return says_there(sending(), octets); };
  const std::string policy = "<policy-violation " + errors_ns + "/>";

  add(Rule::no_restricted_xml, sends("<!-- a comment -->"));
  add(Rule::well_formed, sends("<message></iq>"));
  add(Rule::utf8_only, sends(stanza("<body>\xc3\x28</body>")));
  add(Rule::header_first, says_there(Wire::receiving().hears(peer_initial()), "<stream:features/>"));
  add(Rule::header_before_error, says_there(Wire::receiving().hears(peer_initial()), stream_error(policy)));
  add(Rule::no_byte_order_mark, initial_with("\xef\xbb\xbf" + initial()));
  add(Rule::declaration_before_header, initial_with(initial().substr(initial().find("<stream"))));
  add(Rule::not_standalone,
      initial_with("<?xml version='1.0' standalone='yes'?>" + initial().substr(initial().find("<stream"))));
  add(Rule::space_between_elements, sends("stray"));
  add(Rule::content_has_no_prefix, sends("<x:message xmlns:x='jabber:server' from='b.example' to='a.example'/>"));

  add(Rule::initial_to, initial_with(header("from='b.example' version='1.0' xml:lang='en'")));
  add(Rule::initial_no_id, initial_with(header("id='' " + ours)));
  add(Rule::initial_language, initial_with(header("from='b.example' to='a.example' version='1.0'")));
  add(Rule::initial_version, initial_with(header("from='b.example' to='a.example' version='2.0' xml:lang='en'")));
  add(Rule::initial_from, Wire::initiating().tls().says(header("to='a.example' version='1.0' xml:lang='en'")));
  add(Rule::response_from, response_with("id='1' to='a.example' version='1.0' xml:lang='en'"));
  add(Rule::response_to, response_with("id='1' from='b.example' to='c.example' version='1.0' xml:lang='en'"));
  add(Rule::response_id, response_with(ours));
  add(Rule::response_id_is_new, secured().says(response("1") + offers_external));
  add(Rule::response_language, response_with("id='1' from='b.example' to='a.example' version='1.0'"));
  add(Rule::response_version, response_with("id='1' from='b.example' to='a.example' version='1.1' xml:lang='en'"));
  add(Rule::addresses_are_domains,
      initial_with(header("from='u@b.example' to='a.example' version='1.0' xml:lang='en'")));
  add(Rule::version_form, response_with("id='1' from='b.example' to='a.example' version='01.0' xml:lang='en'"));
  add(Rule::version_is_kept,
      secured().says(header("id='2' from='b.example' to='a.example' xml:lang='en'") + features("")));
  add(Rule::language_form, initial_with(header("from='b.example' to='a.example' version='1.0' xml:lang='en_GB'")));
  add(Rule::content_namespace, initial_with(header(ours, "xmlns='jabber:client' ")).hears(peer_response("1")));
  add(Rule::dialback_is_declared,
      Wire::initiating()
          .says("<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
                "xmlns:stream='http://etherx.jabber.org/streams' " +
                ours + ">")
          .hears(peer_response("1") + features(""))
          .says("<d:result xmlns:d='jabber:server:dialback' from='b.example' to='a.example'>k</d:result>"));

  add(Rule::features_behind_header, Wire::receiving().hears(peer_initial()).says(response("1") + "<x xmlns='urn:x'/>"));
  add(Rule::features_behind_restart, secured().says(response("2") + "<x xmlns='urn:x'/>"));
  add(Rule::features_have_namespaces, secured().says(response("2") + features("<stream:x/>")));
  add(Rule::required_is_empty,
      Wire::receiving()
          .hears(peer_initial())
          .says(response("1") + features("<starttls " + tls_ns + "><required>x</required></starttls>")));
  add(Rule::only_tls_while_required,
      Wire::receiving()
          .hears(peer_initial())
          .says(response("1") + features("<starttls " + tls_ns + "><required/></starttls><x xmlns='urn:x'/>")));
  add(Rule::features_once, secured().says(response("2") + offers_external + offers_external));
  add(Rule::no_compression, secured().says(response("2") + features("<compression "
                                                                    "xmlns='http://jabber.org/features/compress'>"
                                                                    "<method>zlib</method></compression>")));
  add(Rule::no_tls_inside_tls, secured().says(response("2") + features("<starttls " + tls_ns + "/>")));
  add(Rule::external_inside_tls, Wire::receiving().hears(peer_initial()).says(response("1") + offers_external));
  add(Rule::mechanism_form,
      secured().says(response("2") + features("<mechanisms " + sasl_ns + "><mechanism/></mechanisms>")));
  const auto offers = [&](const std::string& mechanisms) {
    return secured().says(response("2") + features("<mechanisms " + sasl_ns + ">" + mechanisms + "</mechanisms>"));
  };
  add(Rule::mechanism_name, offers("<mechanism>Scram sha</mechanism>"));
  add(Rule::mechanism_name, offers("<mechanism>AMECHANISMOF21LETTERS</mechanism>"));
  add(Rule::external_is_first, offers("<mechanism>PLAIN</mechanism><mechanism>EXTERNAL</mechanism>"));
  add(Rule::management_behind_authentication,
      secured().says(response("2") +
                     features("<mechanisms " + sasl_ns +
                              "><mechanism>EXTERNAL</mechanism></mechanisms><sm xmlns='urn:xmpp:sm:3'/>")));
  add(Rule::management_behind_authentication,
      Wire::receiving()
          .hears(peer_initial())
          .says(response("1") + features("<starttls " + tls_ns + "/><sm xmlns='urn:xmpp:sm:3'/>")));
  add(Rule::management_asked_in_time, dialling_back().says("<enable xmlns='urn:xmpp:sm:3'/>"));
  add(Rule::bidi_behind_tls, Wire::initiating()
                                 .says(header(ours))
                                 .hears(peer_response("1") + offers_tls)
                                 .says("<bidi xmlns='urn:xmpp:bidi'/><starttls " + tls_ns + "/>")
                                 .hears("<proceed " + tls_ns + "/>")
                                 .tls());
  add(Rule::no_space_behind_starttls, dialling_back().says("<starttls " + tls_ns + "/>\n"));
  add(Rule::no_space_behind_auth,
      dialling_back().says("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>").says(" "));
  add(Rule::nothing_behind_proceed, Wire::receiving()
                                        .hears(peer_initial())
                                        .says(response("1") + offers_tls)
                                        .hears("<starttls " + tls_ns + "/>")
                                        .says("<proceed " + tls_ns + "/><?xml version='1.0'?>"));
  add(Rule::tls_before_sasl, dialling_back()
                                 .says("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>")
                                 .hears("<failure " + sasl_ns + "><not-authorized/></failure>")
                                 .says("<starttls " + tls_ns + "/>"));
  add(Rule::mechanism_was_offered,
      dialling_back().hears(offers_external).says("<auth " + sasl_ns + " mechanism='PLAIN'>=</auth>"));
  add(Rule::sasl_is_base64, dialling_back().says("<auth " + sasl_ns + " mechanism='EXTERNAL'>b.example</auth>"));
  // "u@b.example"
  add(Rule::authzid_is_a_domain,
      dialling_back().says("<auth " + sasl_ns + " mechanism='EXTERNAL'>dUBiLmV4YW1wbGU=</auth>"));
  add(Rule::sasl_failure_condition, secured().says(response("2") + offers_external + "<failure " + sasl_ns + "/>"));

  add(Rule::dialback_has_declared_prefix,
      dialling_back().says("<result xmlns='jabber:server:dialback' from='b.example' to='a.example'>k</result>"));
  add(Rule::result_form, dialling_back().says("<db:result from='b.example' to='a.example'/>"));
  add(Rule::result_once, dialling_back()
                             .says("<db:result from='b.example' to='a.example'>k</db:result>")
                             .says("<db:result from='b.example' to='a.example'>k</db:result>"));
  add(Rule::result_answer_form, in_clear()
                                    .hears("<db:result from='a.example' to='b.example'>k</db:result>")
                                    .says("<db:result from='a.example' to='b.example' type='valid'/>"));
  add(Rule::result_answer_form, in_clear()
                                    .hears("<db:result from='a.example' to='b.example'>k</db:result>")
                                    .says("<db:result from='b.example' to='a.example' type='valid'/>")
                                    .says("<db:result from='b.example' to='a.example' type='valid'/>"));
  add(Rule::verify_form, dialling_back().says("<db:verify from='b.example' to='a.example'>k</db:verify>"));
  add(Rule::request_has_no_type,
      dialling_back().says("<db:result from='b.example' to='a.example' type='get'>k</db:result>"));
  add(Rule::request_has_no_type,
      dialling_back().says("<db:verify from='b.example' to='a.example' id='5' type='valid'>k</db:verify>"));
  add(Rule::verify_answer_form, in_clear()
                                    .hears("<db:verify from='a.example' to='b.example' id='5'>k</db:verify>")
                                    .says("<db:verify from='b.example' to='a.example' id='5' type='yes'/>"));
  add(Rule::dialback_error_form, in_clear()
                                     .hears("<db:result from='a.example' to='b.example'>k</db:result>")
                                     .says("<db:result from='b.example' to='a.example' type='error'/>"));
  add(Rule::key_is_bound, dialling_back()
                              .says("<db:result from='b.example' to='a.example'>k</db:result>")
                              .says("<db:result from='b2.example' to='a.example'>k</db:result>"));

  add(Rule::error_ends_the_stream, in_clear().says(stream_error(policy) + "<x xmlns='urn:x'/>"));
  add(Rule::nothing_behind_the_end, in_clear().says(end + "<x/>"));
  add(Rule::stream_error_condition, ends_with(""));
  add(Rule::stream_condition_is_empty, ends_with("<policy-violation " + errors_ns + ">no</policy-violation>"));
  add(Rule::stream_error_text, ends_with(policy + "<text xmlns='jabber:server'>x</text>"));
  add(Rule::stream_error_extra, ends_with(policy + "<x xmlns='jabber:server'/>"));
  add(Rule::no_old_condition, ends_with("<xml-not-well-formed " + errors_ns + "/>"));
  add(Rule::undefined_not_alone, ends_with("<undefined-condition " + errors_ns + "/>"));
  add(Rule::redirect_inside_tls, ends_with("<see-other-host " + errors_ns + ">c.example</see-other-host>"));
  add(Rule::nothing_leaks,
      ends_with(policy + "<text " + errors_ns + " xml:lang='en'>/usr/lib/server/s2s.lua:12: attempt</text>"));
  add(Rule::stream_error_language, ends_with(policy + "<text " + errors_ns + ">x</text>"));
  add(Rule::no_timeout_behind_an_end,
      in_clear().hears(end).says(stream_error("<connection-timeout " + errors_ns + "/>") + end));

  add(Rule::stanza_has_to, sends("<message from='u@b.example'/>"));
  add(Rule::stanza_has_from, sends("<message to='v@a.example'/>"));
  add(Rule::domains_in_u_labels, sends("<message from='u@xn--bcher-kva.example' to='v@a.example'/>"));
  add(Rule::sender_is_an_address, sends("<message from='u@b.example/' to='v@a.example'/>"));
  add(Rule::one_direction, in_clear().says(stanza()));
  add(Rule::stanzas_behind_negotiation, dialling_back().says(stanza()));
  add(Rule::pair_is_verified,
      dialling_back().hears("<db:result from='a.example' to='b2.example' type='valid'/>").says(stanza()));
  add(Rule::iq_has_id, sends("<iq from='u@b.example' to='v@a.example' type='result'/>"));
  add(Rule::iq_has_type, sends("<iq from='u@b.example' to='v@a.example' id='i1'/>"));
  add(Rule::request_has_one_child, sends(iq("get", "")));
  add(Rule::result_has_at_most_one_child, sends(iq("result", "<a xmlns='urn:x'/><b xmlns='urn:x'/>")));
  add(Rule::error_has_error, sends(stanza("", " type='error'")));
  add(Rule::error_only_in_errors, sends(stanza("<error type='cancel'><conflict " + stanzas_ns + "/></error>")));
  add(Rule::error_form, sends(stanza("<error type='cancel'/>", " type='error'")));
  add(Rule::condition_is_empty,
      sends(stanza("<error type='cancel'><conflict " + stanzas_ns + ">no</conflict></error>", " type='error'")));
  const auto error_with = [&](const std::string& text) {
    return sends(stanza("<error type='cancel'><conflict " + stanzas_ns + "/>" + text + "</error>", " type='error'"));
  };
  add(Rule::error_text, error_with("<text>x</text>"));
  add(Rule::error_text, error_with("<text xmlns=''>x</text>"));
  add(Rule::error_language, error_with("<text " + stanzas_ns + ">x</text>"));
  add(Rule::subscription_from_bare, sends("<presence from='u@b.example/r' to='v@a.example' type='subscribe'/>"));
  add(Rule::delay_stamp, sends(stanza("<delay xmlns='urn:xmpp:delay' stamp='20020910T23:08:25'/>")));
  add(Rule::stanza_namespace, sends("<message xmlns='jabber:client' from='u@b.example' to='v@a.example'/>"));

  // Over two connections.
  const auto two = [&](Rule rule, const Wire& one, const Wire& other) {
    auto records = one.records();
    records.insert(records.end(), other.records().begin(), other.records().end());
    all.push_back({rule, std::move(records)});
  };
  auto answers = sending();
  two(Rule::answered_once,
      Wire::receiving().hears(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
          "xmlns:stream='http://etherx.jabber.org/streams'>" +
          std::string("<iq from='v@a.example' to='u@b.example' type='get' id='i1'><q xmlns='urn:x'/></iq>")),
      answers.as(ConnectionId{3}).says(iq("result", "")).says(iq("result", "")));
  two(Rule::stream_id_never_repeats, in_clear(), in_clear().as(ConnectionId{3}));
  const auto from_client = [&](const std::string& went_in) {
    return Wire::with_client()
        .hears(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>")
        .hears(went_in);
  };
  const std::string open = "<message to='v@a.example' id='m1' xml:lang='de'>";
  two(Rule::stanza_crosses, from_client(open + "<body>y</body></message>"),
      sends(stanza("<body>x</body>", " xml:lang='de'")));
  two(Rule::crosses_once, from_client("<message to='v@a.example' id='m1'><body>x</body></message>"),
      sends(stanza() + stanza()));
  two(Rule::payload_crosses, from_client(open + "<body>x</body><p xmlns='urn:x' a='1'/></message>"),
      sends(stanza("<body>x</body><p xmlns='urn:x'/>", " xml:lang='de'")));
  two(Rule::white_space_crosses, from_client(open + "<body>x&#13;y</body></message>"),
      sends(stanza("<body>x\ny</body>", " xml:lang='de'")));
  two(Rule::white_space_crosses, from_client(open + "<body>x</body><p xmlns='urn:x' a='1&#9;2&#10;'/></message>"),
      sends(stanza("<body>x</body><p xmlns='urn:x' a='1 2 '/>", " xml:lang='de'")));
  two(Rule::payload_crosses, from_client(open + "<body>x</body><p xmlns='urn:x' a='1&#9;2'/></message>"),
      sends(stanza("<body>x</body><p xmlns='urn:x' a='12'/>", " xml:lang='de'")));
  two(Rule::nested_content_crosses,
      from_client(open + "<f xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></f></message>"),
      sends(stanza("<f xmlns='urn:xmpp:forward:0'><message xmlns='jabber:server'/></f>", " xml:lang='de'")));
  two(Rule::language_crosses, from_client(open + "<body>x</body></message>"), sends(stanza()));
  two(Rule::address_crosses, from_client("<message to='v@a.example/r' id='m1'/>"), sends(stanza("")));
  const std::string client_header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
  two(Rule::resource_crosses, in_clear().hears("<message from='v@a.example/Home' to='u@b.example' id='m1'/>"),
      Wire::with_client()
          .hears(client_header)
          .says(client_header + "<message from='v@a.example/home' to='u@b.example' id='m1'/>"));
  return all;
}

std::string_view name_of(Rule rule) { return rules()[static_cast<std::size_t>(rule)].name; }

TEST(StandingJudge, FindsEachBreachAndNothingBesides) {
  for (const auto& row : rows())
    EXPECT_THAT(broken_in(row.records), ElementsAre(std::string(name_of(row.rule)))) << name_of(row.rule);
}

TEST(StandingJudge, HasARowForEveryRule) {
  std::set<Rule> shown;
  for (const auto& row : rows()) shown.insert(row.rule);
  for (const auto& row : rules())
    EXPECT_TRUE(shown.contains(row.rule) || row.rule == Rule::xml_is_1_0 || is_of_sip(row.rule)) << row.name;
}

TEST(StandingJudge, HasOneRuleForARequirement) {
  std::set<std::string_view> requirements;
  for (const auto& row : rules()) EXPECT_TRUE(requirements.insert(row.requirement).second) << row.requirement;
}

TEST(StandingJudge, BlamesNothingInWholeExchanges) {
  auto wire = sending();
  wire.says(stanza()).says(" ").says(stanza("<body>\xf0\x9f\x98\x80</body>")).says(iq("get", "<q xmlns='urn:x'/>"));
  wire.says(end).hears(end);
  EXPECT_THAT(broken_in(wire.records()), IsEmpty());
  auto receiving = secured();
  receiving.says(response("2") + offers_external).hears("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>");
  receiving.says("<success " + sasl_ns + "/>").hears(peer_initial()).says(response("3") + features(""));
  receiving.says(stream_error("<host-unknown " + errors_ns + "/>") + end);
  EXPECT_THAT(broken_in(receiving.records()), IsEmpty());
}

TEST(StandingJudge, TellsWhyWhatIsBehindTheEndWasNotRead) {
  EXPECT_THAT(broken_in(in_clear().says(end + stream_error("<policy-violation " + errors_ns + "/>")).records()),
              ElementsAre("error_ends_the_stream", "nothing_behind_the_end"));
  const auto empty =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams' id='1' " +
      ours + "/>";
  EXPECT_THAT(broken_in(Wire::receiving().hears(peer_initial()).says(empty + offers_tls).records()),
              ElementsAre("features_behind_header", "nothing_behind_the_end"));
}

TEST(StandingJudge, FindsWhiteSpaceBeforeAnAnswer) {
  auto tls = Wire::receiving().hears(peer_initial()).says(response("1") + offers_tls);
  tls.hears("<starttls " + tls_ns + "/>").says("\n<proceed " + tls_ns + "/>");
  EXPECT_THAT(broken_in(tls.records()), ElementsAre("no_space_behind_starttls"));
  auto sasl = secured().says(response("2") + offers_external);
  sasl.hears("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>").says(" <success " + sasl_ns + "/>");
  EXPECT_THAT(broken_in(sasl.records()), ElementsAre("no_space_behind_auth"));
  // It was on its way when the question was asked.
  auto before = Wire::receiving().hears(peer_initial()).says(response("1") + offers_tls);
  before.hears("<starttls " + tls_ns + "/>").says("\n").says("<proceed " + tls_ns + "/>");
  EXPECT_THAT(broken_in(before.records()), IsEmpty());
}

TEST(StandingJudge, FindsWhiteSpaceBehindAQuestionThatWasAnsweredSooner) {
  auto wire = dialling_back();
  wire.says("<starttls " + tls_ns + "/>").hears("<proceed " + tls_ns + "/>").says(" ");
  EXPECT_THAT(broken_in(wire.records()), ElementsAre("no_space_behind_starttls"));
}

TEST(StandingJudge, FindsErrorsOutsideTheirNamespace) {
  EXPECT_THAT(broken_in(in_clear().says("<error><policy-violation " + errors_ns + "/></error>" + end).records()),
              ElementsAre("stream_error_condition"));
}

TEST(StandingJudge, FindsStanzasInTheNameOfTheirListener) {
  EXPECT_THAT(broken_in(sending().says("<message from='v@a.example' to='u@b.example'/>").records()),
              ElementsAre("stanza_has_from"));
}

TEST(StandingJudge, FindsStanzasWithoutNamespace) {
  const std::string bare =
      "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' " + ours + ">";
  auto wire = Wire::initiating();
  wire.says(bare).hears(peer_response("1") + features("")).says(stanza());
  EXPECT_THAT(broken_in(wire.records()), ElementsAre("content_namespace"));
}

TEST(StandingJudge, KnowsDialbackInTheWrongNamespace) {
  auto wrong = initial();
  wrong.replace(wrong.find("server:dialback"), 15, "server:callback");
  EXPECT_THAT(broken_in(Wire::initiating()
                            .says(wrong)
                            .hears(peer_response("1") + features(""))
                            .says("<db:verify from='b.example' to='a.example' id='1'>k</db:verify>")
                            .records()),
              ElementsAre("dialback_is_declared"));
}

TEST(StandingJudge, DoesNotBlameAnAnswerToRubbish) {
  // No header came that could be read: the answer has no to, and an id all the same.
  EXPECT_THAT(broken_in(Wire::receiving()
                            .hears("<rubbish>")
                            .says(header("id='1' from='b.example' version='1.0'") +
                                  stream_error("<invalid-namespace " + errors_ns + "/>") + end)
                            .records()),
              IsEmpty());
  // Who asked for it ahead of time has <success/> and what follows it in one piece.
  auto ahead = secured().says(response("2") + offers_external);
  ahead.hears("<auth " + sasl_ns + " mechanism='EXTERNAL'>=</auth>" + peer_initial());
  ahead.says("<success " + sasl_ns + "/>" + response("3") + features(""));
  EXPECT_THAT(broken_in(ahead.records()), IsEmpty());
  // What follows a <success/> that nobody asked for belongs to the document that is open.
  EXPECT_THAT(broken_in(dialling_back()
                            .hears("<success " + sasl_ns + "/>")
                            .says(stream_error("<not-authorized " + errors_ns + "/>") + end)
                            .records()),
              IsEmpty());
  // Records of TLS that no session of ours reads are no XML.
  EXPECT_THAT(broken_in(dialling_back()
                            .says("<starttls " + tls_ns + "/>")
                            .hears("<proceed " + tls_ns + "/>")
                            .says(std::string("\x16\x03\x01\x00\x05hello", 10))
                            .records()),
              IsEmpty());
  // Who refuses a certificate may end the document that is open.
  EXPECT_THAT(broken_in(dialling_back()
                            .says("<starttls " + tls_ns + "/>")
                            .hears("<proceed " + tls_ns + "/>")
                            .tls()
                            .says(end)
                            .records()),
              IsEmpty());
}

TEST(StandingJudge, KnowsWhoIsDrivenByHand) { EXPECT_THAT(driven_by_hand(in_clear().records()), ElementsAre("peer")); }

}  // namespace
}  // namespace cutover::harness::standing
