// Stanzas that come twice or get lost on their way, and XML that no stream may hold.
#include "departures/rows.h"
#include "protocol/base/node.h"
#include "protocol/xmpp/passage.h"

#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;

/// Takes out what is whole of comments, processing instructions and document types.
void take_out_restricted(std::string& in) {
  constexpr std::pair<std::string_view, std::string_view> forms[] = {
      {"<!--", "-->"}, {"<!DOCTYPE", "]>"}, {"<?", "?>"}};
  for (const auto& [open, close] : forms) {
    for (auto at = in.find(open); at != std::string::npos; at = in.find(open, at)) {
      const auto end = in.find(close, at);
      if (end == std::string::npos) break;
      if (in.compare(at, 5, "<?xml") == 0) {
        at = end;
      } else {
        in.erase(at, end + close.size() - at);
      }
    }
  }
}

/// Takes out what may become one once more octets come.
std::string take_out_begun(std::string& in) {
  auto begun = in.find("<!");
  for (auto at = in.find("<?"); at != std::string::npos && at < begun; at = in.find("<?", at + 1)) {
    if (in.compare(at, 5, "<?xml") != 0) begun = at;
  }
  if (begun == std::string::npos && in.ends_with('<')) begun = in.size() - 1;
  if (begun == std::string::npos) return {};
  auto held = in.substr(begun);
  in.erase(begun);
  return held;
}

}  // namespace

std::vector<Row> xmpp_stanzas() {
  return {
      {"xmpp.accepts-restricted-xml",
       "skips comments, processing instructions and document types instead of refusing them",
       "RFC6120-11.1-2 RFC6120-11.1-3 RFC6120-11.1-4",
       [held = std::string()](Direction direction, std::string& octets) mutable {
         if (direction != Direction::in) return;
         octets.insert(0, std::exchange(held, {}));
         take_out_restricted(octets);
         held = take_out_begun(octets);
       }},
      {"xmpp.duplicates-stanzas", "sends every stanza twice", "INV-2 RFC6120-10.5.4-1",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && !p.link) p.repeat();
       }},
      {"gateway.proxy-drops-inbound", "hands no stanza from partners on to the gateway", "LYNC-ARCH-2",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && p.link) p.drop();
       },
       proxy},
      {"gateway.proxy-drops-outbound", "drops what the gateway sends to partners", "LYNC-ARCH-2",
       [](Passage& p) {
         if (p.in() && p.is_stanza() && p.link) p.drop();
       },
       proxy},
  };
}

}  // namespace cutover::departures
