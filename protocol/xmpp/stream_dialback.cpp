// Server dialback on a stream, in all of its roles: XEP-0220 sections 2 and 3.
#include "protocol/xml/writer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stream.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>

namespace cutover::xmpp {

namespace {

/// The domains of from and to; nothing where one is missing or no bare domain.
std::optional<DomainPair> domains_of(const xml::Element& element) {
  const auto from = Jid::parse(element.attribute_or_empty("from")), to = Jid::parse(element.attribute_or_empty("to"));
  if (!from || !to || !from->is_domain() || !to->is_domain()) return std::nullopt;
  return DomainPair{from->domain(), to->domain()};
}

std::string domain_in(const xml::Element& element, std::string_view attribute) {
  return prepare_domain(element.attribute_or_empty(attribute)).value_or("");
}

}  // namespace

void Stream::authorise(const DomainPair& pair, Time now) {
  now_ = now;
  if (!initiating() || state_ != StreamState::open || authorised_.contains(pair)) return;
  if (breaks(Rule::one_request_for_a_pair, !asked_.insert(pair).second)) return;
  touch();
  // XEP-0185: the key binds the id of the latest response header, the one inside TLS.
  put("db:result " + pair.sender + " > " + pair.target,
      dialback_element("result", pair.sender, pair.target, {}, {},
                       xml::escape(config_.dialback_key(config_.dialback_secret, pair.target, pair.sender, id_))));
}

void Stream::verify(const DomainPair& pair, std::string_view id, std::string_view key, Time now) {
  now_ = now;
  if (!initiating() || state_ != StreamState::open) return;
  touch();
  verifications_.push_back({pair, std::string(id)});
  // XEP-0220 section 2.1.2: from is the target domain, to the sender domain, id the one that we gave to the initiator.
  put("db:verify " + pair.target + " > " + pair.sender,
      dialback_element("verify", pair.target, pair.sender, id, {}, xml::escape(key)));
}

void Stream::on_dialback(const xml::Element& element) {
  const bool result = element.name() == "result";
  if (!result && element.name() != "verify") {
    if (holds(Rule::unknown_elements_are_refused)) fail("unsupported-stanza-type");
    return;
  }
  const auto type = element.attribute("type");
  if (initiating()) {
    // A request in this direction would need bidi (XEP-0288), which was not negotiated.
    if (!type) return;
    return result ? on_result_answer(element) : on_verify_answer(element);
  }
  if (!type) return result ? on_result_request(element) : on_verify_request(element);
  // XEP-0220 section 3.1: answers that nobody asked for change nothing (the advisory of 2012-08-21).
  if (holds(Rule::answer_goes_to_who_asked) || type != "valid") return;
  authorised_by_dialback({element.attribute_or_empty("from"), element.attribute_or_empty("to")});
}

void Stream::authorised_by_dialback(const DomainPair& pair) {
  authorised_.insert(pair);
  if (method_ == AuthenticationMethod::none) method_ = AuthenticationMethod::dialback;
  became_established();
  push(PairAuthorised{pair, AuthenticationMethod::dialback});
}

// --- The initiating server, and the receiving one that asks for it ------------------------------------------------

void Stream::on_result_answer(const xml::Element& result) {
  // From the target domain to the sender domain; counts only for a pair that was asked for on this stream.
  const DomainPair pair{domain_in(result, "to"), domain_in(result, "from")};
  if (breaks(Rule::result_was_asked_for, asked_.erase(pair) == 0)) return;
  touch();
  const auto type = result.attribute_or_empty("type");
  if (!breaks(Rule::only_valid_authorises, type != "valid")) return authorised_by_dialback(pair);
  push(PairRefused{pair, type == "error" ? dialback_error_condition(result) : "invalid"});
}

void Stream::on_verify_answer(const xml::Element& verify) {
  const DomainPair pair{domain_in(verify, "from"), domain_in(verify, "to")};
  const auto id = verify.attribute_or_empty("id");
  const auto match = std::ranges::find_if(verifications_, [&](const auto& one) {
    return !breaks(Rule::verify_answer_matches, one.pair != pair || one.id != id);
  });
  if (match == verifications_.end()) return;  // XEP-0220 section 2.1.2: an answer that nobody awaits is dropped
  const auto asked = *match;
  verifications_.erase(match);
  touch();
  const auto type = verify.attribute_or_empty("type");
  if (!breaks(Rule::only_valid_verifies, type != "valid"))
    return push(VerificationAnswered{asked.pair, asked.id, Verdict::valid, {}});
  if (type == "error")
    return push(VerificationAnswered{asked.pair, asked.id, Verdict::error, dialback_error_condition(verify)});
  push(VerificationAnswered{asked.pair, asked.id, Verdict::invalid, {}});
}

// --- The receiving server -----------------------------------------------------------------------------------------

void Stream::on_result_request(const xml::Element& result) {
  const auto pair = domains_of(result);
  if (!pair) {
    if (holds(Rule::dialback_is_addressed)) fail("improper-addressing");
    return;
  }
  if (breaks(Rule::one_verification_for_a_pair, waiting_.contains(*pair))) return;
  touch();
  // XEP-0220 section 2.2.1: an error, never the end of the stream.
  if (const auto fault = judge_result_request(*pair); !fault.empty()) return refuse_result(*pair, fault);
  waiting_.insert(*pair);
  const bool known = config_.certificate_is_enough && secured() && certificate_authenticates(pair->sender);
  if (known || !holds(Rule::key_is_verified)) return answer_result(*pair, Verdict::valid, {}, now_);
  push(VerificationWanted{*pair, id_, result.text()});
}

/// The dialback error that a request for the pair deserves; empty where its key is to be verified.
std::string_view Stream::judge_result_request(const DomainPair& pair) const {
  if (breaks(Rule::result_target_is_served, !serves(pair.target))) return "item-not-found";
  if (breaks(Rule::from_is_foreign, serves(pair.sender))) return "forbidden";
  const auto policy = config_.policy ? config_.policy(pair.sender) : policy_;
  const bool taken_so_far = config_.strangers_meet == StreamConfig::StrangersMeet::refusal_of_stanzas;
  if (breaks(Rule::partner_is_allowed, !policy.allowed && !taken_so_far)) return "policy-violation";
  const bool tls_missing = !secured() && policy.tls == Negotiation::required;
  if (breaks(Rule::key_is_verified_by_policy, tls_missing)) return "policy-violation";
  if (breaks(Rule::key_is_verified_by_policy, !methods_of(policy).dialback(secured()))) return "not-authorized";
  if (lacks_proof(policy, pair.sender)) return "not-authorized";
  const auto pairs = authorised_.size() + waiting_.size();
  if (breaks(Rule::pairs_are_bounded, pairs >= limits::stream_domain_pairs_max)) return "resource-constraint";
  return {};
}

void Stream::refuse_result(const DomainPair& pair, std::string_view condition) {
  put("db:result error " + pair.target + " > " + pair.sender + " " + std::string(condition),
      dialback_element("result", pair.target, pair.sender, {}, "error", dialback_error(condition)));
}

void Stream::answer_result(const DomainPair& pair, Verdict verdict, std::string_view condition, Time now) {
  now_ = now;
  if (waiting_.erase(pair) == 0 || state_ != StreamState::open) return;
  touch();
  if (verdict == Verdict::error) return refuse_result(pair, condition.empty() ? "remote-server-timeout" : condition);
  const bool valid = verdict == Verdict::valid;
  if (breaks(Rule::only_a_valid_key_authorises, !valid)) {
    authorised_.erase(pair);  // a later invalid result withdraws what an earlier one gave
  } else {
    authorised_by_dialback(pair);
  }
  const std::string_view type = valid ? "valid" : "invalid";
  put("db:result " + std::string(type) + " " + pair.target + " > " + pair.sender,
      dialback_element("result", pair.target, pair.sender, {}, type, {}));
  // XEP-0220 section 2.2.1: an invalid key ends a stream that carries no other pair.
  const bool useless = !valid && authorised_.empty() && waiting_.empty();
  if (useless && holds(Rule::invalid_key_ends_the_stream)) begin_closing({}, {});
}

// --- The authoritative server -------------------------------------------------------------------------------------

/// Answered whether or not the asker is authenticated: it only checks a key (XEP-0220 section 2.2.2).
void Stream::on_verify_request(const xml::Element& verify) {
  const auto pair = domains_of(verify);
  const auto id = verify.attribute_or_empty("id");
  if (!pair || id.empty()) {
    if (holds(Rule::dialback_is_addressed)) fail("improper-addressing");
    return;
  }
  touch();
  const auto &asker = pair->sender, &us = pair->target;
  const auto words = [&](std::string_view type) { return "db:verify " + std::string(type) + " " + us + " > " + asker; };
  if (breaks(Rule::verify_target_is_served, !serves(us))) {
    constexpr std::string_view condition = "item-not-found";
    return put(words("error") + " " + std::string(condition),
               dialback_element("verify", us, asker, id, "error", dialback_error(condition)));
  }
  const auto expected = config_.dialback_key(config_.dialback_secret, asker, us, id);
  const std::string_view type = breaks(Rule::key_is_checked, !same_key(expected, verify.text())) ? "invalid" : "valid";
  put(words(type), dialback_element("verify", us, asker, id, type, {}));
  push(KeyAnswered{*pair});
}

}  // namespace cutover::xmpp
