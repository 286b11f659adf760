// Messages and chat states: pager mode (RFC 7572), sessions (RFC 7573 as the product runs them), errors after the fact.
//
// Theory of operation. Everything that a user of XMPP writes to one user of SIP goes through one queue, out of which at
// most one message is under way: so order holds whatever mode a message takes. A queue whose head needs a session opens
// one by INVITE and waits. In the other direction order is that of arrival; the answer to a MESSAGE is held for a
// moment, so that a stanza error can become its status.
#pragma once

#include "protocol/interworking/core.h"
#include "protocol/interworking/mapping/chat_state.h"
#include "protocol/interworking/mapping/message.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace cutover::interworking {

class Messaging {
 public:
  explicit Messaging(Core& core) : core_(core) {}

  // From XMPP; addresses and rights were checked.
  void on_message(const xml::Element& stanza, const Address& from, const Address& to);
  /// An error stanza, or word from the link that a stanza of ours was not delivered.
  void on_error(const xml::Element& stanza);

  // From SIP; addresses and rights were checked. `from` is the SIP user, `to` the XMPP user.
  void on_message_request(sip::TransactionId id, const sip::Message& request, const Address& from, const Address& to);
  void on_invite(sip::TransactionId id, const sip::Message& request, const Address& from, const Address& to);
  /// BYE, INFO, MESSAGE, INVITE, ACK inside a dialog. False where no dialog matches.
  [[nodiscard]] bool on_in_dialog(sip::TransactionId id, const sip::Message& request);

  [[nodiscard]] std::optional<Time> deadline() const;
  void timeout();
  [[nodiscard]] std::size_t open_sessions() const { return sessions_.size(); }

 private:
  struct Waiting {
    xml::Element stanza;
    Address from, to;
    bool resent = false;  ///< after a dialog that was dead
  };
  enum class Support { unknown, yes, no };
  struct Conversation {
    Address xmpp, sip;  ///< as last written; the XMPP resource is the one that wrote last
    std::deque<Waiting> queue;
    std::size_t in_flight = 0;        ///< messages whose answer has not come
    std::string session;              ///< the one that messages to SIP take; empty for none
    std::optional<Time> pager_until;  ///< no session is possible before
    Support chat_states = Support::unknown;
    ChatState told_xmpp = ChatState::active;  ///< the state that the XMPP user was told last; a text says active
    bool told_sip_typing = false;             ///< whether the SIP user was told last that the other one types
    bool typing_refused = false;
    std::optional<Time> composing_ends;
    std::string gone_thread;
  };
  enum class SessionState { inviting, open, ending };
  struct Session {
    Dialog dialog;
    Pair pair;
    SessionState state = SessionState::inviting;
    std::string thread;
    bool typing_accepted = false;
    std::string resource;  ///< of the XMPP user, once known
    Time idle_ends{};
    std::optional<Time> ack_due;
    std::uint32_t invite_cseq = 0;
    std::string sdp;
  };
  struct Held {
    sip::TransactionId id = sip::TransactionId::none;
    sip::Message request;
    std::string tag;  ///< of the answer
    Time answer_at{};
    bool full_jid = false;
    std::string session;
    std::string domain;  ///< of the stanza's target: nobody else may fail it
  };

  Conversation& conversation(const Address& xmpp, const Address& sip);
  [[nodiscard]] Conversation* find(const Pair& pair);
  Session* session_of(const Conversation& conversation);

  // XMPP to SIP.
  void enqueue(Conversation& conversation, Waiting waiting);
  void pump(const Pair& pair);
  void send_pager(const Pair& pair, Waiting waiting);
  void send_in_session(const Pair& pair, Session& session, Waiting waiting);
  void send_content(const Pair& pair, sip::Message request, const std::string& session, Waiting waiting);
  void on_sent(const Pair& pair, const std::string& session, Waiting waiting, const Outcome& outcome);
  void send_typing(const Pair& pair, ChatState state);
  [[nodiscard]] bool wants_session(const Conversation& conversation, const xml::Element& stanza) const;

  // Sessions.
  void invite(const Pair& pair);
  void on_invited(const std::string& session, const Outcome& outcome);
  void refuse_queue(const Pair& pair, const Outcome& outcome);
  void end_session(const std::string& session, bool send_bye);
  void on_bye(sip::TransactionId id, const sip::Message& request, Session& session);
  void on_reinvite(sip::TransactionId id, const sip::Message& request, Session& session);
  void touch(Session& session) { session.idle_ends = core_.now + core_.settings.session_idle; }

  // SIP to XMPP.
  void on_content(sip::TransactionId id, const sip::Message& request, Conversation& conversation, Session* session);
  void on_typing(Conversation& conversation, Session* session, const sip::Message& request);
  void send_chat_state(Conversation& conversation, ChatState state, const std::string& thread);
  std::string deliver(const Text& text, Conversation& conversation, Session* session, const sip::Message& request,
                      const Address& from, const Address& to);
  void hold(sip::TransactionId id, const sip::Message& request, const std::string& stanza_id, Session* session,
            const Address& to);
  [[nodiscard]] Held release(std::map<std::string, Held>::iterator found);
  void answer(Held& held, const Status& status);
  void report_late_failure(const std::string& session, const std::string& stanza_id);

  Core& core_;
  std::map<Pair, Conversation> conversations_;
  std::map<std::string, Session> sessions_;              ///< by Call-ID and our tag
  std::map<std::string, Held> held_;                     ///< by stanza id
  std::set<std::pair<Time, std::string>> held_by_time_;  ///< when each is answered, stanza id
  std::set<std::string> held_requests_;                  ///< merge_key() of each
  std::map<std::string, std::string> answered_;          ///< stanza id > session, for failures after the answer
  std::deque<std::string> answered_order_;
  std::uint32_t pager_cseq_ =
      0;  ///< rises for all, so that one Call-ID never sees a CSeq twice (RFC 3261 section 8.2.2.2)
};

}  // namespace cutover::interworking
