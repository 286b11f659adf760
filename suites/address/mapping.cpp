// RFC 7247 sections 6.2 to 6.5: the local part of an address is unescaped by the rules of one side and escaped by those
// of the other.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// One user by the names of both sides.
struct Row {
  const char* requirement;
  const char* localpart;                     ///< of the JID
  const char* user;                          ///< part of the SIP URI, raw
  std::vector<std::string> to_sip, to_xmpp;  ///< defects that this row shows
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"RFC7247-6.2-c23", "c#", "c%23", {"gateway.sip-user-unescaped"}, {"gateway.keeps-percent-escapes"}},
      {"RFC7247-6.2-c5b", "a[0", "a%5B0", {"gateway.sip-user-unescaped"}, {"gateway.keeps-percent-escapes"}},
      {"RFC7247-6.2-c7c",
       "this|that",
       "this%7Cthat",
       {"gateway.sip-user-unescaped"},
       {"gateway.keeps-percent-escapes"}},
      {"RFC7247-6.2-c2b", "a+b", "a+b", {"gateway.plus-escaped"}, {"gateway.plus-is-a-space"}},
      // Behind the others: a server that cannot read a name ends the stream that carries it.
      {"RFC7247-6.2-c20",
       R"(space\20cadet)",
       "space%20cadet",
       {"gateway.keeps-jid-escapes"},
       {"gateway.keeps-percent-escapes"}},
      {"RFC7247-6.2-c26", R"(at\26t)", "at&t", {"gateway.keeps-jid-escapes"}, {"gateway.jid-unescaped"}},
      {"RFC7247-6.2-c27", R"(d\27artagnan)", "d'artagnan", {"gateway.keeps-jid-escapes"}, {"gateway.jid-unescaped"}},
      {"RFC7247-6.2-c2f", R"(n\2fa)", "n/a", {"gateway.keeps-jid-escapes"}, {"gateway.jid-unescaped"}},
  };
  return table;
}

/// The user part in which every escape has upper case, as RFC 7247 section 6.2 recommends it.
std::string with_upper_escapes(std::string user) {
  for (auto at = user.find('%'); at != std::string::npos && at + 2 < user.size(); at = user.find('%', at + 1)) {
    for (const auto digit : {at + 1, at + 2})
      user[digit] = static_cast<char>(std::toupper(static_cast<unsigned char>(user[digit])));
  }
  return user;
}

std::vector<Judges> judged(std::vector<std::string> Row::*defects) {
  std::vector<Judges> judges;
  for (const auto& row : rows()) judges.push_back({row.requirement, row.*defects});
  return judges;
}

void from_jids(Run& run) {
  Federated f(run);
  if (!GIVEN(f.marker_reaches_alice(), "a message of a user with a plain name arrives")) return;
  std::string raw;
  for (const auto& row : rows()) {
    const std::string sender = std::string(row.localpart) + "@fabrikam.example";
    f.partner.add_user(row.localpart);
    const auto request = f.sip_request_for(xmpp::make_message(sender, f.alice_jid, row.user, {}), "MESSAGE", row.user);
    const auto from = request ? request->from() : std::nullopt;
    CONFORMS(row.requirement, fmt::format("the user part of the From URI for {}", row.localpart),
             from ? with_upper_escapes(from->uri.user) : "no MESSAGE", Eq(row.user));
    if (from) raw += from->uri.user + " ";
  }
  if (GIVEN(!raw.empty(), "a MESSAGE came"))
    CONFORMS("RFC7247-6.2-8", "the user parts of the From URIs", raw, Eq(with_upper_escapes(raw)));
}

CUTOVER_CASE(to_sip){
    .id = "address.jid-to-sip-uri",
    .title =
        "A JID becomes the SIP URI of the same user: XEP-0106 escapes are undone, reserved characters percent-encoded",
    .procedure = "Users of a partner whose localparts hold characters that one side reserves write to a SIP user.",
    .accepted =
        "The user part of the From URI as RFC 7247 section 6.2 has it; hex digits of either case, upper recommended.",
    .likely_causes = "Escapes that are carried over, or applied twice.",
    .judges =
        [] {
          auto judges = judged(&Row::to_sip);
          judges.push_back({"RFC7247-6.2-8", {"gateway.percent-lower-case"}});
          return judges;
        }(),
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = from_jids};

void from_uris(Run& run) {
  Federated f(run);
  if (!GIVEN(f.marker_reaches_romeo(), "a message to a user with a plain name arrives")) return;
  for (const auto& row : rows()) {  // all at once: a gateway may hold each answer for a while
    f.partner.add_user(row.localpart);
    auto request = f.pager(row.user);
    request.request_uri = std::string("sip:") + row.user + "@fabrikam.example";
    f.alice.send_raw(std::move(request));
  }
  for (const auto& row : rows()) {
    const auto& recipient = f.partner.user(row.localpart);
    (void)f.outcome_of(row.user);
    const auto to = recipient.messages.empty() ? "no stanza" : recipient.messages.front().attribute_or_empty("to");
    CONFORMS(row.requirement, fmt::format("the 'to' of the message to the SIP user {}", row.user), to,
             Eq(std::string(row.localpart) + "@fabrikam.example"));
  }
}

CUTOVER_CASE(to_xmpp){
    .id = "address.sip-uri-to-jid",
    .title =
        "A SIP URI becomes the JID of the same user: percent escapes are undone, what no localpart holds is escaped",
    .procedure = "A SIP user writes to users of a partner whose names hold characters that one side reserves.",
    .accepted = "The localpart as RFC 7247 section 6.2 and XEP-0106 have it.",
    .likely_causes = "Escapes that are carried over, or applied twice.",
    .judges = judged(&Row::to_xmpp),
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .takes = 2s,
    .body = from_uris};

}  // namespace
}  // namespace cutover::suites
