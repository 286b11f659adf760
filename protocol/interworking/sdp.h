// Session descriptions of IM sessions: RFC 4566 and RFC 3264 as far as one "m=message" line needs them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::interworking {

/// The offer of an IM session in the product's form: m=message <port> sip null (lync-facts 4.3).
[[nodiscard]] std::string im_offer(std::string_view host, std::string_view session_id);

/// What an offer or an answer says of IM.
struct ImMedia {
  bool accepted = false;     ///< a m=message line over sip with a port that is not 0
  std::string accept_types;  ///< of a=accept-types, lower case
  int other_media = 0;       ///< further m= lines that want a port
};
/// Nothing where the text is no session description.
[[nodiscard]] std::optional<ImMedia> read_sdp(std::string_view sdp);

/// The answer to an offer: as many m= lines, in order, the first IM line taken, the others with port 0, t= as offered
/// (RFC 3264 section 6).
[[nodiscard]] std::string im_answer(std::string_view offer, std::string_view host, std::string_view session_id,
                                    std::string_view user_uri);

inline constexpr char im_accept_types[] = "text/plain text/html multipart/alternative application/im-iscomposing+xml";

}  // namespace cutover::interworking
