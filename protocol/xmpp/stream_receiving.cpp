// The receiving side of a negotiation: what it offers, and its answers to <starttls/> and SASL. RFC 6120 sections 5.4
// and 6.4, XEP-0178 section 3.
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/sasl_external.h"
#include "protocol/xmpp/stream.h"

namespace cutover::xmpp {

std::string Stream::feature_list() const {
  std::string out = "<stream:features>";
  const bool tls_usable = can_serve_tls() && policy_.tls != Negotiation::not_supported;
  const bool starttls = !trusted() && tls_usable && !secured();
  const bool tls_required = starttls && policy_.tls == Negotiation::required;
  if (starttls) {
    out += std::string("<starttls xmlns='") + ns::tls + "'>" + (tls_required ? "<required/>" : "") + "</starttls>";
  }
  if (offers_external()) {
    out += std::string("<mechanisms xmlns='") + ns::sasl + "'><mechanism>EXTERNAL</mechanism></mechanisms>";
  }
  // RFC 6120 section 5.3.1: where TLS is mandatory, it is alone in the first features.
  if (!trusted() && !tls_required && methods_.dialback(secured()) && !lacks_proof(policy_, remote_)) {
    out += std::string("<dialback xmlns='") + ns::dialback_feature + "'><errors/></dialback>";
  }
  return out + "</stream:features>";
}

bool Stream::offers_external() const {
  if (trusted() || !secured() || remote_.empty() || sasl_ == Sasl::done) return false;
  if (breaks(Rule::external_by_policy, !methods_.sasl_over_tls)) return false;
  // XEP-0178 section 3 step 7: offered only to a peer whose certificate authenticates the header's from.
  return !breaks(Rule::external_is_proved_before_offer, !certificate_authenticates(remote_));
}

void Stream::on_starttls(const xml::Element& element) {
  const bool possible = element.name() == "starttls" && !secured() && !trusted() && can_serve_tls();
  const bool offered = policy_.tls != Negotiation::not_supported && sasl_ == Sasl::none && authorised_.empty();
  std::string wrong;
  if (!possible || breaks(Rule::starttls_only_where_offered, !offered)) wrong = "STARTTLS was not offered";
  // Octets in the same segment behind <starttls/> cannot be TLS: the peer has not seen <proceed/> yet.
  if (breaks(Rule::nothing_behind_starttls, !rest().empty())) wrong = "octets in clear after <starttls/>";
  if (wrong.empty()) {
    put("proceed", std::string("<proceed xmlns='") + ns::tls + "'/>");
    return start_tls();
  }
  put("failure", std::string("<failure xmlns='") + ns::tls + "'/>");
  push(StreamFailed{"tls-failure", std::move(wrong), true});
  failed_ = true;
  begin_closing({}, {});
  finish(false);
}

void Stream::on_auth(const xml::Element& element) {
  if (breaks(Rule::authentication_is_once, sasl_ == Sasl::done))
    return fail("unsupported-stanza-type", "already authenticated");
  if (element.name() == "abort") return sasl_failure("aborted");
  if (element.name() == "response" && sasl_ == Sasl::challenged) return judge_authzid(element.text());
  if (breaks(Rule::sasl_begins_with_auth, element.name() != "auth")) return sasl_failure("malformed-request");
  sasl_ = Sasl::none;  // RFC 6120 section 6.4.2: a second <auth/> starts over
  if (breaks(Rule::mechanism_was_offered, element.attribute_or_empty("mechanism") != "EXTERNAL"))
    return sasl_failure("invalid-mechanism");
  if (breaks(Rule::sasl_is_inside_tls, !secured())) return sasl_failure("encryption-required");
  if (element.text().empty() && element.content().empty()) {
    sasl_ = Sasl::challenged;
    return put("challenge", std::string("<challenge xmlns='") + ns::sasl + "'/>");
  }
  judge_authzid(element.text());
}

void Stream::judge_authzid(std::string_view text) {
  sasl_ = Sasl::none;
  const auto data = decode_authzid(text);
  if (breaks(Rule::sasl_data_is_base64, !data)) return sasl_failure("incorrect-encoding");
  if (breaks(Rule::external_by_policy, !methods_.sasl_over_tls)) return sasl_failure("not-authorized");
  if (breaks(Rule::external_on_proof, remote_.empty() || !certificate_authenticates(remote_)))
    return sasl_failure("not-authorized");
  const bool turned_away = config_.strangers_meet == StreamConfig::StrangersMeet::refusal_of_proof;
  if (breaks(Rule::partner_is_allowed, !policy_.allowed && turned_away)) return sasl_failure("not-authorized");
  const auto authzid = data.value_or("");
  if (breaks(Rule::authzid_is_the_stream_from, !may_act_as(authzid, remote_))) return sasl_failure("invalid-authzid");
  // RFC 6120 section 4.3.6: the peer is who it asked to be; without a word of it, who the header says (XEP-0178).
  if (!authzid.empty()) first_from_ = remote_ = prepare_domain(authzid).value_or(remote_);
  sasl_ = Sasl::done;
  method_ = AuthenticationMethod::sasl_external;
  put("success", std::string("<success xmlns='") + ns::sasl + "'/>");
  push(PairAuthorised{{remote_, local_}, method_});
  became_established();
  restart();
}

void Stream::sasl_failure(std::string_view condition) {
  sasl_ = Sasl::none;
  put("failure " + std::string(condition),
      std::string("<failure xmlns='") + ns::sasl + "'><" + std::string(condition) + "/></failure>");
  if (++sasl_failures_ >= config_.sasl_tries_max) return fail("policy-violation", "too many SASL failures");
  // XEP-0178 section 3 step 10: without dialback nothing is left for a peer whose certificate is not good.
  const bool hopeless = condition == "not-authorized" && !methods_.dialback(secured());
  if (hopeless && holds(Rule::hopeless_peer_is_let_go)) begin_closing({}, {});
}

}  // namespace cutover::xmpp
