// lync-facts 3.4 and 4.1: who may use XMPP federation, and what the type of a partner allows.
#include "suites/support/chosen.h"
#include "suites/support/federated.h"

#include "reference/gateway.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

void change(Federated& f, const std::function<void(reference::Settings&)>& edit) {
  auto settings = f.deployment.gateway().settings();
  edit(settings);
  f.deployment.gateway().apply(std::move(settings));
}

void without_policy(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7572-4-1", "a message of the partner's user reached the SIP user", f.marker_reaches_alice(),
                Eq(true)))
    return;
  change(f, [&](auto& settings) { settings.policies.grants.erase(f.alice_jid); });
  f.partner.send(f.message("to a user without policy", {}, "p1"));
  const auto error = f.error_for("p1");
  CONFORMS("LYNC-ARCH-5", "the error that the partner's user got", error ? error->condition : "no error",
           AnyOf("service-unavailable", "policy-violation", "forbidden", "not-allowed"));
  f.alice.send_message(f.romeo_uri, "from a user without policy");
  CONFORMS("LYNC-ARCH-5", "the answer to the MESSAGE of the user without policy",
           f.answer_to("from a user without policy"), AnyOf(status_text(403), status_text(603)));
  const auto leaked = [](const auto& stanza) { return body_of(stanza) == "from a user without policy"; };
  CONFORMS("MIG-A01", "how many messages of the user without policy the partner's user got",
           std::ranges::count_if(f.romeo.messages, leaked), Eq(0));
}

CUTOVER_CASE(no_policy){
    .id = "policy.user-without-access-policy",
    .title = "A user whom no access policy reaches neither sends nor receives, and each sender is told",
    .procedure = "The grant of a user's policy is taken away; then a message each way.",
    .accepted = "A stanza error at the partner; 403 or 603 at the user; nothing crosses.",
    .likely_causes = "The policy is looked at in one direction only.",
    .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}},
               {"LYNC-ARCH-5", {"gateway.ignores-access-policy"}},
               {"MIG-A01", {"gateway.ignores-access-policy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = without_policy};

void set_type(Federated& f, reference::PartnerType type) {
  change(f, [&](auto& settings) { settings.partners.at(f.partner_domain).partner_type = type; });
}

void unverified(Run& run) {
  const auto other = user_moved_apart_from(run, user_of_first_domain(run));
  Federated f(run);
  set_type(f, reference::PartnerType::public_unverified);
  auto& bob = f.deployment.user(other);
  bob.subscribe(f.romeo_uri);
  const auto& contact = bob.contact(f.romeo_uri);
  (void)f.until([&] { return contact.state == "active"; });
  CONFORMS("RFC8048-5.3.1-9", "the state of the SIP user's subscription", contact.state, Eq("active"));
  f.partner.send(f.message("from a stranger", {}, "u1"));
  f.partner.send(
      xmpp::make_message(f.romeo_full, address_of(f.deployment.topology(), other), "to a contact", {}, "u2"));
  if (!GIVEN(f.until([&] { return !bob.texts().empty(); }),
             "the later message to the user who added the sender arrived"))
    return;
  CONFORMS("LYNC-SUB-1", "how many messages reached the user who has not added their sender", f.alice.texts().size(),
           Eq(0u));
}

CUTOVER_CASE(contact_first){
    .id = "policy.unverified-partner",
    .title = "A user of an unverified partner reaches a SIP user only who has added them",
    .procedure =
        "The partner is made PublicUnverified. One SIP user adds a user of it, another one does not; a message to "
        "each.",
    .accepted = "It arrives at the first SIP user only.",
    .likely_causes = "The type of the partner is stored and not used.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}}, {"LYNC-SUB-1", {"gateway.ignores-partner-type"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = unverified};

/// What a user of the partner reads as alice's status note.
void judge_note(Federated& f, const std::string& expected) {
  interworking::Presence presence;
  presence.resource = "desk";
  presence.status = "in room 7";
  f.alice.set_presence(presence);
  if (!GIVEN(f.romeo_watches_alice(), "the partner's user was shown the presence of the SIP user")) return;
  CONFORMS("MIG-S02", "the status note that the partner's user sees", child_text(f.presence_to_romeo(""), "status"),
           Eq(expected));
}

void note_to_federated(Run& run) {
  Federated f(run);
  judge_note(f, "in room 7");
}

void note_to_public(Run& run) {
  Federated f(run);
  set_type(f, reference::PartnerType::public_verified);
  judge_note(f, "");
}

CUTOVER_CASE(note_shown){.id = "policy.status-note-shown",
                         .title = "A user of a federated partner sees the status note",
                         .procedure = "A user of a partner of type Federated watches a SIP user who has a status note.",
                         .accepted = "The note as <status/>.",
                         .likely_causes = "Notes are left out for everybody.",
                         .judges = {{"MIG-S02", {"gateway.loses-status"}}},
                         .needs = {Need::sip_side, Need::new_deployment},
                         .any_topology = true,
                         .budget = 1h,
                         .body = note_to_federated};

CUTOVER_CASE(note_hidden){
    .id = "policy.status-note-hidden",
    .title = "A user of a public partner does not see the status note",
    .procedure = "The partner is made PublicVerified; a user of it watches a SIP user who has a status note.",
    .accepted = "Presence without <status/>.",
    .likely_causes = "The type of the partner is not asked for when presence is translated.",
    .judges = {{"MIG-S02", {"gateway.leaks-note"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = note_to_public};

void header_injection(Run& run) {
  Federated f(run);
  auto stanza = f.message("injected", {}, "i1");
  stanza.add(xml::Element("subject", "jabber:server").with_text("Verona\r\nX-Evil: subject"));
  stanza.add(xml::Element("thread", "jabber:server").with_text("t\r\nX-Evil: thread\r\n\r\n"));
  const auto request = f.sip_request_for(std::move(stanza), "MESSAGE", "injected");
  CONFORMS("RFC7572-4-1", "the message reached the SIP user as a MESSAGE", request.has_value(), Eq(true));
  if (request) {
    CONFORMS("SEC-HDR", "the X-Evil header of the MESSAGE that the SIP user got",
             request->header("X-Evil").value_or("none"), Eq("none"));
  }
  if (!GIVEN(f.marker_reaches_alice(), "a later message reached the SIP user")) return;
  CONFORMS("SEC-HDR", "how many MESSAGEs the two messages became", f.requests_to_alice("MESSAGE"), Eq(2u));
}

CUTOVER_CASE(injection){
    .id = "policy.header-injection",
    .title = "Line ends in subject and thread add no header and no request",
    .procedure = "A partner's user sends a message whose subject and thread hold CRLF and a header line.",
    .accepted = "One MESSAGE without that header.",
    .likely_causes = "Text is copied into headers as it is.",
    .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}},
               {"SEC-HDR", {"gateway.header-lines-in-subjects", "gateway.doubles-message-to-sip"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .budget = 1h,
    .body = header_injection};

void removed_partner(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7572-4-1", "a message of the partner's user reached the SIP user", f.marker_reaches_alice(),
                Eq(true)))
    return;
  f.deployment.finish_negotiations();  // what is under way cannot end by its tags
  if (!GIVEN(!f.partner.quiet(), "a stream with the partner was open before its removal")) return;
  f.deployment.remove_partner(f.partner_domain);
  const bool closed = f.deployment.world().run_until([&] { return f.partner.quiet(); }, 10s);
  CONFORMS("LYNC-ARCH-4", "the streams with the removed partner ended within ten seconds", closed, Eq(true));
}

CUTOVER_CASE(partner_removed){.id = "policy.removed-partner",
                              .title = "Streams with a partner that is taken off the list are closed",
                              .procedure = "A partner with an open stream is removed.",
                              .accepted = "Its streams end within ten seconds.",
                              .likely_causes = "The list is read when a stream opens only.",
                              .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}},
                                         {"LYNC-ARCH-4", {"gateway.proxy-keeps-removed-partners"}}},
                              .needs = {Need::sip_side, Need::new_deployment},
                              .any_topology = true,
                              .staging = Staging::bench_only,
                              .live = false,
                              .budget = 1h,
                              .body = removed_partner};

void sips(Run& run) {
  Federated f(run);
  auto secure = f.pager("to sips");
  secure.request_uri = "sips:" + f.romeo_bare;
  f.alice.send_raw(std::move(secure));
  CONFORMS("RFC7247-8-2", "the answer to a MESSAGE with sips: in the Request-URI", f.answer_to("to sips"),
           AnyOf(status_text(416), status_text(403), status_text(480)));
  auto addressed = f.pager("addressed to sips");
  addressed.add_header("To", "<sips:" + f.romeo_bare + ">");
  f.alice.send_raw(std::move(addressed));
  CONFORMS("RFC7247-8-2", "the answer to a MESSAGE with sips: in To", f.answer_to("addressed to sips"),
           AnyOf(status_text(416), status_text(403), status_text(480)));
}

CUTOVER_CASE(sips_refused){
    .id = "policy.sips-refused",
    .title = "A sips address is not translated",
    .procedure =
        "A SIP user sends a MESSAGE to a partner's user with sips: in the Request-URI, then one with it in To.",
    .accepted = "416, 403 or 480.",
    .likely_causes = "The scheme is dropped before it is looked at.",
    .judges = {{"RFC7247-8-2", {"gateway.accepts-sips"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .budget = 1h,
    .body = sips};

}  // namespace
}  // namespace cutover::suites
