// The initiating side of a negotiation: what it makes of features, of <proceed/> and of the outcome of SASL. RFC 6120
// sections 4.3, 5.4 and 6.4, XEP-0178 section 3.
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/sasl_external.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>

namespace cutover::xmpp {

namespace {

bool lists_external(const xml::Element* mechanisms) {
  if (mechanisms == nullptr) return false;
  return std::ranges::any_of(mechanisms->children(), [](const auto* one) {
    return one->is("mechanism", ns::sasl) && one->text() == "EXTERNAL";
  });
}

}  // namespace

void Stream::on_features(const xml::Element& features) {
  if (breaks(Rule::features_are_expected, !features.is("features", ns::streams)))
    return fail("unsupported-stanza-type", "features were expected");
  if (trusted()) return negotiated(AuthenticationMethod::sasl_external);
  const bool wanted = policy_.tls != Negotiation::not_supported && config_.identity;
  const auto* starttls = features.child("starttls", ns::tls);
  if (!secured() && starttls && wanted) {
    state_ = StreamState::proceed;
    return put("starttls", std::string("<starttls xmlns='") + ns::tls + "'/>");
  }
  if (breaks(Rule::tls_where_required, !secured() && policy_.tls == Negotiation::required))
    return fail("policy-violation", "TLS is required, and the peer does not offer it");
  const bool peer_requires_tls = starttls && starttls->child("required", ns::tls);
  if (breaks(Rule::peer_may_require_tls, !secured() && peer_requires_tls))
    return fail("policy-violation", "the peer requires TLS");
  const bool dialback_feature = features.child("dialback", ns::dialback_feature) != nullptr;
  choose_method(features.child("mechanisms", ns::sasl), dialback_feature || peer_declares_dialback_);
}

void Stream::choose_method(const xml::Element* mechanisms, bool dialback_offered) {
  // RFC 6120 section 13.7.2, for who asks about a key, too: nobody unproven is to be believed.
  if (lacks_proof(policy_, remote_))
    return fail("not-authorized", "the policy wants a certificate that proves the peer");
  if (config_.purpose == StreamPurpose::verification) return negotiated(AuthenticationMethod::none);
  if (sasl_ == Sasl::done) return negotiated(AuthenticationMethod::sasl_external);
  // RFC 6120 section 13.7.2.1: the certificate must cover the domain of our own to, whatever SRV or the peer's from
  // say.
  const bool peer_proved = secured() && !breaks(Rule::peer_certificate_is_checked, !certificate_authenticates(remote_));
  if (peer_proved && sasl_failures_ == 0 && !breaks(Rule::external_by_policy, !methods_.sasl_over_tls) &&
      !breaks(Rule::external_is_offered, !lists_external(mechanisms))) {
    state_ = StreamState::sasl;
    return put("auth EXTERNAL", std::string("<auth xmlns='") + ns::sasl + "' mechanism='EXTERNAL'>" +
                                    encode_authzid(local_) + "</auth>");
  }
  if (may_dial_back(dialback_offered)) return negotiated(AuthenticationMethod::none);
  if (secured() && !peer_proved) return fail("not-authorized", "the peer's certificate does not authenticate it");
  fail("unsupported-feature", "the peer offers no authentication that the policy allows");
}

bool Stream::may_dial_back(bool announced) const {
  const bool permitted = methods_.dialback(secured()) || (!secured() && !holds(Rule::tls_where_required));
  return !breaks(Rule::key_is_sent_by_policy, !permitted) && !breaks(Rule::dialback_is_announced, !announced);
}

void Stream::on_proceed(const xml::Element& element) {
  if (element.is("failure", ns::tls)) {
    push(StreamFailed{"tls-failure", "the peer refused STARTTLS", false});
    failed_ = true;
    return begin_closing({}, {});
  }
  if (breaks(Rule::proceed_is_expected, !element.is("proceed", ns::tls)))
    return fail("unsupported-stanza-type", "<proceed/> was expected");
  // A TLS server never speaks first: octets behind <proceed/> were smuggled in (class of CVE-2011-0411).
  if (breaks(Rule::nothing_behind_proceed, !rest().empty())) {
    push(StreamFailed{"policy-violation", "octets in clear after <proceed/>", true});
    return finish(false);
  }
  start_tls();
}

void Stream::on_sasl_answer(const xml::Element& element) {
  if (element.is("challenge", ns::sasl)) {
    return put("response", std::string("<response xmlns='") + ns::sasl + "'>" + encode_authzid(local_) + "</response>");
  }
  if (element.is("success", ns::sasl)) {
    sasl_ = Sasl::done;
    restart();
    return put_header();
  }
  if (breaks(Rule::sasl_outcome_is_expected, !element.is("failure", ns::sasl)))
    return fail("unsupported-stanza-type", "the outcome of SASL was expected");
  ++sasl_failures_;
  // XEP-0178 section 3: what remains is dialback, on this stream while the peer leaves it open.
  if (may_dial_back(peer_declares_dialback_)) return negotiated(AuthenticationMethod::none);
  fail("not-authorized", "the peer refused EXTERNAL");
}

void Stream::negotiated(AuthenticationMethod method) {
  state_ = StreamState::open;
  method_ = method;
  push(Negotiated{method});
  if (trusted()) return became_established();
  if (method != AuthenticationMethod::sasl_external) return;
  authorised_.insert({local_, remote_});
  became_established();
  push(PairAuthorised{{local_, remote_}, method});
}

}  // namespace cutover::xmpp
