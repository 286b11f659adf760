// `grade` over captures of two foreign servers, whole and damaged, and over what it cannot take.
#include "harness/cli_tests/program.h"

#include <sys/stat.h>

#include <fmt/format.h>
#include <boost/json.hpp>

#include <filesystem>
#include <set>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace json = boost::json;

constexpr char tshark[] = "/usr/bin/tshark", editcap[] = "/usr/bin/editcap";
constexpr char not_met[] = "standing#RFC6120-4.7.3-3";  // Prosody's initial header has an empty id

/// The capture (of the classic form, Ethernet and IPv4) with another port in it; nobody looks at the checksums.
std::string with_port(std::string pcap, int from, int to) {
  constexpr std::size_t file_head = 24, packet_head = 16, ethernet = 14;
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(pcap.at(at)); };
  for (std::size_t at = file_head; at + packet_head < pcap.size();) {
    const std::size_t length = octet(at + 8) + octet(at + 9) * 256UL;
    const auto tcp = at + packet_head + ethernet + (octet(at + packet_head + ethernet) & 15U) * 4UL;
    for (const auto port : {tcp, tcp + 2}) {
      if (octet(port) * 256 + octet(port + 1) != from) continue;
      pcap[port] = static_cast<char>(to / 256);
      pcap[port + 1] = static_cast<char>(to % 256);
    }
    at += packet_head + length;
  }
  return pcap;
}

class Grade : public CommandLine {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(tshark)) GTEST_SKIP() << "no tshark here: apt-get install tshark";
  }
  static std::string fixture(const std::string& name) {
    return std::string(CUTOVER_SOURCE_DIR) + "/fixtures/captures/prosody-ejabberd-" + name;
  }
  [[nodiscard]] Ended grade(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "grade");
    arguments.insert(arguments.end(), {"-o", path("out")});
    return cutover(std::move(arguments));
  }
  /// The case of one sender in the JSON report.
  [[nodiscard]] json::object graded(const std::string& sender) const {
    const auto run = json::parse(content(path("out/run.json")));
    for (const auto& one : run.at("cases").as_array())
      if (one.at("id").as_string() == "standing." + sender) return one.as_object();
    ADD_FAILURE() << "no case of " << sender;
    return {};
  }
  /// The checks of a sender that are not met.
  [[nodiscard]] std::set<std::string> unmet(const std::string& sender) const {
    std::set<std::string> ids;
    const auto result = graded(sender);
    for (const auto& check : result.at("checks").as_array())
      if (check.at("outcome").as_string() != "pass") ids.emplace(check.at("id").as_string());
    // What Prosody should do and does not: it offers dialback while TLS is required, and its errors name no language.
    for (const auto* told : {"standing#RFC6120-5.3.1-2", "standing#RFC6120-4.9.2-5"}) ids.erase(told);
    return ids;
  }
  [[nodiscard]] std::size_t checks(const std::string& sender) const {
    return graded(sender).at("checks").as_array().size();
  }
  /// A capture made of another one.
  std::string made(const char* program, const std::vector<std::string>& arguments) const {
    const auto ended = Program(arguments, program).end();
    EXPECT_EQ(ended.code, 0) << ended.output;
    return path("made.pcapng");
  }
};

TEST_F(Grade, JudgesBothServersInsideTls) {
  for (const auto* mode : {"external-only", "dialback-over-tls"}) {
    const auto name = fixture(mode);
    expect(grade({name + ".pcapng", "--keys", name + ".keys"}), 1,
           AllOf(HasSubstr(not_met), HasSubstr("prosody.example 127.0.0.1:"), HasSubstr("id=''"),
                 HasSubstr("--sender prosody.example"), Not(HasSubstr("not all of it"))));
    EXPECT_THAT(unmet("prosody.example"), ElementsAre(not_met));
    EXPECT_THAT(unmet("ejabberd.example"), IsEmpty());
    EXPECT_GT(checks("ejabberd.example"), 50U);
    EXPECT_THAT(content(path("out/report.html")), HasSubstr("standing.ejabberd.example"));
    EXPECT_THAT(content(path("out/junit.xml")), HasSubstr(R"(classname="standing.capture" name="prosody.example")"));
  }
}

TEST_F(Grade, JudgesWhatIsInClearWithoutKeys) {
  expect(grade({fixture("dialback-in-clear.pcapng")}), 1, AllOf(HasSubstr(not_met), Not(HasSubstr("not all of it"))));
  EXPECT_THAT(unmet("prosody.example"), ElementsAre(not_met));
  EXPECT_GT(checks("prosody.example"), 40U);
}

// `openssl s_server` and `s_client -keylogfile`, a header each, while dumpcap listened.
TEST_F(Grade, JudgesTlsFromTheFirstOctet) {
  const auto fixtures = std::string(CUTOVER_SOURCE_DIR) + "/fixtures/captures/direct-tls";
  expect(grade({fixtures + ".pcapng", "--keys", fixtures + ".keys"}), 0, HasSubstr("conforming"));
  EXPECT_GT(checks("a.example"), 15U);
  EXPECT_GT(checks("b.example"), 15U);
  expect(grade({fixtures + ".pcapng"}), 3, AllOf(HasSubstr("there is no key"), HasSubstr("nothing was judged")));
}

TEST_F(Grade, APortMayBeNamed) {
  const auto moved = path("moved.pcap");
  ASSERT_EQ(Program({"-F", "pcap", fixture("external-only.pcapng"), moved}, editcap).end().code, 0);
  (void)file("moved.pcap", with_port(content(moved), 5269, 15269));
  const auto keys = fixture("external-only.keys");
  expect(grade({moved, "--keys", keys}), 3,
         AllOf(HasSubstr("2 other connections were not looked at"), HasSubstr("--port")));
  expect(grade({moved, "--keys", keys, "--port", "15269"}), 1, Not(HasSubstr("other connection")));
  EXPECT_GT(checks("ejabberd.example"), 50U);
}

TEST_F(Grade, WhatItReadIsItsOwnersAlone) {
  (void)grade({fixture("dialback-in-clear.pcapng")});
  for (const auto* report : {"run.json", "junit.xml", "report.html"})
    EXPECT_EQ(std::filesystem::status(path(std::string("out/") + report)).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << report;
}

TEST_F(Grade, ASenderIsChosenByNameOrAddress) {
  const auto file = fixture("external-only.pcapng"), keys = fixture("external-only.keys");
  expect(grade({file, "--keys", keys, "--sender", "ejabberd.example"}), 0,
         AllOf(HasSubstr("in 1 case"), HasSubstr("conforming")));
  expect(grade({file, "--keys", keys, "--sender", "127.0.0.1"}), 1, HasSubstr("prosody.example"));
  expect(grade({file, "--keys", keys, "--sender", "other.example"}), 4,
         AllOf(HasSubstr("no other.example speaks in it"), HasSubstr("ejabberd.example (127.")));
}

TEST_F(Grade, ABaselineAcceptsWhatIsKnown) {
  const auto baseline =
      file("baseline.yaml",
           fmt::format("- check: {}\n  reason: its empty id is told upstream\n  message: id=''\n", not_met));
  expect(grade({fixture("dialback-in-clear.pcapng"), "--baseline", baseline}), 0, HasSubstr("accepted"));
}

TEST_F(Grade, WithoutAKeyOnlyWhatIsInClearIsJudged) {
  expect(grade({fixture("external-only.pcapng")}), 1,
         AllOf(HasSubstr("not all of it could be read"), HasSubstr("there is no key of its TLS")));
  EXPECT_LT(checks("ejabberd.example"), 40U);
  // The secrets of the other capture.
  expect(grade({fixture("external-only.pcapng"), "--keys", fixture("dialback-over-tls.keys")}), 1,
         HasSubstr("no key fits what is inside its TLS"));
}

TEST_F(Grade, AConnectionThatBeganBeforeIsNotJudged) {
  const auto late =
      made(tshark, {"-r", fixture("dialback-in-clear.pcapng"), "-Y", "tcp.flags.syn == 0", "-w", path("made.pcapng")});
  expect(grade({late}), 3, AllOf(HasSubstr("it began before the capture"), HasSubstr("nothing was judged")));
}

TEST_F(Grade, AConnectionWithAGapIsJudgedUpToThere) {
  const auto whole = fixture("dialback-in-clear.pcapng");
  (void)grade({whole});
  const auto of_whole = checks("prosody.example");
  const auto with_gap =
      made(tshark, {"-r", whole, "-Y", "!(tcp.len > 0 && tcp.stream == 0 && tcp.seq > 1000 && tcp.seq < 1500)", "-w",
                    path("made.pcapng")});
  expect(grade({with_gap}), 1, AllOf(HasSubstr("read up to packet"), HasSubstr("missing")));
  EXPECT_LE(checks("prosody.example"), of_whole);
  EXPECT_THAT(unmet("prosody.example"), ElementsAre(not_met));
  EXPECT_THAT(unmet("ejabberd.example"), IsEmpty());
}

TEST_F(Grade, PacketsWithoutTheirEndsAreNotReadOverTheirEnds) {
  const auto cut = made(editcap, {"-s", "450", fixture("dialback-in-clear.pcapng"), path("made.pcapng")});
  const auto ended = grade({cut});
  EXPECT_THAT(ended.output, HasSubstr("whose ends were not captured"));
  EXPECT_THAT(unmet("ejabberd.example"), IsEmpty());
}

TEST_F(Grade, ACaptureThatIsCutShortIsJudgedUpToThere) {
  const auto whole = content(fixture("dialback-in-clear.pcapng"));
  const auto part = file("part.pcapng", whole.substr(0, whole.size() / 2));
  expect(grade({part}), 1, AllOf(HasSubstr("ends within a packet"), HasSubstr(not_met)));
}

TEST_F(Grade, WhatIsNoCaptureIsToldAndJudgesNothing) {
  const auto text = file("text.pcapng", "this is no capture\n");
  expect(grade({text}), 4, AllOf(HasSubstr("text.pcapng"), HasSubstr("isn't a capture file")));
  expect(grade({file("empty.pcapng", "")}), 4, HasSubstr("is empty; expected a capture"));
  expect(grade({path("absent.pcapng")}), 4, HasSubstr("is not there; expected a capture"));
  expect(grade({"/dev/zero"}), 4, HasSubstr("/dev/zero is no regular file; expected a capture"));
  expect(grade({folder()}), 4, HasSubstr("is no regular file"));
  const auto pipe = path("pipe.pcapng");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect(grade({pipe}), 4, HasSubstr("is no regular file"));
  // The head of a capture, and no packet.
  const auto head = file("head.pcapng", content(fixture("dialback-in-clear.pcapng")).substr(0, 200));
  EXPECT_THAT(grade({head}).code, testing::AnyOf(3, 4));
}

TEST_F(Grade, WhatIsNoKeyLogIsTold) {
  const auto capture = fixture("external-only.pcapng");
  expect(grade({capture, "--keys", file("keys", "no secret\n")}), 4, HasSubstr("has no secret of a TLS connection"));
  expect(grade({capture, "--keys", path("absent")}), 4, HasSubstr("is not there; expected a key log"));
  expect(grade({capture, "--keys", "/dev/zero"}), 4, HasSubstr("is no regular file"));
}

TEST_F(Grade, ARecordedRunTellsWhatItsJudgeHeard) {
  EXPECT_EQ(sim({"account.messages-both-ways", "--defect=xmpp.header-without-lang"}).code, 1);
  const auto breach = HasSubstr("standing#RFC6120-4.7.4-1");
  expect(cutover({"grade", path("out/run.json"), "-o", path("graded")}), 1, breach);
  expect(cutover({"grade", path("out/results.jsonl"), "-o", path("graded")}), 1, breach);
  // Of a run that was killed nobody knows whether all is there.
  const auto all = content(path("out/results.jsonl"));
  const auto killed = file("killed.jsonl", all.substr(0, all.find('\n') + 1));
  expect(cutover({"grade", killed, "-o", path("graded")}), 3, breach);
  expect(cutover({"grade", path("out/run.json"), "-o", path("graded"), "--sender", "proxy"}), 4,
         HasSubstr("are for captures"));
  expect(cutover({"grade", path("out/run.json"), "-o", path("out")}), 4,
         HasSubstr("another file of this run has that place"));
}

}  // namespace
}  // namespace cutover::cli_tests
