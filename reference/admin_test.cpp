// The admin interface: every route, its refusals, and HTTP on octets that come in any pieces.
#include "reference/admin.h"

#include "protocol/xmpp/stanza.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::reference {
namespace {

using testing::HasSubstr;

struct Box {
  Settings settings;
  AdminSubject subject{"proxy", [this]() -> const Settings& { return settings; },
                       [this](Settings given) { settings = std::move(given); },
                       [] { return std::vector<xmpp::StreamInfo>{{.remote_domain = "fabrikam.example"}}; },
                       [] {
                         return Health{{"serving", true}, {"failures", std::uint64_t{3}}};
                       }};
  AdminAnswer ask(std::string_view method, std::string_view target, std::string_view body = {}) const {
    return answer(subject, method, target, body);
  }
};

TEST(AdminRoutes, AddChangeAndRemovePartners) {
  Box box;
  EXPECT_EQ(box.ask("POST", "/partners", R"({"Domain": "fabrikam.example", "TlsNegotiation": "Optional"})").status,
            201);
  EXPECT_EQ(box.ask("POST", "/partners", R"({"Domain": "fabrikam.example"})").status, 409);
  EXPECT_EQ(
      box.ask("PUT", "/partners/fabrikam.example", R"({"PartnerType": "Federated", "ConnectionLimit": 5})").status,
      200);
  EXPECT_EQ(box.settings.partners.at("fabrikam.example").tls_negotiation, Negotiation::optional);
  EXPECT_EQ(box.settings.partners.at("fabrikam.example").connection_limit, 5U);
  EXPECT_THAT(box.ask("GET", "/partners").body, HasSubstr("\"PartnerType\":\"Federated\""));
  EXPECT_THAT(box.ask("GET", "/routes").body, HasSubstr("_xmpp-server._tcp.fabrikam.example"));
  EXPECT_EQ(box.ask("DELETE", "/partners/fabrikam.example").status, 200);
  EXPECT_EQ(box.ask("DELETE", "/partners/fabrikam.example").status, 404);
}

TEST(AdminRoutes, TellCountersAndMessagesWithTextWhereItIsAskedFor) {
  Box box;
  EXPECT_EQ(box.ask("GET", "/counters").body, "{}");
  EXPECT_EQ(box.ask("GET", "/log").body, R"({"messages":[]})");
  box.subject.counters = [] { return Counters{{"Failure IMDNs sent", 2}}; };
  EXPECT_EQ(box.ask("GET", "/counters").body, R"({"Failure IMDNs sent":2})");
  MessageLog log{Departures()};
  const auto said = [](std::string_view text) {
    return xmpp::make_message("romeo@fabrikam.example", "alice@contoso.example", text, "chat", "m1");
  };
  log.note(said("whispered"), Time{} + 1500ms, false);
  log.note(xml::Element("presence", "jabber:server"), Time{}, true);
  box.subject.log = &log;
  EXPECT_EQ(box.ask("GET", "/log").body,
            R"({"messages":[{"at_ms":1500,"from":"romeo@fabrikam.example","to":"alice@contoso.example",)"
            R"("id":"m1","type":"chat","octets":9}]})");
  log.note(said("spoken"), Time{}, true);
  EXPECT_THAT(box.ask("GET", "/log").body, HasSubstr(R"("octets":6,"body":"spoken"})"));
  EXPECT_EQ(box.ask("PUT", "/log", "{}").status, 405);
}

TEST(AdminRoutes, TakeWhatTheProductExports) {
  Box box;
  const std::string exported =
      "\xEF\xBB\xBF[{\"Identity\": \"a.example\", \"Domain\": \"a.example\", \"AdditionalDomains\": [],"
      R"("ConnectionLimit": null, "Description": null, "EnableKeepAlive": false, "PartnerType": 0, "ProxyFqdn": null,
         "SaslNegotiation": 2, "TlsNegotiation": 1, "SupportDialbackNegotiation": true, "RunspaceId": "x"},
        {"Identity": "b.example", "AdditionalDomains": "c.example"}])";
  EXPECT_EQ(box.ask("POST", "/partners", exported).status, 201);
  const auto& partner = box.settings.partners.at("a.example");
  EXPECT_EQ(partner.partner_type, PartnerType::federated);
  EXPECT_EQ(partner.sasl_negotiation, Negotiation::not_supported);
  EXPECT_EQ(partner.tls_negotiation, Negotiation::optional);
  EXPECT_FALSE(partner.enable_keep_alive);
  EXPECT_THAT(box.settings.partners.at("b.example").additional_domains, testing::ElementsAre("c.example"));
  // All or none.
  EXPECT_EQ(box.ask("POST", "/partners", R"([{"Identity": "d.example"}, {"Identity": "b.example"}])").status, 409);
  EXPECT_FALSE(box.settings.partners.contains("d.example"));
  const auto refused = [&](std::string_view body) { return box.ask("POST", "/partners", body).body; };
  EXPECT_THAT(refused(R"({"Identity": "d.example", "Domain": "e.example"})"), HasSubstr("the same domain"));
  EXPECT_THAT(refused(R"({"Identity": "d.example", "TlsNegotiation": 3})"), HasSubstr("Required, Optional or"));
  EXPECT_THAT(refused(R"({"Identity": "d.example", "EnableKeepAlive": null})"), HasSubstr("a value was expected"));
  EXPECT_THAT(refused("<Objs>"), HasSubstr("Export-Clixml"));
  EXPECT_THAT(refused("\xFF\xFE["), HasSubstr("UTF-16"));
  EXPECT_THAT(refused("Identity : d.example"), HasSubstr("ConvertTo-Json"));
  EXPECT_THAT(refused(R"({"Identity": "d.example", "TlsNegotiation": 3, "SaslNegotiation": 4})"),
              AllOf(HasSubstr("TlsNegotiation"), HasSubstr("SaslNegotiation")))
      << "everything at once";
  EXPECT_EQ(box.ask("POST", "/partners", "\"Identity\",\"EnableKeepAlive\"\r\n\"csv.example\",\"False\"\r\n").status,
            201);
  EXPECT_FALSE(box.settings.partners.at("csv.example").enable_keep_alive);
}

TEST(AdminRoutes, RefuseWhatIsWrongAndKeepTheSettings) {
  Box box;
  const auto refused = [&](std::string_view body) { return box.ask("PUT", "/partners/a.example", body).status; };
  EXPECT_EQ(refused("{"), 400);
  EXPECT_EQ(refused("[]"), 400);
  EXPECT_EQ(refused(R"({"Nonsense": 1})"), 400);
  EXPECT_EQ(refused(R"({"ConnectionLimit": -1})"), 400);
  EXPECT_EQ(refused(R"({"TlsNegotiation": "Maybe"})"), 400);
  EXPECT_EQ(refused(R"({"Domain": "b.example"})"), 400);
  // Five rows of the matrix are invalid.
  EXPECT_EQ(refused(R"({"TlsNegotiation": "NotSupported", "SupportDialbackNegotiation": false})"), 400);
  EXPECT_TRUE(box.settings.partners.empty());
  EXPECT_EQ(box.ask("GET", "/nothing").status, 404);
  EXPECT_EQ(box.ask("DELETE", "/health").status, 405);
  EXPECT_EQ(box.ask("GET", "/health").body, R"({"box":"proxy","failures":3,"serving":true})");
}

TEST(AdminRoutes, ChangePoliciesAndSettings) {
  Box box;
  EXPECT_EQ(
      box.ask("PUT", "/policies/user:Xmpp", R"({"EnableXmppAccess": true, "EnableFederationAccess": true})").status,
      200);
  EXPECT_EQ(box.ask("PUT", "/policies/grant:alice%40contoso.example", R"({"Policy": "Xmpp"})").status, 200);
  EXPECT_EQ(box.ask("PUT", "/policies/grant:bob%40contoso.example", R"({"Policy": "Other"})").status, 400);
  EXPECT_EQ(box.ask("PUT", "/settings",
                    R"({"AllowFederatedUsers": true, "KeepAliveInterval": 100, "DialbackPassphrase": "s3cret"})")
                .status,
            200);
  EXPECT_TRUE(box.settings.user_may("alice@contoso.example"));
  EXPECT_EQ(box.settings.gateway.keep_alive_interval, Duration(100s));
  EXPECT_THAT(box.ask("GET", "/settings").body, testing::Not(HasSubstr("s3cret")));
  EXPECT_EQ(box.ask("PUT", "/settings", R"({"KeepAliveInterval": 0})").status, 400);
  EXPECT_THAT(box.ask("GET", "/policies").body, HasSubstr("alice@contoso.example"));
  EXPECT_THAT(box.ask("GET", "/streams").body, HasSubstr("fabrikam.example"));
}

/// Records what an actor does to its connections.
class Recorder final : public Context {
 public:
  explicit Recorder(std::string address) : address_(std::move(address)) {}
  Time now() const override { return time; }
  std::time_t wall_clock() const override { return 0; }
  std::uint64_t random(std::uint64_t) override { return 0; }
  const std::string& address() const override { return address_; }
  void listen(Actor&, std::uint16_t port) override { listening = port; }
  void stop_listening(std::uint16_t) override { listening = 0; }
  ConnectionId connect(Actor&, const Endpoint&) override { return ConnectionId::none; }
  void send(ConnectionId, std::string_view bytes) override { sent += bytes; }
  void shutdown(ConnectionId) override { shut = true; }
  void abort(ConnectionId id) override { aborted.push_back(id); }
  void hand_over(ConnectionId, Actor&) override {}
  std::uint16_t bind_datagram(Actor&, std::uint16_t port) override { return port; }
  void unbind_datagram(std::uint16_t) override {}
  void send_to(std::uint16_t, const Endpoint&, std::string_view) override {}
  void wake_at(Actor&, Time) override {}
  void cancel_wake(Actor&) override {}
  void note(Note note) override { notes += note.summary + " " + note.detail + "\n"; }
  void forget(Actor&) override {}

  Time time{1us};
  std::string sent, notes;
  std::uint16_t listening = 0;
  bool shut = false;
  std::vector<ConnectionId> aborted;

 private:
  std::string address_;
};

std::string exchange(const std::string& request, std::size_t piece, const std::string& token = {}) {
  Box box;
  Recorder context("127.0.0.9");
  Admin admin(context, {8443, token}, box.subject);
  admin.open();
  admin.on_accepted(ConnectionId{1}, 8443, {});
  for (std::size_t at = 0; at < request.size(); at += piece)
    admin.on_received(ConnectionId{1}, request.substr(at, piece));
  EXPECT_TRUE(context.shut);
  return context.sent;
}

TEST(Admin, SpeaksHttpInAnyPieces) {
  const std::string body = R"({"Domain":"a.example"})";
  const std::string request =
      "POST /partners HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  for (const std::size_t piece : {1U, 7U, 1000U}) EXPECT_THAT(exchange(request, piece), HasSubstr("HTTP/1.1 201 "));
  EXPECT_THAT(exchange("GET /health HTTP/1.1\r\nHost: 127.0.0.9:8443\r\n\r\n", 3), HasSubstr("\"serving\":true"));
  EXPECT_THAT(exchange("nonsense\r\n\r\n", 100), HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(exchange("PUT /settings HTTP/1.1\r\nHost: 127.0.0.9:8443\r\nContent-Length: 9999999\r\n\r\n", 100),
              HasSubstr(" 413 "));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x'), 4000), HasSubstr(" 431 "));
}

TEST(Admin, AsksForItsToken) {
  EXPECT_THAT(exchange("GET /health HTTP/1.1\r\nHost: 127.0.0.9:8443\r\n\r\n", 99, "t0ken"), HasSubstr(" 401 "));
  EXPECT_THAT(
      exchange("GET /health HTTP/1.1\r\nHost: 127.0.0.9:8443\r\nAuthorization: Bearer t0ken\r\n\r\n", 99, "t0ken"),
      HasSubstr(" 200 "));
  Box box;
  Recorder context("192.0.2.1");
  Admin admin(context, {8443, ""}, box.subject);
  EXPECT_THROW(admin.open(), ListenError);
}

TEST(Admin, GivesUpOnTheSlow) {
  Box box;
  Recorder context("127.0.0.1");
  Admin admin(context, {8443, ""}, box.subject);
  admin.on_accepted(ConnectionId{1}, 8443, {});
  context.time += 11s;
  admin.on_wake();
  EXPECT_THAT(context.aborted, testing::ElementsAre(ConnectionId{1}));
}

TEST(Admin, IsNotForPagesOfTheWeb) {
  const auto put = [](const std::string& headers, const std::string& token = {}) {
    return exchange("PUT /partners/a.example HTTP/1.1\r\n" + headers + "Content-Length: 2\r\n\r\n{}", 99, token)
        .substr(9, 3);
  };
  const std::string host = "Host: 127.0.0.9:8443\r\n", json = "Content-Type: application/json; charset=utf-8\r\n";
  EXPECT_EQ(put(host + json), "201");
  EXPECT_EQ(put(host), "415");
  EXPECT_EQ(put(host + "Content-Type: text/plain\r\n"), "415");
  EXPECT_EQ(put(host + json + "Origin: http://evil.example\r\n"), "403");
  EXPECT_EQ(put(host + json + "Origin: null\r\n"), "403");
  EXPECT_EQ(put(host + json + "Origin: http://127.0.0.9:8443\r\n"), "201");
  EXPECT_EQ(put("Host: evil.example:8443\r\n" + json), "403") << "a name that is made to point here";
  EXPECT_EQ(put("Host: LOCALHOST\r\n" + json), "201");
  EXPECT_EQ(put("Host: [::1]:8443\r\n" + json), "201");
  EXPECT_EQ(put("Host: proxy.example\r\nAuthorization: Bearer t\r\n" + json, "t"), "201") << "a page has no token";
}

TEST(Admin, ShowsNoPassphrase) {
  Box box;
  Recorder context("127.0.0.9");
  Admin admin(context, {8443, ""}, box.subject);
  admin.on_accepted(ConnectionId{1}, 8443, {});
  admin.on_received(ConnectionId{1},
                    "PUT /settings HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: 32"
                    "\r\n\r\n{\"DialbackPassphrase\": \"s3cret\"}");
  EXPECT_EQ(box.settings.gateway.dialback_passphrase, "s3cret");
  EXPECT_THAT(context.notes, testing::AllOf(HasSubstr("PUT /settings"), testing::Not(HasSubstr("s3cret"))));
}

TEST(Admin, MakesRoomForTheNext) {
  Box box;
  Recorder context("127.0.0.1");
  Admin admin(context, {8443, ""}, box.subject);
  for (std::uint64_t i = 1; i <= 16; ++i) {
    admin.on_accepted(ConnectionId{i}, 8443, {});
    context.time += 1ms;
  }
  admin.on_received(ConnectionId{1}, "GET /hea");
  admin.on_accepted(ConnectionId{17}, 8443, {});
  EXPECT_THAT(context.aborted, testing::ElementsAre(ConnectionId{2})) << "the oldest that is silent";
  admin.on_received(ConnectionId{17}, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_THAT(context.sent, HasSubstr(" 200 "));
}

}  // namespace
}  // namespace cutover::reference
