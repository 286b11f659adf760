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

/// RFC 8048 section 5.2.2: these cancel the consent; RFC 6665 section 4.1.3 for the reasons.
bool cancels_consent(int status) { return status == 403 || status == 489 || status == 603; }
bool cancels_consent(std::string_view reason) { return reason == "rejected" || reason == "noresource"; }

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
  if (watch != nullptr && watch->state != State::cancelling) {
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
  if (core_.quirk("gateway.unsubscribe-ends-both")) consents.sip_sees_xmpp = Consent::none;  // RFC 8048 section 5.2.3
  known_.erase(pair);
  retries_.erase(pair);
  Subscription* watch = current(pair);
  if (watch == nullptr) {
    if (had_consent) core_.send_presence(sip.bare(), xmpp.bare(), "unsubscribed");
    return;
  }
  if (core_.quirk("gateway.unsubscribe-lost")) return;
  watch->state = State::cancelling;
  watch->refresh_at.reset();
  watch->first_notify_due = core_.now + core_.settings.first_notify;  // the last NOTIFY is the notifier's to send
  if (core_.quirk("gateway.unsubscribe-new-dialog")) {
    watch->dialog.remote_tag.clear();
    watch->dialog.call_id += "x";
  }
  subscribe(*watch, Duration::zero());
}

void Watching::on_probe(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  const Subscription* watch = current(pair);
  if (core_.quirk("gateway.probe-unanswered")) return;
  if (watch == nullptr || watch->state != State::active) {
    if (watch == nullptr || watch->state == State::cancelling) {
      start(Kind::poll, xmpp, sip.without_resource(), Duration::zero());  // RFC 8048 section 7.1
    }
    return;
  }
  const auto& resources = known_[pair].resources;
  const bool somebody = std::any_of(resources.begin(), resources.end(), [](auto& r) { return r.second.available; });
  if (!somebody) core_.send_presence(sip.bare(), xmpp.full(), "unavailable");  // rather than no answer
  for (const auto& [resource, presence] : resources) {
    if (presence.available) send_presence(presence, sip.without_resource(), xmpp);
  }
}

void Watching::on_available(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  const auto consent = core_.consents.find(pair);
  if (consent == core_.consents.end() || consent->second.xmpp_sees_sip != Consent::granted) return;
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
  // lync-facts 4.2: the product picks the format by Accept; only PIDF is wanted.
  request.add_header(
      "Accept", core_.quirk("gateway.offers-vendor-presence") ? "application/msrtc-event-categories+xml" : pidf_media);
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
  const Time until = core_.now + granted;
  if (!subscription.expires_at || subscription.state == State::active || until < *subscription.expires_at) {
    subscription.expires_at = until;
    subscription.refresh_at = core_.now + granted * 17 / 20;  // well ahead: 85 % (RFC 8048 section 5.2.2)
  }
  // RFC 8048 section 5.2.1: a 2xx authorises nothing.
  if (core_.quirk("gateway.subscribed-on-2xx") && subscription.state == State::trying) {
    core_.send_presence(subscription.sip.bare(), subscription.xmpp.bare(), "subscribed");
  }
}

void Watching::on_failed(const std::string& call_id, bool refresh, const Outcome& outcome) {
  Subscription& subscription = subscriptions_.at(call_id);
  const Pair pair = subscription.pair;
  const Address xmpp = subscription.xmpp, sip = subscription.sip;
  const bool poll = subscription.kind == Kind::poll;
  const bool any_cancels = core_.quirk("gateway.any-failure-unsubscribes");
  const bool cancels = cancels_consent(outcome.status) && !core_.quirk("gateway.refusal-not-unsubscribed");
  if (cancels || any_cancels) {
    revoke(pair, xmpp, sip);
    if (core_.quirk("gateway.retries-after-refusal")) retry(xmpp, sip, core_.settings.retry);
    return;
  }
  if (outcome.status == 423 && !poll && !core_.quirk("gateway.ignores-423")) {
    const auto min = outcome.response == nullptr ? std::nullopt : seconds_of(outcome.response->header("Min-Expires"));
    subscribe(subscription, std::max(min.value_or(3600s), subscription.asked));  // RFC 6665 section 4.1.2.1
    if (subscription.dialog.local_cseq > 4) remove(call_id);                     // a notifier that is never content
    return;
  }
  if (refresh && outcome.status == 481 && !core_.quirk("gateway.481-ends-watch")) {
    remove(call_id);
    start(Kind::watch, xmpp, sip, core_.settings.subscription_refresh);  // RFC 8048 section 5.2.2: a new dialog
    return;
  }
  if (refresh && !ends_subscription(outcome.status)) {
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
}

void Watching::retry(const Address& xmpp, const Address& sip, Duration after) {
  if (core_.quirk("gateway.never-resubscribes")) return;
  retries_[{key(xmpp), key(sip)}] = {xmpp, sip, core_.now + after};
}

Duration Watching::spacing(const Pair& pair) {
  // RFC 6665 section 4.1.3 says at once; a notifier that always says so must not make a busy loop.
  const int count = restarts_[pair]++;
  return count == 0 ? Duration::zero() : std::min<Duration>(5s * (1 << std::min(count, 8)), 900s);
}

// NOTIFY.

std::optional<Status> Watching::check(const Subscription* subscription, const sip::Message& request) const {
  if (subscription == nullptr) {
    if (core_.quirk("gateway.accepts-unknown-notify")) return Status{200, "OK", {}};
    return Status{481, "Subscription Does Not Exist", {}};  // RFC 6665 section 4.1.3
  }
  if (event_package(request) != "presence") return Status{489, reason_phrase(489), {{"Allow-Events", "presence"}}};
  if (request.cseq_number() <= subscription->dialog.remote_cseq && subscription->dialog.remote_cseq != 0 &&
      !core_.quirk("gateway.applies-old-notify")) {
    return Status{500, "CSeq Out Of Order", {}};  // RFC 3261 section 12.2.2
  }
  if (!subscription_state(request)) return Status{400, "Missing Subscription-State", {}};
  if (request.body.empty() || core_.quirk("gateway.swallows-bad-pidf")) return std::nullopt;
  if (media_type(request.header_or_empty("Content-Type")) != pidf_media) {
    return Status{415, reason_phrase(415), {{"Accept", pidf_media}}};
  }
  const auto document = read_pidf(request.body);
  if (const auto* fault = std::get_if<NotPidf>(&document))
    return Status{400, "Bad PIDF " + header_text(fault->what), {}};
  return std::nullopt;
}

void Watching::on_notify(sip::TransactionId id, const sip::Message& request) {
  const auto found = subscriptions_.find(request.call_id());
  Subscription* subscription = found == subscriptions_.end() ? nullptr : &found->second;
  if (subscription != nullptr && subscription->dialog.local_tag != to_tag(request)) subscription = nullptr;
  // RFC 6665 section 4.4.1: another From tag is a fork; presence keeps one dialog, the extra one is ended by 481.
  if (subscription != nullptr && !subscription->dialog.remote_tag.empty() &&
      subscription->dialog.remote_tag != from_tag(request)) {
    subscription = nullptr;
  }
  if (const auto refusal = check(subscription, request)) {
    core_.respond(id, request, *refusal);
    return;
  }
  const auto state = *subscription_state(request);
  establish_from_request(subscription->dialog, request);  // it may come before the 2xx
  subscription->dialog.remote_cseq = request.cseq_number();
  subscription->answered = true;
  if (subscription->state != State::cancelling) subscription->first_notify_due.reset();
  if (!core_.quirk("gateway.notify-unanswered")) core_.respond(id, request, 200);
  if (state.state == "terminated") {
    on_terminated(subscription->dialog.call_id, state.reason, state.retry_after, request);
    return;
  }
  if (subscription->state == State::cancelling || subscription->kind == Kind::poll) return;
  if (state.expires) {
    const Time until = core_.now + *state.expires;  // the shorter one wins (RFC 8048 section 5.2.1)
    if (!subscription->expires_at || until < *subscription->expires_at) {
      subscription->expires_at = until;
      subscription->refresh_at = core_.now + *state.expires * 17 / 20;
    }
  }
  if (state.state == "active") {
    on_active(*subscription, request);
  } else if (core_.quirk("gateway.pending-shows-presence")) {
    show(*subscription, request);  // RFC 8048 section 5.2.1: pending says nothing
  }
}

void Watching::on_active(Subscription& subscription, const sip::Message& request) {
  Consent& consent = core_.consents[subscription.pair].xmpp_sees_sip;
  const bool news = consent != Consent::granted || core_.quirk("gateway.repeats-subscribed");
  consent = Consent::granted;
  subscription.state = State::active;
  restarts_.erase(subscription.pair);
  if (news && !core_.quirk("gateway.subscribed-lost") && !core_.quirk("gateway.subscribed-on-2xx")) {
    core_.send_presence(subscription.sip.bare(), subscription.xmpp.bare(), "subscribed");
  }
  if (!core_.quirk("gateway.drops-pidf")) show(subscription, request);
}

void Watching::on_terminated(const std::string& call_id, const std::string& reason, std::optional<Duration> retry_after,
                             const sip::Message& request) {
  Subscription subscription = subscriptions_.at(call_id);
  if (subscription.state == State::cancelling) {
    confirm_end(subscriptions_.at(call_id));  // it may overtake the 2xx
    remove(call_id);                          // RFC 8048 section 5.2.3: what it holds is not for the user any more
    return;
  }
  const bool cancels = cancels_consent(reason) && !core_.quirk("gateway.refusal-not-unsubscribed");
  const bool any = core_.quirk("gateway.terminated-unsubscribes");  // RFC 8048 section 7.1: a poll's end is no refusal
  if (cancels || any) {
    revoke(subscription.pair, subscription.xmpp, subscription.sip);
    if (core_.quirk("gateway.retries-after-refusal")) retry(subscription.xmpp, subscription.sip, core_.settings.retry);
    return;
  }
  if (subscription.kind == Kind::poll) {
    remove(call_id);
    const auto document = read_pidf(request.body);
    const auto* tuples = std::get_if<std::vector<Presence>>(&document);
    const bool somebody =
        tuples != nullptr && std::any_of(tuples->begin(), tuples->end(), [](auto& t) { return t.available; });
    if (somebody) show(subscription, request);
    if (!somebody) core_.send_presence(subscription.sip.bare(), subscription.xmpp.full(), "unavailable");
    return;
  }
  if (!request.body.empty()) show(subscriptions_.at(call_id), request);
  remove(call_id);
  // RFC 6665 section 4.1.3, reason by reason.
  if (reason == "invariant") return;
  if (reason == "deactivated" || reason == "timeout") {
    restart_later(subscription, spacing(subscription.pair));
  } else {
    restart_later(subscription, retry_after.value_or(core_.settings.retry));  // probation, giveup, none, unknown
  }
}

void Watching::restart_later(const Subscription& subscription, Duration after) {
  if (core_.quirk("gateway.never-resubscribes")) return;
  if (after == Duration::zero()) {
    start(Kind::watch, subscription.xmpp, subscription.sip, core_.settings.subscription_refresh);
  } else {
    retry(subscription.xmpp, subscription.sip, after);
  }
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
    if (next.contains(resource) || !presence.available || core_.quirk("gateway.vanished-stays")) continue;
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
  const bool note_allowed = core_.partner(to) == PartnerType::federated || core_.quirk("gateway.leaks-note");
  if (!note_allowed || core_.quirk("gateway.loses-status")) presence.status.clear();
  if (core_.quirk("gateway.loses-show")) presence.show.clear();
  if (core_.quirk("gateway.wrong-show") && presence.available) presence.show = presence.show == "xa" ? "chat" : "xa";
  if (core_.quirk("gateway.loses-priority")) presence.priority.reset();
  if (core_.quirk("gateway.loses-presence-language")) presence.language.clear();
  if (core_.quirk("gateway.unavailable-lost") && !presence.available) return;
  if (core_.quirk("gateway.closed-as-available")) presence.available = true;
  Address source = from;
  source.resource = core_.quirk("gateway.unstable-resource") ? core_.token(6) : presence.resource;
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
      if (core_.quirk("gateway.never-refreshes")) continue;  // RFC 8048 section 5.2.2: the gateway's task
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
