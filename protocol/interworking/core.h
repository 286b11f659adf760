// What the parts of a translator share: settings, time, outputs, client transactions, consents, addresses.
#pragma once

#include "protocol/interworking/dialog.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/error.h"
#include "protocol/interworking/rules.h"
#include "protocol/interworking/settings.h"
#include "protocol/sip/endpoint.h"
#include "protocol/xml/element.h"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

namespace cutover::interworking {

/// A client transaction as the translator names it.
enum class ClientId : std::uint64_t { none = 0 };

// Outputs, in the order in which they were produced.
struct SendStanza {
  xml::Element stanza;
};
struct SendRequest {
  ClientId id = ClientId::none;  ///< none: an ACK, which has no transaction
  sip::Message message;
};
struct SendResponse {
  sip::TransactionId transaction = sip::TransactionId::none;
  sip::Message message;
};
using Output = std::variant<SendStanza, SendRequest, SendResponse>;

/// Two users, by canonical bare address.
struct Pair {
  std::string xmpp, sip;
  auto operator<=>(const Pair&) const = default;
};

/// How far one user may see another. XMPP keeps this for years, SIP for the life of a dialog; hence a store of its own
/// (RFC 8048 section 4).
enum class Consent { none, pending, granted };
struct Consents {
  Consent xmpp_sees_sip = Consent::none;
  Consent sip_sees_xmpp = Consent::none;
};

/// How a client transaction ended: a final response, or none.
struct Outcome {
  const sip::Message* response = nullptr;
  /// RFC 3261 section 8.1.3.1: a timeout counts as 408, a transport failure as 503.
  int status = 0;
  [[nodiscard]] bool success() const { return status >= 200 && status < 300; }
};

class Core {
 public:
  using OnOutcome = std::function<void(const Outcome&)>;

  explicit Core(Settings settings);

  [[nodiscard]] bool holds(Rule rule) const { return settings.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool broken) const { return settings.departures.breaks(rule, broken); }

  // Outputs.
  void send(xml::Element stanza);
  void request(sip::Message message, OnOutcome on_outcome);
  void send_ack(sip::Message message);
  void respond(sip::TransactionId transaction, sip::Message message);
  void respond(sip::TransactionId transaction, const sip::Message& request, const Status& status,
               const std::string& tag = {});
  void respond(sip::TransactionId transaction, const sip::Message& request, int status, const std::string& tag = {});
  /// The error stanza that answers `stanza` (RFC 7247 section 7.2), unless it may not be answered by one.
  void refuse(const xml::Element& stanza, int status, const sip::Message* response = nullptr);
  void refuse(const xml::Element& stanza, const Condition& condition, const std::string& text = {},
              const std::string& address = {});
  /// A presence of a type, without more.
  void send_presence(const std::string& from, const std::string& to, std::string_view type);

  // Addresses.
  [[nodiscard]] std::string uri_of(const Address& address) const;
  [[nodiscard]] std::optional<Address> jid_of(const sip::Uri& uri) const;
  [[nodiscard]] std::optional<Address> jid_of_header(const std::string& name_addr) const;
  [[nodiscard]] bool is_ours(std::string_view domain) const;
  [[nodiscard]] std::optional<PartnerType> partner(const Address& xmpp) const;
  [[nodiscard]] bool user_enabled(const Address& sip) const;

  // Names.
  [[nodiscard]] std::string token(std::size_t digits = 16);
  [[nodiscard]] std::string stanza_id(std::string_view hint = {});
  [[nodiscard]] const std::string& mark() const { return mark_; }
  [[nodiscard]] std::string user_agent() const { return "Cutover/1 (" + mark_ + ")"; }
  /// A request that begins or stands outside a dialog.
  [[nodiscard]] sip::Message new_request(std::string_view method, const Address& from, const Address& to,
                                         const std::string& call_id, const std::string& tag, std::uint32_t cseq);

  // Client transactions.
  void on_response(ClientId id, const sip::Message& response);
  void on_failure(ClientId id, sip::TransactionFailure failure);

  Settings settings;
  Time now{};
  std::map<Pair, Consents> consents;
  std::deque<Output> outputs;
  std::uint64_t late_failures = 0;    ///< stanza errors that came after the 2xx ("Failure IMDNs")
  std::uint64_t untold_failures = 0;  ///< those of them that no session takes back to the sender

 private:
  std::map<ClientId, OnOutcome> clients_;
  std::uint64_t last_client_ = 0;
  std::string mark_;
};

/// A header of a request as a NameAddr's address; the tag of To, empty outside a dialog.
[[nodiscard]] std::string to_tag(const sip::Message& request);
[[nodiscard]] std::string from_tag(const sip::Message& request);
/// Seconds in a header such as Expires or Retry-After; nothing where absent or no number.
[[nodiscard]] std::optional<Duration> seconds_of(const std::optional<std::string>& value);
[[nodiscard]] std::string seconds_text(Duration duration);
[[nodiscard]] bool equal_names(std::string_view a, std::string_view b);
/// Whether the address in <gone/> or <redirect/> may stand in a Contact: an absolute URI without the octets that end
/// it.
[[nodiscard]] std::string contact_address(std::string_view text);

}  // namespace cutover::interworking
