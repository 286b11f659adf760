// Targets that cannot be judged: each is one message with place and remedy, exit code 3, and reports; never a verdict.
#include "harness/cli_tests/program.h"
#include "protocol/tls/authority.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

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

/// A listener on a free port of 127.0.0.1 that treats everybody in the same way.
class BadServer {
 public:
  enum class Manner { resets, is_silent, answers, answers_once };

  /// `turns`: what is said after each arrival of octets, one after the other.
  explicit BadServer(Manner manner, std::vector<std::string> turns = {}) : manner_(manner), turns_(std::move(turns)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(stop_) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ::ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~BadServer() {
    ::close(stop_[1]);
    thread_.join();
    if (listener_ >= 0) ::close(listener_);
    ::close(stop_[0]);
  }
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;
  [[nodiscard]] int port() const { return port_; }

 private:
  void serve() {
    for (;;) {
      pollfd waits[]{{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      ::poll(waits, 2, -1);
      if (waits[1].revents != 0) return;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      meet(connection);
      ::close(connection);
      if (manner_ != Manner::answers_once) continue;
      ::close(std::exchange(listener_, -1));
      return;
    }
  }
  void meet(int connection) {
    if (manner_ == Manner::resets) {
      const linger at_once{1, 0};
      ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return;
    }
    std::size_t turn = 0;
    char buffer[4096];
    for (;;) {
      pollfd waits[]{{connection, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      ::poll(waits, 2, -1);
      if (waits[1].revents != 0 || ::read(connection, buffer, sizeof buffer) <= 0) return;
      if (turn >= turns_.size()) continue;
      const auto& answer = turns_[turn++];
      if (::write(connection, answer.data(), answer.size()) < 0) return;
    }
  }

  Manner manner_;
  std::vector<std::string> turns_;
  int listener_ = -1, port_ = 0;
  int stop_[2] = {-1, -1};
  std::thread thread_;
};

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
  const auto account = "  account: {user: juliet, password: x, c2s: '127.0.0.1:" + std::to_string(closed) + "'}\n";
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
