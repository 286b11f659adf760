// SIP messages of either kind whose length or number is not what a stream, or a dialog, needs.
#include "departures/rows.h"
#include "protocol/sip/passage.h"

namespace cutover::departures {

namespace {

/// Writes something else behind "Content-Length: "; the whole line goes where `changed` gives nothing.
void change_length(std::string& octets, std::optional<std::string> (*changed)(std::string_view length)) {
  constexpr std::string_view name = "Content-Length: ";
  const auto line = octets.find(name);
  if (line == std::string::npos) return;
  const auto value = line + name.size();
  const auto end = octets.find("\r\n", value);
  if (const auto length = changed(std::string_view(octets).substr(value, end - value)))
    octets.replace(value, end - value, *length);
  else
    octets.erase(line, end + 2 - line);
}

}  // namespace

std::vector<Row> sip_messages() {
  using sip::Passage;
  return {
      {"sip.no-content-length", "sends messages on a stream without Content-Length", "RFC3261-18.3-2",
       [](Passage& p) {
         if (!p.out()) return;
         p.edit([](std::string& octets) {
           change_length(octets, [](std::string_view) -> std::optional<std::string> { return std::nullopt; });
         });
       },
       gateways},
      {"sip.content-length-too-small", "announces one octet of body whatever it sends", "RFC3261-18.3-2",
       [](Passage& p) {
         if (!p.out() || p.message.body.empty()) return;
         p.edit([](std::string& octets) {
           change_length(octets, [](std::string_view) -> std::optional<std::string> { return "1"; });
         });
       },
       gateways},
      {"sip.never-counts-cseq", "sends every request with CSeq 1", "RFC3261-12.2.1.1",
       [](Passage& p) {
         if (p.out() && p.message.is_request) p.message.set_header("CSeq", "1 " + p.message.cseq_method());
       },
       gateways},
  };
}

}  // namespace cutover::departures
