// Dialogs of watchers: a dialog is a session, the consent behind it outlives it.
#include "protocol/interworking/notifying.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>
#include <algorithm>

namespace cutover::interworking {

namespace {

constexpr Duration usual_expires = 3600s;  // RFC 3856 section 6.4

std::string watcher_key(const std::string& call_id, const std::string& our_tag) { return call_id + "\n" + our_tag; }

/// RFC 6665 section 4.2.2: statuses after which a NOTIFY's subscription is removed; 481 and a timeout with them.
bool removes_subscription(int status) {
  static constexpr int rows[] = {404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};
  return std::find(std::begin(rows), std::end(rows), status) != std::end(rows);
}

/// RFC 8048 section 5.3.1 with RFC 6665 section 4.1.3: what a stanza error says about a subscription.
std::string reason_of(std::string_view condition) {
  if (condition == "remote-server-not-found" || condition == "item-not-found" || condition == "jid-malformed" ||
      condition == "gone") {
    return "noresource";
  }
  if (condition == "forbidden" || condition == "not-allowed" || condition == "policy-violation" ||
      condition == "not-authorized") {
    return "rejected";
  }
  return condition == "remote-server-timeout" || condition == "resource-constraint" ? "probation;retry-after=60"
                                                                                    : "giveup;retry-after=300";
}

bool accepts_pidf(const sip::Message& request) {
  const auto values = request.all("Accept");
  if (values.empty()) return true;  // RFC 3856 section 6.7: PIDF is the default
  return std::any_of(values.begin(), values.end(), [](const std::string& value) {
    const std::string type = media_type(value);
    return type == pidf_media || type == "*/*" || type == "application/*";
  });
}

}  // namespace

std::optional<Status> Notifying::check(const sip::Message& request) const {
  const std::string package = media_type(request.header_or_empty("Event"));
  if (core_.breaks(Rule::event_is_presence, package != "presence")) {
    return Status{489, reason_phrase(489), {{"Allow-Events", "presence"}}};
  }
  if (core_.breaks(Rule::accept_has_pidf, !accepts_pidf(request))) {
    return Status{406, reason_phrase(406), {}};  // RFC 3856 section 6.5
  }
  const auto expires = seconds_of(request.header("Expires"));
  // RFC 6665 section 4.2.1.1: only where it is above 0 and below an hour.
  const bool brief =
      expires && *expires > Duration::zero() && *expires < core_.settings.subscription_min && *expires < 3600s;
  if (core_.breaks(Rule::expires_is_long_enough, brief)) {
    return Status{423, reason_phrase(423), {{"Min-Expires", seconds_text(core_.settings.subscription_min)}}};
  }
  return std::nullopt;
}

// From SIP.

void Notifying::on_subscribe(sip::TransactionId id, const sip::Message& request, const Address& sip,
                             const Address& xmpp) {
  if (const auto refusal = check(request)) {
    core_.respond(id, request, *refusal);
    return;
  }
  Watcher watcher;
  watcher.pair = {key(xmpp), key(sip)};
  watcher.xmpp = xmpp.without_resource();
  watcher.sip = sip.without_resource();
  watcher.dialog = answering_dialog(request, core_.token(8));
  watcher.event = header_text(request.header_or_empty("Event"));
  Consent& consent = core_.consents[watcher.pair].sip_sees_xmpp;
  if (approved(watcher.pair)) watcher.state = State::active;
  const Duration asked = seconds_of(request.header("Expires")).value_or(usual_expires);
  const std::string name = watcher_key(watcher.dialog.call_id, watcher.dialog.local_tag);
  Watcher& stored = watchers_.emplace(name, std::move(watcher)).first->second;
  accept(id, request, stored, asked);
  if (asked == Duration::zero()) {
    on_fetch(name);
    return;
  }
  const bool waits_alone =
      std::ranges::count_if(watchers_, [&](const auto& entry) { return entry.second.pair == stored.pair; }) == 1;
  const bool unanswered =
      consent == Consent::pending && waits_alone;  // the question, or its answer, may have been lost
  // RFC 8048 section 5.3.1: asked once, however many dialogs wait.
  if (!core_.breaks(Rule::consent_is_asked_once, consent != Consent::none && !unanswered)) {
    consent = consent == Consent::none ? Consent::pending : consent;
    ask(stored, "subscribe");
  }
  stored.dirty = stored.state == State::active && knows(stored.pair);
  if (stored.state == State::active && !stored.dirty) ask(stored, "probe");
  notify(name);
}

bool Notifying::on_in_dialog(sip::TransactionId id, const sip::Message& request) {
  const auto found = watchers_.find(watcher_key(request.call_id(), to_tag(request)));
  if (found == watchers_.end() || found->second.dialog.remote_tag != from_tag(request)) return false;
  const std::string name = found->first;
  Watcher& watcher = found->second;
  if (core_.breaks(Rule::requests_rise, request.cseq_number() <= watcher.dialog.remote_cseq)) {
    core_.respond(id, request, 500);
    return true;
  }
  watcher.dialog.remote_cseq = request.cseq_number();
  if (const auto refusal = check(request)) {
    core_.respond(id, request, *refusal);
    return true;
  }
  const Duration asked = seconds_of(request.header("Expires")).value_or(usual_expires);
  accept(id, request, watcher, asked);
  if (asked > Duration::zero()) {
    // RFC 8048 section 5.3.2: the last known state; nothing invented; a probe at most.
    const bool unknown = core_.breaks(Rule::told_state_is_known, !knows(watcher.pair));
    watcher.dirty = watcher.state == State::active && !unknown;
    watcher.document_after = core_.now;
    if (watcher.state == State::active && !watcher.dirty) ask(watcher, "probe");
    if (!core_.holds(Rule::refresh_asks_no_consent)) ask(watcher, "subscribe");
    notify(name);
    return true;
  }
  const Watcher last = watcher;
  // RFC 8048 section 5.3.3: the session ends, the consent does not; never an unsubscribe.
  end(name, "timeout", closed_pidf(last.xmpp.bare(), core_.uri_of(last.xmpp)));
  if (!core_.breaks(Rule::last_dialog_logs_off, has_dialog(last.pair))) ask(last, "unavailable");
  return true;
}

void Notifying::accept(sip::TransactionId id, const sip::Message& request, Watcher& watcher, Duration expires) {
  const Duration granted = std::min(expires, core_.settings.subscription_max);
  watcher.expires_at = core_.now + granted;
  sip::Message response = sip::response_to(request, 200, "OK", watcher.dialog.local_tag);
  response.add_header("Contact", watcher.dialog.local);
  for (const auto& route : request.all("Record-Route")) response.add_header("Record-Route", route);
  response.add_header("Expires", seconds_text(granted));
  core_.respond(id, std::move(response));
}

void Notifying::on_fetch(const std::string& id) {
  Watcher& watcher = watchers_.at(id);
  if (approved(watcher.pair) && knows(watcher.pair)) {
    end(id, "timeout", document_of(watcher));  // RFC 8048 section 7.2: state at hand needs no probe
    return;
  }
  ask(watcher, "probe");
  watcher.fetch_due = core_.now + std::max<Duration>(core_.settings.message_hold, 1s);
}

void Notifying::ask(const Watcher& watcher, std::string_view type) {
  core_.send_presence(watcher.sip.bare(), watcher.xmpp.bare(), type);
}

// From XMPP.

void Notifying::on_presence(const xml::Element& stanza, const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  bool fetched = false;
  for (const auto& name : watchers_of(pair)) fetched = fetched || watchers_.at(name).fetch_due.has_value();
  Presence presence = presence_of(stanza, xmpp.resource);
  // RFC 8048 section 5.3.1: before approval nothing is told; a home server that answers a probe has approved it. While
  // the question is open, `unavailable` is an acknowledgement; state may overtake the `subscribed`.
  if (!approved(pair) && !fetched && !(asked(pair) && presence.available)) return;
  auto& resources = known_[pair];
  if (presence.available) {
    resources.erase("");
    resources[xmpp.resource] = std::move(presence);
  } else if (xmpp.resource.empty()) {
    resources.clear();
    resources[""] = std::move(presence);
  } else {
    resources.erase(xmpp.resource);
    if (resources.empty()) resources[xmpp.resource] = std::move(presence);  // the last one: a closed tuple
  }
  for (const auto& name : watchers_of(pair)) {
    Watcher& watcher = watchers_.at(name);
    if (!watcher.fetch_due) continue;
    const std::string document = document_of(watcher);
    end(name, "timeout", document);
  }
  if (approved(pair)) {
    mark_changed(pair, false);
  } else if (!asked(pair)) {
    known_.erase(pair);
  }
}

bool Notifying::asked(const Pair& pair) const {
  const auto consent = core_.consents.find(pair);
  return consent != core_.consents.end() && consent->second.sip_sees_xmpp == Consent::pending;
}

bool Notifying::approved(const Pair& pair) const {
  const auto consent = core_.consents.find(pair);
  const bool granted = consent != core_.consents.end() && consent->second.sip_sees_xmpp == Consent::granted;
  return !core_.breaks(Rule::state_wants_approval, !granted);
}

void Notifying::on_subscribed(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  Consent& consent = core_.consents[pair].sip_sees_xmpp;
  if (core_.breaks(Rule::approval_was_asked_for, consent == Consent::none)) return;  // RFC 6121 section 3.1.6
  consent = Consent::granted;
  mark_changed(pair, true);
}

void Notifying::on_unsubscribed(const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  core_.consents[pair].sip_sees_xmpp = Consent::none;
  known_.erase(pair);
  end_pair(pair, "rejected");
}

void Notifying::on_error(const xml::Element& stanza, const Address& xmpp, const Address& sip) {
  const Pair pair{key(xmpp), key(sip)};
  known_.erase(pair);  // unreachable: what was known does not count any more
  const auto error = xmpp::error_of(stanza);
  Consent& consent = core_.consents[pair].sip_sees_xmpp;
  if (!error || consent == Consent::none) return;
  if (core_.breaks(Rule::approval_outlives_errors, consent == Consent::granted)) return;
  consent = Consent::none;
  end_pair(pair, reason_of(error->condition));
}

// NOTIFY.

void Notifying::mark_changed(const Pair& pair, bool at_once) {
  for (const auto& name : watchers_of(pair)) {
    Watcher& watcher = watchers_.at(name);
    if (watcher.fetch_due) continue;
    watcher.dirty = watcher.dirty || knows(pair);
    const bool approved = watcher.state == State::pending;
    watcher.state = State::active;
    if (at_once || approved || core_.now >= watcher.document_after) notify(name);
  }
}

void Notifying::notify(const std::string& id) {
  Watcher& watcher = watchers_.at(id);
  watcher.owed = watcher.in_flight;
  if (watcher.in_flight || watcher.end_reason) return;  // one at a time; the next says all that changed
  const Duration left = watcher.expires_at - core_.now;
  // RFC 6665 section 4.2.2.
  const std::string state =
      (watcher.state == State::active ? "active;expires=" : "pending;expires=") + seconds_text(left);
  std::string document;
  if (watcher.dirty) {
    document =
        knows(watcher.pair) ? document_of(watcher) : closed_pidf(watcher.xmpp.bare(), core_.uri_of(watcher.xmpp));
    watcher.document_after = core_.now + core_.settings.notify_spacing;
    watcher.dirty = false;
  }
  send_notify(id, state, std::move(document));
}

void Notifying::send_notify(const std::string& id, const std::string& state, std::string document) {
  Watcher& watcher = watchers_.at(id);
  sip::Message request = request_in(watcher.dialog, "NOTIFY");
  request.add_header("Contact", watcher.dialog.local);
  request.add_header("Event", watcher.event);
  request.add_header("Subscription-State", state);
  if (!document.empty()) {
    const auto& resources = known_[watcher.pair];
    const auto spoken =
        std::find_if(resources.begin(), resources.end(), [](auto& r) { return !r.second.language.empty(); });
    if (spoken != resources.end()) request.add_header("Content-Language", spoken->second.language);
    request.add_header("Content-Type", pidf_media);
    request.body = std::move(document);
  }
  watcher.in_flight = true;
  core_.request(std::move(request), [this, id](const Outcome& outcome) { on_notified(id, outcome); });
}

void Notifying::on_notified(const std::string& id, const Outcome& outcome) {
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  Watcher& watcher = found->second;
  watcher.in_flight = false;
  if (core_.breaks(Rule::refused_notify_ends_watch, removes_subscription(outcome.status))) {
    watchers_.erase(found);
    return;
  }
  if (watcher.end_reason) {
    const std::string reason = *watcher.end_reason, document = watcher.end_document;
    watcher.end_reason.reset();
    end(id, reason, document);
  } else if (watcher.owed || (watcher.dirty && core_.now >= watcher.document_after)) {
    notify(id);
  }
}

void Notifying::end(const std::string& id, std::string reason, std::string document) {
  Watcher& watcher = watchers_.at(id);
  watcher.fetch_due.reset();
  if (watcher.in_flight) {
    watcher.end_reason = std::move(reason);
    watcher.end_document = std::move(document);
    return;
  }
  send_notify(id, "terminated;reason=" + reason, std::move(document));
  watchers_.erase(id);
}

void Notifying::end_pair(const Pair& pair, const std::string& reason) {
  for (const auto& name : watchers_of(pair)) end(name, reason);
}

std::string Notifying::document_of(const Watcher& watcher) const {
  std::map<std::string, Presence> resources;
  if (const auto found = known_.find(watcher.pair); found != known_.end()) resources = found->second;
  return to_pidf(watcher.xmpp.bare(), core_.uri_of(watcher.xmpp), resources);
}

bool Notifying::knows(const Pair& pair) const {
  const auto found = known_.find(pair);
  return found != known_.end() && !found->second.empty();
}

bool Notifying::has_dialog(const Pair& pair) const {
  return std::any_of(watchers_.begin(), watchers_.end(),
                     [&](auto& w) { return w.second.pair == pair && !w.second.end_reason; });
}

std::vector<std::string> Notifying::watchers_of(const Pair& pair) const {
  std::vector<std::string> out;
  for (const auto& [name, watcher] : watchers_) {
    if (watcher.pair == pair && !watcher.end_reason) out.push_back(name);
  }
  return out;
}

// Time.

std::optional<Time> Notifying::deadline() const {
  std::optional<Time> first;
  const auto take = [&](Time when) { first = first ? std::min(*first, when) : when; };
  for (const auto& [name, watcher] : watchers_) {
    if (watcher.end_reason) continue;
    if (watcher.fetch_due) {
      take(*watcher.fetch_due);
      continue;
    }
    take(watcher.expires_at);
    if (watcher.dirty && !watcher.in_flight) take(std::max(watcher.document_after, core_.now));
  }
  return first;
}

void Notifying::timeout() {
  std::vector<std::string> names;
  for (const auto& [name, watcher] : watchers_) names.push_back(name);
  for (const auto& name : names) {
    const auto found = watchers_.find(name);
    if (found == watchers_.end() || found->second.end_reason) continue;
    Watcher& watcher = found->second;
    if (watcher.fetch_due) {
      if (core_.now >= *watcher.fetch_due) end(name, "timeout");  // nothing known: an empty one
    } else if (core_.now >= watcher.expires_at) {
      const Watcher last = watcher;
      end(name, "timeout");
      const bool others = core_.breaks(Rule::last_dialog_logs_off, has_dialog(last.pair));
      if (!others && last.state == State::active) ask(last, "unavailable");
    } else if (watcher.dirty && core_.now >= watcher.document_after) {
      notify(name);
    }
  }
}

}  // namespace cutover::interworking
