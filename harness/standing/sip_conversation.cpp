// Notes of SIP endpoints become messages again, with the one strict reader of the tree.
#include "harness/standing/sip_conversation.h"

#include "protocol/sip/text.h"

#include <map>
#include <utility>

namespace cutover::harness::standing {

std::string SipSaid::branch() const {
  if (!message) return {};
  const auto via = message->header_or_empty("Via");
  const auto semicolon = via.find(';');
  if (semicolon == std::string::npos) return {};
  const auto parameters = sip::parse_parameters(std::string_view(via).substr(semicolon));
  return parameters ? sip::find_parameter(*parameters, "branch").value_or("") : std::string();
}

std::vector<SipConversation> sip_conversations(const std::vector<TraceRecord>& records, const Judged& judged) {
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  std::vector<SipConversation> all;
  for (const auto& record : records) {
    const auto& note = record.note;
    if (note.layer == Layer::event && note.summary == case_is_over) break;
    if (note.layer != Layer::sip || note.direction == Direction::none || record.peer.empty()) continue;
    if (!judged(record.peer, record.node)) continue;
    // Line breaks between messages keep a connection alive (RFC 5626 section 4.4.1, RFC 3261 section 7.5).
    const auto begin = note.detail.find_first_not_of("\r\n");
    if (begin == std::string::npos) continue;
    const auto octets = note.detail.substr(begin);
    const auto [place, fresh] = places.try_emplace({record.node, record.peer}, all.size());
    if (fresh) all.push_back({record.peer, record.node, record.connection, {}});
    SipSaid said{note.direction == Direction::in, note.connection, octets, {}, {}};
    auto read = sip::parse(octets);
    constexpr std::string_view unreadable = "unreadable: ";  // its framing: the octets end with the headers
    if (note.summary.starts_with(unreadable))
      said.wrong = note.summary.substr(unreadable.size());
    else if (const auto* error = std::get_if<sip::ParseError>(&read))
      said.wrong = error->what;
    else
      said.message = std::move(std::get<sip::Message>(read));
    all[place->second].said.push_back(std::move(said));
  }
  return all;
}

}  // namespace cutover::harness::standing
