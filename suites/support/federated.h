// What the stanza cases share: the deployment after the cutover, one user of ours, one user of a partner, and words for
// what each sends and saw.
#pragma once

#include "harness/deployment/deployment.h"
#include "harness/judging/case.h"
#include "harness/judging/run.h"
#include "protocol/xmpp/stanza.h"
#include "suites/support/invariants.h"

#include <functional>
#include <optional>

namespace cutover::suites {

/// All six steps carried out, streams fresh, one machine for an edge. alice is the first user of our first domain, the
/// partner one that proves itself, and us, by certificate, and romeo its first user, whatever the topology of the run
/// calls them.
class Federated {
 private:
  // Made before the deployment, which is made of them.
  const harness::PartnerSpec partner_chosen_;
  const std::string user_chosen_;

 public:
  explicit Federated(harness::Run&, Repeats = Repeats::never);

  const std::shared_ptr<harness::Deployment> shared_deployment;
  harness::Deployment& deployment;
  mocks::SipUser& alice;
  mocks::Partner& partner;
  mocks::PartnerUser& romeo;
  const std::string alice_jid;
  const std::string romeo_name, partner_domain;
  const std::string romeo_bare = romeo_name + "@" + partner_domain;
  const std::string romeo_uri = "sip:" + romeo_bare;
  const std::string romeo_full = romeo_bare + "/home";

  /// Pumps until the condition holds, for at most a minute of world time. Returns whether it came to hold.
  [[nodiscard]] bool until(const std::function<bool()>&);
  /// A message stanza from romeo's full JID to alice; empty type: none.
  [[nodiscard]] xml::Element message(std::string_view body, std::string_view type = {},
                                     std::string_view id = "m1") const;
  /// Sends and waits until alice has the request; nothing where it never came.
  [[nodiscard]] std::optional<sip::Message> sip_request_for(xml::Element stanza, const std::string& method,
                                                            const std::string& body);
  /// alice sends a pager MESSAGE; the stanza that romeo gets, nothing where none came.
  [[nodiscard]] std::optional<xml::Element> stanza_for(sip::Message request);
  /// A MESSAGE of alice to romeo with that text.
  [[nodiscard]] sip::Message pager(const std::string& body) const;
  /// The error that romeo got for the stanza with that id; waits for it.
  [[nodiscard]] std::optional<xmpp::StanzaError> error_for(const std::string& id);
  [[nodiscard]] const xml::Element* error_stanza(const std::string& id) const;
  /// The outcome of alice's request with that body; waits for it. Status 0: no answer.
  [[nodiscard]] mocks::SipOutcome outcome_of(const std::string& body);
  /// Its status as a check tells it: "200 OK", "no answer".
  [[nodiscard]] std::string answer_to(const std::string& body);
  /// The n-th request of that method that alice got; waits for it. Without method where it never came.
  [[nodiscard]] sip::Message request_to_alice(const std::string& method, std::size_t n = 1);
  /// The n-th presence of that type that romeo got, "" for available; waits for it. Unnamed where it never came.
  [[nodiscard]] xml::Element presence_to_romeo(const std::string& type, std::size_t n = 1);
  /// How many came so far.
  [[nodiscard]] std::size_t requests_to_alice(const std::string& method) const;
  [[nodiscard]] std::size_t presences_to_romeo(const std::string& type) const;
  /// The final answers that alice got to requests of that method, in order.
  [[nodiscard]] std::vector<const sip::Message*> final_answers(std::string_view method) const;
  /// The status of the answer to a NOTIFY of alice's to her only watcher, after `change`; "no answer" where none came.
  /// Never that of an earlier NOTIFY, which may still be under way.
  [[nodiscard]] std::string answer_to_notify(const std::function<void(sip::Message&)>& change);
  /// romeo subscribes to alice, who approves; whether romeo was told.
  [[nodiscard]] bool romeo_watches_alice();
  /// alice subscribes to romeo, who approves; whether alice was told with a document.
  [[nodiscard]] bool alice_watches_romeo();
  /// Proves that what was sent before has been handled: a marker message the same way, on a path that works.
  [[nodiscard]] bool marker_reaches_alice();
  [[nodiscard]] bool marker_reaches_romeo();
  /// The same, both ways, as a precondition of what is judged behind it.
  [[nodiscard]] bool given_markers();

 private:
  int markers_ = 0;
};

/// The document of alice's presence at a desk, available.
[[nodiscard]] std::string open_document();
/// A status as a check tells it: "404 Not Found"; "no answer" for 0.
[[nodiscard]] std::string status_text(int status);
[[nodiscard]] std::vector<std::string> status_texts(const std::vector<int>& statuses);
[[nodiscard]] std::string body_of(const xml::Element& message);
[[nodiscard]] std::string child_text(const xml::Element& stanza, std::string_view name);
/// What a header or attribute says; "nothing came" where the request or stanza is one that never came.
[[nodiscard]] std::string header_in(const sip::Message& request, std::string_view name);
[[nodiscard]] std::string attribute_in(const xml::Element& stanza, std::string_view name);
/// The value of a header with parameters, without those, in small letters: a state or a media type, which SIP compares
/// so.
[[nodiscard]] std::string token_in(const sip::Message& request, std::string_view header);

}  // namespace cutover::suites
