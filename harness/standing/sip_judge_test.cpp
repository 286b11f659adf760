// Each SIP rule of the standing judge: the messages that break it and nothing else; what the documents permit breaks
// none.
#include "harness/standing/judge.h"
#include "harness/standing/ledger.h"
#include "harness/standing/sip_conversation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace cutover::harness::standing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string without(std::string text, const std::string& part) {
  const auto at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return at == std::string::npos ? text : text.erase(at, part.size());
}
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// What the gateway and a pool say to each other, as the pool notes it.
class Wire {
 public:
  Wire& says(std::string octets) { return note(Direction::in, {}, std::move(octets)); }
  Wire& hears(std::string octets) { return note(Direction::out, {}, std::move(octets)); }
  /// The pool cannot tell where a message ends.
  Wire& says_unframed(const std::string& why, std::string octets) {
    return note(Direction::in, "unreadable: " + why, std::move(octets));
  }
  [[nodiscard]] std::vector<std::string> broken() const {
    std::vector<std::string> rules;
    const auto nobody = [](std::string_view, std::string_view) { return false; };
    const auto gateway = [](std::string_view sender, std::string_view) { return sender == "gateway"; };
    for (const auto& heard : judge(records_, nobody, gateway))
      if (heard.breaches > 0) rules.push_back(heard.rule);
    return rules;
  }

 private:
  Wire& note(Direction direction, std::string summary, std::string octets) {
    records_.push_back({Time(1us),
                        "pool",
                        "gateway",
                        "gateway:40001 > pool:5061",
                        {Layer::sip, direction, ConnectionId{1}, std::move(summary), std::move(octets)}});
    return *this;
  }
  std::vector<TraceRecord> records_;
};

/// `more`: further header lines. Branches and numbers make transactions.
std::string request(const std::string& method, const std::string& branch, int number, const std::string& more = {},
                    const std::string& body = {}, const std::string& to_tag = {}) {
  return method + " sip:alice@a.example SIP/2.0\r\nVia: SIP/2.0/TLS gw.a.example:5098;branch=z9hG4bK" + branch +
         "\r\nMax-Forwards: 70\r\nFrom: <sip:romeo@b.example>;tag=r1\r\nTo: <sip:alice@a.example>" +
         (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: c1\r\nCSeq: " + std::to_string(number) + ' ' +
         method + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
/// To a request of the same branch and number.
std::string answer(int status, const std::string& method, const std::string& branch, int number,
                   const std::string& more = {}, const std::string& to_tag = "a1") {
  return "SIP/2.0 " + std::to_string(status) + " Words\r\nVia: SIP/2.0/TLS gw.a.example:5098;branch=z9hG4bK" + branch +
         "\r\nFrom: <sip:romeo@b.example>;tag=r1\r\nTo: <sip:alice@a.example>" +
         (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: c1\r\nCSeq: " + std::to_string(number) + ' ' +
         method + "\r\n" + more + "Content-Length: 0\r\n\r\n";
}
const std::string text_type = "Content-Type: text/plain\r\n", contact = "Contact: <sip:alice@a.example>\r\n",
                  event = "Event: presence\r\n", pidf_type = "Content-Type: application/pidf+xml\r\n";
std::string message(const std::string& branch = "1", int number = 1) {
  return request("MESSAGE", branch, number, text_type, "hello");
}
std::string invite() { return request("INVITE", "i", 1, contact); }
std::string subscribe() { return request("SUBSCRIBE", "s", 1, contact + event + "Expires: 60\r\n"); }
/// Of the dialog that the pool's SUBSCRIBE made.
std::string notify(const std::string& branch, int number, const std::string& more, const std::string& body = {}) {
  return request("NOTIFY", branch, number, event + contact + more, body, "a1");
}
std::string pidf(const std::string& tuple) {
  return "<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:romeo@b.example'>" + tuple +
         "</presence>";
}
const std::string open_tuple = "<tuple id='t1'><status><basic>open</basic></status></tuple>",
                  active = "Subscription-State: active;expires=60\r\n",
                  terminated = "Subscription-State: terminated;reason=timeout\r\n";
/// A user's SUBSCRIBE, accepted: Call-ID c1, tag a1.
Wire subscribed() {
  auto wire = Wire();
  auto asked = with(with(subscribe(), "<sip:romeo@b.example>;tag=r1", "<sip:alice@a.example>;tag=a1"),
                    "To: <sip:alice@a.example>", "To: <sip:romeo@b.example>");
  return wire.hears(asked);
}

struct Row {
  Rule rule;
  Wire wire;
};

std::vector<Row> rows() {
  std::vector<Row> all;
  const auto add = [&](Rule rule, const Wire& wire) { all.push_back({rule, wire}); };
  const auto says = [](const std::string& octets) { return Wire().says(octets); };

  add(Rule::sip_version, says(with(message(), "SIP/2.0\r\nVia", "SIP/3.0\r\nVia")));
  add(Rule::sip_well_formed, says(with(message(), "\r\n", "\r\nrubbish\r\n")));
  add(Rule::sip_well_formed, says(with(message(), "sip:alice@a.example SIP", "<sip:alice@a.example> SIP")));
  for (const auto* header : {"Call-ID: c1\r\n", "CSeq: 1 MESSAGE\r\n", "From: <sip:romeo@b.example>;tag=r1\r\n",
                             "To: <sip:alice@a.example>\r\n"})
    add(Rule::sip_mandatory_headers, says(without(message(), header)));
  add(Rule::sip_single_headers,
      says(with(message(), "Max-Forwards: 70\r\n", "Max-Forwards: 70\r\nMax-Forwards: 69\r\n")));
  add(Rule::sip_length,
      Wire().says_unframed("no Content-Length on a stream", without(message(), "Content-Length: 5\r\n")));
  add(Rule::sip_body_has_type, says(without(message(), text_type)));
  add(Rule::sip_cseq, says(with(message(), "1 MESSAGE", "1 NOTIFY")));
  add(Rule::sip_cseq, says(with(message(), "1 MESSAGE", "2147483648 MESSAGE")));
  add(Rule::sip_max_forwards, says(without(message(), "Max-Forwards: 70\r\n")));
  add(Rule::sip_branch, says(with(message(), "z9hG4bK", "z8hG4bK")));
  add(Rule::sip_branch, says(without(message(), ";branch=z9hG4bK1")));
  add(Rule::sip_from_tag, says(without(message(), ";tag=r1")));
  add(Rule::sip_contact, says(without(invite(), contact)));
  add(Rule::sip_contact, says(with(subscribe(), contact, contact + contact)));
  add(Rule::sip_message_has_no_contact, says(with(message(), text_type, text_type + contact)));
  add(Rule::sip_message_accepts_nothing, says(with(message(), text_type, text_type + "Accept: text/plain\r\n")));
  add(Rule::sip_subscribe_has_event, says(without(subscribe(), event)));
  add(Rule::sip_notify_has_state, says(notify("n", 1, "")));
  for (const auto* tuple :
       {"<tuple><status/></tuple>", "<tuple id='t'/>", "<tuple id='t'><status><basic>away</basic></status></tuple>",
        "<tuple id='t'><contact>sip:x</contact><status/></tuple>", "<note>n</note><tuple id='t'><status/></tuple>",
        "<tuple id='t'><status/><timestamp>yesterday</timestamp></tuple>",
        "<tuple id='t'><status/><contact priority='2'>sip:x</contact></tuple>"})
    add(Rule::sip_pidf_is_valid, says(notify("n", 1, active + pidf_type, pidf(tuple))));
  add(Rule::sip_405_names_methods, says(answer(405, "MESSAGE", "1", 1)));
  add(Rule::sip_415_names_types, says(answer(415, "MESSAGE", "1", 1)));
  add(Rule::sip_423_says_how_long, says(answer(423, "SUBSCRIBE", "1", 1)));
  add(Rule::sip_420_names_extensions, says(answer(420, "MESSAGE", "1", 1)));

  const auto answers = [](const std::string& octets) { return Wire().hears(message()).says(octets); };
  const auto ok = answer(200, "MESSAGE", "1", 1);
  for (const auto& [from, to] : {std::pair("Call-ID: c1", "Call-ID: c2"),
                                 {"CSeq: 1", "CSeq: 2"},
                                 {";tag=a1", ""},
                                 {";tag=r1", ";tag=r2"},
                                 {"romeo@", "juliet@"},
                                 {"Via: ", "Via: SIP/2.0/TLS gw.a.example:5098;branch=z9hG4bK1\r\nVia: "}})
    add(Rule::sip_answer_copies, answers(with(ok, from, to)));
  add(Rule::sip_one_final_answer, answers(ok).says(ok));
  add(Rule::sip_one_final_answer, answers(ok).says(answer(500, "MESSAGE", "1", 1)));
  add(Rule::sip_one_final_answer,
      Wire().hears(invite()).says(answer(486, "INVITE", "i", 1)).says(answer(200, "INVITE", "i", 1, contact)));
  add(Rule::sip_acceptance_has_contact, Wire().hears(invite()).says(answer(200, "INVITE", "i", 1)));
  add(Rule::sip_record_route_is_copied,
      Wire()
          .hears(with(invite(), contact, contact + "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"))
          .says(answer(200, "INVITE", "i", 1, contact + "Record-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n")));

  const auto refused = [] { return Wire().says(invite()).hears(answer(486, "INVITE", "i", 1)); };
  add(Rule::sip_ack_in_transaction, refused().says(request("ACK", "other", 1, "", "", "a1")));
  add(Rule::sip_ack_in_transaction, refused().says(request("ACK", "i", 1)));
  add(Rule::sip_cancel_waits, Wire().says(invite()).says(request("CANCEL", "i", 1)));
  add(Rule::sip_cseq_rises,
      Wire().says(invite()).hears(answer(200, "INVITE", "i", 1, contact)).says(request("BYE", "b", 1, "", "", "a1")));
  const auto by_us = [] {
    const auto routed = contact + "Record-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n";
    return Wire().says(invite()).hears(
        with(answer(200, "INVITE", "i", 1, routed), "Contact: <sip:alice@a.example>", "Contact: <sip:alice@pc>"));
  };
  const auto route = [](const std::string& to) { return "Route: " + to + "\r\n"; };
  const auto bye = [&](const std::string& routes) {
    return with(request("BYE", "b", 2, route(routes), "", "a1"), "sip:alice@a.example SIP", "sip:alice@pc SIP");
  };
  add(Rule::sip_dialog_target, by_us().says(request("BYE", "b", 2, route("<sip:p1;lr>, <sip:p2;lr>"), "", "a1")));
  add(Rule::sip_dialog_route, by_us().says(bye("<sip:p2;lr>, <sip:p1;lr>")));
  add(Rule::sip_dialog_route, by_us().says(bye("<sip:p1;lr>")));
  add(Rule::sip_ack_of_acceptance,
      Wire().says(invite()).hears(answer(200, "INVITE", "i", 1)).says(request("ACK", "k", 2, "", "", "a1")));
  add(Rule::sip_accepted_format, subscribed().says(notify("n", 1, active + text_type, "hello")));
  add(Rule::sip_message_answer_has_no_body,
      answers(with(answer(200, "MESSAGE", "1", 1, text_type), "Length: 0\r\n\r\n", "Length: 2\r\n\r\nok")));
  add(Rule::sip_message_answer_has_no_contact, answers(answer(200, "MESSAGE", "1", 1, contact)));
  const auto asked = [] { return Wire().hears(subscribe()); };
  add(Rule::sip_subscription_is_granted, asked().says(answer(200, "SUBSCRIBE", "s", 1, contact)));
  add(Rule::sip_subscription_is_granted, asked().says(answer(200, "SUBSCRIBE", "s", 1, contact + "Expires: 61\r\n")));
  add(Rule::sip_one_message_at_a_time, Wire().says(message("1")).says(message("2", 2)));
  add(Rule::sip_notify_has_expires, subscribed().says(notify("n", 1, "Subscription-State: active\r\n")));
  add(Rule::sip_notify_repeats_event,
      subscribed().says(with(notify("n", 1, active), event, "Event: presence;id=7\r\n")));
  add(Rule::sip_terminated_is_the_last, subscribed().says(notify("n", 1, terminated)).says(notify("m", 2, active)));
  return all;
}

std::string_view name_of(Rule rule) { return rules()[static_cast<std::size_t>(rule)].name; }

TEST(StandingJudgeOfSip, FindsEachBreachAndNothingBesides) {
  int number = 0;
  for (const auto& row : rows())
    EXPECT_THAT(row.wire.broken(), ElementsAre(std::string(name_of(row.rule)))) << ++number << ' ' << name_of(row.rule);
}

TEST(StandingJudgeOfSip, HasARowForEveryRule) {
  std::set<Rule> shown;
  for (const auto& row : rows()) shown.insert(row.rule);
  for (const auto& row : standing::rules()) EXPECT_TRUE(!is_of_sip(row.rule) || shown.contains(row.rule)) << row.name;
}

TEST(StandingJudgeOfSip, SparesWhatTheDocumentsPermit) {
  // Compact names, small letters, folded lines, blanks, another order, several Vias in a line (RFC 3261 section 7.3).
  EXPECT_THAT(
      Wire()
          .says("MESSAGE sip:alice@a.example SIP/2.0\r\nl: 5\r\nc : TEXT/Plain\r\ni: c1\r\ncseq:\r\n 1\r\n  MESSAGE\r\n"
                "f: \"R; <o> \\\" meo\" <sip:romeo@b.example>;x=y;TAG=r1\r\nt: sip:alice@a.example\r\n"
                "MAX-forwards: 0\r\nv: SIP / 2.0 / TLS gw.a.example ;Branch=z9hG4bK1, SIP/2.0/TLS "
                "x;branch=1\r\n\r\nhello")
          .broken(),
      IsEmpty());
  // Marks beside a Via, display names, 100 without a tag, provisional answers, an answer to a request that came again.
  EXPECT_THAT(Wire()
                  .hears(message())
                  .says(answer(100, "MESSAGE", "1", 1, {}, ""))
                  .says(with(with(answer(200, "MESSAGE", "1", 1), "gw.a.example:5098;",
                                  "gw.a.example:5098;received=192.0.2.1;rport=9;"),
                             "From: ", "From: Romeo "))
                  .hears(message())
                  .says(answer(200, "MESSAGE", "1", 1))
                  .broken(),
              IsEmpty());
  // What accepts an INVITE is repeated until its ACK comes; an offer in a dialog makes none.
  const auto accepts = answer(200, "INVITE", "i", 1, contact);
  EXPECT_THAT(Wire().hears(invite()).says(answer(180, "INVITE", "i", 1)).says(accepts).says(accepts).broken(),
              IsEmpty());
  // A refusal that is acknowledged, a 2xx whose ACK is a transaction of its own, a CANCEL behind 180.
  EXPECT_THAT(Wire()
                  .says(invite())
                  .hears(answer(180, "INVITE", "i", 1))
                  .says(request("CANCEL", "i", 1))
                  .hears(answer(200, "CANCEL", "i", 1))
                  .hears(answer(487, "INVITE", "i", 1))
                  .says(request("ACK", "i", 1, "", "", "a1"))
                  .broken(),
              IsEmpty());
  EXPECT_THAT(Wire()
                  .says(invite())
                  .hears(answer(200, "INVITE", "i", 1, contact))
                  .says(request("ACK", "k", 1, "", "", "a1"))
                  .says(request("BYE", "b", 7, "", "", "a1"))
                  .broken(),
              IsEmpty());
  // Two branches of a forked INVITE count each for itself.
  EXPECT_THAT(Wire()
                  .says(invite())
                  .hears(answer(200, "INVITE", "i", 1, contact, "x"))
                  .hears(answer(200, "INVITE", "i", 1, contact, "y"))
                  .says(request("BYE", "b", 2, "", "", "x"))
                  .says(request("BYE", "c", 2, "", "", "y"))
                  .broken(),
              IsEmpty());
  // The other side of a dialog moves, and a proxy of the own side stands before the route set.
  EXPECT_THAT(Wire()
                  .says(invite())
                  .hears(answer(200, "INVITE", "i", 1, "Contact: <sip:alice@pc>\r\nRecord-Route: <sip:p;lr>\r\n"))
                  .says(with(request("INFO", "n", 2, "Route: <sip:own;lr>\r\nRoute: P <sip:p;lr>\r\n", "", "a1"),
                             "sip:alice@a.example SIP", "sip:alice@pc SIP"))
                  .broken(),
              IsEmpty());
  // Messages in a dialog, to others and behind an answer.
  EXPECT_THAT(Wire()
                  .says(message("1"))
                  .says(with(message("2", 2), "MESSAGE sip:alice@", "MESSAGE sip:bob@"))
                  .hears(answer(202, "MESSAGE", "1", 1))
                  .says(message("3", 3))
                  .broken(),
              IsEmpty());
  // Documents with extensions, prefixes and languages; a subscription that is made again in its dialog.
  const auto document =
      "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity='romeo@b.example'><!-- c --><p:tuple id='t1'><p:status>"
      "<x xmlns='urn:x'/></p:status><x xmlns='urn:x'><y/></x><p:contact priority='0.8'>sip:x</p:contact><p:note "
      "xml:lang='de'>n</p:note><p:timestamp>2001-10-27T16:49:29Z</p:timestamp></p:tuple><p:note>n</p:note>"
      "<person xmlns='urn:ietf:params:xml:ns:pidf:data-model' id='p'/></p:presence>";
  EXPECT_THAT(
      subscribed()
          .says(notify(
              "n", 1,
              "Subscription-State: Active ; Expires=60;x=y\r\nContent-Type: APPLICATION/pidf+XML; charset=utf-8\r\n",
              document))
          .says(notify("m", 2, terminated + pidf_type, pidf(open_tuple)))
          .hears(with(with(with(subscribe(), "<sip:romeo@b.example>;tag=r1", "<sip:alice@a.example>;tag=a1"),
                           "To: <sip:alice@a.example>", "To: <sip:romeo@b.example>;tag=r1"),
                      "z9hG4bKs", "z9hG4bKs2"))
          .says(notify("o", 3, active))
          .broken(),
      IsEmpty());
  // Whom nobody asked there is nothing to compare with.
  EXPECT_THAT(Wire().says(answer(200, "MESSAGE", "9", 9)).says(notify("n", 1, active)).broken(), IsEmpty());
}

TEST(StandingJudgeOfSip, DoesNotBlameAnAnswerToRubbish) {
  EXPECT_THAT(Wire()
                  .hears("MESSAGE sip:alice@a.example SIP/2.0\r\nVia: SIP/2.0/TLS x;branch=z9hG4bK1\r\n\r\n")
                  .says(answer(400, "MESSAGE", "1", 1, {}, ""))
                  .broken(),
              IsEmpty());
}

}  // namespace
}  // namespace cutover::harness::standing
