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

/// Writes something else for the first `from` of a message that is sent.
void replace_once(sip::Passage& p, std::string from, std::string to) {
  p.edit([from = std::move(from), to = std::move(to)](std::string& octets) {
    if (const auto at = octets.find(from); at != std::string::npos) octets.replace(at, from.size(), to);
  });
}

/// A cookie that nobody knows goes out, and comes back as the endpoint knows it.
void change_cookie(sip::Passage& p) {
  constexpr std::string_view cookie = "z9hG4bK", other = "z8hG4bK";
  const bool asks = p.out() && p.message.is_request, answered = p.in() && !p.message.is_request;
  if (!asks && !answered) return;
  auto via = p.message.header_or_empty("Via");
  const auto from = asks ? cookie : other, to = asks ? other : cookie;
  const auto at = via.find(from);
  if (at == std::string::npos) return;
  via.replace(at, from.size(), to);
  p.message.remove_first("Via");
  p.message.prepend_header("Via", via);
}

/// The request that cancels an INVITE (RFC 3261 section 9.1).
sip::Message cancelling(const sip::Message& invite) {
  auto cancel = invite;
  cancel.method = "CANCEL";
  cancel.body.clear();
  for (const auto* name : {"Contact", "Content-Type", "Allow", "Supported"}) cancel.remove_header(name);
  cancel.set_header("CSeq", std::to_string(invite.cseq_number()) + " CANCEL");
  return cancel;
}

bool makes_dialogs(const sip::Passage& p) { return p.sends("INVITE") || p.sends("SUBSCRIBE"); }

}  // namespace

std::vector<Row> sip_messages() {
  using sip::Passage;
  return {
      {"sip.says-version-1", "sends requests of version SIP/1.0", "RFC3261-7.1-1",
       [](Passage& p) {
         if (p.out() && p.message.is_request) replace_once(p, " SIP/2.0\r\n", " SIP/1.0\r\n");
       },
       gateways},
      {"sip.header-without-colon", "sends a line in its headers that is no header", "RFC3261-25.1-1",
       [](Passage& p) {
         if (p.out()) replace_once(p, "\r\n", "\r\nrubbish\r\n");
       },
       gateways},
      {"sip.no-call-id", "sends requests without Call-ID", "RFC3261-8.1.1-1",
       [](Passage& p) {
         if (p.out() && p.message.is_request) p.message.remove_header("Call-ID");
       },
       gateways},
      {"sip.no-max-forwards", "sends requests without Max-Forwards", "RFC3261-8.1.1.6-1",
       [](Passage& p) {
         if (p.out() && p.message.is_request) p.message.remove_header("Max-Forwards");
       },
       gateways},
      {"sip.max-forwards-twice", "sends requests with two Max-Forwards", "RFC3261-7.3.1-1",
       [](Passage& p) {
         if (p.out() && p.message.is_request) p.message.add_header("Max-Forwards", "69");
       },
       gateways},
      {"sip.branch-without-cookie", "sends requests whose branch does not begin as RFC 3261 has it",
       "RFC3261-8.1.1.7-1", change_cookie, gateways},
      {"sip.cseq-of-another-method", "sends requests whose CSeq names another method", "RFC3261-8.1.1.5-1",
       [](Passage& p) {
         if (p.out() && p.message.is_request)
           p.message.set_header("CSeq", std::to_string(p.message.cseq_number()) + " OPTIONS");
       },
       gateways},
      {"sip.body-without-content-type", "sends bodies without saying what they are", "RFC3261-20.15-1",
       [](Passage& p) {
         if (p.out()) p.message.remove_header("Content-Type");
       },
       gateways},
      {"sip.dialog-without-contact", "asks for dialogs without a Contact", "RFC3261-8.1.1.8-1",
       [](Passage& p) {
         if (makes_dialogs(p)) p.message.remove_header("Contact");
       },
       gateways},
      {"sip.message-with-accept", "says in a MESSAGE what it accepts", "RFC3428-4-5",
       [](Passage& p) {
         if (p.sends("MESSAGE")) p.message.add_header("Accept", "text/plain");
       },
       gateways},
      {"sip.subscribe-without-event", "subscribes to nothing that it names", "RFC6665-4.1.2.1-1",
       [](Passage& p) {
         if (p.sends("SUBSCRIBE")) p.message.remove_header("Event");
       },
       gateways},
      {"sip.notify-without-state", "notifies without saying whether the subscription lives", "RFC6665-4.2.2-state",
       [](Passage& p) {
         if (p.sends("NOTIFY")) p.message.remove_header("Subscription-State");
       },
       gateways},
      {"sip.notifies-after-the-end", "notifies once more after it has ended a subscription", "RFC6665-4.2.2-last",
       [](Passage& p) {
         if (!p.sends("NOTIFY") || !p.message.header_or_empty("Subscription-State").starts_with("terminated")) return;
         auto another = p.message;
         another.set_header("Subscription-State", "active;expires=60");
         another.set_header("CSeq", std::to_string(p.message.cseq_number() + 1) + " NOTIFY");
         another.set_header("Via", p.message.header_or_empty("Via") + "again");
         p.follow(std::move(another));
       },
       gateways},
      {"sip.tuple-without-id", "sends presence documents whose tuples have no id", "RFC3863-4.1.2",
       [](Passage& p) {
         auto& body = p.message.body;
         if (!p.sends("NOTIFY")) return;
         const auto tuple = body.find("<tuple");
         const auto at = tuple == std::string::npos ? tuple : body.find(" id=", tuple);
         if (at != std::string::npos) body.erase(at, body.find(body[at + 4], at + 5) + 1 - at);
       },
       gateways},
      {"sip.acks-in-a-new-transaction", "acknowledges a refusal in a transaction of its own", "RFC3261-17.1.1.3",
       [](Passage& p) {
         if (p.sends("ACK")) p.message.set_header("Via", p.message.header_or_empty("Via") + "new");
       },
       gateways},
      {"sip.ignores-contact", "sends requests of a dialog to whom it was with at first", "RFC3261-12.2.1.1-target",
       [](Passage& p) {
         const auto to = p.out() && p.message.is_request ? p.message.to() : std::nullopt;
         if (to && !to->tag().empty() && p.message.method != "ACK") p.message.request_uri = to->uri.text();
       },
       gateways},
      {"sip.ignores-route-set", "sends requests of a dialog without its route set", "RFC3261-12.2.1.1-route",
       [](Passage& p) {
         const auto to = p.out() && p.message.is_request ? p.message.to() : std::nullopt;
         if (to && !to->tag().empty()) p.message.remove_header("Route");
       },
       gateways},
      {"sip.notifies-in-another-format", "notifies in a format that nobody accepts", "RFC3856-6.7",
       [](Passage& p) {
         if (p.sends("NOTIFY") && !p.message.body.empty()) p.message.set_header("Content-Type", "text/x-presence");
       },
       gateways},
      {"sip.cancels-at-once", "cancels an INVITE before anything was answered", "RFC3261-9.1",
       [](Passage& p) {
         if (p.sends("INVITE")) p.follow(cancelling(p.message));
       },
       gateways},
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
