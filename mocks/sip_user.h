// A SIP user of a pool: registers, sends and takes messages, watches presence and is watched.
#pragma once

#include "mocks/user_agent.h"
#include "protocol/base/history.h"
#include "protocol/interworking/mapping/presence.h"

#include <map>

namespace cutover::mocks {

/// A text that arrived.
struct SipText {
  std::string from;  ///< the URI of the From header
  std::string body, content_type, call_id, subject;
  bool in_session = false;
};

[[nodiscard]] inline std::size_t octets_of(const SipText& text) {
  return sizeof(SipText) + text.from.size() + text.body.size() + text.call_id.size() + text.subject.size();
}

/// What a request of the user came to: 2xx, a final failure, or 0 where no answer came.
struct SipOutcome {
  std::string body;  ///< of the message that was sent
  int status = 0;
  std::string reason;  ///< the Warning where there is one
};

[[nodiscard]] inline std::size_t octets_of(const SipOutcome& outcome) {
  return sizeof(SipOutcome) + outcome.body.size() + outcome.reason.size();
}

/// What one NOTIFY said: the devices of the contact.
struct SipPresence {
  std::vector<interworking::Presence> devices;
  [[nodiscard]] auto begin() const { return devices.begin(); }
  [[nodiscard]] auto end() const { return devices.end(); }
};
[[nodiscard]] std::size_t octets_of(const SipPresence&);

/// The presence of one contact as its NOTIFY requests told it.
struct SipContact {
  std::string state;         ///< Subscription-State: pending, active, terminated; empty before the first
  std::string reason;        ///< of terminated
  int subscribe_status = 0;  ///< final answer to the last SUBSCRIBE
  std::vector<interworking::Presence> presence;  ///< of the last NOTIFY with a body
  History<SipPresence> history;                  ///< one entry a NOTIFY with a body
  std::string body;                              ///< the last PIDF as it came
};

class SipUser final : public Node, public sip::EndpointOwner {
 public:
  explicit SipUser(SipUserSettings);
  ~SipUser() override;
  void start(Context&) override;

  // What the user does.
  void register_with(SipPeer pool) { agent_->register_with(std::move(pool)); }  ///< see registered()
  /// A MESSAGE outside a dialog (RFC 3428). The outcome appears in outcomes().
  void send_message(const std::string& to_uri, const std::string& body,
                    const std::string& content_type = "text/plain;charset=UTF-8");
  /// As a Lync user does: INVITE with m=message, then MESSAGE in the dialog; the dialog stays until end_session().
  void send_in_session(const std::string& to_uri, const std::string& body);
  /// A MESSAGE in an open session, of any type; nothing where none is open.
  void send_in_dialog(const std::string& to_uri, const std::string& content_type, const std::string& body);
  void end_session(const std::string& to_uri);
  void subscribe(const std::string& to_uri, int expires_s = 3600);
  void unsubscribe(const std::string& to_uri);  ///< Expires 0 in the dialog
  void set_presence(interworking::Presence);    ///< and a NOTIFY to every active watcher
  void approve(const std::string& watcher_uri);
  void reject(const std::string& watcher_uri);  ///< NOTIFY terminated;reason=rejected
  /// SUBSCRIBE in the dialog, as a client does before it expires.
  void refresh(const std::string& to_uri, int expires_s = 3600);
  /// A NOTIFY with that Subscription-State and body in every dialog of a watcher, whatever its state.
  void notify_with(const std::string& subscription_state, const std::string& body = {});
  /// The same with the event presence, after a change of whatever kind. `heard`, where given, gets the answers to it.
  void notify_as(const std::string& subscription_state, const std::function<void(sip::Message&)>& change,
                 const std::function<void(const sip::Message&)>& heard = {});
  /// Any request with the headers that it has; From, Call-ID and CSeq are added where absent.
  void send_raw(sip::Message request);

  // How the user answers.
  void answer_messages_with(int status) { message_status_ = status; }  ///< 0: never answers
  /// The Contact of every refusal; empty: none.
  void say_moved_to(std::string uri) { moved_to_ = std::move(uri); }
  void answer_invites_with(int status) { invite_status_ = status; }
  void answer_subscriptions_with(int status) { subscribe_status_ = status; }
  void answer_notifies_with(int status) { notify_status_ = status; }
  void approve_watchers(bool automatically) { approves_ = automatically; }

  // What the user saw.
  [[nodiscard]] bool registered() const { return agent_ && agent_->registered(); }
  [[nodiscard]] const std::string& uri() const { return uri_; }  ///< "sip:alice@contoso.example"
  [[nodiscard]] const History<SipText>& texts() const { return texts_; }
  [[nodiscard]] const History<SipOutcome>& outcomes() const { return outcomes_; }
  [[nodiscard]] const SipContact& contact(const std::string& uri) { return contacts_[uri]; }
  [[nodiscard]] const History<sip::Message>& requests() const { return requests_; }    ///< every request that came
  [[nodiscard]] const History<sip::Message>& responses() const { return responses_; }  ///< to what was sent
  [[nodiscard]] std::vector<std::string> watchers() const;  ///< URIs with a live subscription, pending ones too

  void on_request(sip::TransactionId, const sip::Message&, ConnectionId source) override;
  void on_wake() override;

 private:
  struct Watcher {
    SipDialog dialog;
    std::string state = "pending";
    Time expires;
  };
  struct Session {
    SipDialog dialog;
    std::vector<std::string> waiting;  ///< texts until the INVITE is answered
  };
  /// Outside a dialog or inside; the outcome is remembered by the body.
  void send_and_remember(sip::Message);
  void open_session(const std::string& to_uri, const std::string& body);
  void on_session_answer(const std::string& call_id, const sip::Message& response);
  void give_session_up(const std::string& call_id, int status, const std::string& reason);
  void send_text_in(Session&, const std::string& body, const std::string& content_type = "text/plain;charset=UTF-8");
  void record_outcome(const std::string& body, int status, const std::string& reason);
  void respond(sip::TransactionId, const sip::Message&, int status, const std::string& reason,
               const std::string& tag = {});
  void on_message(sip::TransactionId, const sip::Message&);
  void on_invite(sip::TransactionId, const sip::Message&);
  void on_subscribe(sip::TransactionId, const sip::Message&);
  void on_notify(sip::TransactionId, const sip::Message&);
  void notify(Watcher&, const std::string& reason = {});
  void end_watcher(const std::string& call_id, const std::string& reason);
  void schedule();

  SipUserSettings settings_;
  std::string uri_;
  Context* context_ = nullptr;
  std::unique_ptr<UserAgent> agent_;  ///< from start()
  bool approves_ = true;
  int message_status_ = 200, invite_status_ = 200, subscribe_status_ = 200, notify_status_ = 200;
  std::string moved_to_;
  interworking::Presence presence_;
  History<SipText> texts_;
  History<SipOutcome> outcomes_;
  std::map<std::string, SipContact> contacts_;
  std::map<std::string, SipDialog> subscriptions_;  ///< ours, by contact URI
  std::map<std::string, Watcher> watchers_;         ///< by Call-ID
  std::map<std::string, Session> sessions_;         ///< by Call-ID
  History<sip::Message> requests_, responses_;
};

}  // namespace cutover::mocks
