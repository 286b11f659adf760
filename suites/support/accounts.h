// What the account cases share: the judged server with one user of its own, and a peer server of ours with another.
#pragma once

#include "harness/judging/case.h"
#include "harness/judging/run.h"
#include "harness/subjects/subject.h"
#include "protocol/xmpp/stanza.h"

#include <optional>

namespace cutover::suites {

/// The subject is the target's server where the run has a target, else the mock server with accounts, for the embedded
/// deployment has SIP users only; the defects of the run are planted there. Nobody is subscribed to anybody.
class Accounts {
 public:
  /// Brings both up and signs the user in. A subject that does not come up is HarnessFault, never a failed check.
  explicit Accounts(harness::Run&);

  std::string domain;   ///< of the subject
  std::string account;  ///< localpart of its user, called juliet below
  std::string juliet_bare, juliet_full;
  std::string romeo_bare, romeo_full;

  [[nodiscard]] mocks::PartnerDomain& subject() { return *subject_; }
  [[nodiscard]] mocks::Partner& peer() { return *peer_; }
  [[nodiscard]] mocks::PartnerUser& juliet() { return subject_->user(account); }
  [[nodiscard]] mocks::PartnerUser& romeo() { return peer_->user("romeo"); }

  /// Pumps until the condition holds. Returns whether it came to hold.
  [[nodiscard]] bool until(const std::function<bool()>&);
  /// The same for what a server may go on trying before it gives up: no text says how long.
  [[nodiscard]] bool until_given_up(const std::function<bool()>&);
  /// Proves that what was sent before has been handled, and what that caused has arrived: a message to juliet, then one
  /// back.
  [[nodiscard]] bool markers_pass();
  /// The condition holds by the time that later markers have passed, or soon after: for what a server does at once, so
  /// that its absence costs little real time.
  [[nodiscard]] bool soon(const std::function<bool()>&);
  /// markers_pass() as a precondition of what is judged behind it.
  [[nodiscard]] bool given_markers();
  /// What came to romeo for the stanza with that id, in any kind. What his own server returns to him is no answer.
  [[nodiscard]] std::vector<xml::Element> answers(const std::string& id);
  /// To whom the first stream of the subject to the peer is, by its header: "nobody" where it says nothing.
  [[nodiscard]] std::string called() const;
  /// The stanzas that came on a stream that the peer had initiated.
  [[nodiscard]] std::vector<std::string> came_back() const;
  /// The first of them; waits for it. An element named "no answer" where none came.
  [[nodiscard]] xml::Element answer(const std::string& id);
  /// The condition of the first stream error that the peer heard; empty for none.
  [[nodiscard]] std::string stream_error() const;
  /// Sends a request of romeo's and gives its answer.
  [[nodiscard]] xml::Element ask(const std::string& to, const std::string& id, xml::Element payload);

 private:
  harness::World& world_;
  std::shared_ptr<harness::Subject> server_;
  mocks::PartnerDomain* subject_ = nullptr;
  mocks::Partner* peer_ = nullptr;
  int markers_ = 0;
};

/// How a word says that nothing came.
inline constexpr char no_answer[] = "no answer";
/// "error/service-unavailable" of an error, "result", "message" ...: what a check of an answer speaks of.
[[nodiscard]] std::string kind_of(const xml::Element& stanza);
[[nodiscard]] std::vector<std::string> kinds_of(const std::vector<xml::Element>& stanzas);

}  // namespace cutover::suites
