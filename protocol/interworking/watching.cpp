// Subscriptions towards SIP: only a refusal by name crosses as unsubscribed, everything else is a hiccup.
#include "protocol/interworking/watching.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

namespace cutover::interworking {

namespace {

/// Refusals by name: RFC 8048 section 5.2.2, and RFC 6665 section 4.1.3 for the reasons.
bool is_refusal(int status) { return status == 403 || status == 489 || status == 603; }
bool is_refusal(std::string_view reason) { return reason == "rejected" || reason == "noresource"; }

/// RFC 6665 section 4.1.2.2 (by RFC 5057): these end the subscription, others leave it until it expires.
bool ends_subscription(int status) {
  static constexpr int rows[] = {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 501, 604};
  return std::find(std::begin(rows), std::end(rows), status) != std::end(rows);
}

struct SubscriptionState {
  std::string state, reason;
  std::optional<Duration> expires, retry_after;
};
std::optional<SubscriptionState> subscription_state(const sip::Message& request) {
  const auto value = request.header("Subscription-State");
  if (!value) return std::nullopt;
  const auto seconds = [&](std::string_view name) {
    const std::string text = header_parameter(*value, name);
    return text.empty() ? std::nullopt : seconds_of(text);
  };
  return SubscriptionState{lowered(trimmed(value->substr(0, value->find(';')))),
                           lowered(header_parameter(*value, "reason")), seconds("expires"), seconds("retry-after")};
}

/// "presence" of "presence;id=1".
std::string event_package(const sip::Message& request) { return media_type(request.header_or_empty("Event")); }

}  // namespace

Watching::Subscription* Watching::current(const Pair& pair) {
  const auto name = current_.find(pair);
  if (name == current_.end()) return nullptr;
  const auto found = subscriptions_.find(name->second);
  return found == subscriptions_.end() ? nullptr : &found->second;
}

// From XMPP.

void Watching::on_subscribe(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  Consents& consents = core_.consents[pair];
  const Subscription* watch = current(pair);
  if (watch != nullptr && core_.breaks(Rule::one_watch_for_a_pair, watch->state != State::cancelling)) {
    // RFC 8048 section 5.2.1: one dialog for a pair; an active one is answered, a pending one stays.
    if (watch->state != State::active) return;
    core_.send_presence(sip.bare(), xmpp.bare(), "subscribed");
    for (const auto& [resource, presence] : known_[pair].resources) {
      send_presence(presence, sip.without_resource(), xmpp.without_resource());
    }
    return;
  }
  if (consents.xmpp_sees_sip == Consent::none) consents.xmpp_sees_sip = Consent::pending;
  restarts_.erase(pair);
  start(Kind::watch, xmpp.without_resource(), sip.without_resource(), core_.settings.subscription_refresh);
}

void Watching::on_unsubscribe(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  Consents& consents = core_.consents[pair];
  const bool had_consent = consents.xmpp_sees_sip != Consent::none;
  consents.xmpp_sees_sip = Consent::none;
  known_.erase(pair);
  retries_.erase(pair);
  Subscription* watch = current(pair);
  if (watch == nullptr) {
    const bool nothing = core_.breaks(Rule::consent_is_there_to_end, !had_consent);
    if (!nothing) core_.send_presence(sip.bare(), xmpp.bare(), "unsubscribed");
    return;
  }
  watch->state = State::cancelling;
  watch->refresh_at.reset();
  watch->first_notify_due = core_.now + core_.settings.first_notify;  // the last NOTIFY is the notifier's to send
  subscribe(*watch, Duration::zero());
}

void Watching::on_probe(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  const Subscription* watch = current(pair);
  if (watch == nullptr || watch->state != State::active) {
    if (watch == nullptr || watch->state == State::cancelling) {
      start(Kind::poll, xmpp, sip.without_resource(), Duration::zero());  // RFC 8048 section 7.1
    }
    return;
  }
  const auto& resources = known_[pair].resources;
  const bool somebody = std::any_of(resources.begin(), resources.end(), [](auto& r) { return r.second.available; });
  if (!somebody) answer_probe_of_nobody(sip, xmpp);
  for (const auto& [resource, presence] : resources) {
    if (presence.available) send_presence(presence, sip.without_resource(), xmpp);
  }
}

void Watching::answer_probe_of_nobody(const Address& sip, const Address& xmpp) {
  if (core_.holds(Rule::probe_is_answered)) core_.send_presence(sip.bare(), xmpp.full(), "unavailable");
}

void Watching::on_available(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  const auto consent = core_.consents.find(pair);
  const bool granted = consent != core_.consents.end() && consent->second.xmpp_sees_sip == Consent::granted;
  if (core_.breaks(Rule::consent_comes_first, !granted)) return;
  if (current(pair) != nullptr || retries_.contains(pair)) return;
  start(Kind::watch, xmpp.without_resource(), sip.without_resource(), core_.settings.subscription_refresh);
}

// Towards SIP.

void Watching::start(Kind kind, const Address& xmpp, const Address& sip, Duration expires) {
  Subscription subscription;
  subscription.kind = kind;
  subscription.pair = {key(xmpp), key(sip)};
  subscription.xmpp = xmpp;
  subscription.sip = sip;
  Dialog& dialog = subscription.dialog;
  dialog.call_id = core_.token();
  dialog.local_tag = core_.token(8);
  dialog.local = "<" + core_.uri_of(xmpp.without_resource()) + ">";
  dialog.remote = "<" + core_.uri_of(sip) + ">";
  dialog.remote_target = core_.uri_of(sip);
  subscription.first_notify_due = core_.now + core_.settings.first_notify;
  const std::string call_id = dialog.call_id;
  if (kind == Kind::watch) current_[subscription.pair] = call_id;
  retries_.erase(subscription.pair);
  subscribe(subscriptions_.emplace(call_id, std::move(subscription)).first->second, expires);
}

void Watching::subscribe(Subscription& subscription, Duration expires) {
  subscription.asked = expires;
  const bool refresh = !subscription.dialog.remote_tag.empty();
  const bool cancel = subscription.state == State::cancelling;
  sip::Message request = request_in(subscription.dialog, "SUBSCRIBE");
  request.add_header("Contact", subscription.dialog.local);
  request.add_header("Event", "presence");
  request.add_header("Accept", pidf_media);  // lync-facts 4.2: the product picks the format by it
  request.add_header("Expires", seconds_text(expires));
  const std::string call_id = subscription.dialog.call_id;
  core_.request(std::move(request), [this, call_id, refresh, cancel](const Outcome& outcome) {
    on_outcome(call_id, refresh, cancel, outcome);
  });
}

void Watching::on_outcome(const std::string& call_id, bool refresh, bool cancel, const Outcome& outcome) {
  const auto found = subscriptions_.find(call_id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  if (cancel) {
    confirm_end(subscription);  // the final NOTIFY is still to come
    if (!outcome.success()) remove(call_id);
    return;
  }
  if (subscription.state == State::cancelling) return;  // the user changed their mind meanwhile
  if (outcome.success()) {
    on_granted(subscription, *outcome.response);
  } else {
    on_failed(call_id, refresh, outcome);
  }
}

void Watching::confirm_end(Subscription& subscription) {
  if (std::exchange(subscription.end_confirmed, true)) return;
  core_.send_presence(subscription.sip.bare(), subscription.xmpp.bare(), "unsubscribed");
}

void Watching::on_granted(Subscription& subscription, const sip::Message& response) {
  subscription.answered = true;
  establish_from_response(subscription.dialog, response);
  if (subscription.kind == Kind::poll) return;
  const Duration granted =
      std::min(seconds_of(response.header("Expires")).value_or(subscription.asked), subscription.asked);
  if (subscription.state == State::active) subscription.expires_at.reset();
  expire_in(subscription, granted);
  // RFC 8048 section 5.2.1: a 2xx authorises nothing.
  if (!core_.holds(Rule::answer_approves_nothing)) approve(subscription);
}

void Watching::expire_in(Subscription& subscription, Duration granted) {
  const Time until = core_.now + granted;
  const bool longer = subscription.expires_at && until >= *subscription.expires_at;
  if (core_.breaks(Rule::shorter_expiry_counts, longer)) return;
  subscription.expires_at = until;
  subscription.refresh_at = core_.now + granted * core_.settings.refresh_percent / 100;
}

bool Watching::cancels_consent(bool refusal, Rule otherwise) const {
  return refusal ? core_.holds(Rule::refusal_cancels_consent) : !core_.holds(otherwise);
}

void Watching::on_failed(const std::string& call_id, bool refresh, const Outcome& outcome) {
  Subscription& subscription = subscriptions_.at(call_id);
  const Pair pair = subscription.pair;
  const Address xmpp = subscription.xmpp, sip = subscription.sip;
  const bool poll = subscription.kind == Kind::poll;
  if (cancels_consent(is_refusal(outcome.status), Rule::failure_keeps_consent)) {
    revoke(pair, xmpp, sip);
    return;
  }
  if (outcome.status == 423 && !poll && core_.holds(Rule::too_brief_is_asked_again)) {
    const auto min = outcome.response == nullptr ? std::nullopt : seconds_of(outcome.response->header("Min-Expires"));
    subscribe(subscription, std::max(min.value_or(3600s), subscription.asked));  // RFC 6665 section 4.1.2.1
    if (subscription.dialog.local_cseq > 4) remove(call_id);                     // a notifier that is never content
    return;
  }
  if (refresh && outcome.status == 481 && core_.holds(Rule::dead_watch_is_replaced)) {
    remove(call_id);
    start(Kind::watch, xmpp, sip, core_.settings.subscription_refresh);  // RFC 8048 section 5.2.2: a new dialog
    return;
  }
  if (refresh && core_.breaks(Rule::failed_refresh_ends_nothing, !ends_subscription(outcome.status))) {
    // RFC 6665 section 4.1.2.2: valid until it expires; tried again, spaced.
    subscription.refresh_at = core_.now + core_.settings.retry;
    return;
  }
  if (refresh) {
    show_gone(subscription);  // the consent stays (RFC 8048 names only 403, 489, 603)
    remove(call_id);
    return;
  }
  // A first SUBSCRIBE that came to nothing: the mapped error, to whoever asked.
  xml::Element asked = xmpp::make_presence(xmpp.full(), sip.bare(), poll ? "probe" : "subscribe");
  asked.set_attribute("id", core_.stanza_id());
  core_.refuse(asked, outcome.status, outcome.response);
  remove(call_id);
  if (auto& consent = core_.consents[pair].xmpp_sees_sip; !poll && consent == Consent::pending) consent = Consent::none;
}

void Watching::remove(const std::string& call_id) {
  const auto found = subscriptions_.find(call_id);
  if (found == subscriptions_.end()) return;
  const auto name = current_.find(found->second.pair);
  if (name != current_.end() && name->second == call_id) current_.erase(name);
  subscriptions_.erase(found);
}

void Watching::revoke(const Pair& pair, const Address& xmpp, const Address& sip) {
  if (const Subscription* watch = current(pair)) remove(std::string(watch->dialog.call_id));
  std::vector<std::string> polls;
  for (const auto& [call_id, subscription] : subscriptions_) {
    if (subscription.pair == pair && subscription.state != State::cancelling) polls.push_back(call_id);
  }
  for (const auto& call_id : polls) remove(call_id);
  core_.consents[pair].xmpp_sees_sip = Consent::none;
  known_.erase(pair);
  retries_.erase(pair);
  core_.send_presence(sip.bare(), xmpp.bare(), "unsubscribed");
  if (!core_.holds(Rule::refusal_is_final)) retry(xmpp, sip, core_.settings.retry);  // RFC 6665 section 4.1.3
}

void Watching::retry(const Address& xmpp, const Address& sip, Duration after) {
  if (!core_.holds(Rule::ended_watch_is_renewed)) return;
  if (after == Duration::zero()) return start(Kind::watch, xmpp, sip, core_.settings.subscription_refresh);
  retries_[{key(xmpp), key(sip)}] = {xmpp, sip, core_.now + after};
}

Duration Watching::spacing(const Pair& pair) {
  // RFC 6665 section 4.1.3 says at once; a notifier that always says so must not make a busy loop.
  const int count = restarts_[pair]++;
  return count == 0 ? Duration::zero() : std::min<Duration>(5s * (1 << std::min(count, 8)), 900s);
}

// NOTIFY.

std::optional<Status> Watching::check(const Subscription* subscription, const sip::Message& request) const {
  // RFC 6665 section 4.1.3.
  if (core_.breaks(Rule::notify_has_subscription, subscription == nullptr)) {
    return Status{481, "Subscription Does Not Exist", {}};
  }
  if (core_.breaks(Rule::notify_is_presence, event_package(request) != "presence")) {
    return Status{489, reason_phrase(489), {{"Allow-Events", "presence"}}};
  }
  const std::uint32_t last = subscription == nullptr ? 0 : subscription->dialog.remote_cseq;
  if (core_.breaks(Rule::notify_is_newer, last != 0 && request.cseq_number() <= last)) {
    return Status{500, "CSeq Out Of Order", {}};  // RFC 3261 section 12.2.2
  }
  if (core_.breaks(Rule::notify_has_state, !subscription_state(request))) {
    return Status{400, "Missing Subscription-State", {}};
  }
  if (request.body.empty()) return std::nullopt;
  if (core_.breaks(Rule::document_is_pidf, media_type(request.header_or_empty("Content-Type")) != pidf_media)) {
    return Status{415, reason_phrase(415), {{"Accept", pidf_media}}};
  }
  const auto document = read_pidf(request.body);
  if (const auto* fault = std::get_if<NotPidf>(&document); fault != nullptr && core_.holds(Rule::document_is_pidf)) {
    return Status{400, "Bad PIDF " + header_text(fault->what), {}};
  }
  return std::nullopt;
}

void Watching::on_notify(sip::TransactionId id, const sip::Message& request) {
  const auto found = subscriptions_.find(request.call_id());
  Subscription* subscription = found == subscriptions_.end() ? nullptr : &found->second;
  if (subscription != nullptr && subscription->dialog.local_tag != to_tag(request)) subscription = nullptr;
  // RFC 6665 section 4.4.1: another From tag is a fork; presence keeps one dialog, the extra one is ended by 481.
  const bool fork = subscription != nullptr && !subscription->dialog.remote_tag.empty() &&
                    subscription->dialog.remote_tag != from_tag(request);
  if (core_.breaks(Rule::fork_is_ended, fork)) subscription = nullptr;
  if (const auto refusal = check(subscription, request)) {
    core_.respond(id, request, *refusal);
    return;
  }
  core_.respond(id, request, 200);
  if (subscription == nullptr) return;
  const auto state = subscription_state(request).value_or(SubscriptionState{});
  establish_from_request(subscription->dialog, request);  // it may come before the 2xx
  subscription->dialog.remote_cseq = request.cseq_number();
  subscription->answered = true;
  if (subscription->state != State::cancelling) subscription->first_notify_due.reset();
  if (state.state == "terminated") {
    on_terminated(subscription->dialog.call_id, state.reason, state.retry_after, request);
    return;
  }
  if (subscription->state == State::cancelling || subscription->kind == Kind::poll) return;
  if (state.expires) expire_in(*subscription, *state.expires);
  const bool active = state.state == "active";
  if (active) approve(*subscription);
  if (!core_.breaks(Rule::pending_shows_nothing, !active)) show(*subscription, request);  // RFC 8048 section 5.2.1
}

void Watching::approve(Subscription& subscription) {
  Consent& consent = core_.consents[subscription.pair].xmpp_sees_sip;
  const bool known = core_.breaks(Rule::approval_is_told_once, consent == Consent::granted);
  consent = Consent::granted;
  subscription.state = State::active;
  restarts_.erase(subscription.pair);
  if (!known) core_.send_presence(subscription.sip.bare(), subscription.xmpp.bare(), "subscribed");
}

void Watching::on_terminated(const std::string& call_id, const std::string& reason, std::optional<Duration> retry_after,
                             const sip::Message& request) {
  Subscription subscription = subscriptions_.at(call_id);
  if (subscription.state == State::cancelling) {
    confirm_end(subscriptions_.at(call_id));  // it may overtake the 2xx
    remove(call_id);                          // RFC 8048 section 5.2.3: what it holds is not for the user any more
    return;
  }
  if (cancels_consent(is_refusal(reason), Rule::end_keeps_consent)) {
    revoke(subscription.pair, subscription.xmpp, subscription.sip);
    return;
  }
  if (subscription.kind == Kind::poll) {
    remove(call_id);
    const auto document = read_pidf(request.body);
    const auto* tuples = std::get_if<std::vector<Presence>>(&document);
    const bool somebody =
        tuples != nullptr && std::any_of(tuples->begin(), tuples->end(), [](auto& t) { return t.available; });
    if (somebody) show(subscription, request);
    if (!somebody) answer_probe_of_nobody(subscription.sip, subscription.xmpp);
    return;
  }
  if (!request.body.empty()) show(subscriptions_.at(call_id), request);
  remove(call_id);
  // RFC 6665 section 4.1.3, reason by reason.
  if (core_.breaks(Rule::invariant_is_final, reason == "invariant")) return;
  const bool at_once = reason == "deactivated" || reason == "timeout";  // else probation, giveup, none, unknown
  retry(subscription.xmpp, subscription.sip,
        at_once ? spacing(subscription.pair) : retry_after.value_or(core_.settings.retry));
}

// To XMPP.

void Watching::show(Subscription& subscription, const sip::Message& request) {
  if (request.body.empty()) return;  // nothing known changes
  const auto document = read_pidf(request.body);
  const auto* tuples = std::get_if<std::vector<Presence>>(&document);
  if (tuples == nullptr) return;
  const std::string language = language_tag(request.header_or_empty("Content-Language"));
  auto& resources = known_[subscription.pair].resources;
  std::map<std::string, Presence> next;
  for (Presence presence : *tuples) {
    if (presence.language.empty()) presence.language = language;
    next[presence.resource] = std::move(presence);
  }
  // RFC 8048 section 6.3: a document is complete; who is not in it any more is gone.
  for (const auto& [resource, presence] : resources) {
    const bool vanished = presence.available && !next.contains(resource);
    if (!vanished || !core_.holds(Rule::vanished_tuple_is_gone)) continue;
    Presence gone;
    gone.resource = resource;
    gone.available = false;
    send_presence(gone, subscription.sip, subscription.xmpp);
  }
  for (const auto& [resource, presence] : next) {
    const auto before = resources.find(resource);
    const bool unchanged = before != resources.end() && before->second == presence;
    if (!unchanged || subscription.kind == Kind::poll) send_presence(presence, subscription.sip, subscription.xmpp);
  }
  if (subscription.kind == Kind::watch) resources = std::move(next);
}

void Watching::show_gone(Subscription& subscription) {
  auto& resources = known_[subscription.pair].resources;
  for (auto& [resource, presence] : resources) {
    if (!presence.available) continue;
    presence.available = false;
    send_presence(presence, subscription.sip, subscription.xmpp);
  }
  resources.clear();
}

void Watching::send_presence(const Presence& given, const Address& from, const Address& to) {
  Presence presence = given;
  // lync-facts 4.1: the note is for enterprise partners only.
  if (core_.breaks(Rule::note_is_for_federated, core_.partner(to) != PartnerType::federated)) presence.status.clear();
  Address source = from;
  source.resource = presence.resource;
  xml::Element stanza = xmpp::make_presence(source.full(), to.full());
  put_presence(stanza, presence);
  core_.send(std::move(stanza));
}

// Time.

std::optional<Time> Watching::deadline() const {
  std::optional<Time> first;
  const auto take = [&](const std::optional<Time>& when) {
    if (when) first = first ? std::min(*first, *when) : *when;
  };
  for (const auto& [call_id, subscription] : subscriptions_) {
    take(subscription.refresh_at);
    take(subscription.expires_at);
    take(subscription.first_notify_due);
  }
  for (const auto& [pair, retry] : retries_) take(retry.at);
  return first;
}

void Watching::timeout() {
  std::vector<std::string> due;
  for (const auto& [call_id, subscription] : subscriptions_) due.push_back(call_id);
  for (const auto& call_id : due) {
    const auto found = subscriptions_.find(call_id);
    if (found == subscriptions_.end()) continue;
    Subscription& subscription = found->second;
    if (subscription.first_notify_due && core_.now >= *subscription.first_notify_due) {
      remove(call_id);  // RFC 6665 section 4.1.2.4: the attempt has failed; a later NOTIFY gets 481
    } else if (subscription.expires_at && core_.now >= *subscription.expires_at) {
      const Address xmpp = subscription.xmpp, sip = subscription.sip;
      show_gone(subscription);
      remove(call_id);
      retry(xmpp, sip, core_.settings.retry);
    } else if (subscription.refresh_at && core_.now >= *subscription.refresh_at) {
      subscription.refresh_at.reset();
      subscribe(subscription, core_.settings.subscription_refresh);
    }
  }
  std::vector<Retry> again;
  for (auto it = retries_.begin(); it != retries_.end();) {
    if (core_.now < it->second.at) {
      ++it;
      continue;
    }
    again.push_back(it->second);
    it = retries_.erase(it);
  }
  for (const auto& retry : again) start(Kind::watch, retry.xmpp, retry.sip, core_.settings.subscription_refresh);
}

}  // namespace cutover::interworking
