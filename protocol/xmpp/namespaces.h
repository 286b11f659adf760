// The XML namespaces of XMPP federation, spelled once.
#pragma once

namespace cutover::xmpp::ns {

inline constexpr char streams[] = "http://etherx.jabber.org/streams";
inline constexpr char server[] = "jabber:server";
inline constexpr char client[] = "jabber:client";
inline constexpr char dialback[] = "jabber:server:dialback";
inline constexpr char tls[] = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr char sasl[] = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr char stream_errors[] = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr char stanza_errors[] = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr char dialback_feature[] = "urn:xmpp:features:dialback";
inline constexpr char bidi_feature[] = "urn:xmpp:features:bidi";
inline constexpr char bidi[] = "urn:xmpp:bidi";
inline constexpr char stream_management[] = "urn:xmpp:sm:3";
inline constexpr char stream_limits[] = "urn:xmpp:stream-limits:0";
inline constexpr char ping[] = "urn:xmpp:ping";
inline constexpr char delay[] = "urn:xmpp:delay";
inline constexpr char chat_states[] = "http://jabber.org/protocol/chatstates";
inline constexpr char disco_info[] = "http://jabber.org/protocol/disco#info";
inline constexpr char disco_items[] = "http://jabber.org/protocol/disco#items";
inline constexpr char version[] = "jabber:iq:version";
inline constexpr char xml[] = "http://www.w3.org/XML/1998/namespace";

}  // namespace cutover::xmpp::ns
