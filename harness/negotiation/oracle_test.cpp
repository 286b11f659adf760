// The oracle alone: cells that can be read off the documents, and what holds of the whole table.
#include "harness/negotiation/oracle.h"
#include "harness/negotiation/product.h"

#include <gtest/gtest.h>

#include <string>

namespace cutover::harness::negotiation {
namespace {

constexpr auto no = Certificate::none, bad = Certificate::bad, good = Certificate::good;

Side strict(Side one) {
  one.lenient = false;
  return one;
}

struct Cell {
  Side initiating, receiving;
  Method method{};
  Why why{};
};

TEST(Oracle, ReadsTheDocuments) {
  using enum Tls;
  const auto best = side(good, true, optional);
  for (const auto& cell : {
           Cell{best, best, Method::external, Why::both_proved},
           Cell{side(good, false, required), side(good, false, required), Method::external, Why::both_proved},
           Cell{side(bad, true, optional), best, Method::dialback_in_tls, Why::unproved},
           Cell{best, side(bad, true, optional), Method::dialback_in_tls, Why::unproved},
           Cell{side(no, true, optional), best, Method::dialback_in_tls,
                Why::unproved},  // a client without certificate
           Cell{best, side(no, true, optional), Method::dialback_in_clear, Why::without_tls},  // a server without one
           Cell{best, side(good, true, Tls::none), Method::dialback_in_clear, Why::without_tls},
           Cell{side(good, true, required), side(good, true, Tls::none), Method::none, Why::initiating_requires_tls},
           Cell{side(good, true, Tls::none), side(good, true, required), Method::none, Why::receiving_requires_tls},
           Cell{strict(best), side(bad, true, optional), Method::none, Why::receiving_unproved},
           Cell{side(bad, true, optional), strict(best), Method::none, Why::initiating_unproved},
           Cell{side(bad, false, optional), best, Method::none, Why::initiating_has_no_other_way},
           Cell{side(bad, true, optional), side(good, false, optional), Method::none, Why::receiving_has_no_other_way},
           // The key would be asked about in clear, which the receiving side never does.
           Cell{side(no, true, optional), side(good, true, required), Method::none, Why::key_cannot_be_verified},
           // In clear for want of a certificate, but the stream back is inside TLS, and its client is strict.
           Cell{side(bad, true, optional), strict(side(no, true, optional)), Method::none, Why::key_cannot_be_verified},
       }) {
    const auto prediction = predict(cell.initiating, cell.receiving);
    EXPECT_EQ(name_of(prediction.method), name_of(cell.method))
        << words_of(cell.initiating) << " to " << words_of(cell.receiving);
    EXPECT_EQ(rationale_of(prediction.why).sentence, rationale_of(cell.why).sentence);
  }
}

TEST(Oracle, HasARationaleForEachCellAndNeverPredictsWhatIsWeakerThanAllowed) {
  const auto all = all_sides();
  ASSERT_EQ(sides().size(), 18U);
  ASSERT_EQ(all.size(), 72U);
  std::set<Why> met;
  for (const auto& initiating : all) {
    for (const auto& receiving : all) {
      const auto prediction = predict(initiating, receiving);
      met.insert(prediction.why);
      EXPECT_EQ(rationale_of(prediction.why).why, prediction.why) << "the rows are in the order of the enumeration";
      EXPECT_TRUE(prediction.permitted.contains(prediction.method));
      for (const auto method : prediction.permitted)
        EXPECT_EQ(weaker_than_allowed(method, initiating, receiving), "")
            << words_of(initiating) << " to " << words_of(receiving) << " by " << name_of(method);
    }
  }
  // EXTERNAL is had wherever there is TLS: only a row of the product is without it.
  EXPECT_EQ(met.size(), rationales().size() - 1);
}

TEST(Oracle, StrongerSettingsNeverWeakenAStream) {
  for (const auto& initiating : sides()) {
    for (const auto& receiving : sides()) {
      auto proved = receiving;
      if (proved.certificate == Certificate::bad) proved.certificate = Certificate::good;
      EXPECT_GE(predict(initiating, proved).method, predict(initiating, receiving).method);
      auto demanding = receiving;
      demanding.tls = Tls::required;
      demanding.dialback_in_clear = false;
      EXPECT_NE(predict(initiating, demanding).method, Method::dialback_in_clear);
    }
  }
}

TEST(Oracle, TellsWhatIsWeakerThanAllowed) {
  const auto best = side(good, true, Tls::optional), closed = side(good, false, Tls::required);
  EXPECT_EQ(weaker_than_allowed(Method::dialback_in_clear, best, best), "") << "a stronger one was to be had";
  EXPECT_NE(weaker_than_allowed(Method::dialback_in_clear, best, closed), "");
  EXPECT_NE(weaker_than_allowed(Method::dialback_in_tls, closed, best), "");
  EXPECT_NE(weaker_than_allowed(Method::external, side(bad, true, Tls::optional), best), "");
  EXPECT_NE(weaker_than_allowed(Method::dialback_in_tls, side(bad, true, Tls::optional), strict(best)), "");
  EXPECT_EQ(weaker_than_allowed(Method::none, closed, best), "");
}

TEST(Product, LeavesThirteenRowsUsable) {
  int usable = 0;
  for (const auto& row : product_rows()) {
    usable += row.valid() ? 1 : 0;
    const auto one = side_of(row);
    EXPECT_TRUE(!row.valid() || row.tls != Use::required || !one.dialback_in_clear) << words_of(row);
  }
  EXPECT_EQ(product_rows().size(), 18U);
  EXPECT_EQ(usable, 13);
}

// XEP-0238 is of 2008, and its table and its flows contradict each other: where TLS is optional on both sides, the
// table or the flows do without it, and once the table has none where the flows succeed. What is used since RFC 6120 is
// never weaker.
TEST(Product, IsNeverWeakerThanXep0238) {
  std::set<std::string> stronger;
  for (const auto& initiating : server_types()) {
    for (const auto& receiving : server_types()) {
      const auto then = method_of(outcome_by_xep0238(initiating.number, receiving.number));
      const auto now = predict(initiating.side, receiving.side).method;
      EXPECT_GE(now, then) << initiating.number << " to " << receiving.number;
      if (now > then) stronger.insert(std::to_string(initiating.number) + ">" + std::to_string(receiving.number));
    }
  }
  EXPECT_EQ(stronger, (std::set<std::string>{"2>2", "2>5", "3>2", "3>3", "3>5"}));
}

}  // namespace
}  // namespace cutover::harness::negotiation
