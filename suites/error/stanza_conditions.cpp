// RFC 7247 Table 2: the stanza error that refused a message becomes the SIP status of its sender.
#include "protocol/xmpp/namespaces.h"
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

struct Row {
  const char* requirement;
  const char* condition;
  bool full;                              ///< the message went to a full JID, so the error is about one
  std::vector<int> accepted;              ///< none: any but 408
  std::vector<std::string> also_dies_of;  ///< defects besides that of its own
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"RFC7247-7.1-bad-request",
       "bad-request",
       false,
       {400},
       {"gateway.ignores-stanza-errors", "gateway.answers-before-error"}},
      {"RFC7247-7.1-conflict", "conflict", false, {400}},
      {"RFC7247-7.1-jid-malformed", "jid-malformed", false, {400}},
      {"RFC7247-7.1-subscription-required", "subscription-required", false, {400}},
      {"RFC7247-7.1-undefined-condition", "undefined-condition", false, {400}},
      {"RFC7247-7.1-feature-not-implemented-full", "feature-not-implemented", true, {405}, {"gateway.ignores-gr"}},
      {"RFC7247-7.1-feature-not-implemented-bare", "feature-not-implemented", false, {501}, {"gateway.bare-as-full"}},
      {"RFC7247-7.1-forbidden-full", "forbidden", true, {403}, {"gateway.ignores-gr"}},
      {"RFC7247-7.1-forbidden-bare", "forbidden", false, {603}, {"gateway.bare-as-full"}},
      {"RFC7247-7.1-item-not-found-full", "item-not-found", true, {404}, {"gateway.ignores-gr"}},
      {"RFC7247-7.1-item-not-found-bare", "item-not-found", false, {604}, {"gateway.bare-as-full"}},
      {"RFC7247-7.1-not-acceptable-full", "not-acceptable", true, {406}, {"gateway.ignores-gr"}},
      {"RFC7247-7.1-not-acceptable-bare", "not-acceptable", false, {606}, {"gateway.bare-as-full"}},
      {"RFC7247-7.1-recipient-unavailable-full", "recipient-unavailable", true, {480}, {"gateway.ignores-gr"}},
      {"RFC7247-7.1-recipient-unavailable-bare", "recipient-unavailable", false, {600}, {"gateway.bare-as-full"}},
      {"RFC7247-7.1-gone-empty", "gone", false, {410}},
      // Without a challenge to offer 403 stands for 401 and 407 (RFC 3261 sections 20.27 and 20.44).
      {"RFC7247-7.1-not-authorized", "not-authorized", false, {401, 403}},
      {"RFC7247-7.1-registration-required", "registration-required", false, {407, 403}},
      {"RFC7247-7.1-remote-server-not-found-a", "remote-server-not-found", false, {404}},
      // RFC 4320 section 4.2: never 408 for a request that is no INVITE, whatever else it is.
      {"RFC4320-4.2-1", "remote-server-timeout", false, {}, {"gateway.non-invite-408"}},
      {"RFC7247-7.1-internal-server-error", "internal-server-error", false, {500}},
      {"RFC7247-7.1-not-allowed", "not-allowed", false, {403}},
      {"RFC7247-7.1-policy-violation", "policy-violation", false, {403}},
      {"RFC7247-7.1-resource-constraint", "resource-constraint", false, {500}},
      {"RFC7247-7.1-service-unavailable",
       "service-unavailable",
       false,
       {403, 405, 480},
       {"gateway.service-unavailable-503"}},
      {"RFC7247-7.1-unexpected-request", "unexpected-request", false, {491, 400}},
  };
  return table;
}

std::vector<Judges> judged() {
  std::vector<Judges> judges;
  for (const auto& row : rows()) {
    judges.push_back({row.requirement, row.also_dies_of});
    if (!row.accepted.empty()) judges.back().killed_by.push_back(fmt::format("gateway.wrong-status-{}", row.condition));
  }
  judges.push_back({"RFC7247-7.1-gone-text", {"gateway.wrong-status-gone"}});
  judges.push_back({"RFC7247-7.1-redirect", {"gateway.wrong-status-redirect"}});
  return judges;
}

/// The partner's user has moved: what alice is answered, and where she is sent.
std::string moved(Federated& f, const char* condition, const std::string& address) {
  const auto stanza = f.stanza_for(f.pager(condition));
  auto error = stanza ? xmpp::make_error(*stanza, condition) : std::nullopt;
  if (!error) return "nothing to refuse";
  error->child("error", error->ns())->child(condition, xmpp::ns::stanza_errors)->add_text(address);
  f.partner.send(std::move(*error));
  const auto status = f.outcome_of(condition).status;
  const auto answer = std::ranges::find(f.alice.responses(), status, &sip::Message::status);
  if (answer == f.alice.responses().end()) return fmt::format("{}", status);
  // The address alone: a Contact may have parameters.
  const auto contact = sip::parse_name_addr(answer->header_or_empty("Contact"));
  return fmt::format("{} {}", status, contact ? contact->uri.text() : "without Contact");
}

testing::Matcher<std::string> accepted(const Row& row) {
  if (row.accepted.empty()) return testing::Ne(status_text(408));
  return testing::AnyOfArray(status_texts(row.accepted));
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
    const auto answer = f.answer_to(body);
    const bool met = CONFORMS(row.requirement,
                              fmt::format("the answer to a MESSAGE to a {} address, refused with {}",
                                          row.full ? "full" : "bare", row.condition),
                              answer, accepted(row));
    if (!met && answer.starts_with("2")) return;  // no error becomes a status
  }
  CONFORMS("RFC7247-7.1-gone-text", "status and address in Contact of the answer, refused with gone and an address",
           moved(f, "gone", "sip:romeo@a.example"), Eq("301 sip:romeo@a.example"));
  CONFORMS("RFC7247-7.1-redirect", "status and address in Contact of the answer, refused with redirect and an address",
           moved(f, "redirect", "sip:romeo@b.example"), Eq("302 sip:romeo@b.example"));
}

CUTOVER_CASE(stanza_conditions){
    .id = "error.stanza-error-to-sip-status",
    .title = "Each stanza error that refuses a message becomes the SIP status of the table for its sender",
    .procedure =
        "The SIP user sends a MESSAGE to a bare or a full address; the partner's user answers at once with a stanza "
        "error.",
    .accepted = "The status of RFC 7247 Table 2; for remote-server-timeout any but its 408, which RFC 4320 forbids.",
    .likely_causes = "A gateway that answers the MESSAGE before the error can come, or maps every error to one status.",
    .judges = judged(),
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refuse_with_each_condition};

}  // namespace
}  // namespace cutover::suites
