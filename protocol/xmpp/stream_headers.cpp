// Stream headers and restarts, of both sides: RFC 6120 sections 4.3.3, 4.7 and 4.8.
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stream.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>

namespace cutover::xmpp {

/// A new document in both directions on the same connection, without end tags (RFC 6120 section 4.3.3).
void Stream::restart() {
  reader_.emplace(config_.reader_limits);
  raw_.clear();
  header_sent_ = header_seen_ = false;
  state_ = StreamState::header;
}

/// A second header where no restart is due would open an element that swallows the stream (OF-1913, Prosody #468).
bool Stream::on_nested_header() {
  if (!header_seen_ || state_ == StreamState::closing) return false;
  const auto start = raw_.find_first_not_of(" \t\r\n");
  if (start == std::string::npos || raw_.compare(start, 14, "<stream:stream") != 0) return false;
  if (holds(Rule::restart_only_where_due)) {
    note(Layer::xmpp, Direction::in, "stream header, not due", raw_);
    fail("bad-format", "a stream header where none is due");
    return true;
  }
  in_ = raw_.substr(start) + std::string(rest());
  at_ = 0;
  restart();
  return true;
}

void Stream::on_header(const xml::StreamHeader& header) {
  header_seen_ = true;
  if (state_ == StreamState::closing) return;
  const auto version = parse_version(header.tag.attribute("version").value_or("0.9"));
  peer_has_version_ = version && version->first >= 1 && config_.send_version;
  peer_declares_dialback_ =
      std::ranges::any_of(header.prefixes, [](const auto& declared) { return declared.second == ns::dialback; });
  if (!initiating()) return on_initial_header(header);
  if (const auto fault = judge_header_form(header); !fault.empty()) return fail(fault);
  id_ = header.tag.attribute_or_empty("id");
  on_response_header();
}

std::string_view Stream::judge_header_form(const xml::StreamHeader& header) const {
  if (breaks(Rule::root_is_a_stream, header.tag.ns() != ns::streams)) return "invalid-namespace";
  if (breaks(Rule::root_is_a_stream, header.tag.name() != "stream")) return "bad-format";
  // RFC 6120 section 4.8.2: the stream namespace is the default one where each element names its own.
  const bool declared = header.content_ns == ns::server || header.content_ns == ns::streams;
  if (breaks(Rule::content_is_jabber_server, !declared)) return "invalid-namespace";
  const auto version = header.tag.attribute("version");
  if (breaks(Rule::version_is_a_number, version && !parse_version(*version))) return "unsupported-version";
  return {};
}

/// What is wrong with the addresses of an initial header; sets local_ and remote_ as far as they are right.
std::string_view Stream::judge_initial_header(const xml::Element& tag) {
  const auto from_text = tag.attribute("from"), to_text = tag.attribute("to");
  const auto to = Jid::parse(to_text.value_or("")), from = Jid::parse(from_text.value_or(""));
  const bool to_a_domain = to && to->is_domain();
  if (to_a_domain && (serves(to->domain()) || trusted())) local_ = to->domain();
  if (from && from->is_domain()) remote_ = from->domain();
  if (breaks(Rule::to_is_a_domain, !to_a_domain)) return "improper-addressing";
  if (breaks(Rule::to_is_served, to_a_domain && local_.empty())) return "host-unknown";
  if (local_.empty() && !config_.domains.empty())
    local_ = config_.domains.front();  // handled liberally (RFC 6120 section 4.7.2)
  if (breaks(Rule::from_is_a_domain, from_text && remote_.empty())) return "improper-addressing";
  if (trusted()) return {};
  // Nobody else speaks for a domain that is served here.
  if (breaks(Rule::from_is_foreign, serves(remote_))) return "invalid-from";
  // RFC 6120 section 4.3.3: a restart is for the same stream. Nothing learnt in clear is believed, but a change is
  // refused.
  const bool other_to = !first_to_.empty() && first_to_ != local_;
  const bool other_from = !first_from_.empty() && !remote_.empty() && first_from_ != remote_;
  if (breaks(Rule::restart_keeps_addresses, other_to)) return "improper-addressing";
  if (breaks(Rule::restart_keeps_addresses, other_from)) return "invalid-from";
  return {};
}

void Stream::on_initial_header(const xml::StreamHeader& header) {
  local_.clear();
  remote_.clear();
  if (const auto fault = judge_header_form(header); !fault.empty()) return fail(fault);
  if (const auto fault = judge_initial_header(header.tag); !fault.empty()) return fail(fault);
  if (sasl_ == Sasl::done) {
    if (remote_.empty()) remote_ = first_from_;
    authorised_.insert({remote_, local_});  // the identity of SASL counts from the new document on
  }
  first_to_ = local_;
  if (!remote_.empty()) first_from_ = remote_;
  // COMPAT(legacy): peers of RFC 3920's time send no from. What they may do is judged at their db:result.
  policy_ = remote_.empty() || !config_.policy
                ? PeerPolicy{.tls = Negotiation::optional, .sasl = Negotiation::not_supported}
                : config_.policy(remote_);
  methods_ = methods_of(policy_);
  const bool turned_away = config_.strangers_meet == StreamConfig::StrangersMeet::refusal_of_header && !trusted();
  if (breaks(Rule::partner_is_allowed, !policy_.allowed && turned_away))
    return fail("policy-violation", "not an allowed partner");
  const bool without_features = !peer_has_version_ && !trusted() && config_.send_version;
  if (breaks(Rule::features_need_a_version, without_features && !methods_.dialback(secured())))
    return fail("unsupported-version", "this policy needs features, and XMPP 0.9 has none");
  put_header();
  push(HeadersExchanged{local_, remote_, id_});
  if (peer_has_version_ || trusted()) put("stream:features", feature_list());
  state_ = StreamState::open;
  if (trusted()) negotiated(AuthenticationMethod::sasl_external);
}

void Stream::on_response_header() {
  push(HeadersExchanged{local_, remote_, id_});
  if (peer_has_version_ || trusted()) {
    state_ = StreamState::features;
    return;
  }
  // COMPAT(legacy): XMPP 0.9 has no features; only dialback in clear, announced by its namespace (XEP-0220
  // section 2.4.1).
  if (methods_.dialback(secured()) || config_.purpose == StreamPurpose::verification) {
    return negotiated(AuthenticationMethod::none);
  }
  if (breaks(Rule::features_need_a_version, config_.send_version))
    fail("unsupported-version", "the peer speaks XMPP 0.9, and this policy needs features");
}

void Stream::put_header() {
  auto from = local_;
  if (!initiating() && from.empty() && !config_.domains.empty()) from = config_.domains.front();
  std::string out =
      std::string("<?xml version='1.0'?><stream:stream xmlns='") + ns::server + "' xmlns:stream='" + ns::streams + "'";
  // XEP-0220 section 2.4.1: classic dialback is announced by its namespace.
  if (!trusted()) out += std::string(" xmlns:db='") + ns::dialback + "'";
  if (!from.empty()) out += attribute("from", from);
  if (!remote_.empty()) out += attribute("to", remote_);
  if (!initiating()) {
    if (id_.empty() || holds(Rule::restart_has_a_new_id)) id_ = new_id();
    out += attribute("id", id_);
  }
  // RFC 6120 section 4.7.5: the lower of both versions; a peer without version gets none.
  const bool old_peer = !initiating() && header_seen_ && !peer_has_version_;
  if (config_.send_version && (!old_peer || trusted())) out += attribute("version", "1.0");
  header_sent_ = true;
  put("stream header " + from + " > " + remote_, out + " xml:lang='en'>");
}

std::string Stream::new_id() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string id;
  // RFC 6120 section 4.7.3: unpredictable and never repeated, since dialback keys are bound to it: 128 bits.
  for (int word = 0; word < 4; ++word) {
    auto bits = config_.random ? config_.random(std::uint64_t{1} << 32U) : 0;
    for (int i = 0; i < 8; ++i, bits >>= 4U) id += digits[bits & 15U];
  }
  return id;
}

}  // namespace cutover::xmpp
