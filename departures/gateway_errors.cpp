// Errors that a gateway maps to another one, and stanza errors and answers to iq that are not as RFC 6120 has them.
#include "departures/rows.h"
#include "protocol/interworking/mapping/error.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iterator>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;

/// The statuses that have a defect each, so that each row of the table has something that a check can be killed by.
constexpr int statuses[] = {301, 302, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 415,
                            416, 420, 421, 423, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489,
                            491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606};

bool is_listed(int status) { return std::find(std::begin(statuses), std::end(statuses), status) != std::end(statuses); }

/// The conditions, with the rows of RFC 7247 section 7.1 that each has.
struct Condition {
  std::string_view name, requirements;
};
constexpr Condition conditions[] = {
    {"bad-request", "RFC7247-7.1-bad-request"},
    {"conflict", "RFC7247-7.1-conflict"},
    {"feature-not-implemented", "RFC7247-7.1-feature-not-implemented-full RFC7247-7.1-feature-not-implemented-bare"},
    {"forbidden", "RFC7247-7.1-forbidden-full RFC7247-7.1-forbidden-bare"},
    {"gone", "RFC7247-7.1-gone-text RFC7247-7.1-gone-empty"},
    {"internal-server-error", "RFC7247-7.1-internal-server-error"},
    {"item-not-found", "RFC7247-7.1-item-not-found-full RFC7247-7.1-item-not-found-bare"},
    {"jid-malformed", "RFC7247-7.1-jid-malformed"},
    {"not-acceptable", "RFC7247-7.1-not-acceptable-full RFC7247-7.1-not-acceptable-bare"},
    {"not-allowed", "RFC7247-7.1-not-allowed"},
    {"not-authorized", "RFC7247-7.1-not-authorized"},
    {"policy-violation", "RFC7247-7.1-policy-violation"},
    {"recipient-unavailable", "RFC7247-7.1-recipient-unavailable-full RFC7247-7.1-recipient-unavailable-bare"},
    {"redirect", "RFC7247-7.1-redirect"},
    {"registration-required", "RFC7247-7.1-registration-required"},
    {"remote-server-not-found", "RFC7247-7.1-remote-server-not-found-a"},
    {"remote-server-timeout", "RFC4320-4.2-1"},
    {"resource-constraint", "RFC7247-7.1-resource-constraint"},
    {"service-unavailable", "RFC7247-7.1-service-unavailable"},
    {"subscription-required", "RFC7247-7.1-subscription-required"},
    {"undefined-condition", "RFC7247-7.1-undefined-condition"},
    {"unexpected-request", "RFC7247-7.1-unexpected-request"},
};

/// Text of a row that is made here, for as long as the program runs.
std::string_view kept(std::string text) {
  static std::deque<std::string> all;
  return all.emplace_back(std::move(text));
}

/// Hears another final answer to a MESSAGE than came: one whose condition is none of those that the table allows.
void mishear_status(Sip& p) { p.message.status = p.message.status == 491 ? 404 : 491; }

void add_wrong_conditions(std::vector<Row>& rows) {
  for (const int status : statuses) {
    rows.push_back({kept(fmt::format("gateway.wrong-condition-{}", status)),
                    kept(fmt::format("maps {} to another condition", status)),
                    kept(fmt::format("RFC7247-7.2-{}", status)),
                    [status](Sip& p) {
                      if (p.in() && p.is_answer("MESSAGE", status, status)) mishear_status(p);
                    },
                    gateways});
  }
  rows.push_back({"gateway.wrong-condition-of-class", "maps unlisted statuses to a wrong condition",
                  "RFC7247-7.2-300 RFC7247-7.2-305 RFC7247-7.2-380 RFC7247-7.2-3xx RFC7247-7.2-4xx RFC7247-7.2-5xx "
                  "RFC7247-7.2-6xx",
                  [](Sip& p) {
                    if (p.in() && p.is_answer("MESSAGE", 300) && !is_listed(p.message.status)) mishear_status(p);
                  },
                  gateways});
}

/// Hears another condition than was sent: one whose status is none of those that the table allows.
void mishear_condition(Stanza& p, std::string_view condition) {
  const auto error = p.hears("message") ? xmpp::error_of(p.element) : std::nullopt;
  if (!error || error->condition != condition) return;
  p.edit([&](xml::Element& stanza) {
    auto* holder = stanza.child("error", stanza.ns());
    holder->remove_children(condition, xmpp::ns::stanza_errors);
    const char* other = condition == "recipient-unavailable" ? "internal-server-error" : "recipient-unavailable";
    holder->add(xml::Element(other, xmpp::ns::stanza_errors));
  });
}

void add_wrong_statuses(std::vector<Row>& rows) {
  for (const auto& [name, requirements] : conditions) {
    rows.push_back({kept(fmt::format("gateway.wrong-status-{}", name)),
                    kept(fmt::format("maps {} to another status", name)), requirements,
                    [condition = name](Stanza& p) { mishear_condition(p, condition); }, gateways});
  }
}

void answer_with(Sip& p, int status) {
  p.message.status = status;
  p.message.reason = interworking::reason_phrase(status);
  if (status == 405) p.message.set_header("Allow", interworking::allowed_methods);
}

/// The status that stands for a full address where this one stands for a bare one; 0 where there is no difference.
int status_of_full(int bare) {
  return bare == 501 ? 405 : bare == 603 ? 403 : bare == 604 ? 404 : bare == 606 ? 406 : bare == 600 ? 480 : 0;
}

bool sends_error(const Stanza& p) { return p.out() && p.has_type("error"); }

xml::Element* gone_of(xml::Element& stanza) {
  auto* holder = stanza.child("error", stanza.ns());
  return holder == nullptr ? nullptr : holder->child("gone", xmpp::ns::stanza_errors);
}

bool hears_iq(const Stanza& p) { return p.hears("iq") && (p.has_type("get") || p.has_type("set")); }

}  // namespace

std::vector<Row> gateway_errors() {
  std::vector<Row> rows{
      // Stanza errors that become a status.
      {"gateway.ignores-stanza-errors", "answers 200 to a MESSAGE whose stanza was refused",
       "PRAC-MSG-DEFER RFC7247-7.1-bad-request",
       [](Stanza& p) {
         if (p.hears("message") && p.has_type("error")) p.drop();
       },
       gateways},
      {"gateway.bare-as-full", "uses the status for a full JID where a bare one failed",
       "RFC7247-7.1-feature-not-implemented-bare RFC7247-7.1-forbidden-bare RFC7247-7.1-item-not-found-bare "
       "RFC7247-7.1-not-acceptable-bare RFC7247-7.1-recipient-unavailable-bare",
       [](Sip& p) {
         const int full = p.answers("MESSAGE", 300) ? status_of_full(p.message.status) : 0;
         if (full != 0) answer_with(p, full);
       },
       gateways},
      {"gateway.non-invite-408", "answers 408 to a MESSAGE", "RFC4320-4.2-1",
       [](Sip& p) {
         if (p.answers("MESSAGE", 504, 504)) answer_with(p, 408);
       },
       gateways},

      // Statuses that become a stanza error.
      {"gateway.loses-new-address", "loses the address of a 301", "RFC7247-7.2-301 RFC7247-7.2-n1a",
       [](Sip& p) {
         if (p.in() && p.is_answer("MESSAGE", 300, 399)) p.message.remove_header("Contact");
       },
       gateways},
      {"gateway.gone-with-address", "puts an address into <gone/> for a 410", "RFC7247-7.2-410 RFC7247-7.2-n1b",
       [](Stanza& p) {
         if (!sends_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* gone = gone_of(stanza); gone != nullptr && gone->text().empty()) {
             gone->add_text("sip:elsewhere@invalid");
           }
         });
       },
       gateways},
      {"gateway.swallows-errors", "sends no error stanza", "DEL-LOST",
       [](Stanza& p) {
         if (sends_error(p)) p.drop();
       },
       gateways},
      {"gateway.doubles-error", "sends an error stanza twice", "DEL-LOST",
       [](Stanza& p) {
         if (sends_error(p)) p.repeat();
       },
       gateways},
      {"gateway.error-not-swapped", "leaves from and to of a failed stanza as they were",
       "RFC6120-8.3.1-gw2 RFC6120-8.3.1-gw3 DEL-LOST",
       [](Stanza& p) {
         if (!sends_error(p)) return;
         p.set_attribute("from", p.element.attribute_or_empty("to"));
         p.set_attribute("to", p.element.attribute_or_empty("from"));
       },
       gateways},
      {"gateway.error-with-new-id", "gives an error stanza an id of its own", "RFC6120-8.3.1-gw3",
       [](Stanza& p) {
         if (sends_error(p)) p.set_attribute("id", "of-its-own");
       },
       gateways},
      {"gateway.error-without-type", "leaves the type out of <error/>", "RFC6120-8.3.1-gw4",
       [](Stanza& p) {
         if (!sends_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* holder = stanza.child("error", stanza.ns())) holder->remove_attribute("type");
         });
       },
       gateways},
      {"gateway.answers-error-with-error", "answers a stanza of type error with an error", "RFC6120-8.3.1-8",
       [](Stanza& p) {
         if (!p.hears("message") || !p.has_type("error")) return;
         const auto& stanza = p.element;
         auto error = xmpp::make_message(stanza.attribute_or_empty("to"), stanza.attribute_or_empty("from"), {},
                                         "error", stanza.attribute_or_empty("id"));
         error.add(xmpp::make_error_element("service-unavailable"));
         p.answer(error);
       },
       gateway},

      // iq.
      {"gateway.iq-unanswered", "does not answer an iq", "RFC6120-8.2.3-iq MIG-S05",
       [](Stanza& p) {
         if (hears_iq(p)) p.drop();
       },
       gateways},
      {"gateway.iq-answered-twice", "answers an iq twice", "RFC6120-8.2.3-iq",
       [](Stanza& p) {
         if (p.sends("iq") && (p.has_type("result") || p.has_type("error"))) p.repeat();
       },
       gateways},
      {"gateway.answers-iq-result", "answers an iq result", "RFC6120-8.2.3-iq2",
       [](Stanza& p) {
         if (p.hears("iq") && p.has_type("result")) p.set_attribute("type", "get");  // takes it for a question
       },
       gateways},
      {"gateway.disco-unanswered", "refuses disco, ping and version to its own domain", "XEP0030-gw",
       [](Stanza& p) {
         if (!hears_iq(p)) return;
         for (const char* known : {xmpp::ns::disco_info, xmpp::ns::disco_items, xmpp::ns::ping, xmpp::ns::version}) {
           p.replace(known, "urn:example:unknown");
         }
       },
       gateways},
  };
  add_wrong_conditions(rows);
  add_wrong_statuses(rows);
  return rows;
}

}  // namespace cutover::departures
