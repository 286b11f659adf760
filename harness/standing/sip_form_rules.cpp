// Single SIP messages: what each must have, must not have, and how it is written.
#include "harness/standing/rules_by_layer.h"

#include "protocol/interworking/pidf_schema.h"
#include "protocol/sip/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cutover::harness::standing {

namespace {

/// What the reader says, and whose business that is; the first row that fits.
struct Flaw {
  std::string_view words;
  Rule rule;
};
constexpr std::array flaws{
    Flaw{"version 2.0", Rule::sip_version},
    Flaw{" is missing", Rule::sip_mandatory_headers},
    Flaw{" is there twice", Rule::sip_single_headers},
    Flaw{"body without Content-Type", Rule::sip_body_has_type},
    Flaw{"Content-Length", Rule::sip_length},
    Flaw{"CSeq", Rule::sip_cseq},
};

/// The rule that a message breaks which cannot be read.
Rule rule_of(std::string_view wrong) {
  const auto* found =
      std::ranges::find_if(flaws, [&](const Flaw& flaw) { return wrong.find(flaw.words) != wrong.npos; });
  return found == flaws.end() ? Rule::sip_well_formed : found->rule;
}

void judge_reading(const SipSaid& one, Ledger& ledger) {
  const bool read = one.message.has_value();
  const auto broken = read ? Rule::sip_well_formed : rule_of(one.wrong);
  for (const auto rule : {Rule::sip_version, Rule::sip_mandatory_headers, Rule::sip_single_headers, Rule::sip_length,
                          Rule::sip_cseq, Rule::sip_well_formed})
    if (read || rule == broken) ledger.judge(rule, read, one.octets);
  if (read ? !one.message->body.empty() : broken == Rule::sip_body_has_type)
    ledger.judge(Rule::sip_body_has_type, read, one.octets);
}

/// "application/pidf+xml" of "Application/PIDF+XML; charset=utf-8"
std::string media_type_of(const sip::Message& message) {
  const auto value = message.header_or_empty("Content-Type");
  return sip::lower(sip::trim(std::string_view(value).substr(0, value.find(';'))));
}

void judge_request(const SipSaid& one, Ledger& ledger) {
  const auto& message = *one.message;
  ledger.judge(Rule::sip_max_forwards, message.header("Max-Forwards").has_value(), one.octets);
  ledger.judge(Rule::sip_branch, one.branch().starts_with("z9hG4bK"), one.octets);
  ledger.judge(Rule::sip_from_tag, !message.from()->tag().empty(), one.octets);
  if (message.method == "INVITE" || message.method == "SUBSCRIBE")
    ledger.judge(Rule::sip_contact, message.all("Contact").size() == 1, one.octets);
  if (message.method == "MESSAGE") {
    ledger.judge(Rule::sip_message_has_no_contact, !message.header("Contact"), one.octets);
    ledger.judge(Rule::sip_message_accepts_nothing, !message.header("Accept"), one.octets);
  }
  if (message.method == "SUBSCRIBE")
    ledger.judge(Rule::sip_subscribe_has_event, message.header("Event").has_value(), one.octets);
  if (message.method == "NOTIFY")
    ledger.judge(Rule::sip_notify_has_state, message.header("Subscription-State").has_value(), one.octets);
}

void judge_response(const SipSaid& one, Ledger& ledger) {
  const auto& message = *one.message;
  const auto names = [&](int status, Rule rule, const char* header) {
    if (message.status == status) ledger.judge(rule, message.header(header).has_value(), one.octets);
  };
  names(405, Rule::sip_405_names_methods, "Allow");
  names(423, Rule::sip_423_says_how_long, "Min-Expires");
  names(420, Rule::sip_420_names_extensions, "Unsupported");
  // Where the type is right its coding or language may be wrong: those are named then (RFC 3261 section 21.4.13).
  if (message.status == 415)
    ledger.judge(Rule::sip_415_names_types,
                 message.header("Accept") || message.header("Accept-Encoding") || message.header("Accept-Language"),
                 one.octets);
}

}  // namespace

void judge_sip_forms(const SipConversation& conversation, Ledger& ledger) {
  for (const auto& one : conversation.said) {
    if (!one.by_sender) continue;
    judge_reading(one, ledger);
    if (!one.message) continue;
    one.message->is_request ? judge_request(one, ledger) : judge_response(one, ledger);
    if (media_type_of(*one.message) == "application/pidf+xml" && !one.message->body.empty())
      ledger.judge(Rule::sip_pidf_is_valid, interworking::against_pidf_schema(one.message->body).empty(), one.octets);
  }
}

}  // namespace cutover::harness::standing
