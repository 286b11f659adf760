// Selection by id, suite, glob, exclusion, world and shard, and what is said of what selects nothing.
#include "harness/running/selection.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<CaseRecord> cases() {
  std::vector<CaseRecord> all(4);
  all[0].id = "message.a";
  all[0].judges = {{"RFC6120-4.4-4", {}}, {"XEP0220-2.1.2-3", {}}};
  all[1].id = "message.b";
  all[1].live = false;
  all[2].id = "presence.a";
  all[2].judges = {{"RFC6120-4.4-4", {}}};
  all[3].id = "selftest.x";
  all[3].judges = {{"RFC6120-4.4-4", {}}};
  return all;
}

std::vector<std::string> chosen(const Selection& selection) {
  const auto all = cases();
  std::vector<std::string> names;
  for (const auto& job : select(all, selection))
    names.push_back(job.record->id + (job.world == WorldKind::sim ? "/sim" : "/live"));
  return names;
}

std::string refusal(const Selection& selection) {
  try {
    (void)chosen(selection);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "selected";
}

TEST(Selection, TakesIdsSuitesAndGlobsButNothingHidden) {
  EXPECT_THAT(chosen({}),
              ElementsAre("message.a/sim", "message.a/live", "message.b/sim", "presence.a/sim", "presence.a/live"));
  EXPECT_THAT(chosen({.patterns = {"message"}, .world = WorldKind::sim}),
              ElementsAre("message.a/sim", "message.b/sim"));
  EXPECT_THAT(chosen({.patterns = {"*.a"}, .exclude = {"presence"}, .world = WorldKind::live}),
              ElementsAre("message.a/live"));
  EXPECT_THAT(chosen({.patterns = {"selftest.x"}, .world = WorldKind::sim}), ElementsAre("selftest.x/sim"));
  EXPECT_THAT(chosen({.patterns = {"message"}, .target = true}), ElementsAre("message.a/live"));
}

TEST(Selection, TakesWhatJudgesARequirement) {
  EXPECT_THAT(chosen({.patterns = {"RFC6120-4.4-4"}, .world = WorldKind::sim}),
              ElementsAre("message.a/sim", "presence.a/sim"));
  EXPECT_THAT(chosen({.patterns = {"XEP0220-*"}, .world = WorldKind::sim}), ElementsAre("message.a/sim"));
  EXPECT_THAT(chosen({.exclude = {"RFC*"}}), ElementsAre("message.b/sim"));
  EXPECT_THAT(refusal({.patterns = {"RFC6120-4.4-44"}}), HasSubstr("is no requirement; did you mean RFC6120-4.4-4"));
  EXPECT_THAT(refusal({.patterns = {"Q*"}}), HasSubstr("matches no requirement"));
  EXPECT_THAT(refusal({.patterns = {"RFC6120-4.4-1"}}), HasSubstr("no case judges RFC6120-4.4-1"));
}

TEST(Selection, ShardsAreDisjointAndWhole) {
  auto one = chosen({.shard = {1, 2}});
  const auto two = chosen({.shard = {2, 2}});
  EXPECT_THAT(two, ElementsAre("message.b/sim"));
  one.insert(one.end(), two.begin(), two.end());
  EXPECT_EQ(one.size(), chosen({}).size());
  EXPECT_THROW((void)parse_shard("0/2"), UsageError);
  EXPECT_THROW((void)parse_shard("1"), UsageError);
  EXPECT_EQ(parse_shard("2/5").count, 5U);
}

TEST(Selection, DealsPeersThatTheTargetHasNotMetOnce) {
  std::vector<CaseRecord> records(5);
  records[0].needs = {Need::sasl_external, Need::unmet_peers};
  records[4].needs = {Need::sasl_external, Need::unmet_peers, Need::sip_side};
  records[1].needs = {Need::sasl_external};
  records[2].needs = {Need::dialback, Need::unmet_peers};
  records[3].needs = {Need::sasl_external, Need::unmet_peers};
  std::rotate(records.begin(), records.end() - 1, records.end());
  std::vector<Job> jobs;
  jobs.reserve(records.size());
  for (const auto& record : records) jobs.push_back({&record, WorldKind::live});
  Target target;
  target.driver = RemoteTarget{};
  target.offers = {Need::sasl_external, Need::dialback};
  using Dealt = std::map<PartnerKind, std::size_t>;
  constexpr auto external = PartnerKind::sasl_external, dialback = PartnerKind::dialback_over_tls;
  deal_peers(jobs, target);
  EXPECT_EQ(jobs[0].peers, Dealt{}) << "it cannot run there";
  jobs.erase(jobs.begin());
  EXPECT_EQ(jobs[0].peers, (Dealt{{external, 1}}));
  EXPECT_EQ(jobs[1].peers, Dealt{}) << "the first one is for all that do not mind";
  EXPECT_EQ(jobs[2].peers, (Dealt{{dialback, 1}}));
  EXPECT_EQ(jobs[3].peers, (Dealt{{external, 2}}));
  std::vector<Job> alone{{&records[1], WorldKind::live}};
  deal_peers(alone, target);
  EXPECT_EQ(alone[0].peers, (Dealt{{external, 0}}));
  std::get<RemoteTarget>(target.driver).name_server = Endpoint{"192.0.2.1", 53};
  std::vector<Job> named{{&records[1], WorldKind::live}};
  deal_peers(named, target);
  EXPECT_EQ(named[0].peers, Dealt{}) << "each case has names of its own";
}

TEST(Selection, SaysWhatWasMeant) {
  EXPECT_THAT(refusal({.patterns = {"mesage.a"}}), HasSubstr("did you mean message.a"));
  EXPECT_THAT(refusal({.patterns = {"zzz*"}}), HasSubstr("matches no case"));
  EXPECT_THAT(refusal({.patterns = {"message.b"}, .world = WorldKind::live}), HasSubstr("selection is empty"));
  EXPECT_THAT(refusal({.patterns = {"selftest.*"}}), HasSubstr("matches no case"));
}

TEST(Glob, MatchesAsInAShell) {
  EXPECT_TRUE(glob_matches("a*c?", "abbcd"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("a?", "a"));
  EXPECT_FALSE(glob_matches("*b", "abc"));
  EXPECT_TRUE(glob_matches("*a*b*", "xaxbx"));
}

}  // namespace
}  // namespace cutover::harness
