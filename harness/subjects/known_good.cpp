// Pings by peers of ours.
#include "harness/subjects/known_good.h"

#include "harness/subjects/target_subject.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace cutover::harness {

namespace {

constexpr Duration interval = 3s;

class Pinging {
 public:
  Pinging(Subject& subject, PartnerKind kind)
      : server_(subject.domain()),
        node_(&subject.world().add(fmt::format("peer of kind {}", name_of(kind)), subject.peer_host(kind),
                                   std::make_unique<mocks::Partner>(peer_settings(subject, kind, user)))) {}

  void ping() {
    node_->send(xmpp::make_iq(node_->full_jid(user), server_, "get", fmt::format("ping-{}", ++pings_),
                              xml::Element("ping", "urn:xmpp:ping")));
  }
  [[nodiscard]] std::string domain() { return node_->bare_jid(user).substr(sizeof user); }
  /// What our own server returns, for it could not deliver, is `by` that.
  [[nodiscard]] bool answered() {
    const auto answers = [&](const xml::Element& stanza) {
      const auto* error = stanza.child("error", stanza.ns());
      const bool returned = error != nullptr && error->attribute("by") == domain();
      return stanza.attribute_or_empty("from") == server_ && !returned;
    };
    auto& seen = node_->user(user);
    return std::ranges::any_of(seen.iqs, answers) || std::ranges::any_of(seen.errors, answers);
  }

 private:
  static constexpr char user[] = "romeo";
  std::string server_;
  mocks::Partner* node_;
  int pings_ = 0;
};

}  // namespace

std::optional<std::string> answers_nobody(World& world, const Target& target, const std::string& label,
                                          Duration limit) {
  const auto subject = make_remote_subject(world, target, {.label = label, .which = {}});
  std::vector<Pinging> left;
  for (const auto kind :
       {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
    if (target.offers.contains(need_of(kind))) left.emplace_back(*subject, kind);
  }
  const Time end = world.now() + limit;
  while (!left.empty() && world.now() < end) {
    for (auto& one : left) one.ping();
    (void)world.run_until(
        [&] {
          std::erase_if(left, [](auto& one) { return one.answered(); });
          return left.empty();
        },
        std::min(interval, end - world.now()));
  }
  if (left.empty()) return std::nullopt;
  std::vector<std::string> domains;
  std::ranges::transform(left, std::back_inserter(domains), [](auto& one) { return one.domain(); });
  return fmt::format("{}", fmt::join(domains, ", "));
}

}  // namespace cutover::harness
