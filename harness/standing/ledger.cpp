// Judgements, counted by rule; of breaches the first octets are kept.
#include "harness/standing/ledger.h"

#include <algorithm>
#include <array>

namespace cutover::harness::standing {

namespace {
constexpr std::array rows{
#define RULE(rule, requirement, sentence, killed_by, shown_in) \
  RuleRow{Rule::rule, #rule, requirement, sentence, killed_by, shown_in, __LINE__},
#include "harness/standing/rules.inc"
#undef RULE
};

/// The others are slips of form, which every reader that we know of reads over.
constexpr std::array misleading{
    // Octets that cannot be read, or not as XML of streams.
    Rule::no_restricted_xml, Rule::well_formed, Rule::utf8_only, Rule::no_byte_order_mark, Rule::xml_is_1_0,
    Rule::space_between_elements,
    // Whose stream it is, and what may be said on it.
    Rule::initial_to, Rule::initial_from, Rule::initial_version, Rule::response_from, Rule::response_to,
    Rule::response_id, Rule::response_id_is_new, Rule::response_version, Rule::addresses_are_domains,
    Rule::content_namespace, Rule::version_form, Rule::version_is_kept, Rule::header_first, Rule::header_before_error,
    Rule::dialback_is_declared,
    // Negotiation goes another way, or no further.
    Rule::features_behind_header, Rule::features_behind_restart, Rule::features_have_namespaces, Rule::features_once,
    Rule::no_tls_inside_tls, Rule::mechanism_form, Rule::mechanism_name, Rule::mechanism_was_offered,
    Rule::no_space_behind_starttls, Rule::no_space_behind_auth, Rule::nothing_behind_proceed, Rule::tls_before_sasl,
    Rule::sasl_is_base64, Rule::authzid_is_a_domain, Rule::sasl_failure_condition, Rule::management_asked_in_time,
    Rule::bidi_behind_tls,
    // A pair is not verified, or another one.
    Rule::dialback_has_declared_prefix, Rule::result_form, Rule::result_once, Rule::result_answer_form,
    Rule::verify_form, Rule::request_has_no_type, Rule::verify_answer_form, Rule::dialback_error_form,
    // Why a stream ends; what comes behind its end comes too late to mislead.
    Rule::error_ends_the_stream, Rule::stream_error_condition, Rule::no_old_condition, Rule::redirect_inside_tls,
    Rule::no_timeout_behind_an_end,
    // Whose stanza it is, and what it answers.
    Rule::stanza_has_to, Rule::stanza_has_from, Rule::domains_in_u_labels, Rule::sender_is_an_address,
    Rule::one_direction, Rule::stanzas_behind_negotiation, Rule::pair_is_verified, Rule::iq_has_id, Rule::iq_has_type,
    Rule::request_has_one_child, Rule::result_has_at_most_one_child, Rule::answered_once, Rule::error_has_error,
    Rule::error_only_in_errors, Rule::error_form, Rule::condition_is_empty, Rule::subscription_from_bare,
    Rule::stanza_namespace, Rule::stanza_crosses, Rule::address_crosses, Rule::resource_crosses, Rule::payload_crosses,
    Rule::nested_content_crosses, Rule::crosses_once};

std::string excerpt(std::string_view octets) {
  constexpr std::size_t shown_max_octets = 600;
  if (octets.size() <= shown_max_octets) return std::string(octets);
  return std::string(octets.substr(0, shown_max_octets)) + " ... (" + std::to_string(octets.size()) + " octets)";
}
}  // namespace

std::span<const RuleRow> rules() { return rows; }

const RuleRow& row_of(Rule rule) { return rows.at(static_cast<std::size_t>(rule)); }

const RuleRow* rule_named(std::string_view name) {
  const auto* found = std::ranges::find(rows, name, &RuleRow::name);
  return found == rows.end() ? nullptr : found;
}

bool misleads(Rule rule) { return std::ranges::find(misleading, rule) != misleading.end(); }

bool Ledger::judge(Rule rule, bool kept, std::string_view octets) {
  auto& heard = heard_[rule];
  ++heard.judged;
  if (kept) return true;
  if (++heard.breaches == 1) {
    heard.sender = who_;
    heard.connection = connection_;
    heard.octets = excerpt(octets);
  }
  return false;
}

void Ledger::once(Rule rule, std::string value, std::string of) {
  constexpr std::size_t kept_max = 256;
  auto& once = heard_[rule].once;
  if (once.size() < kept_max) once.emplace(std::move(value), std::move(of));
}

std::vector<reports::Heard> Ledger::take() {
  std::vector<reports::Heard> result;
  for (auto& [rule, heard] : heard_) {
    heard.rule = rows.at(static_cast<std::size_t>(rule)).name;
    result.push_back(std::move(heard));
  }
  heard_.clear();
  return result;
}

}  // namespace cutover::harness::standing
