// Every bound of the protocol engines in one place; units last in the name.
#pragma once

#include "protocol/base/time.h"

#include <cstddef>

namespace cutover::limits {

// XML streams. RFC 6120 section 13.12: a limit of stanza size must not be below 10 000 octets.
inline constexpr std::size_t stanza_size_max_octets = 512 * 1024;  // the default of Prosody for S2S
inline constexpr std::size_t stream_header_size_max_octets = 16 * 1024;
inline constexpr std::size_t element_depth_max = 128;
inline constexpr std::size_t element_attributes_max = 128;
inline constexpr std::size_t element_children_max = 16 * 1024;

// S2S streams.
inline constexpr Duration stream_establishment_timeout = 60s;  // XmppGatewayConfiguration StreamEstablishmentTimeout
inline constexpr Duration stream_close_timeout = 5s;
inline constexpr std::size_t stream_domain_pairs_max = 64;
inline constexpr std::size_t stream_queue_max_stanzas = 1024;

// JIDs (RFC 7622 section 3).
inline constexpr std::size_t jid_part_max_octets = 1023;

// SIP over streams.
inline constexpr std::size_t sip_message_size_max_octets = 64 * 1024;
inline constexpr std::size_t sip_headers_max = 100;

// DNS.
inline constexpr std::size_t dns_message_size_max_octets = 65535;
inline constexpr std::size_t dns_cname_chain_max = 8;

// What is kept of what came, where nothing else bounds it (see history.h): a peer may flood.
inline constexpr std::size_t history_items_max = 4096;
inline constexpr std::size_t history_size_max_octets = 4 * 1024 * 1024;

}  // namespace cutover::limits
