// The translator between XMPP and SIP, as an engine without input or output of its own: stanzas, requests and responses
// in; stanzas, requests, responses and one deadline out. RFC 7247, 7572, 7573, 8048.
//
// Theory of operation. Four parts share one core (settings, consents, client transactions, the queue of outputs):
//   messaging   text and typing in both directions, held answers, sessions
//   watching    users of XMPP who watch users of SIP (the gateway subscribes)
//   notifying   users of SIP who watch users of XMPP (the gateway notifies)
//   translator  who may pass at all, what is dispatched where, iq, loops
// Rules: inputs are total and never throw for what a peer sends; after every input the owner polls the outputs, in
// order, and asks for the deadline. A stanza's `from` must be vouched for by the stream that it came on.
#pragma once

#include "protocol/interworking/core.h"
#include "protocol/interworking/settings.h"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace cutover::interworking {

/// A consent as it is stored: survives restarts and dialogs.
struct ConsentRow {
  std::string xmpp, sip;  ///< canonical bare addresses
  Consents consents;
};

class Translator {
 public:
  explicit Translator(Settings settings);
  ~Translator();
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // Inputs.
  /// A stanza in jabber:server from a partner. `sender_domain` is the domain that its stream authenticated; a stanza
  /// from another one is dropped.
  void on_stanza(const xml::Element& stanza, std::string_view sender_domain, Time now);
  /// A stanza of ours will not be delivered; `condition` is a stanza error condition.
  void on_undeliverable(const xml::Element& stanza, std::string_view condition, Time now);
  /// A request from the SIP side; an ACK comes with TransactionId::none.
  void on_request(sip::TransactionId id, const sip::Message& request, Time now);
  void on_response(ClientId id, const sip::Message& response, Time now);
  void on_failure(ClientId id, sip::TransactionFailure failure, Time now);
  void timeout(Time now);

  // Outputs.
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<Time> deadline() const;

  // Settings and state that outlive a process.
  /// Replaces domains, partners, policies and timers; dialogs and sessions go on. Departures stay as they were.
  void reconfigure(Settings settings);
  [[nodiscard]] std::vector<ConsentRow> consents() const;
  void restore(const std::vector<ConsentRow>& rows);

  /// What is open, for the admin interface and for invariants.
  struct Counts {
    std::size_t sessions = 0, watches = 0, watchers = 0;
    std::uint64_t late_failures = 0;    ///< stanza errors that came after the 2xx
    std::uint64_t untold_failures = 0;  ///< those of them that the sender was not told of
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::interworking
