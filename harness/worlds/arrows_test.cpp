// Arrows of reports: one for two notes, words for octets, ends for what is too long.
#include "harness/worlds/arrows.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

TraceRecord noted(const char* node, Direction direction, const char* peer, const char* summary, std::string detail) {
  return {Time(1us), node, peer, "", {Layer::xmpp, direction, ConnectionId::none, summary, std::move(detail)}};
}
auto says(const char* summary) { return Field(&reports::TraceEntry::summary, summary); }

TEST(Arrows, OneForWhatBothEndsNote) {
  const auto drawn = arrows({noted("proxy", Direction::out, "partner-a", "message", "<m/>"),
                             noted("partner-a", Direction::in, "proxy", "message", "<m/>"),
                             noted("partner-a", Direction::in, "proxy", "message", "<m/>")});
  ASSERT_THAT(drawn, SizeIs(2));
  EXPECT_EQ(drawn[0].from, "proxy");
  EXPECT_EQ(drawn[1].to, "partner-a");
  EXPECT_THAT(column_order(drawn), ElementsAre("partner-a", "proxy"));
}

TEST(Arrows, OctetsOfARawPeerGetTheWordsOfWhatTheyHold) {
  const auto drawn = arrows({noted("raw", Direction::out, "proxy", "octets in clear", "<h><m/> <i/>"),
                             noted("proxy", Direction::in, "raw", "header", "<h>"),
                             noted("proxy", Direction::in, "raw", "message", "<m/>"),
                             noted("raw", Direction::out, "proxy", "octets in clear", "rubbish")});
  EXPECT_THAT(drawn, ElementsAre(says("header + message"), says("octets in clear")));
  EXPECT_EQ(drawn[0].detail, "<h><m/> <i/>");
}

TEST(Arrows, OctetsThatARawPeerGotAreThoseOfTheItemsHoweverTheyWereCut) {
  const auto drawn = arrows({noted("proxy", Direction::out, "raw", "header", "<header>"),
                             noted("proxy", Direction::out, "raw", "features", "<features/>"),
                             noted("raw", Direction::in, "proxy", "octets", "<hea"),
                             noted("raw", Direction::in, "proxy", "octets", "der><features"),
                             noted("raw", Direction::in, "proxy", "octets", "/>"),
                             noted("raw", Direction::in, "proxy", "octets", "from nowhere")});
  EXPECT_THAT(drawn, ElementsAre(says("header"), says("features"), says("octets")));
  EXPECT_THAT(arrows({noted("raw", Direction::in, "subject", "octets", "<?xml version='1.0'?><s:stream to='a'>")}),
              ElementsAre(says("octets: s:stream")));
  EXPECT_THAT(arrows({noted("raw", Direction::in, "subject", "octets", "</s:stream>")}),
              ElementsAre(says("octets: /s:stream")));
}

TEST(Arrows, LongDetailsKeepTheirEnds) {
  const auto drawn =
      arrows({noted("raw", Direction::out, "proxy", "octets", "<a>" + std::string(1'000'000, 'x') + "</a>")});
  ASSERT_THAT(drawn, SizeIs(1));
  EXPECT_LT(drawn[0].detail.size(), shown_detail_max_octets);
  EXPECT_TRUE(drawn[0].detail.starts_with("<a>xxx"));
  EXPECT_TRUE(drawn[0].detail.ends_with("xxx</a>"));
  EXPECT_THAT(drawn[0].detail, HasSubstr("octets are not shown"));
}

}  // namespace
}  // namespace cutover::harness
