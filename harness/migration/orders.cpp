// Each order is a plan of six steps, and is rehearsed.
#include "harness/migration/orders.h"

#include "harness/migration/exploration.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness::migration {

namespace {

constexpr Seconds apart = std::chrono::hours(1);
constexpr int moving = 3, enabling = 5, dns = 6;

Plan plan_of(const Plan& plan, const Order& order) {
  Plan made;
  made.name = words_of(order);
  made.estate = plan.estate;
  made.readings = plan.readings;
  made.budget = plan.budget;
  made.quiet_within = plan.quiet_within;
  auto at = apart;  // what was before is to be seen, too
  for (const auto number : order) {
    const auto takes = number == moving ? apart : Seconds(0);
    made.steps.push_back({std::string(title_of_step(number)), at, takes, operations_of_step(number, plan.estate)});
    at += apart;
  }
  return made;
}

OrderLoss loss_of_order(const Plan& plan, const Order& order) {
  OrderLoss made{.order = order};
  try {
    const auto rehearsal = rehearse(plan_of(plan, order));
    made.cost = cost_of(rehearsal.timeline);
    for (const auto& lane : rehearsal.timeline.lanes) made.longest = std::max(made.longest, loss_of(lane).at_worst);
    for (const auto& gate : rehearsal.gates) {
      made.back = std::max(made.back, gate.whole_again);
      made.returns = made.returns && gate.returns;
    }
    for (const auto& window : rehearsal.windows) made.causes.insert(window.outcome.cause);
  } catch (const OperationError& error) {
    made.impossible = error.what();
  }
  return made;
}

bool is_better(const OrderLoss& one, const OrderLoss& other) {
  if (one.impossible.empty() != other.impossible.empty()) return one.impossible.empty();
  return one.cost < other.cost;
}

double cost_at_once(const Plan& plan) {
  auto made = plan_of(plan, documented_order);
  made.steps.at(dns - 1).at = made.steps.at(enabling - 1).at;
  return cost_of(rehearse(made).timeline);
}

std::string hours(double cost) {
  constexpr double per_hour = 3600;
  return fmt::format("{:.0f}", cost / per_hour);
}

std::string line_of(const OrderLoss& one, std::size_t place, std::size_t alike, bool documented) {
  std::string causes;
  for (const auto cause : one.causes) causes += (causes.empty() ? "" : ", ") + std::string(text_of(cause).id);
  return fmt::format("  {:>5}  {:<12} {:>6} {:>12} {:>12} {:>12}  {}{}\n", place, words_of(one.order), alike,
                     hours(one.cost), words_of(one.longest), one.returns ? words_of(one.back) : "never", causes,
                     documented ? "  <- the document's" : "");
}

bool alike(const OrderLoss& one, const OrderLoss& other) {
  return one.cost == other.cost && one.longest == other.longest && one.back == other.back &&
         one.returns == other.returns && one.causes == other.causes;
}

/// The first of each group of orders that cost everybody the same, with how many they are.
std::vector<std::pair<std::size_t, std::size_t>> groups_of(const Orders& orders) {
  std::vector<std::pair<std::size_t, std::size_t>> groups;
  for (std::size_t i = 0; i < orders.possible; ++i) {
    const auto known = std::ranges::find_if(
        groups, [&](const auto& group) { return alike(orders.by_loss[group.first], orders.by_loss[i]); });
    if (known == groups.end()) {
      groups.emplace_back(i, 1);
      continue;
    }
    ++known->second;
    if (i == orders.documented) known->first = i;  // the document's order speaks for its group
  }
  return groups;
}

/// The best, the document's, and the worst.
std::string table_of(const Orders& orders) {
  constexpr std::size_t best = 5, worst = 3;
  const auto groups = groups_of(orders);
  std::string text = fmt::format("  {:>5}  {:<12} {:>6} {:>12} {:>12} {:>12}  {}\n", "place", "order", "alike",
                                 "user-hours", "longest", "way back", "causes");
  std::size_t place = 1, left_out = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& [number, count] = groups[i];
    const bool documented = number == orders.documented;
    if (i < best || i + worst >= groups.size() || documented) {
      if (left_out != 0) text += fmt::format("  {:>5}  {} more kinds of orders; plan.json has all\n", "...", left_out);
      left_out = 0;
      text += line_of(orders.by_loss[number], place, count, documented);
    } else {
      ++left_out;
    }
    place += count;
  }
  return text;
}

std::string verdict_on(const Orders& orders) {
  const auto& documented = orders.by_loss.at(orders.documented);
  const auto& best = orders.by_loss.front();
  auto text =
      orders.dns_last_and_better == 0
          ? fmt::format(
                "Of the {} possible orders that update DNS last, as the documents have it, none costs "
                "less than the documents' own.\n",
                orders.dns_last)
          : fmt::format("Of the {} possible orders that update DNS last, {} cost less than the documents' own.\n",
                        orders.dns_last, orders.dns_last_and_better);
  if (best.cost < documented.cost)
    text += fmt::format(
        "The best of all, {}, costs {} instead of {}: a record that partners still hold leads to the "
        "legacy gateway, which serves them while no partner is configured on the new side. The documents "
        "have no time between their last two steps, and no TTL (lync-facts 1.6).\n",
        words_of(best.order), hours(best.cost), hours(documented.cost));
  return text + fmt::format("The documents' order with steps 5 and 6 at one moment, as 1.2.7 asks for: {}.\n",
                            hours(orders.at_once));
}

std::string explored_text(const Exploration& explored) {
  auto text = fmt::format(
      "\n{} schedules: every order, the users moved class by class, back from every point, partners' caches and "
      "streams "
      "of every age.\n{} moments in {} situations of {} states; {} exchanges judged:",
      explored.schedules, explored.moments, explored.situations, explored.states, explored.judged);
  for (std::size_t i = 0; i < explored.exchanges.size(); ++i) {
    if (explored.exchanges.at(i) != 0)
      text += fmt::format("{} {} {}", i == 0 ? "" : ",", explored.exchanges.at(i), name_of(static_cast<Kind>(i)));
  }
  text += "\nThe worst on a schedule's way:";
  for (std::size_t i = 0; i < explored.worst.size(); ++i) {
    if (explored.worst.at(i) != 0) text += fmt::format(" {} {};", explored.worst.at(i), name_of(static_cast<Kind>(i)));
  }
  text += "\nCauses met:";
  for (const auto cause : explored.causes) {
    if (cause != Cause::none) text += " " + std::string(text_of(cause).id);
  }
  return text + "\n";
}

}  // namespace

Orders orders_of(const Plan& plan) {
  Orders made;
  auto order = documented_order;
  do made.by_loss.push_back(loss_of_order(plan, order));
  while (std::ranges::next_permutation(order).found);
  std::ranges::stable_sort(made.by_loss, is_better);
  std::vector<Order> possible;
  const auto found = std::ranges::find(made.by_loss, documented_order, &OrderLoss::order);
  made.documented = static_cast<std::size_t>(found - made.by_loss.begin());
  if (!found->impossible.empty()) throw OperationError("the documents' order: " + found->impossible);
  for (const auto& one : made.by_loss) {
    if (!one.impossible.empty()) break;
    possible.push_back(one.order);
    if (one.order.back() != dns) continue;
    ++made.dns_last;
    made.dns_last_and_better += one.cost < found->cost ? 1 : 0;
  }
  made.possible = possible.size();
  made.at_once = cost_at_once(plan);
  made.explored = explore_orders(plan, possible);
  return made;
}

std::string to_text(const Orders& orders) {
  const auto impossible = orders.by_loss.size() - orders.possible;
  auto text =
      fmt::format("\nOrders of the six steps, one hour apart, over this estate: {}, of which {} are possible.\n",
                  orders.by_loss.size(), orders.possible);
  if (impossible != 0) text += fmt::format("  the first that is not: {}\n", orders.by_loss[orders.possible].impossible);
  return text + table_of(orders) + verdict_on(orders) + explored_text(orders.explored);
}

std::string words_of(const Order& order) { return fmt::format("{}", fmt::join(order, " ")); }

}  // namespace cutover::harness::migration
