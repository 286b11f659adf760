// The one reader of an estate in YAML: plans, facts and rehearsals begin with it.
//
//   estate:
//     sip-domains: [contoso.example, tailspin.example]
//     pools: {legacy-pool: {side: legacy}, pool13: {side: new}}      # a new one is not deployed yet
//     users: {sales: {count: 1200, pool: legacy-pool, policy: XmppOn}}
//     partners: {fabrikam.example: {kind: external, configured-as: {type: Federated, sasl: Optional}}}
//     edges: {edge13: {members: [edge1, edge2]}}                     # likewise
//     certificates: {public: {names: [sip.contoso.example, contoso.example, tailspin.example]}}
//     policies: {user: {XmppOn: {federation: true, xmpp: true}}}
//     ttl: 1h
//
// What is left out has the default of the product, or of an estate whose legacy gateway serves every partner and every
// SIP domain of ours. fixtures/migration/facts.yaml has every key, with its meaning.
#pragma once

#include "harness/files/yaml_reader.h"
#include "harness/migration/operation.h"

#include <string>
#include <string_view>

namespace cutover::harness::migration {

/// Reads what stands behind the key `estate`. What is wrong is complained of to the reader.
[[nodiscard]] Estate read_estate(YamlReader&, const YAML::Node&);
/// A partner as New-CsXmppAllowedPartner makes it: the keys of `configured-as`, and the product's defaults.
[[nodiscard]] AllowedPartner read_allowed_partner(YamlReader&, const std::string& domain, const YAML::Node&);
/// A text with the key `estate` and no other. Throws YamlError with every mistake.
[[nodiscard]] Estate parse_estate(std::string_view yaml, const std::string& source);

}  // namespace cutover::harness::migration
