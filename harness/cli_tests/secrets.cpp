// What a run must not tell: every output of it is searched for every secret that it used.
#include "harness/cli_tests/bad_server.h"
#include "harness/cli_tests/program.h"
#include "mocks/scram.h"
#include "protocol/base/base64.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <set>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char password[] = "open&Sesame-7f3a";
constexpr char header[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:{}' xmlns:stream='http://etherx.jabber.org/streams' id='1' "
    "from='a.example' version='1.0'>";

/// Between `begin` and `end`, each time.
std::set<std::string> all_between(const std::string& text, const std::string& begin, const std::string& end) {
  std::set<std::string> found;
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    found.insert(text.substr(at, text.find(end, at) - at));
  }
  return found;
}

/// What a client says and hears while it signs in, without TLS; how far it gets depends on the mechanism.
class SignIn {
 public:
  explicit SignIn(std::string mechanism) : mechanism_(std::move(mechanism)) {}
  [[nodiscard]] std::string answer(const std::string& heard) {
    if (heard.find("<stream:stream") != std::string::npos) return fmt::format(header, "client") + features();
    if (heard.find("<auth") != std::string::npos) return after_auth(heard);
    if (heard.find("<response") != std::string::npos) {
      return sasl("<failure xmlns='{}'><not-authorized/><text>open&amp;Sesame-7f3a is wrong</text></failure>");
    }
    if (heard.find("id='bind'") != std::string::npos)
      return "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@a.example/r"
             "</jid></bind></iq>";
    return heard.find("</stream:stream>") != std::string::npos ? "</stream:stream>" : "";
  }
  /// Data of SASL that the server made.
  static constexpr const char* salt = "QSXCR+Q6sek8bf92";

 private:
  static std::string sasl(const std::string& element) {
    return fmt::format(fmt::runtime(element), "urn:ietf:params:xml:ns:xmpp-sasl");
  }
  [[nodiscard]] std::string features() {
    const bool again = std::exchange(authenticated_, false);
    return "<stream:features>" +
           (again ? std::string("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
                  : sasl("<mechanisms xmlns='{}'><mechanism>" + mechanism_ + "</mechanism></mechanisms>")) +
           "</stream:features>";
  }
  [[nodiscard]] std::string after_auth(const std::string& heard) {
    if (mechanism_ == "PLAIN") {
      authenticated_ = true;
      return sasl("<success xmlns='{}'/>");
    }
    const auto first = from_base64_strict(*all_between(heard, "mechanism='SCRAM-SHA-1'>", "<").begin()).value_or("");
    const auto challenge = fmt::format("r={}srv,s={},i=4096", first.substr(first.rfind("r=") + 2), salt);
    return sasl("<challenge xmlns='{}'>" + to_base64(challenge) + "</challenge>");
  }

  std::string mechanism_;
  bool authenticated_ = false;
};

class Secrets : public CommandLine {
 protected:
  /// A run of a case of accounts against a server of ours; what it printed.
  Ended run_against(BadServer& c2s, const BadServer& s2s) {
    const auto peer = fmt::format("127.251.{}.{}", ::getpid() % 250, 1 + ::getpid() / 250 % 250);
    const auto target = file(
        "target.yaml",
        fmt::format(
            "name: somebody's server\ndriver: remote\nallows: bench_only\n"
            "offers: [user_account, plaintext_dialback]\nsettings:\n  domain: a.example\n"
            "  s2s: 127.0.0.1:{}\n  account: {{user: juliet, password: '{}', plain-in-clear: true, "
            "c2s: '127.0.0.1:{}'}}\n  peers:\n    - {{kind: plaintext-dialback, domain: b.example, address: {}}}\n",
            s2s.port(), password, c2s.port(), peer));
    // Files that are there already, for everybody to read.
    std::filesystem::create_directory(path("out"));
    for (const auto* name : reports) (void)file(std::string("out/") + name, "");
    return run({"account.messages-not-for-delivery", "--target", target, "--seed=1"});
  }

  /// Everything that came of it, the traces of the page inflated.
  [[nodiscard]] std::string outputs(const Ended& ended) const {
    auto all = ended.output;
    for (const auto* name : reports) {
      const auto place = path(std::string("out/") + name);
      struct stat status {};
      EXPECT_EQ(::stat(place.c_str(), &status), 0) << name;
      EXPECT_EQ(status.st_mode & 0777U, 0600U) << name << " is for its owner alone";
      all += content(place);
    }
    const auto page = content(path("out/report.html"));
    const auto begin = page.find("id=\"traces\">");
    const auto traces = page.substr(begin, page.find("</script>", begin) - begin);
    for (const auto& packed : all_between(traces, "\"", "\"")) all += inflated(from_base64_strict(packed).value_or(""));
    return all;
  }

  static void expect_none(const std::string& all, const std::set<std::string>& secrets) {
    EXPECT_GE(secrets.size(), 4U);
    for (const auto& secret : secrets) {
      ASSERT_GE(secret.size(), 8U);
      EXPECT_EQ(all.find(secret), std::string::npos) << secret << " is in the outputs";
    }
  }
  /// The password in every form in which it could stand somewhere.
  static std::set<std::string> forms_of_password() {
    const std::string plain(password);
    return {plain,
            "open&amp;Sesame-7f3a",
            "Sesame-7f3a",
            to_base64(plain),
            to_base64(std::string("\0juliet\0", 8) + plain),
            "AGp1bGlldABvcGVu"};
  }

 private:
  static std::string inflated(const std::string& deflated) {
    std::string text(4 * 1024 * 1024, '\0');
    auto size = text.size();
    const bool good = ::uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                   reinterpret_cast<const Bytef*>(deflated.data()), deflated.size()) == Z_OK;
    return good ? text.substr(0, size) : std::string();
  }
  static constexpr const char* reports[] = {"results.jsonl", "run.json", "junit.xml", "report.html"};
};

std::string federation(std::size_t turn, const std::string&) {
  return turn == 0 ? fmt::format(header, "server") + "<stream:features/>" : std::string();
}

TEST_F(Secrets, OfPlainStandInNoOutput) {
  SignIn client("PLAIN");
  BadServer c2s([&](std::size_t, const std::string& heard) { return client.answer(heard); });
  const BadServer s2s{BadServer::Answer(federation)};
  const auto ended = run_against(c2s, s2s);
  auto secrets = forms_of_password();
  secrets.merge(all_between(c2s.heard(), "mechanism='PLAIN'>", "<"));
  ASSERT_THAT(c2s.heard(), HasSubstr(to_base64(std::string("\0juliet\0", 8) + password))) << "it signed in";
  const auto all = outputs(ended);
  EXPECT_THAT(all, AllOf(HasSubstr("auth PLAIN"), HasSubstr("[not shown]"))) << "the exchange itself is told";
  expect_none(all, secrets);
}

TEST_F(Secrets, OfScramStandInNoOutput) {
  SignIn client("SCRAM-SHA-1");
  BadServer c2s([&](std::size_t, const std::string& heard) { return client.answer(heard); });
  const BadServer s2s{BadServer::Answer(federation)};
  const auto ended = run_against(c2s, s2s);
  expect(ended, 3, AllOf(HasSubstr("subject down"), HasSubstr("authentication failed: not-authorized")));
  auto secrets = forms_of_password();
  const auto responses = all_between(c2s.heard(), "xmpp-sasl'>", "</response>");
  ASSERT_EQ(responses.size(), 1U);
  const auto last = from_base64_strict(*responses.begin()).value_or("");
  ASSERT_THAT(last, HasSubstr(",p="));
  secrets.insert({*responses.begin(), last, last.substr(last.find(",p=") + 3), SignIn::salt});
  secrets.merge(all_between(c2s.heard(), "mechanism='SCRAM-SHA-1'>", "<"));
  expect_none(outputs(ended), secrets);
}

TEST_F(Secrets, OfAReportMadeLaterStayPrivate) {
  SignIn client("PLAIN");
  BadServer c2s([&](std::size_t, const std::string& heard) { return client.answer(heard); });
  const BadServer s2s{BadServer::Answer(federation)};
  (void)run_against(c2s, s2s);
  (void)cutover({"report", path("out/results.jsonl"), "-o", path("again")});
  struct stat status {};
  ASSERT_EQ(::stat(path("again/report.html").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Secrets, AreNotGivenToAServerThatNothingVouchesFor) {
  const auto target = file("t.yaml",
                           "name: x\ndriver: remote\noffers: [user_account, plaintext_dialback]\nsettings:\n"
                           "  domain: a.example\n  s2s: 127.0.0.1:1\n"
                           "  account: {user: juliet, password: open, c2s: '127.0.0.1:1'}\n"
                           "  peers:\n    - {kind: plaintext-dialback, domain: b.example, address: 127.0.0.1}\n");
  expect(run({"selftest.pass", "--target", target}), 4,
         AllOf(HasSubstr("t.yaml:7: nothing says which server may have the password"), HasSubstr("plain-in-clear"),
               Not(HasSubstr("open"))));
}

}  // namespace
}  // namespace cutover::cli_tests
