// Words for what answers in the place of an XMPP server, or refuses to: what it said, what it is, and the remedy.
#pragma once

#include "protocol/dns/server.h"
#include "protocol/xml/element.h"

#include <string>
#include <string_view>

namespace cutover::harness {

/// The first octets of an answer that is no XML stream: quoted, with the protocol that they are of.
[[nodiscard]] std::string words_for_octets(std::string_view octets);

/// Whether they are a record of TLS, an alert mostly: what a port for direct TLS answers to a header in clear.
[[nodiscard]] bool is_tls(std::string_view octets);

/// Whom a probe spoke to, and as whom.
struct Probed {
  std::string domain;        ///< settings.domain
  std::string peer;          ///< the peer that the probe spoke for
  std::string calls_itself;  ///< the `from` of its header; empty for none
};

/// A stream error in answer to a good header: its condition and its own text, the likely mistake and the remedy.
[[nodiscard]] std::string words_for_error(const xml::Element& error, const Probed&);

/// Why it is the port for clients, in words; empty where nothing says so. `features`: null where none came.
[[nodiscard]] std::string words_for_client_port(std::string_view content_ns, const xml::Element* features);

/// What our name server was asked about a peer, by whom, how often, or that it never was.
[[nodiscard]] std::string words_for_queries(const dns::DnsServer&, const std::string& peer);

}  // namespace cutover::harness
