// Departures: what stands beside a node and makes it differ from the reference, by rules waived, rewrites and settings.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace cutover {

namespace dns {
class Passage;
struct ResolverConfig;
}  // namespace dns
namespace sip {
class Passage;
struct EndpointConfig;
}  // namespace sip
namespace xmpp {
class Passage;
struct StreamConfig;
struct ServerConfig;
}  // namespace xmpp
namespace interworking {
struct Settings;
}

enum class Direction;

/// Whose rules: each part of the program that judges has a table `rules.inc` and an enumeration `Rule` of its own.
enum class Part : std::uint8_t { dns, sip, xmpp, interworking, reference, mocks };
inline constexpr std::size_t parts = 6, rules_of_a_part_max = 512;

/// The part that an enumeration of rules belongs to; specialised beside each.
template <class R>
inline constexpr Part part_of = Part::xmpp;

/// What is left inside the engines: state that no rule, rewrite or setting reaches. One row each in inner.inc.
enum class Inner : std::uint8_t {
#define INNER(name, ...) name,
#include "protocol/base/inner.inc"
#undef INNER
  count
};

/// All that departs at one node. Made by the table of departures (departures/table.h), shared by the node's engines.
struct Departed {
  std::array<std::bitset<rules_of_a_part_max>, parts> waived;
  std::bitset<static_cast<std::size_t>(Inner::count) + 1> inner;
  /// Rewrites of decrypted items; each stream or endpoint works with copies of its own, so that what they remember is
  /// of that stream.
  std::vector<std::function<void(xmpp::Passage&)>> xmpp_items;
  std::vector<std::function<void(Direction, std::string&)>> xmpp_octets;  ///< before they are read as items
  std::vector<std::function<void(sip::Passage&)>> sip_messages;
  std::vector<std::function<void(dns::Passage&)>> dns_messages;
  /// Settings: each is called once for every engine that is made from such a configuration.
  std::tuple<std::vector<void (*)(xmpp::StreamConfig&)>, std::vector<void (*)(xmpp::ServerConfig&)>,
             std::vector<void (*)(sip::EndpointConfig&)>, std::vector<void (*)(dns::ResolverConfig&)>,
             std::vector<void (*)(interworking::Settings&)>>
      settings;
  /// Rules that a judgement has come to, waived or not: where none does, waiving it changes nothing.
  mutable std::array<std::bitset<rules_of_a_part_max>, parts> asked;
};

/// What an engine asks. Empty for the reference, and then nothing is looked up.
class Departures {
 public:
  Departures() = default;
  explicit Departures(std::shared_ptr<const Departed> departed) : departed_(std::move(departed)) {}

  /// A node that waives these rules and nothing else: what a unit test of an engine wants.
  template <class R>
  [[nodiscard]] static Departures waiving(std::initializer_list<R> rules) {
    auto departed = std::make_shared<Departed>();
    for (const R rule : rules)
      departed->waived[static_cast<std::size_t>(part_of<R>)].set(static_cast<std::size_t>(rule));
    return Departures(std::move(departed));
  }

  [[nodiscard]] bool none() const { return departed_ == nullptr; }
  [[nodiscard]] const Departed* get() const { return departed_.get(); }

  /// Whether the node keeps the rule.
  template <class R>
  [[nodiscard]] bool holds(R rule) const {
    if (departed_ == nullptr) return true;
    constexpr auto part = static_cast<std::size_t>(part_of<R>);
    const auto number = static_cast<std::size_t>(rule);
    departed_->asked[part].set(number);
    return !departed_->waived[part][number];
  }
  /// Whether something that is `broken` counts as such: the node keeps the rule.
  template <class R>
  [[nodiscard]] bool breaks(R rule, bool broken) const {
    return broken && holds(rule);
  }
  [[nodiscard]] bool inner(Inner one) const {
    return departed_ != nullptr && departed_->inner[static_cast<std::size_t>(one)];
  }
  /// Lets every departing setting change a configuration. To be called once, where an engine takes it.
  template <class C>
  void adjust(C& config) const {
    if (departed_ == nullptr) return;
    for (const auto change : std::get<std::vector<void (*)(C&)>>(departed_->settings)) change(config);
  }

 private:
  std::shared_ptr<const Departed> departed_;
};

}  // namespace cutover
