// A user's client (RFC 6120, RFC 6121) that signs in to a real server and is then driven by the case.
#pragma once

#include "mocks/scram.h"
#include "protocol/base/history.h"
#include "protocol/base/node.h"
#include "protocol/tls/session.h"
#include "protocol/xml/reader.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace cutover::mocks {

/// Signs in by itself once started: STARTTLS where offered, SASL SCRAM-SHA-1 (else PLAIN), one resource, roster,
/// initial presence. Then it does what it is told and collects what comes. `world.run_until([&] { return
/// client.online(); }, 10s)`. Nothing that is made of the password is said to a server that has not proved who it is
/// (RFC 6120 section 13.7.2), nor told to the trace.
class XmppClient final : public Node {
 public:
  struct Config {
    Endpoint server;   ///< client-to-server port, usually 5222
    std::string user;  ///< localpart
    std::string domain;
    std::string password;
    std::string resource = "cutover";
    /// Trust anchors for STARTTLS; null: stay in clear.
    std::shared_ptr<const tls::Identity> identity;
    /// The one certificate that the server may show (see tls::PeerCertificate); empty: any that the anchors prove to be
    /// of the domain.
    std::string fingerprint;
    bool direct_tls = false;           ///< TLS from the first octet instead of STARTTLS (XEP-0368)
    bool plain_in_clear = false;       ///< sign in without TLS, too, where everybody on the way reads along
    bool accept_subscriptions = true;  ///< answer "subscribe" with "subscribed"
    bool send_presence = true;         ///< initial presence after the roster
    bool sign_in_at_start = true;
    /// Called for every stanza that lands in the inbox; may be empty.
    std::function<void(const xml::Element&)> on_stanza;
  };
  enum class State { offline, connecting, negotiating, authenticating, binding, online, failed };

  explicit XmppClient(Config config);
  ~XmppClient() override;
  XmppClient(const XmppClient&) = delete;
  XmppClient& operator=(const XmppClient&) = delete;

  /// Connects and signs in; from offline or failed only.
  void sign_in();
  /// Unavailable presence and the end of the stream; the connection closes after the server's end tag.
  void sign_out();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool online() const { return state_ == State::online && !closing_; }
  /// No connection is left: after sign_out() a little later than offline.
  [[nodiscard]] bool disconnected() const { return connection_ == ConnectionId::none; }
  /// Why signing in or the stream failed; empty while it did not.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] std::string bare_jid() const { return config_.user + "@" + config_.domain; }
  /// As the server bound it; empty until then.
  [[nodiscard]] const std::string& full_jid() const { return full_jid_; }
  [[nodiscard]] bool secured() const { return secured_; }

  /// Sends a stanza of namespace jabber:client.
  void send(const xml::Element& stanza);
  /// Sends a message and returns its id.
  std::string send_message(std::string_view to, std::string_view body, std::string_view type = "chat");
  /// `type` empty: available. "subscribe", "subscribed", "unsubscribe", "probe", "unavailable".
  void send_presence(std::string_view to = {}, std::string_view type = {}, std::string_view show = {},
                     std::string_view status = {});
  /// Sends an iq and returns its id; the result lands in the inbox.
  std::string send_iq(std::string_view to, std::string_view type, xml::Element payload);

  /// Stanzas that arrived, in order, those of signing in apart.
  [[nodiscard]] const History<xml::Element>& inbox() const { return inbox_; }
  void clear_inbox() { inbox_.clear(); }
  /// Takes the first stanza that satisfies the condition out of the inbox.
  [[nodiscard]] std::optional<xml::Element> take(const std::function<bool(const xml::Element&)>& condition);
  /// Takes the first message whose body is `body`; the others stay.
  [[nodiscard]] std::optional<xml::Element> take_message(std::string_view body);
  /// Takes the first presence from `from` (bare or full address) of that type; empty for available.
  [[nodiscard]] std::optional<xml::Element> take_presence(std::string_view from, std::string_view type = {});

  /// Subscription states by bare address, as roster and pushes say ("none", "to", "from", "both").
  [[nodiscard]] const std::map<std::string, std::string>& roster() const { return roster_; }

  void start(Context&) override;
  void on_connected(ConnectionId) override;
  void on_connect_failed(ConnectionId, std::string_view reason) override;
  void on_received(ConnectionId, std::string_view bytes) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view reason) override;

 private:
  void write(std::string_view octets, std::string_view summary);
  /// An element of SASL: the trace gets its name, not its data.
  void write_sasl(const xml::Element& element, const std::string& summary);
  void transmit(std::string_view octets);
  void note(Layer layer, Direction direction, std::string_view summary, std::string_view detail);
  /// Why the certificate that the server showed proves nothing; empty where it does.
  [[nodiscard]] std::string distrust() const;
  void open_stream();
  void begin_tls();
  void pump_tls();
  void on_plain(std::string_view bytes);
  void note_item(const xml::Item& item, const std::string& octets);
  void on_item(const xml::Item& item);
  void on_element(const xml::Element& element);
  void on_features(const xml::Element& features);
  void authenticate(const xml::Element& mechanisms);
  void on_sasl(const xml::Element& element);
  void bind();
  void on_bound(const xml::Element& iq);
  void on_stanza(const xml::Element& stanza);
  bool answers_iq(const xml::Element& iq);
  void read_roster(const xml::Element& iq);
  void fail(std::string reason);
  std::string next_id();

  Config config_;
  Context* context_ = nullptr;
  ConnectionId connection_ = ConnectionId::none;
  State state_ = State::offline;
  std::string failure_;
  std::string full_jid_;
  bool secured_ = false;
  bool authenticated_ = false;
  bool closing_ = false;
  std::unique_ptr<tls::Session> session_;
  xml::Reader reader_;
  std::string raw_;  ///< of the item under way
  std::optional<Scram> scram_;
  std::uint64_t ids_ = 0;
  std::string roster_id_;
  History<xml::Element> inbox_;
  std::map<std::string, std::string> roster_;
};

}  // namespace cutover::mocks
