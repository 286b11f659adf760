// Targets that cannot be judged: each is one message with place and remedy, exit code 3, and reports; never a verdict.
#include "harness/cli_tests/bad_server.h"
#include "harness/cli_tests/program.h"
#include "protocol/tls/authority.h"

#include <csignal>

#include <filesystem>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char header[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' id='1' "
    "from='a.example' version='1.0'>";
constexpr char starttls[] =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";

class BadTarget : public CommandLine {
 protected:
  [[nodiscard]] std::string target(int port, bool tls = false, const std::string& account = {}) const {
    (void)file("authority.pem", tls::new_authority_pem(1'700'000'000));
    std::string yaml = "name: somebody's server\ndriver: remote\nallows: bench_only\noffers: [";
    yaml += std::string(account.empty() ? "" : "user_account, ") + (tls ? "dialback]\n" : "plaintext_dialback]\n");
    yaml += "settings:\n  domain: a.example\n  s2s: 127.0.0.1:" + std::to_string(port) + "\n" + account;
    if (tls) yaml += "  authority: authority.pem\n";
    const std::string kind = tls ? "dialback-over-tls" : "plaintext-dialback";
    return file("target.yaml", yaml + "  peers:\n    - {kind: " + kind + ", domain: b.example, address: 127.0.0.1}\n");
  }
  void expect_down(const std::string& target, const testing::Matcher<std::string>& words) const {
    const auto ended = run({"selftest.pass", "selftest.fail", "--target", target});
    expect(ended, 3, AllOf(HasSubstr("NO VERDICT: the run is incomplete (subject down: 127.0.0.1:"), words));
    EXPECT_THAT(ended.output, Not(HasSubstr("failed\n"))) << "no case is blamed";
    EXPECT_THAT(content(path("out/run.json")), HasSubstr("subject down"));
    EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("subject down"));
    EXPECT_THAT(content(path("out/report.html")), HasSubstr("subject down"));
  }
  void expect_down(BadServer::Manner manner, const std::vector<std::string>& turns, const std::string& words,
                   bool tls = false) const {
    const BadServer server(manner, turns);
    expect_down(target(server.port(), tls), HasSubstr(words));
  }
};

TEST_F(BadTarget, ThatRefuses) {
  int port = 0;
  {
    const BadServer server(BadServer::Manner::is_silent);
    port = server.port();
  }
  expect_down(target(port), AllOf(HasSubstr("(settings.s2s) connection refused"), HasSubstr("is it running")));
}

TEST_F(BadTarget, ThatResets) { expect_down(BadServer::Manner::resets, {}, "connection reset by the peer"); }

TEST_F(BadTarget, ThatNeverAnswers) { expect_down(BadServer::Manner::is_silent, {}, "says nothing for 5 s"); }

TEST_F(BadTarget, ThatAnswersRubbish) {
  const auto says = BadServer::Manner::answers;
  expect_down(says, {"HTTP/1.1 400 Bad Request\r\n\r\n"}, "no XMPP stream, 'HTTP/1.1 400 Bad Request");
  expect_down(says, {std::string("\x16\x03\x01\0\0<\xff", 7)}, "no XMPP stream, '\\x16\\x03\\x01\\x00");
  expect_down(says, {"<html><body>"}, "no XMPP stream, '<html>");
  expect_down(says, {"220 mail.example ESMTP\r\n"}, "no XMPP stream, '220 mail.example ESMTP");
  expect_down(says, {"SSH-2.0-OpenSSH_9.2\r\n"}, "that is SSH");
  expect_down(says, {"SIP/2.0 400 Bad Request\r\n\r\n"}, "that is SIP");
}

TEST_F(BadTarget, ThatSpeaksTlsFromTheFirstOctet) {
  expect_down(BadServer::Manner::answers, {std::string("\x15\x03\x01\0\x02\x02\x46", 7)},
              "it speaks TLS from the first octet, and ends the handshake");
}

TEST_F(BadTarget, ThatIsThePortForClients) {
  const std::string client_header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      "id='1' "
      "from='a.example' version='1.0'>";
  expect_down(
      BadServer::Manner::answers,
      {client_header + "<stream:error><invalid-namespace xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"},
      "is the port for clients");
  expect_down(BadServer::Manner::answers,
              {client_header + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN"
                               "</mechanism></mechanisms></stream:features>"},
              "it offers PLAIN, which is for users");
}

TEST_F(BadTarget, ThatEndsTheStreamIsQuoted) {
  const auto with = [](const std::string& condition, const std::string& text) {
    const std::string ns = " xmlns='urn:ietf:params:xml:ns:xmpp-streams'";
    return std::vector<std::string>{header + ("<stream:error>" + condition.substr(0, condition.find('>')) + ns +
                                              condition.substr(condition.find('>')) + "<text" + ns + ">" + text +
                                              "</text></stream:error></stream:stream>")};
  };
  const auto says = BadServer::Manner::answers;
  expect_down(says, with("<system-shutdown></system-shutdown>", "Received SIGTERM"),
              "is shutting down: system-shutdown: 'Received SIGTERM'");
  expect_down(says, with("<see-other-host>other.example:9999</see-other-host>", "moved"),
              "'moved', 'other.example:9999'; that place belongs into settings.s2s");
  expect_down(says, with("<policy-violation></policy-violation>", "Too many connections from your address"),
              "takes no more connections: policy-violation: 'Too many connections from your address'");
  expect_down(says, with("<not-authorized></not-authorized>", "b.example is not on the list"),
              "not-authorized: 'b.example is not on the list'; may b.example (settings.peers) federate with it?");
}

TEST_F(BadTarget, ThatWantsTlsWhereItsFileHasNone) {
  expect_down(BadServer::Manner::answers, {header + std::string(starttls)}, "goes on inside TLS only");
}

TEST_F(BadTarget, ThatServesAnotherDomain) {
  const std::string error =
      "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
  expect_down(BadServer::Manner::answers, {header + error}, "does not serve a.example (settings.domain)");
}

TEST_F(BadTarget, ThatAnswersStarttlsWithRubbish) {
  const std::string proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  expect_down(BadServer::Manner::answers, {header + std::string(starttls), proceed, "no TLS record at all, this"},
              "what is no TLS", true);
}

TEST_F(BadTarget, WhoseAccountCannotSignIn) {
  const BadServer server(BadServer::Manner::answers, {header + std::string("<stream:features/>")});
  int closed = 0;
  {
    const BadServer other(BadServer::Manner::is_silent);
    closed = other.port();
  }
  const auto account =
      "  account: {user: juliet, password: x, plain-in-clear: true, c2s: '127.0.0.1:" + std::to_string(closed) + "'}\n";
  expect_down(target(server.port(), false, account),
              AllOf(HasSubstr("(settings.account) does not let juliet@a.example in"), HasSubstr("refused")));
}

TEST_F(BadTarget, ThatGoesDownWhileCasesRun) {
  const BadServer server(BadServer::Manner::answers_once, {header + std::string("<stream:features/>")});
  const auto ended = run({"selftest.fail", "--target", target(server.port())});
  expect(ended, 3,
         AllOf(HasSubstr("selftest.fail"), HasSubstr("subject down since some time of the run: 127.0.0.1:"),
               HasSubstr("connection refused")));
}

TEST_F(BadTarget, ASignalWhileItIsAskedIsReported) {
  const BadServer server(BadServer::Manner::is_silent);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Program program({"run", "selftest.pass", "--target", target(server.port()), "-o", path("out")});
    ASSERT_TRUE(program.read_until("cutover 0"));
    ASSERT_TRUE(server.is_met());
    program.signal(number);
    expect(program.end(), 3, AllOf(HasSubstr("the run is incomplete (SIG"), HasSubstr("before the first case")));
    for (const auto* report : {"run.json", "junit.xml", "report.html"})
      EXPECT_THAT(content(path(std::string("out/") + report)), HasSubstr("before the first case")) << report;
    std::filesystem::remove_all(path("out"));
  }
}

TEST_F(BadTarget, ProsodyThatIsMissing) {
  if (std::filesystem::exists("/usr/bin/prosody")) GTEST_SKIP() << "Prosody is installed here";
  std::filesystem::copy_file(CUTOVER_PROGRAM, path("cutover"));
  const auto yaml = file("p.yaml", "name: Prosody\ndriver: prosody\n");
  Program program({"run", "selftest.pass", "--target", yaml, "-o", path("out")}, path("cutover"));
  expect(program.end(), 3, HasSubstr("subject down: no Prosody here: tools/fetch_servers.sh"));
}

TEST_F(BadTarget, WithAMistakeInItsFileIsWrongUsage) {
  const auto with = [&](const std::string& text) { return run({"selftest.pass", "--target", file("t.yaml", text)}); };
  expect(with("name: x\ndriver: prosody\nsettings: {mode: fast}\n"), 4,
         HasSubstr("t.yaml:3: expected one of external-only"));
  expect(with("name: x\ndriver: remote\nsettings:\n  domain: a.example\n"), 4,
         HasSubstr("t.yaml:4: expected a key 's2s'"));
  // A certificate without its key.
  const auto whole = content(target(5269, true));
  const auto pem = content(path("authority.pem"));
  (void)file("authority.pem", pem.substr(0, pem.find("-----BEGIN PRIVATE KEY-----")));
  expect(with(whole), 4, HasSubstr("expected PEM text of an authority: the certificate and the key of a root"));
}

}  // namespace
}  // namespace cutover::cli_tests
