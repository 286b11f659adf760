// The framer at every cut position, and its bounds.
#include "protocol/sip/framing.h"

#include "protocol/sip/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::sip {
namespace {

using testing::ElementsAre;

std::string describe(const Framer::Item& item) {
  if (const auto* frame = std::get_if<Framer::Frame>(&item)) return frame->octets;
  if (std::holds_alternative<Framer::Ping>(item)) return "ping";
  return std::to_string(std::get<Framer::Fault>(item).status) + " " + std::get<Framer::Fault>(item).what;
}

void drain(Framer& framer, std::vector<std::string>& out) {
  while (auto item = framer.next()) out.push_back(describe(*item));
}

std::vector<std::string> frames(const std::vector<std::string>& pieces, const Departures& departures = {}) {
  Framer framer(departures);
  std::vector<std::string> result;
  for (const auto& piece : pieces) {
    framer.push(piece);
    drain(framer, result);
  }
  return result;
}

const std::string first = "A sip:x SIP/2.0\r\nl: 3\r\n\r\nabc";
const std::string second = "B sip:x SIP/2.0\r\nX: 1\r\nContent-Length:\r\n 4\r\n\r\n\r\n\r\n";

TEST(SipFraming, GivesTheSameMessagesAtEveryCut) {
  const auto stream = "\r\n" + first + "\r\n\r\n" + second + "\r\n" + first;
  const std::vector<std::string> expected{first, "ping", second, first};
  for (std::size_t cut = 0; cut <= stream.size(); ++cut)
    EXPECT_EQ(frames({stream.substr(0, cut), stream.substr(cut)}), expected) << cut;
  std::vector<std::string> octets;
  for (const char c : stream) octets.emplace_back(1, c);
  EXPECT_EQ(frames(octets), expected);
}

TEST(SipFraming, EndsWhereThereIsNoLength) {
  EXPECT_THAT(frames({"A sip:x SIP/2.0\r\nX: 1\r\n\r\n" + first}), ElementsAre("400 no Content-Length on a stream"));
  EXPECT_THAT(frames({"A sip:x SIP/2.0\r\nl: -1\r\n\r\n"}), ElementsAre("400 Content-Length is no number"));
  EXPECT_THAT(frames({"A sip:x SIP/2.0\r\nl: 99999999999999999999999\r\n\r\n"}),
              ElementsAre("400 Content-Length is no number"));
  EXPECT_THAT(frames({"A sip:x SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n"}),
              ElementsAre("400 two Content-Lengths that differ"));
  EXPECT_THAT(frames({"A sip:x SIP/2.0\nl: 0\n", "\n" + first}), ElementsAre("400 lines that end without CR"));
}

TEST(SipFraming, HoldsItsBounds) {
  EXPECT_THAT(frames({"A sip:x SIP/2.0\r\nl: 65536\r\n\r\n"}), ElementsAre("513 larger than 64 KiB"));
  EXPECT_THAT(frames({std::string(70000, 'a')}), ElementsAre("513 headers larger than 64 KiB"));
}

TEST(SipFraming, WithoutItsRulesReadsOn) {
  const auto without = [](Rule rule, const std::string& octets) {
    return frames({octets}, Departures::waiving({rule})).size();
  };
  EXPECT_EQ(without(Rule::length_is_required, "A sip:x SIP/2.0\r\nX: 1\r\n\r\n" + first), 2U);
  EXPECT_EQ(without(Rule::length_is_a_number, "A sip:x SIP/2.0\r\nl: -1\r\n\r\n" + first), 2U);
  EXPECT_EQ(without(Rule::lengths_agree, "A sip:x SIP/2.0\r\nl: 9\r\nl: 1\r\n\r\nx" + first), 2U);
  const auto large = "A sip:x SIP/2.0\r\nl: 70000\r\n\r\n" + std::string(70000, 'x');
  EXPECT_EQ(without(Rule::message_size_is_bounded, large + first), 2U);
}

TEST(SipFraming, KeepsNothingOfAnIdleStream) {
  Framer framer;
  std::vector<std::string> out;
  for (int i = 0; i < 1000; ++i) {
    framer.push(first + "\r\n\r\n");
    drain(framer, out);
  }
  EXPECT_EQ(out.size(), 2000U);
  EXPECT_EQ(framer.buffered_octets(), 0U);
}

}  // namespace
}  // namespace cutover::sip
