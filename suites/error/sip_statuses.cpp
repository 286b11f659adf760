// RFC 7247 Table 3: the SIP status that refused a message becomes a stanza error for its sender.
#include "departures/table.h"
#include "protocol/xmpp/namespaces.h"
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

/// One row of the table: the conditions that the text accepts, the first being its own word. It names no type.
struct Row {
  int status;
  const char* requirement;
  std::vector<std::string> accepted;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {300, "RFC7247-7.2-300", {"redirect"}},
      {301, "RFC7247-7.2-301", {"gone"}},
      {302, "RFC7247-7.2-302", {"redirect"}},
      {305, "RFC7247-7.2-305", {"redirect"}},
      {399, "RFC7247-7.2-3xx", {"redirect"}},
      {380, "RFC7247-7.2-380", {"not-acceptable"}},
      {400, "RFC7247-7.2-400", {"bad-request"}},
      {401, "RFC7247-7.2-401", {"not-authorized"}},
      {402, "RFC7247-7.2-402", {"bad-request"}},
      {403, "RFC7247-7.2-403", {"forbidden", "not-allowed", "policy-violation"}},
      {404, "RFC7247-7.2-404", {"item-not-found", "remote-server-not-found"}},
      {405, "RFC7247-7.2-405", {"feature-not-implemented"}},
      {406, "RFC7247-7.2-406", {"not-acceptable"}},
      {407, "RFC7247-7.2-407", {"registration-required"}},
      {408, "RFC7247-7.2-408", {"remote-server-timeout", "remote-server-not-found"}},
      {410, "RFC7247-7.2-410", {"gone"}},
      {413, "RFC7247-7.2-413", {"policy-violation"}},
      {415, "RFC7247-7.2-415", {"not-acceptable"}},
      {416, "RFC7247-7.2-416", {"not-acceptable"}},
      {420, "RFC7247-7.2-420", {"feature-not-implemented"}},
      {421, "RFC7247-7.2-421", {"not-acceptable"}},
      {423, "RFC7247-7.2-423", {"resource-constraint"}},
      {480, "RFC7247-7.2-480", {"recipient-unavailable"}},
      {481, "RFC7247-7.2-481", {"item-not-found"}},
      {482, "RFC7247-7.2-482", {"not-acceptable"}},
      {483, "RFC7247-7.2-483", {"not-acceptable"}},
      {484, "RFC7247-7.2-484", {"item-not-found"}},
      {485, "RFC7247-7.2-485", {"item-not-found"}},
      {486, "RFC7247-7.2-486", {"recipient-unavailable"}},
      {487, "RFC7247-7.2-487", {"recipient-unavailable"}},
      {488, "RFC7247-7.2-488", {"not-acceptable"}},
      {489, "RFC7247-7.2-489", {"policy-violation"}},
      {491, "RFC7247-7.2-491", {"unexpected-request"}},
      {493, "RFC7247-7.2-493", {"bad-request"}},
      {500, "RFC7247-7.2-500", {"internal-server-error"}},
      {501, "RFC7247-7.2-501", {"feature-not-implemented"}},
      {502, "RFC7247-7.2-502", {"remote-server-not-found"}},
      {503, "RFC7247-7.2-503", {"internal-server-error"}},
      {504, "RFC7247-7.2-504", {"remote-server-timeout"}},
      {505, "RFC7247-7.2-505", {"not-acceptable"}},
      {513, "RFC7247-7.2-513", {"policy-violation"}},
      {599, "RFC7247-7.2-5xx", {"internal-server-error"}},
      {600, "RFC7247-7.2-600", {"recipient-unavailable"}},
      {603, "RFC7247-7.2-603", {"recipient-unavailable"}},
      {604, "RFC7247-7.2-604", {"item-not-found"}},
      {606, "RFC7247-7.2-606", {"not-acceptable"}},
      {699, "RFC7247-7.2-6xx", {"recipient-unavailable"}},
  };
  return table;
}

std::vector<Judges> judged() {
  std::vector<Judges> judges;
  for (const auto& row : rows()) {
    const auto of_its_own = fmt::format("gateway.wrong-condition-{}", row.status);
    auto& defects =
        judges
            .emplace_back(
                Judges{row.requirement,
                       {departures::find(of_its_own) != nullptr ? of_its_own : "gateway.wrong-condition-of-class"}})
            .killed_by;
    if (row.status == 301) defects.emplace_back("gateway.loses-new-address");
    if (row.status == 410) defects.emplace_back("gateway.gone-with-address");
  }
  judges.push_back({"RFC6120-8.3.1-gw3", {"gateway.error-with-new-id"}});
  judges.push_back({"RFC6120-8.3.1-gw4", {"gateway.error-without-type"}});
  judges.push_back({"DEL-LOST", {"gateway.swallows-errors", "gateway.doubles-error", "gateway.error-not-swapped"}});
  return judges;
}

/// What <gone/> says after a refusal with a Contact.
std::string told_after_moving(Federated& f, int status) {
  const auto id = fmt::format("moved-{}", status);
  f.alice.answer_messages_with(status);
  f.alice.say_moved_to("sip:alice@elsewhere.example");
  f.partner.send(f.message(id, {}, id));
  (void)f.error_for(id);
  f.alice.say_moved_to({});
  const auto* stanza = f.error_stanza(id);
  const auto* holder = stanza == nullptr ? nullptr : stanza->child("error", "jabber:server");
  const auto* gone = holder == nullptr ? nullptr : holder->child("gone", xmpp::ns::stanza_errors);
  return gone == nullptr ? "no <gone/>" : gone->text();
}

/// That there is an error at all, its id and its form; false where no other error can be looked for.
bool errors_come_back(Federated& f) {
  f.alice.answer_messages_with(480);
  f.partner.send(f.message("once", {}, "once"));
  const bool came = f.until([&] { return !f.romeo.errors.empty(); });
  if (!CONFORMS("DEL-LOST", "an error came for a message that was refused", came, Eq(true))) return false;
  if (!CONFORMS("RFC6120-8.3.1-gw3", "an error with the id of the message came back to its sender",
                f.error_stanza("once") != nullptr, Eq(true)))
    return false;
  const auto* child = f.error_stanza("once")->child("error", "jabber:server");
  CONFORMS("RFC6120-8.3.1-gw4", "the error type", child == nullptr ? "no error" : child->attribute_or_empty("type"),
           AnyOf("wait", "cancel", "modify", "auth"));
  return true;
}

void refuse_with_each_status(Run& run) {
  Federated f(run);
  if (!errors_come_back(f)) return;
  for (const auto& row : rows()) {
    const auto id = fmt::format("status-{}", row.status);
    f.alice.answer_messages_with(row.status);
    f.partner.send(f.message(id, {}, id));
    const auto error = f.error_for(id);
    CONFORMS(row.requirement, fmt::format("the error for a message that was refused with {}", status_text(row.status)),
             error ? error->condition : "no error with the id of the message", testing::AnyOfArray(row.accepted));
  }
  CONFORMS("RFC7247-7.2-301", "the address in the error for a 301 with a Contact", told_after_moving(f, 301),
           Eq("sip:alice@elsewhere.example"));
  CONFORMS("RFC7247-7.2-410", "the address in the error for a 410 with a Contact", told_after_moving(f, 410), Eq(""));
  f.alice.answer_messages_with(200);
  if (!f.given_markers()) return;
  const auto count =
      std::ranges::count_if(f.romeo.errors, [](const auto& e) { return e.attribute_or_empty("id") == "once"; });
  CONFORMS("DEL-LOST", "how many errors came for one message", count, Eq(1));
}

CUTOVER_CASE(sip_statuses){
    .id = "error.sip-status-to-stanza-error",
    .title = "Each SIP status that refuses a message becomes the stanza error of the table, once, for its sender",
    .procedure = "A partner's user sends messages; the SIP user answers each with another status of RFC 7247 Table 3.",
    .accepted = "The condition of the table; where the text names a tolerated alternative, that too. Any type.",
    .likely_causes = "A gateway that drops the failure, or maps by class instead of by status.",
    .judges = judged(),
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refuse_with_each_status};

}  // namespace
}  // namespace cutover::suites
