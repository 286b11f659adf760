// A peer driven by hand: octets out as given, octets in as they came, TLS when told, items of XMPP for convenience.
#pragma once

#include "protocol/base/node.h"
#include "protocol/tls/session.h"
#include "protocol/xml/reader.h"

#include <map>
#include <memory>
#include <vector>

namespace cutover::mocks {

/// One connection of a RawPeer, by hand. It never answers anything of itself; TLS records apart.
/// References stay valid as long as the node lives. Waiting is the case's business: `world.run_until([&] { return
/// c.has_item(); }, 5s)`.
class RawConnection {
 public:
  enum class State { connecting, open, failed, closed };
  static constexpr std::size_t kept_max_octets = 1024 * 1024;

  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection();

  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool open() const { return state_ == State::open; }
  /// Accepted by our listener, not connected by us.
  [[nodiscard]] bool accepted() const { return accepted_; }
  /// The other end as the network shows it.
  [[nodiscard]] const Endpoint& peer() const { return peer_; }
  /// Why it failed or closed, for people.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// The peer sent FIN.
  [[nodiscard]] bool eof() const { return eof_; }
  [[nodiscard]] bool closed() const { return state_ == State::closed || state_ == State::failed; }
  /// No further item will come: the stream's end tag or the peer's FIN did, or the connection is closed.
  [[nodiscard]] bool ended() const {
    return eof_ || closed() || (!items_.empty() && std::holds_alternative<xml::StreamEnd>(items_.back()));
  }

  /// Sends octets, through TLS once that is established (kept until then while it is under way).
  void send(std::string_view bytes);
  /// Sends octets past TLS, whatever its state.
  void send_in_clear(std::string_view bytes);
  /// FIN after what is queued. TLS's close_notify is not sent: see close_tls().
  void shutdown();
  /// RST.
  void abort();

  /// All plain octets since the beginning: before TLS, then what TLS carried. Of a peer that floods the last
  /// kept_max_octets at least, and a note tells.
  [[nodiscard]] const std::string& received() const { return received_; }
  /// Those of them since TLS was established; empty where it is not.
  [[nodiscard]] std::string_view received_in_tls() const;
  [[nodiscard]] bool has_received(std::string_view text) const { return received_.find(text) != std::string::npos; }

  /// What the peer's octets parse to, in order: headers, elements, end tags, faults. A new stream begins on
  /// restart_reader() or TLS; octets that came too early for it are read by the new reader. Reading stops where they
  /// have become too many, and a note tells.
  [[nodiscard]] const std::vector<xml::Item>& items() const { return items_; }
  /// The first item not yet taken; nothing while there is none.
  [[nodiscard]] bool has_item() const { return taken_ < items_.size(); }
  [[nodiscard]] std::optional<xml::Item> next_item();
  /// next_item() of that kind, and nothing taken where the next item is of another kind.
  [[nodiscard]] std::optional<xml::Element> next_element();
  [[nodiscard]] std::optional<xml::StreamHeader> next_header();
  /// Takes items up to and including the first element of that name and namespace; nothing taken where it is not there.
  [[nodiscard]] std::optional<xml::Element> take_element(std::string_view name, std::string_view ns);
  /// The next octets are a new document: call before sending what makes the peer restart its stream (RFC 6120 4.3.3).
  void restart_reader();
  /// Stops parsing for good, for peers that do not speak XML any more.
  void stop_reader() { reading_ = false; }

  /// Begins TLS over the connection now. What was received and not yet read as XML stays plain text; further octets are
  /// TLS records. `identity` is needed for this call only.
  void start_tls(const tls::Identity& identity, tls::Role role, const tls::SessionOptions& options = {});
  /// Sends close_notify.
  void close_tls();
  [[nodiscard]] bool secured() const { return secured_; }
  /// The alert or failure, in words; empty while there is none.
  [[nodiscard]] std::string tls_failure() const;
  /// The handshake has come to an end, good or bad, or the connection has.
  [[nodiscard]] bool handshake_over() const { return secured_ || eof_ || closed() || !tls_failure().empty(); }
  /// Certificate, version, SNI, close_notify of the peer; null before start_tls().
  [[nodiscard]] const tls::Session* tls() const { return session_.get(); }

 private:
  friend class RawPeer;
  RawConnection(Context& context, ConnectionId id, bool accepted, Endpoint peer, Layer layer);
  [[nodiscard]] std::string named(std::string_view bytes, bool in_clear) const;
  void on_connected();
  void on_cipher(std::string_view bytes);
  void on_bytes(std::string_view bytes);
  void on_plain(std::string_view bytes);
  void on_gone(State state, std::string_view reason);
  void pump_tls();
  void keep(std::string_view bytes);
  void keep_unread(std::string_view bytes);
  void keep(xml::Item item);
  void note(Direction direction, Layer layer, std::string summary, std::string_view detail);

  Context& context_;
  ConnectionId id_;
  bool accepted_;
  Endpoint peer_;
  Layer layer_;
  State state_;
  std::string reason_;
  bool eof_ = false, spoke_ = false, handed_out_ = false;
  bool reading_;
  bool secured_ = false;
  bool cipher_came_ = false;
  std::string received_;
  std::size_t tls_begins_at_ = std::string::npos;
  std::size_t dropped_octets_ = 0;  ///< of received_
  std::string unread_;              ///< octets behind the end of a document, for the next reader
  bool document_over_ = false;
  xml::Reader reader_;
  std::vector<xml::Item> items_;
  std::size_t taken_ = 0, items_octets_ = 0;
  std::unique_ptr<tls::Session> session_;
  std::string waiting_;  ///< to be sent once TLS is established
};

/// A node whose connections are driven by hand. Listens on the ports given; connect() starts connections of its own.
class RawPeer final : public Node {
 public:
  /// `speaks`: what its octets are noted as; those of XMPP alone are read as items.
  explicit RawPeer(std::vector<std::uint16_t> listen_ports = {5269}, Layer speaks = Layer::xmpp);
  ~RawPeer() override;
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// Starts a connect; its state tells how it went.
  RawConnection& connect(const Endpoint& to);
  void listen(std::uint16_t port);
  void stop_listening(std::uint16_t port);

  /// All connections, own and accepted, in order of their beginning; dead ones too.
  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] RawConnection& connection(std::size_t index);
  /// Accepted ones only, in order.
  [[nodiscard]] std::size_t accepted_count() const;
  [[nodiscard]] RawConnection& accepted(std::size_t index);
  /// The first accepted connection on which the other side has begun to speak and that was not taken yet; null while
  /// there is none. A peer may open several and use one (RFC 8305), and who initiates speaks first.
  [[nodiscard]] RawConnection* take_accepted();
  /// Every new accepted connection begins TLS at once, as direct TLS does (XEP-0368). The identity must outlive the
  /// node.
  void accept_with_tls(std::uint16_t port, const tls::Identity& identity, const tls::SessionOptions& options = {});

  // The usual case: one connection. These speak of the last one that began.
  [[nodiscard]] RawConnection& last();
  void send(std::string_view bytes) { last().send(bytes); }
  [[nodiscard]] const std::string& received() { return last().received(); }
  [[nodiscard]] const std::vector<xml::Item>& items() { return last().items(); }

  void start(Context&) override;
  void on_accepted(ConnectionId, std::uint16_t port, const Endpoint& peer) override;
  void on_connected(ConnectionId) override;
  void on_connect_failed(ConnectionId, std::string_view reason) override;
  void on_received(ConnectionId, std::string_view bytes) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view reason) override;

 private:
  struct DirectTls {
    const tls::Identity* identity = nullptr;
    tls::SessionOptions options;
  };
  RawConnection* find(ConnectionId id);

  Context* context_ = nullptr;
  std::vector<std::uint16_t> ports_;
  Layer speaks_;
  std::map<std::uint16_t, DirectTls> direct_tls_;
  std::vector<std::unique_ptr<RawConnection>> connections_;
};

}  // namespace cutover::mocks
