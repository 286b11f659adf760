// RFC 7247 Table 1: the stanza error that refused a message becomes the SIP status of its sender.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;

struct Row {
  const char* requirement;
  const char* condition;
  bool full;  ///< the message went to a full JID, so the error is about one
  std::vector<int> accepted;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"RFC7247-7.1-bad-request", "bad-request", false, {400}},
      {"RFC7247-7.1-conflict", "conflict", false, {400}},
      {"RFC7247-7.1-jid-malformed", "jid-malformed", false, {400}},
      {"RFC7247-7.1-subscription-required", "subscription-required", false, {400}},
      {"RFC7247-7.1-undefined-condition", "undefined-condition", false, {400}},
      {"RFC7247-7.1-feature-not-implemented-full", "feature-not-implemented", true, {405}},
      {"RFC7247-7.1-feature-not-implemented-bare", "feature-not-implemented", false, {501}},
      {"RFC7247-7.1-forbidden-full", "forbidden", true, {403}},
      {"RFC7247-7.1-forbidden-bare", "forbidden", false, {603}},
      {"RFC7247-7.1-item-not-found-full", "item-not-found", true, {404}},
      {"RFC7247-7.1-item-not-found-bare", "item-not-found", false, {604}},
      {"RFC7247-7.1-not-acceptable-full", "not-acceptable", true, {406}},
      {"RFC7247-7.1-not-acceptable-bare", "not-acceptable", false, {606}},
      {"RFC7247-7.1-recipient-unavailable-full", "recipient-unavailable", true, {480}},
      {"RFC7247-7.1-recipient-unavailable-bare", "recipient-unavailable", false, {600}},
      {"RFC7247-7.1-gone-empty", "gone", false, {410}},
      {"RFC7247-7.1-internal-server-error", "internal-server-error", false, {500}},
      {"RFC7247-7.1-not-allowed", "not-allowed", false, {403}},
      {"RFC7247-7.1-policy-violation", "policy-violation", false, {403}},
      {"RFC7247-7.1-resource-constraint", "resource-constraint", false, {500}},
      {"RFC7247-7.1-service-unavailable", "service-unavailable", false, {403, 405, 480}},
      {"RFC7247-7.1-unexpected-request", "unexpected-request", false, {491, 400}},
  };
  return table;
}

std::vector<Judges> judged() {
  std::vector<Judges> judges;
  for (const auto& row : rows())
    judges.push_back({row.requirement, {fmt::format("gateway.wrong-status-{}", row.condition)}});
  return judges;
}

void refuse_with_each_condition(Run& run) {
  Federated f(run);
  for (const auto& row : rows()) {
    const auto body = std::string(row.requirement);
    auto request = f.pager(body);
    if (row.full) request.request_uri = "sip:romeo@fabrikam.example;gr=home";
    if (const auto stanza = f.stanza_for(std::move(request))) {
      if (auto error = xmpp::make_error(*stanza, row.condition)) f.partner.send(std::move(*error));
    }
    CONFORMS(row.requirement, f.outcome_of(body).status, testing::AnyOfArray(row.accepted));
  }
}

CUTOVER_CASE(stanza_conditions){
    .id = "error.stanza-error-to-sip-status",
    .title = "Each stanza error that refuses a message becomes the SIP status of the table for its sender",
    .procedure =
        "The SIP user sends a MESSAGE to a bare or a full address; the partner's user answers at once with a stanza "
        "error.",
    .accepted = "The status of RFC 7247 Table 1.",
    .likely_causes = "A gateway that answers the MESSAGE before the error can come, or maps every error to one status.",
    .judges = judged(),
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refuse_with_each_condition};

}  // namespace
}  // namespace cutover::suites
