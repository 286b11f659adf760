// lync-facts 2.7: one to one, text and presence; what is more is refused cleanly, and harms nothing.
#include "suites/support/sip_by_hand.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::StartsWith;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

xml::Element jingle(std::string_view description) {
  xml::Element content("content", "urn:xmpp:jingle:1");
  content.set_attribute("creator", "initiator");
  content.set_attribute("name", "offered");
  content.add(xml::Element("description", std::string(description)));
  xml::Element offer("jingle", "urn:xmpp:jingle:1");
  offer.set_attribute("action", "session-initiate");
  offer.set_attribute("sid", "s1");
  offer.add(std::move(content));
  return offer;
}

/// A stanza that asks for something is answered so, by any server that does not know it (RFC 6120 section 8.2.3).
void judge_offer(Federated& f, const std::string& what, const std::string& id, std::string_view description) {
  f.partner.send(xmpp::make_iq(f.romeo_full, f.alice_jid, "set", id, jingle(description)));
  const auto error = f.error_for(id);
  CONFORMS("MIG-S05", "the error that " + what + " of the partner's user got", error ? error->condition : "no error",
           AnyOf("service-unavailable", "feature-not-implemented", "not-acceptable", "item-not-found"));
}

void from_partner(Run& run) {
  Federated f(run);
  f.partner.send(f.message("to all of you", "groupchat", "g1"));
  const auto error = f.error_for("g1");
  CONFORMS("MIG-S05", "an error came for groupchat", error.has_value(), Eq(true));
  auto invitation = xmpp::make_message(f.romeo_full, f.alice_jid, {}, {}, "i1");
  xml::Element conference("x", "jabber:x:conference");  // XEP-0249
  conference.set_attribute("jid", "room@rooms.fabrikam.example");
  invitation.add(std::move(conference));
  f.partner.send(std::move(invitation));
  judge_offer(f, "a file offer", "f1", "urn:xmpp:jingle:apps:file-transfer:5");
  judge_offer(f, "a call", "c1", "urn:xmpp:jingle:apps:rtp:1");
  if (!f.given_markers()) return;
  const auto is_other = [](const mocks::SipText& text) { return !text.body.starts_with("marker"); };
  CONFORMS("MIG-S05", "how many texts the SIP user got of groupchat and of an invitation without words",
           std::ranges::count_if(f.alice.texts(), is_other), Eq(0));
}

CUTOVER_CASE(of_xmpp){
    .id = "session.beyond-text-to-sip",
    .title =
        "Groupchat, an invitation to a room, a file and a call from a partner's user are refused, and text passes on",
    .procedure =
        "A partner's user sends groupchat, an invitation to a room without a body, an offer of a file and of a call; "
        "then messages pass both ways.",
    .accepted =
        "A stanza error for each but the invitation, which asks for nothing: an error or silence. Nothing of it "
        "reaches the SIP user as a text.",
    .likely_causes = "A gateway that knows message and presence only, and answers nothing else.",
    .judges = {{"MIG-S05", {"gateway.relays-groupchat", "gateway.iq-unanswered"}}},
    .needs = needs,
    .budget = 1h,
    .body = from_partner};

void from_user(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  const auto offered = [&](std::string_view media) {
    auto invite = pool.invite();
    invite.body =
        fmt::format("v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm={}\r\n", media);
    return pool.said_and_answered(invite);
  };
  const auto refusal = AnyOf(StartsWith("4"), StartsWith("6"), status_text(501));
  CONFORMS("MIG-S05", "the answer to an INVITE for audio", offered("audio 9 RTP/AVP 0"), refusal);
  CONFORMS("MIG-S05", "the answer to an INVITE for video", offered("video 9 RTP/AVP 34"), refusal);
  CONFORMS("MIG-S05", "the answer to an INVITE for a file", offered("data 6891 TCP *"), refusal);
  auto conference = pool.invite();
  conference.set_header("Content-Type", "application/ms-conf-invite+xml");
  conference.body = "<Conferencing version='2.0'><focus-uri>sip:alice@contoso.example;gruu</focus-uri></Conferencing>";
  CONFORMS("MIG-S05", "the answer to an INVITE to a conference", pool.said_and_answered(conference), refusal);
  // What is for the SIP users comes to the peer by hand meanwhile.
  (void)GIVEN(f.marker_reaches_romeo(), "a later message of the SIP user passes");
}

CUTOVER_CASE(of_sip){
    .id = "session.beyond-text-to-xmpp",
    .title = "A call, a file and a conference from a SIP user are refused, and text passes on",
    .procedure =
        "From the place of the pool: INVITE for audio, for video, for a file, and to a conference; then a message "
        "passes.",
    .accepted = "A final refusal for each.",
    .likely_causes = "Every INVITE is taken for one of text.",
    .judges = {{"MIG-S05", {"gateway.accepts-any-offer"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 4s,
    .body = from_user};

}  // namespace
}  // namespace cutover::suites
