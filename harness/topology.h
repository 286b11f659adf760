// Topology: who exists and who hosts what, as a plain value; loadable from YAML.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// How a partner authenticates its streams and ours.
enum class PartnerKind { sasl_external, dialback_over_tls, plaintext_dialback };
[[nodiscard]] const char* name_of(PartnerKind);

/// Who serves a partner's domain.
enum class PartnerServer { mock, prosody };
[[nodiscard]] const char* name_of(PartnerServer);

struct PartnerSpec {
  std::string domain;
  PartnerKind kind = PartnerKind::sasl_external;
  std::vector<std::string> users;
  PartnerServer server = PartnerServer::mock;
  bool operator==(const PartnerSpec&) const = default;
};

/// A deployment on paper. Every user starts on the legacy pool, every partner on the legacy gateway.
struct Topology {
  std::string domain;              ///< our SIP and XMPP domain
  std::vector<std::string> users;  ///< in the order in which they are moved
  std::vector<PartnerSpec> partners;
  std::uint32_t srv_ttl_s = 300;  ///< of our _xmpp-server record
  bool operator==(const Topology&) const = default;
};

/// What is wrong with a topology file: "file:line: what was expected".
struct TopologyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads YAML. `source` names the text in errors. Throws TopologyError for bad YAML, an unknown key, a missing or
/// doubled name.
[[nodiscard]] Topology parse_topology(std::string_view yaml, const std::string& source);
/// Reads a file. Throws TopologyError with the path when it cannot be read.
[[nodiscard]] Topology load_topology(const std::string& path);
/// The embedded deployment: three users, three partners of the three kinds.
[[nodiscard]] Topology reference_topology();

}  // namespace cutover::harness
