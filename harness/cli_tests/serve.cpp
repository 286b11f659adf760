// `cutover serve`: a person's way in - commands, the admin interface, nodes in several processes - and what is refused.
#include "harness/cli_tests/program.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Serve : public CommandLine {
 protected:
  /// Addresses of its own, so that two checkouts can run their tests at once; apart from the blocks of runs.
  Serve() : network_(fmt::format("127.{}.{}", 201 + ::getpid() % 50, ::getpid() / 50 % 256)) {}

  [[nodiscard]] std::vector<std::string> serve(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"serve", "--network", network_, "--credentials", path("credentials")});
    return arguments;
  }
  [[nodiscard]] std::string address(int host) const { return fmt::format("{}.{}", network_, host); }
  [[nodiscard]] const std::string& network() const { return network_; }

  /// A socket, connected or, where nobody listens, not.
  static int connected(const std::string& address, std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    (void)::connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return descriptor;
  }

  /// Status line, headers and body of one request; empty when nobody listens.
  static std::string http(const std::string& address, std::uint16_t port, const std::string& request) {
    const int descriptor = connected(address, port);
    std::string answer;
    const auto text = request + "Host: " + address + "\r\n\r\n";
    if (::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
      char buffer[4096];
      for (auto size = ::read(descriptor, buffer, sizeof buffer); size > 0;
           size = ::read(descriptor, buffer, sizeof buffer)) {
        answer.append(buffer, static_cast<std::size_t>(size));
      }
    }
    ::close(descriptor);
    return answer;
  }

 private:
  std::string network_;
};

TEST_F(Serve, TakesCommandsAndEndsOnASignal) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  program.type("send alice romeo@fabrikam.example hello there\n");
  EXPECT_TRUE(program.read_until("== romeo@fabrikam.example has a message from alice@contoso.example: hello there"));
  EXPECT_TRUE(program.read_until("proxy -> fabrikam: message alice@contoso.example > romeo@fabrikam.example"));
  EXPECT_THAT(program.output(), Not(HasSubstr("fabrikam <- proxy: message"))) << "told once, as it left";
  program.type("send mercutio alice hi\n");
  EXPECT_TRUE(program.read_until("== alice@contoso.example has a message from mercutio@talk.example: hi"));
  program.type("presence juliet dnd\nsubscribe alice juliet\n");
  EXPECT_TRUE(program.read_until("== alice@contoso.example sees juliet@litware.example: dnd"));
  program.type("send alice nobody@nowhere.example x\n");
  EXPECT_TRUE(program.read_until("could not send \"x\": 404"));
  program.type("dance\nsend moon alice x\nsend alice moon x\n");
  EXPECT_TRUE(program.read_until("? no user 'moon' in the topology"));
  EXPECT_THAT(program.output(),
              AllOf(HasSubstr("? expected a command such as"), HasSubstr("? no user 'moon' is served")));
  program.signal(SIGTERM);
  expect(program.end(), 0, AllOf(HasSubstr(":23456"), HasSubstr("ended\n")));
}

TEST_F(Serve, SurvivesAddressesThatAreNone) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  for (const auto* address :
       {"a@.", "a@1.2.3", "a@0", "a@127.1", "a@256.1.1.1", "a@[::1]", "a@-", "@", "a@b@c", "a@%00"})
    program.type(fmt::format("send alice {} x\nsend romeo {} x\nsubscribe alice {}\nsubscribe romeo {}\n", address,
                             address, address, address));
  program.type("send alice romeo@fabrikam.example still here\n");
  EXPECT_TRUE(program.read_until("== romeo@fabrikam.example has a message from alice@contoso.example: still here"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.end().code, 0);
}

TEST_F(Serve, PrintsEscapeSequencesEscaped) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  program.type(
      "send alice romeo@fabrikam.example \x1b]0;owned\x07 \xC2\x9B"
      "2J\n\x1b[2J alice x\n"
      "send alice m\x1b[2Joon@b.example x\nsend alice m\x1boon x\n");
  // XML has no place for the first two; the third is told, not obeyed.
  EXPECT_TRUE(program.read_until("]0;owned \\xC2\\x9B2J"));
  EXPECT_TRUE(program.read_until("no user 'm\\x1Boon'"));
  program.signal(SIGTERM);
  expect(program.end(), 0, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\xC2\x9B"))));
}

TEST_F(Serve, ReadsNoLineWithoutEndAndEndsWhenTold) {
  const auto command = fmt::format("exec '{}' serve --network {} --credentials '{}' </dev/zero", CUTOVER_PROGRAM,
                                   network(), path("credentials"));
  Program program({"-c", command}, "/bin/sh");
  ASSERT_TRUE(program.read_until("? expected lines of 64 KiB at most"));
  EXPECT_THAT(http(address(20), 8080, "GET /health HTTP/1.1\r\n"), HasSubstr("200 OK")) << "it goes on serving";
  program.signal(SIGTERM);
  expect(program.end(), 0, HasSubstr("ended\n"));
}

TEST_F(Serve, AcceptsNobodyForAWhileWhereDescriptorsRunOut) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs descriptors itself to look at a virtual table";
#endif
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  const rlimit few{64, 64};
  ASSERT_EQ(::prlimit(program.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<int> held(100);
  for (auto& descriptor : held) descriptor = connected(address(20), 5269);
  EXPECT_TRUE(program.read_until("accepts nobody on port 5269 for now: Too many open files"));
  program.type("send alice romeo@fabrikam.example inside\n");  // what is open goes on
  for (const int descriptor : held) ::close(descriptor);
  EXPECT_TRUE(program.read_until("accepts on port 5269 again"));
  EXPECT_THAT(http(address(20), 8080, "GET /health HTTP/1.1\r\n"), HasSubstr("200 OK"));
  program.signal(SIGTERM);
  expect(program.end(), 0, HasSubstr("ended\n"));
}

TEST_F(Serve, AdminIsNotBlockedByThoseWhoSayNothing) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  std::vector<int> silent(40);
  for (auto& descriptor : silent) descriptor = connected(address(20), 8080);
  EXPECT_THAT(http(address(20), 8080, "GET /health HTTP/1.1\r\n"), HasSubstr("200 OK"));
  for (const int descriptor : silent) ::close(descriptor);
  EXPECT_THAT(http(address(20), 8080, "PUT /settings HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n"),
              HasSubstr(" 415 "));
  EXPECT_THAT(http(address(20), 8080, "GET /health HTTP/1.1\r\nOrigin: http://evil.example\r\n"), HasSubstr(" 403 "));
}

TEST_F(Serve, StepsThroughTheMigration) {
  Program program(serve({"--legacy"}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  program.type("state\nundo\n");
  EXPECT_TRUE(program.read_until("? no step is carried out"));
  EXPECT_THAT(program.output(), HasSubstr("the SRV record names the legacy gateway"));
  for (int step = 1; step <= 6; ++step) {
    program.type("step\n");
    ASSERT_TRUE(program.read_until(fmt::format("step {} of 6 is carried out", step)));
  }
  program.type("step\nstate\n");
  EXPECT_TRUE(program.read_until("the SRV record names the proxy"));
  EXPECT_THAT(program.output(), HasSubstr("alice is homed on the new pool"));
  program.type("undo\nend\n");
  expect(program.end(), 0,
         AllOf(HasSubstr("? all six steps"), HasSubstr("step 6 is taken back"), HasSubstr("ended\n")));
}

TEST_F(Serve, HasAnAdminInterfaceOnLoopback) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  EXPECT_THAT(http(address(20), 8080, "GET /health HTTP/1.1\r\n"),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("gateway_connected":true)")));
  EXPECT_THAT(http(address(21), 8080, "GET /health HTTP/1.1\r\n"),
              AllOf(HasSubstr(R"("linked":true)"), HasSubstr(R"("failures_told_to_nobody":0)")));
  EXPECT_THAT(http(address(20), 8080, "GET /partners HTTP/1.1\r\n"), HasSubstr("fabrikam.example"));
  EXPECT_THAT(http(address(20), 8080, "DELETE /partners/fabrikam.example HTTP/1.1\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(http(address(20), 8080, "GET /partners HTTP/1.1\r\n"), Not(HasSubstr("fabrikam.example")));
  program.signal(SIGINT);
  expect(program.end(), 0, HasSubstr(fmt::format("http://{}:8080/health", address(20))));
}

TEST_F(Serve, AsksForATokenOffLoopback) {
  const std::string everywhere = "proxy=0.0.0.0", port = fmt::format("proxy.admin={}", 20000 + ::getpid() % 10000);
  expect(cutover(serve({"proxy", "--place", everywhere})), 4,
         AllOf(HasSubstr("admin interface of proxy would be open to everybody on 0.0.0.0"),
               HasSubstr("--admin-token-file"), HasSubstr("--no-admin")));
  expect(cutover(serve({"proxy", "--admin-token-file", path("absent")})), 4, HasSubstr("absent: cannot be read"));
  Program program(serve({"proxy", "--place", everywhere, "--place", port, "--place", "proxy.xmpp=5299", "--place",
                         "proxy.internal=23499", "--admin-token-file", file("token", "s3cret\n")}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  const auto number = static_cast<std::uint16_t>(20000 + ::getpid() % 10000);
  EXPECT_THAT(http("127.0.0.1", number, "GET /health HTTP/1.1\r\n"),
              AllOf(HasSubstr("401"), HasSubstr("bearer token")));
  EXPECT_THAT(http("127.0.0.1", number, "GET /health HTTP/1.1\r\nAuthorization: Bearer wrong\r\n"), HasSubstr("401"));
  EXPECT_THAT(http("127.0.0.1", number, "GET /health HTTP/1.1\r\nAuthorization: Bearer s3cret\r\n"),
              HasSubstr("200 OK"));
  program.signal(SIGTERM);
  const auto ended = program.end();
  expect(ended, 0, AllOf(HasSubstr("Authorization: Bearer $(cat "), Not(HasSubstr("s3cret"))));
}

TEST_F(Serve, NodesOfSeveralProcessesTalk) {
  Program users(serve({"users"}));  // its pool comes later
  ASSERT_TRUE(users.read_until("Ctrl-C ends it."));
  Program partners(serve({"name-server", "partners"})), boxes(serve({"proxy", "gateway"})), pool(serve({"new-pool"}));
  for (auto* program : {&partners, &boxes, &pool}) ASSERT_TRUE(program->read_until("Ctrl-C ends it."));
  ASSERT_TRUE(users.read_until("200 OK (REGISTER)"));
  EXPECT_TRUE(boxes.read_until("gateway -> proxy:"));  // the link is being made
  users.type("send alice romeo one\n");
  EXPECT_TRUE(partners.read_until("== romeo@fabrikam.example has a message from alice@contoso.example: one"));
  partners.type("send mercutio alice two\n");
  EXPECT_TRUE(users.read_until("== alice@contoso.example has a message from mercutio@talk.example: two"));
  partners.type("state\n");
  EXPECT_TRUE(partners.read_until("? expected a command"));
}

TEST_F(Serve, RefusesWhatCannotBe) {
  expect(cutover(serve({"moon"})), 4,
         AllOf(HasSubstr("no node 'moon'"), HasSubstr("legacy-gateway"), HasSubstr("partners")));
  expect(cutover(serve({"--place", "proxy=here"})), 4, HasSubstr("--place: 'proxy=here': expected an IPv4 address"));
  expect(cutover({"serve", "--network=10.0.0"}), 4, HasSubstr("such as 127.200.0"));
  expect(cutover(serve({"--topology", file("t.yaml", "domain: a.example\nusers: {}\n")})), 4,
         HasSubstr("t.yaml:2: expected a list"));
  expect(cutover(serve({"--topology", path("absent.yaml")})), 4, HasSubstr("absent.yaml: cannot be read"));
  expect(cutover({"serve", "--credentials=/proc/nowhere"}), 4, HasSubstr("/proc/nowhere: No such file"));
  expect(cutover({"serve", "--credentials", file("plain", "x") + "/below"}), 4, HasSubstr("choose another folder"));
}

TEST_F(Serve, NamesAPortInUse) {
  Program first(serve({"name-server"}));
  ASSERT_TRUE(first.read_until("Ctrl-C ends it."));
  expect(cutover(serve({"name-server"})), 3,
         AllOf(HasSubstr(address(2) + ":10053"), HasSubstr("in use"), HasSubstr("--network"), HasSubstr("--place")));
  expect(cutover(serve({"name-server", "--place", "name-server=192.0.2.1"})), 3, HasSubstr("no such address"));
}

TEST_F(Serve, RefusesAnAuthorityWithoutItsKey) {
  Program program(serve({"name-server"}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  const auto authority = path("credentials/authority.pem");
  auto text = content(authority);
  text.erase(text.find("-----BEGIN PRIVATE KEY"),
             text.find("-----BEGIN CERTIFICATE", 10) - text.find("-----BEGIN PRIVATE"));
  (void)file("credentials/authority.pem", text);
  expect(cutover(serve({"name-server"})), 4,
         AllOf(HasSubstr("authority.pem: expected PEM text of an authority: the certificate and the key"),
               HasSubstr("remove the file")));
  (void)file("credentials/authority.pem", content(path("credentials/root.pem")));
  expect(cutover(serve({"name-server"})), 4, HasSubstr("authority.pem: expected PEM text"));
}

TEST_F(Serve, EndsWhenNobodyReadsAnyMore) {
  Program program(serve({}));
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  program.stop_reading();
  program.type("send alice romeo hello\n");
  EXPECT_EQ(program.end().code, 0);
}

}  // namespace
}  // namespace cutover::cli_tests
