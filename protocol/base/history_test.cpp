// Bounds of a history, by number and by size.
#include "protocol/base/history.h"

#include <gtest/gtest.h>

#include <string>

namespace cutover {

struct Thing {
  std::size_t number = 0, octets = 1;
};
static std::size_t octets_of(const Thing& thing) { return thing.octets; }

namespace {

TEST(History, DropsItsOldestAndCountsThem) {
  History<Thing> history;
  std::size_t told = 0;
  constexpr std::size_t count = 10'000;
  for (std::size_t i = 0; i < count; ++i) told += history.push_back({.number = i}) ? 1U : 0U;
  EXPECT_EQ(told, 1U);
  EXPECT_LE(history.size(), limits::history_items_max);
  EXPECT_GE(history.size(), limits::history_items_max / 2);
  EXPECT_EQ(history.total(), count);
  EXPECT_EQ(history.dropped() + history.size(), count);
  EXPECT_EQ(history.back().number, count - 1);
  EXPECT_EQ(history.number(history.dropped()).number, history.dropped());
}

TEST(History, CountsOctetsToo) {
  History<Thing> history;
  for (std::size_t i = 0; i < 100; ++i) (void)history.push_back({i, limits::history_size_max_octets / 8});
  EXPECT_LE(history.size(), 8U);
  (void)history.push_back({100, 2 * limits::history_size_max_octets});
  ASSERT_EQ(history.size(), 1U) << "the newest stays whatever its size";
  EXPECT_EQ(history.back().number, 100U);
  history.clear();
  EXPECT_EQ(history.total(), 101U);
  (void)history.push_back({101, 1});
  EXPECT_EQ(history.take(history.items().begin()).number, 101U);
  EXPECT_TRUE(history.empty());
}

}  // namespace
}  // namespace cutover
