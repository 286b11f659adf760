// The negotiation matrix row by row, precedence of policies, and what is refused.
#include "reference/settings.h"

#include <gtest/gtest.h>

namespace cutover::reference {
namespace {

using enum Negotiation;

struct Row {
  Negotiation tls, sasl;
  bool dialback, valid, sasl_over_tls, tls_dialback, tcp_dialback;
};
// "Negotiation settings for XMPP federated partners": the complete table.
constexpr Row rows[] = {
    {required, required, true, true, true, false, false},
    {required, required, false, true, true, false, false},
    {optional, required, true, true, true, true, true},
    {optional, required, false, true, true, false, false},
    {not_supported, required, true, true, false, false, true},
    {not_supported, required, false, false, false, false, false},
    {required, optional, true, true, true, true, false},
    {required, optional, false, true, true, false, false},
    {optional, optional, true, true, true, true, true},
    {optional, optional, false, true, true, false, false},
    {not_supported, optional, true, true, false, false, true},
    {not_supported, optional, false, false, false, false, false},
    {required, not_supported, true, true, false, true, false},
    {required, not_supported, false, false, false, false, false},
    {optional, not_supported, true, true, false, true, true},
    {optional, not_supported, false, false, false, false, false},
    {not_supported, not_supported, true, true, false, false, true},
    {not_supported, not_supported, false, false, false, false, false},
};

TEST(Settings, ObeyTheNegotiationMatrix) {
  for (const Row& row : rows) {
    AllowedPartner partner;
    partner.domain = "fabrikam.example";
    partner.tls_negotiation = row.tls;
    partner.sasl_negotiation = row.sasl;
    partner.support_dialback_negotiation = row.dialback;
    EXPECT_EQ(acceptable(validate(partner)), row.valid);
    Settings settings;
    settings.allow_federated_users = true;
    settings.partners["fabrikam.example"] = partner;
    const auto methods = xmpp::methods_of(settings.policy_of("fabrikam.example"));
    EXPECT_EQ(methods, (xmpp::Methods{row.sasl_over_tls, row.tls_dialback, row.tcp_dialback}));
    EXPECT_EQ(methods.any(), row.valid);
  }
}

TEST(Settings, FindPartnersByEveryDomain) {
  Settings settings;
  settings.partners["fabrikam.example"] = {.domain = "fabrikam.example",
                                           .additional_domains = {"research.other.example"}};
  EXPECT_FALSE(settings.policy_of("fabrikam.example").allowed);  // AllowFederatedUsers is off
  settings.allow_federated_users = true;
  EXPECT_TRUE(settings.policy_of("Research.Other.Example").allowed);
  EXPECT_FALSE(settings.policy_of("sub.fabrikam.example").allowed);
  EXPECT_EQ(settings.policy_of("fabrikam.example").connections_max, 20U);
}

TEST(Settings, PreferUserToSiteToGlobal) {
  Settings settings;
  settings.allow_federated_users = true;
  EXPECT_FALSE(settings.user_may("alice@contoso.example"));
  settings.policies.sites["Redmond"] = {true, true};
  settings.policies.homes["alice@contoso.example"] = "Redmond";
  EXPECT_TRUE(settings.user_may("alice@contoso.example"));
  settings.policies.user_scoped["NoXmpp"] = {true, false};
  settings.policies.grants["alice@contoso.example"] = "NoXmpp";
  EXPECT_EQ(settings.policies.effective("alice@contoso.example").scope, "user:NoXmpp");
  EXPECT_FALSE(settings.user_may("alice@contoso.example"));
  settings.policies.global = {false, true};  // XMPP without federation: a misconfiguration, and off
  EXPECT_FALSE(settings.user_may("bob@contoso.example"));
}

TEST(Settings, RefuseWhatDoesNotHoldTogether) {
  Settings settings;
  settings.partners["a.example"] = {.domain = "a.example", .additional_domains = {"c.example"}};
  EXPECT_TRUE(acceptable(validate(settings)));
  settings.partners["b.example"] = {.domain = "b.example", .additional_domains = {"C.example"}};
  EXPECT_FALSE(acceptable(validate(settings)));
  settings.partners.erase("b.example");
  settings.policies.grants["x@y.example"] = "missing";
  EXPECT_FALSE(acceptable(validate(settings)));
  EXPECT_FALSE(acceptable(validate(AllowedPartner{.domain = "not a domain"})));
}

}  // namespace
}  // namespace cutover::reference
