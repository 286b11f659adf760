// lync-facts 3.2, 3.4, 4.3, 4.5 and 4.6: what an administrator is refused, warned of and told.
#include "suites/support/administrator.h"

#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

/// A row of the complete negotiation matrix (3.2), and how it is taken.
struct Row {
  const char *tls, *sasl;
  bool dialback;
  const char* taken;
};
constexpr char ok[] = "taken", warned[] = "taken with a warning", refused[] = "refused";
constexpr std::array<Row, 18> matrix{{{"Required", "Required", true, warned},
                                      {"Required", "Required", false, ok},
                                      {"Optional", "Required", true, warned},
                                      {"Optional", "Required", false, warned},
                                      {"NotSupported", "Required", true, warned},
                                      {"NotSupported", "Required", false, refused},
                                      {"Required", "Optional", true, ok},
                                      {"Required", "Optional", false, ok},
                                      {"Optional", "Optional", true, warned},
                                      {"Optional", "Optional", false, warned},
                                      {"NotSupported", "Optional", true, warned},
                                      {"NotSupported", "Optional", false, refused},
                                      {"Required", "NotSupported", true, ok},
                                      {"Required", "NotSupported", false, refused},
                                      {"Optional", "NotSupported", true, ok},
                                      {"Optional", "NotSupported", false, refused},
                                      {"NotSupported", "NotSupported", true, ok},
                                      {"NotSupported", "NotSupported", false, refused}}};

std::string taken(const AdminReply& reply) {
  if (reply.status == 0) return "no answer";
  if (reply.status >= 400) return refused;
  return reply.says("\"warnings\":[]") ? ok : warned;
}

void rows(Run& run) {
  Federated f(run);
  Administrator administrator(f.deployment);
  for (const auto& row : matrix) {
    const auto reply = administrator.ask(
        "proxy", "PUT", "/partners/newcomer.example",
        fmt::format(R"({{"TlsNegotiation":"{}","SaslNegotiation":"{}","SupportDialbackNegotiation":{}}})", row.tls,
                    row.sasl, row.dialback));
    CONFORMS("MIG-N01",
             fmt::format("how a partner with TLS {}, SASL {}, dialback {} was taken", row.tls, row.sasl, row.dialback),
             taken(reply), Eq(row.taken));
  }
}

CUTOVER_CASE(matrix_of_rows){
    .id = "policy.negotiation-rows",
    .title = "Each of the 18 rows of negotiation settings is taken, warned of or refused as the table says",
    .procedure = "By the admin interface of the proxy: a partner with each combination of TLS, SASL and dialback.",
    .accepted =
        "The five rows without a way to authenticate are refused, the seven doubtful ones taken with a warning.",
    .likely_causes = "A rule of the console alone, which the shell does not have, or the reverse.",
    .judges = {{"MIG-N01", {"gateway.takes-invalid-rows", "gateway.warns-of-no-row"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = rows};

void deleted(Run& run) {
  Federated f(run);
  Administrator administrator(f.deployment);
  const auto done = [&](const char* method, const std::string& path, const std::string& body = {}) {
    return administrator.ask("gateway", method, path, body).status == 200;
  };
  const bool by_global =
      done("PUT", "/policies/global", R"({"EnableFederationAccess":true,"EnableXmppAccess":true})") &&
      done("DELETE", "/policies/grant:" + f.alice_jid);
  if (!GIVEN(by_global, "the global policy is set, and the user's grant taken back")) return;
  if (!GIVEN(f.marker_reaches_alice(), "a message reaches the user by the global policy")) return;
  CONFORMS("MIG-A07", "the answer to the deletion of the global policy",
           administrator.ask("gateway", "DELETE", "/policies/global").status, Eq(200));
  CONFORMS("MIG-A07", "there is a global policy afterwards",
           administrator.ask("gateway", "GET", "/policies").says("\"Global\""), Eq(true));
  f.partner.send(f.message("after the deletion", {}, "d1"));
  const auto error = f.error_for("d1");
  CONFORMS("MIG-A07", "the error that a message to the user got then", error ? error->condition : "no error",
           AnyOf("service-unavailable", "policy-violation", "forbidden", "not-allowed"));
  if (!GIVEN(done("PUT", "/policies/global", R"({"EnableFederationAccess":true,"EnableXmppAccess":true})"),
             "the global policy is set again"))
    return;
  CONFORMS("MIG-A07", "a message reaches the user when it was set again", f.marker_reaches_alice(), Eq(true));
}

CUTOVER_CASE(global_deleted){
    .id = "policy.global-policy-deleted",
    .title = "The global access policy, deleted, is there still, and allows nothing",
    .procedure =
        "By the admin interface of the gateway: the global policy allows all and the user has no other; it is "
        "deleted; a message; it is set again; a message.",
    .accepted = "The deletion is done; the message is refused with an error; the last one arrives.",
    .likely_causes = "A policy that is gone is taken for one that allows everything, or is kept.",
    .judges = {{"MIG-A07", {"gateway.keeps-deleted-global-policy"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = deleted};

void bodies(Run& run) {
  Federated f(run);
  Administrator administrator(f.deployment);
  const auto exchanged = [&](const std::string& word) {
    f.partner.send(f.message(word + " from XMPP", {}, word));
    f.alice.send_message(f.romeo_uri, word + " from SIP");
    return f.until([&] { return !f.alice.texts().empty() && f.alice.texts().back().body == word + " from XMPP"; }) &&
           f.outcome_of(word + " from SIP").status / 100 == 2;
  };
  if (!GIVEN(exchanged("whispered"), "messages pass both ways")) return;
  for (const std::string box : {"gateway", "proxy"}) {
    const auto log = administrator.ask(box, "GET", "/log");
    if (!GIVEN(log.says(f.romeo_bare), "the log of the " + box + " tells of the messages")) return;
    CONFORMS("MIG-S07", "the log of the " + box + " has the text of messages", log.says("whispered from"), Eq(false));
    const auto set = administrator.ask(box, "PUT", "/settings", R"({"EnableLoggingAllMessageBodies":true})");
    if (!GIVEN(set.status == 200, "the " + box + " takes EnableLoggingAllMessageBodies")) return;
  }
  if (!GIVEN(exchanged("spoken"), "messages pass both ways")) return;
  for (const std::string box : {"gateway", "proxy"}) {
    const auto log = administrator.ask(box, "GET", "/log");
    CONFORMS("MIG-S07", "the log of the " + box + " has the texts with EnableLoggingAllMessageBodies",
             log.says("spoken from XMPP") && log.says("spoken from SIP"), Eq(true));
  }
}

CUTOVER_CASE(logged_bodies){
    .id = "policy.message-bodies-in-logs",
    .title = "The text of messages is in no log, until EnableLoggingAllMessageBodies is set",
    .procedure =
        "Messages both ways; the logs of gateway and proxy; EnableLoggingAllMessageBodies at both; messages both "
        "ways; the logs.",
    .accepted = "Entries without text, then with it.",
    .likely_causes = "A log for developers that nobody turned off.",
    .judges = {{"MIG-S07", {"gateway.logs-bodies", "gateway.never-logs-bodies"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .takes = 4s,
    .body = bodies};

void late_error(Run& run) {
  Federated f(run);
  Administrator administrator(f.deployment);
  f.alice.send_in_session(f.romeo_uri, "to nobody");
  if (!GIVEN(f.until([&] { return !f.romeo.messages.empty(); }), "the text reaches the partner")) return;
  const auto told = [&] {
    return std::ranges::any_of(f.alice.outcomes(), [](const auto& one) { return one.body == "to nobody"; });
  };
  (void)f.deployment.world().run_until(told, 20s);  // who holds the answer for longer has an error to put into it
  auto error = xmpp::make_error(f.romeo.messages.back(), "recipient-unavailable");
  if (!GIVEN(error, "the stanza may be answered with an error")) return;
  f.partner.send(std::move(*error));
  const auto reported = [&]() -> std::string {
    for (const auto& outcome : f.alice.outcomes())
      if (outcome.body == "to nobody" && outcome.status >= 300) return "by the answer";
    const bool imdn = std::ranges::any_of(f.alice.requests(), [](const sip::Message& request) {
      return request.method == "MESSAGE" && token_in(request, "Content-Type") == "message/imdn+xml";
    });
    return imdn ? "by a failure report" : "";
  };
  (void)f.until([&] { return !reported().empty(); });
  const auto how = reported();
  CONFORMS("MIG-S04", "how the SIP user was told of the error", how.empty() ? "not at all" : how,
           AnyOf("by the answer", "by a failure report"));
  const auto counters = administrator.ask("gateway", "GET", "/counters");
  const bool counted = counters.says("\"Failure IMDNs sent\":1");
  if (how != "by the answer") CONFORMS("MIG-S04", "the gateway counts one failure report", counted, Eq(true));
}

CUTOVER_CASE(failure_reports){
    .id = "policy.failure-reports-counted",
    .title = "An error that comes behind the answer to a message is shown to its sender, and counted",
    .procedure =
        "A SIP user writes in a session; when the text was answered the partner's server sends a stanza error for it. "
        "The counters of the gateway.",
    .accepted =
        "An IMDN of a failure in the session and a counter that says one; or the error as the answer, where it was "
        "held so long.",
    .likely_causes = "What was answered is forgotten.",
    .judges = {{"MIG-S04", {"gateway.late-failure-silent", "gateway.counts-no-failures"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .takes = 3s,
    .body = late_error};

}  // namespace
}  // namespace cutover::suites
