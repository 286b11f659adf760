// What both ends of a SIP dialog remember (RFC 3261 section 12), as a value.
#pragma once

#include "protocol/sip/message.h"

#include <cstdint>
#include <string>
#include <vector>

namespace cutover::interworking {

struct Dialog {
  std::string call_id, local_tag, remote_tag;
  std::string local, remote;           ///< "<sip:...>", without tag
  std::string remote_target;           ///< URI
  std::vector<std::string> route_set;  ///< values of Route, in order
  std::uint32_t local_cseq = 0, remote_cseq = 0;
};

/// A dialog as the answering side sees it (section 12.1.1).
[[nodiscard]] Dialog answering_dialog(const sip::Message& request, std::string local_tag);
/// Takes remote tag, remote target and route set from a response (section 12.1.2) or from the NOTIFY that comes first
/// (RFC 6665 section 4.4.1). Without effect on a dialog that has a remote tag.
void establish_from_response(Dialog& dialog, const sip::Message& response);
void establish_from_request(Dialog& dialog, const sip::Message& request);
/// A request inside the dialog with the next CSeq; an ACK takes `cseq` of its INVITE (section 13.2.2.4).
[[nodiscard]] sip::Message request_in(Dialog& dialog, std::string_view method);
[[nodiscard]] sip::Message ack_in(const Dialog& dialog, std::uint32_t cseq);

}  // namespace cutover::interworking
