// What the cases about DNS share: machines that a peer domain may name, and its records.
#pragma once

#include "suites/support/negotiation.h"

#include <algorithm>

namespace cutover::suites {

/// Machines for the targets of a peer domain, beside the one that its zone names at first.
class Targets {
 public:
  explicit Targets(Negotiation& n) : n_(n), domain_(n.domain(PartnerKind::sasl_external)) {}

  /// A machine named `name` in the zone; its number.
  mocks::RawPeer& machine(const std::string& name, std::vector<std::uint16_t> ports = {5269}) {
    const int host = n_.subject().free_host() + static_cast<int>(machines_++);
    auto& peer = n_.subject().world().add(name, host, std::make_unique<mocks::RawPeer>(std::move(ports)));
    n_.subject().names().set(name + "." + domain_, dns::Type::a, 60, {n_.subject().world().address_of(host)});
    return peer;
  }
  /// An address where nobody listens.
  std::string nowhere() { return n_.subject().world().address_of(n_.subject().free_host() + 40); }
  void srv(const std::vector<std::string>& records, const std::string& service = "_xmpp-server", int ttl_s = 60) {
    n_.subject().names().set(service + "._tcp." + domain_, dns::Type::srv, static_cast<std::uint32_t>(ttl_s), records);
  }
  void address(const std::string& name, const std::vector<std::string>& addresses) {
    n_.subject().names().set(name + "." + domain_, dns::Type::a, 60, addresses);
  }
  void apex(int host) { n_.subject().names().set(domain_, dns::Type::a, 60, {n_.subject().world().address_of(host)}); }
  [[nodiscard]] std::string at(const std::string& name) const { return name + "." + domain_; }
  /// Lets the user write, and waits until one of the machines is called.
  bool called(const std::string& body, const std::vector<mocks::RawPeer*>& any) {
    n_.subject().send_message(n_.romeo(PartnerKind::sasl_external), body);
    return n_.until([&] {
      return std::ranges::any_of(any, [](const auto* peer) { return peer->accepted_count() > 0; }) ||
             !n_.subject().told(body).empty();
    });
  }
  /// Ends what the machine has accepted, once the connection that is kept has come: who calls twice at once (RFC 8305)
  /// speaks on that one alone.
  void hang_up(mocks::RawPeer& machine) {
    (void)n_.until([&] { return machine.take_accepted() != nullptr; });
    for (std::size_t i = 0; i < machine.accepted_count(); ++i) machine.accepted(i).abort();
  }

 private:
  Negotiation& n_;
  std::string domain_;
  unsigned machines_ = 0;
};

}  // namespace cutover::suites
