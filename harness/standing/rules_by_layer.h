// The rules of the standing judge by layer: each function judges one conversation.
#pragma once

#include "harness/standing/conversation.h"
#include "harness/standing/ledger.h"
#include "harness/standing/sip_conversation.h"

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace cutover::harness::standing {

void judge_octets(const Conversation&, Ledger&);
void judge_headers(const Conversation&, Ledger&);
void judge_features(const Conversation&, Ledger&);
void judge_tls_and_sasl(const Conversation&, Ledger&);
void judge_errors(const Conversation&, Ledger&);
void judge_stanzas(const Conversation&, Ledger&);

/// Ids that a sender gave to streams, over all of its connections.
class StreamIds {
 public:
  void judge(const Conversation&, Ledger&);

 private:
  int conversations_ = 0;
  std::map<std::string, int> seen_in_;
};

/// Keys that a sender made, over all of its connections.
class Keys {
 public:
  void judge(const Conversation&, Ledger&);

 private:
  std::map<std::string, std::tuple<std::string, std::string, std::string>> made_for_;  ///< key: from, to, stream id
};
void judge_dialback(const Conversation&, Ledger&);

/// Requests and their answers, over all connections of a trace.
class Answers {
 public:
  void judge(const Conversation&, Ledger&);

 private:
  using Request = std::tuple<std::string, std::string, std::string>;  ///< asked by, of whom, id
  std::map<Request, int> asked_, answered_;
};

/// What crosses the subject, between the conversations with its clients and those with peers.
class Crossing {
 public:
  void note_client(const Conversation&);
  void note_peer(const Conversation&);
  void judge(Ledger&) const;

 private:
  struct Key {
    std::string name, id, from, to;
    bool is_error = false;  ///< what comes back has the id of what was sent
    auto operator<=>(const Key&) const = default;
  };
  struct Sight {
    xml::Element stanza;
    std::string octets;
    int conversation = 0;
  };
  using Stanzas = std::map<Key, std::vector<Sight>>;
  /// The second on one connection; null where there is none.
  static const Sight* repeated(const std::vector<Sight>& stanzas);
  void note(const Conversation&, Stanzas& in, Stanzas& out, bool of_client);

  int conversations_ = 0;
  Stanzas from_client_, to_client_, from_peer_, to_peer_;
};

void judge_sip_forms(const SipConversation&, Ledger&);
void judge_sip_exchanges(const SipConversation&, Ledger&);

/// Whether the error has one condition of that namespace beside a text, and one of those that are defined.
[[nodiscard]] bool has_one_condition(const xml::Element& error, std::string_view ns,
                                     std::span<const std::string_view> defined);
/// Whether a child of an error is a condition, of that namespace, that has to be empty: all but those that may hold an
/// address (RFC 6120 sections 4.9.2, 8.3.2).
[[nodiscard]] bool has_to_be_empty(const xml::Element& child, std::string_view ns);
/// Whether those conditions of an error are empty.
[[nodiscard]] bool has_empty_condition(const xml::Element& error, std::string_view ns);
/// Whether a text of an error says which language it is in.
[[nodiscard]] bool names_a_language(const xml::Element& text);
[[nodiscard]] bool is_language(std::string_view tag);
/// A bidirectional stream was asked for on it (XEP-0288).
[[nodiscard]] bool is_bidi(const Conversation&);

}  // namespace cutover::harness::standing
