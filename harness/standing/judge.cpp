// Every conversation of a trace before every rule.
#include "harness/standing/judge.h"

#include "harness/standing/ledger.h"
#include "harness/standing/rules_by_layer.h"

#include <algorithm>

namespace cutover::harness::standing {

std::vector<std::string> driven_by_hand(const std::vector<TraceRecord>& records) {
  std::vector<std::string> nodes;
  for (const auto& record : records) {
    const auto& note = record.note;
    // What an engine says it puts into words; a peer by hand sends octets.
    if (note.layer != Layer::xmpp || note.direction != Direction::out || !note.summary.starts_with("octets")) continue;
    if (std::ranges::find(nodes, record.node) == nodes.end()) nodes.push_back(record.node);
  }
  return nodes;
}

std::vector<reports::Heard> judge(const std::vector<TraceRecord>& records, const Judged& judged,
                                  const Judged& judged_in_sip) {
  Ledger ledger;
  Keys keys;
  StreamIds ids;
  Answers answers;
  Crossing crossing;
  for (const auto& conversation : conversations(records, judged)) {
    ledger.hear(conversation.sender, conversation.connection);
    if (conversation.with_client) {
      crossing.note_client(conversation);
      continue;
    }
    crossing.note_peer(conversation);
    judge_octets(conversation, ledger);
    judge_headers(conversation, ledger);
    judge_features(conversation, ledger);
    judge_tls_and_sasl(conversation, ledger);
    judge_dialback(conversation, ledger);
    judge_errors(conversation, ledger);
    judge_stanzas(conversation, ledger);
    keys.judge(conversation, ledger);
    ids.judge(conversation, ledger);
    answers.judge(conversation, ledger);
  }
  crossing.judge(ledger);
  if (judged_in_sip) {
    for (const auto& conversation : sip_conversations(records, judged_in_sip)) {
      ledger.hear(conversation.sender, conversation.connection);
      judge_sip_forms(conversation, ledger);
      judge_sip_exchanges(conversation, ledger);
    }
  }
  return ledger.take();
}

}  // namespace cutover::harness::standing
