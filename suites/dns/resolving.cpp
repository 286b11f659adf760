// What the initiating server believes of an answer (RFC 5452), follows (RFC 1034), remembers (RFC 2308) and draws
// (RFC 2782).
#include "suites/support/targets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ge;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;
const std::vector<Need> needs{Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones,
                              Need::unmet_peers};

std::string srv_name(Negotiation& n) { return "_xmpp-server._tcp." + n.domain(external); }

void forged(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.srv({"10 0 5269 " + zone.at("there")});
  struct Row {
    const char* requirement;
    const char* name;
    dns::Forgery how;
    mocks::RawPeer* machine = nullptr;
  };
  std::vector<Row> rows{{"RFC5452-9.1-1", "sender", dns::Forgery::of_another_sender},
                        {"RFC5452-9.1-2", "id", dns::Forgery::with_another_id},
                        {"RFC5452-9.1-3", "question", dns::Forgery::to_another_question},
                        {"RFC1035-4.1.1-1", "query", dns::Forgery::as_a_query}};
  for (auto& row : rows) {
    row.machine = &zone.machine(row.name);
    n.subject().names().forge(srv_name(n), dns::Type::srv, row.how, "0 0 5269 " + zone.at(row.name));
  }
  const bool over =
      zone.called("believed", {&there, rows[0].machine, rows[1].machine, rows[2].machine, rows[3].machine});
  if (!GIVEN(over, "a target is called, or the sender is told")) return;
  for (const auto& row : rows)
    CONFORMS(row.requirement, fmt::format("how many connections came for an answer with a wrong {}", row.name),
             row.machine->accepted_count(), Eq(0U));
}

CUTOVER_CASE(forgeries){
    .id = "dns.forged-answers",
    .title = "An answer of another sender, with another id, to another question, or that is a query, is not believed",
    .procedure =
        "Before the answer to the SRV query come four others, each with a target of its own; let the user write.",
    .accepted =
        "A connection to the target of the right answer and to no other, or to nobody: who gives up believes none.",
    .likely_causes = "A resolver of its own, which takes what comes first.",
    .judges = {{"RFC5452-9.1-1", {"dns.believes-any-sender"}},
               {"RFC5452-9.1-2", {"dns.accepts-any-id"}},
               {"RFC5452-9.1-3", {"dns.accepts-any-question"}},
               {"RFC1035-4.1.1-1", {"dns.believes-queries"}}},
    .needs = needs,
    .budget = 1min,
    .body = forged};

void foreign(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  auto& elsewhere = zone.machine("elsewhere");
  zone.srv({"10 0 5269 " + zone.at("there")});
  n.subject().names().forge(srv_name(n), dns::Type::srv, dns::Forgery::beside, "0 0 5269 " + zone.at("elsewhere"));
  (void)zone.called("of its name", {&there, &elsewhere});
  CONFORMS("RFC5452-6-1", "how many connections came for a record of another name", elsewhere.accepted_count(), Eq(0U));
  if (!GIVEN(there.accepted_count() > 0, "a connection comes for the record of the domain")) return;
  // Those of the look-up above: two services, then the addresses.
  std::vector<std::uint16_t> ids;
  for (const auto& query : n.subject().names().history()) ids.push_back(query.id);
  if (!GIVEN(ids.size() >= 3, "three queries came")) return;
  std::size_t guessed = 0;
  for (std::size_t i = 1; i < ids.size(); ++i) guessed += static_cast<std::uint16_t>(ids[i] - ids[i - 1]) <= 1 ? 1 : 0;
  CONFORMS("RFC5452-9.2-1",
           fmt::format("how many ids of {} queries are that of the one before, or the next", ids.size()), guessed,
           testing::Lt(ids.size() - 1));
}

CUTOVER_CASE(foreign_records){
    .id = "dns.foreign-records",
    .title = "Records of another name in an answer are not used; queries have ids that cannot be guessed",
    .procedure = "The answer to the SRV query begins with a record of another name; let the user write.",
    .accepted = "A connection to the target of the domain's own record; ids that do not follow each other.",
    .likely_causes = "Every record of the type is taken; ids are counted.",
    .judges = {{"RFC5452-6-1", {"dns.uses-foreign-records"}}, {"RFC5452-9.2-1", {"dns.predictable-id"}}},
    .needs = needs,
    .budget = 1min,
    .body = foreign};

void alias(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.srv({});
  const auto hosted = "_xmpp-server._tcp.hosted." + n.domain(external);
  n.subject().names().set(srv_name(n), dns::Type::cname, 60, {hosted});
  n.subject().names().set(hosted, dns::Type::srv, 60, {"0 0 5269 " + zone.at("there")});
  (void)zone.called("by an alias", {&there});
  CONFORMS("RFC1034-3.6.2-1", "how many connections came to the target of the alias", there.accepted_count(), Ge(1U));
}

CUTOVER_CASE(aliases){
    .id = "dns.alias",
    .title = "An alias in the place of the SRV records is followed",
    .procedure = "_xmpp-server._tcp of the domain is an alias of another name, which has the SRV record.",
    .accepted = "A connection to the target of that record.",
    .likely_causes = "Records of the type alone are read.",
    .judges = {{"RFC1034-3.6.2-1", {"dns.follows-no-cname"}}},
    .needs = needs,
    .budget = 1min,
    .body = alias};

void alias_loop(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  zone.srv({});
  const auto name = [&](int i) { return fmt::format("_xmpp-server._tcp.{}.{}", i, n.domain(external)); };
  n.subject().names().set(srv_name(n), dns::Type::cname, 60, {name(0)});
  for (int i = 0; i < 3; ++i) n.subject().names().set(name(i), dns::Type::cname, 60, {name((i + 1) % 3)});
  n.subject().send_message(n.romeo(external), "round and round");
  CONFORMS("RFC1034-3.6.2-2", "what the sender was told", n.told("round and round"), Ne("nothing"));
}

CUTOVER_CASE(alias_of_itself){
    .id = "dns.alias-of-itself",
    .title = "Aliases that lead round in a circle come to an end",
    .procedure = "_xmpp-server._tcp of the domain is an alias in a circle of three; let the user write.",
    .accepted = "An error for the user, however late.",
    .likely_causes = "Each alias is a new question.",
    .judges = {{"RFC1034-3.6.2-2", {"dns.follows-cnames-for-ever"}}},
    .needs = needs,
    .budget = 5min,
    .body = alias_loop};

void unreadable(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  n.subject().names().spoil("", dns::Spoilt::malformed);
  n.subject().send_message(n.romeo(external), "into the fog");
  CONFORMS("RFC6120-10.4.3-1", "what the sender was told", n.told("into the fog"), Ne("nothing"));
}

CUTOVER_CASE(rubbish){.id = "dns.unreadable-answers",
                      .title = "Where the name server says what cannot be read the sender is told",
                      .procedure = "Every answer is rubbish behind its id; let the user write.",
                      .accepted = "An error for the user, however late.",
                      .likely_causes = "A question without an end.",
                      .judges = {{"RFC6120-10.4.3-1", {"dns.never-gives-up", "xmpp.undeliverable-silent"}}},
                      .needs = {Need::sasl_external, Need::user_account, Need::peer_zones, Need::unmet_peers},
                      .budget = 5min,
                      .body = unreadable};

/// Without an SRV record the domain's own address is called; with one, that.
struct Repointed {
  explicit Repointed(Targets& zone) : apex(zone.machine("apex")), there(zone.machine("there")) { zone.srv({}); }
  mocks::RawPeer& apex;
  mocks::RawPeer& there;
};

void absence(Run& run, dns::Spoilt how, Duration later, const char* requirement) {
  Negotiation n(run);
  Targets zone(n);
  Repointed at(zone);
  zone.apex(n.subject().free_host());
  n.subject().names().spoil(srv_name(n), how);
  n.subject().names().spoil("_xmpps-server._tcp." + n.domain(external), how);
  (void)zone.called("without SRV", {&at.apex});
  if (!GIVEN(at.apex.accepted_count() > 0, "the domain's own address is called where it has no SRV record")) return;
  zone.hang_up(at.apex);
  zone.srv({"0 0 5269 " + zone.at("there")});
  n.subject().names().spoil(srv_name(n), dns::Spoilt::nothing);
  if (later > Duration::zero()) n.subject().world().run_for(later);
  at.apex.stop_listening(5269);
  (void)zone.called("with SRV", {&at.there});
  CONFORMS(requirement, "how many connections came to the target of the new SRV record", at.there.accepted_count(),
           Ge(1U));
}

void absence_for_a_while(Run& run) { absence(run, dns::Spoilt::nothing, 5min, "RFC6120-13.9.2-1"); }
void absence_without_soa(Run& run) { absence(run, dns::Spoilt::without_soa, Duration::zero(), "RFC2308-5-1"); }

CUTOVER_CASE(absent){
    .id = "dns.absence-expires",
    .title = "That there is no SRV record is believed for a while: one that comes is found",
    .procedure =
        "Without an SRV record let the user write; give the domain one; five minutes later, in virtual time, let the "
        "user write again. The SOA says a minute.",
    .accepted = "The second connection goes to the target of the record.",
    .likely_causes = "What was not there is never looked for again.",
    .judges = {{"RFC6120-13.9.2-1", {"dns.never-forgets-negative-answers"}}},
    .needs = needs,
    .live = false,
    .budget = 1h,
    .body = absence_for_a_while};

CUTOVER_CASE(absent_without_soa){
    .id = "dns.absence-without-soa",
    .title = "That there is no SRV record is not kept where no SOA says for how long",
    .procedure =
        "Without an SRV record, and without an SOA in the answer, let the user write; give the domain a record; let "
        "the user write at once.",
    .accepted = "The second connection goes to the target of the record.",
    .likely_causes = "A time of its own for whatever is not there.",
    .judges = {{"RFC2308-5-1", {"dns.caches-absence-without-soa"}}},
    .needs = needs,
    .live = false,
    .budget = 5min,
    .body = absence_without_soa};

void by_weight(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& light = zone.machine("light");
  auto& heavy = zone.machine("heavy");
  zone.srv({"10 1 5269 " + zone.at("light"), "10 65535 5269 " + zone.at("heavy"), "10 1 5270 " + zone.at("light")});
  if (!GIVEN(zone.called("by weight", {&light, &heavy}), "a target is called")) return;
  // A server that draws comes here once in thirty thousand times.
  CONFORMS("RFC2782-weight-1", "how many connections came to targets of weight 1 beside one of 65535",
           light.accepted_count(), Eq(0U));
}

CUTOVER_CASE(weights){
    .id = "dns.srv-weight",
    .title = "Of targets of one priority the heavy one is called first",
    .procedure = "Three SRV records of one priority, weights 1, 65535 and 1 in this order; let the user write.",
    .accepted = "A connection to the second.",
    .likely_causes = "The order of the answer; a draw without weights.",
    .judges = {{"RFC2782-weight-1", {"dns.ignores-weight"}}},
    .needs = needs,
    .body = by_weight};

void many(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.address("gone", {zone.nowhere()});
  const auto gone = [&](int priority) { return fmt::format("{} 0 5269 {}", priority, zone.at("gone")); };
  zone.srv({gone(10), gone(20), gone(30), gone(40), "50 0 5269 " + zone.at("there"), gone(60)});
  (void)zone.called("by the fifth", {&there});
  CONFORMS("RFC2782-usage-1", "how many connections came to the fifth target", there.accepted_count(), Ge(1U));
}

CUTOVER_CASE(many_records){
    .id = "dns.many-srv-records",
    .title = "Every SRV record of an answer is read",
    .procedure = "Six SRV records, the fifth with the one target that can be reached; let the user write.",
    .accepted = "A connection to that target.",
    .likely_causes = "A list of a few places.",
    .judges = {{"RFC2782-usage-1", {"dns.first-srvs-only"}}},
    .needs = needs,
    .budget = 5min,
    .body = many};

void addresses_apart(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.srv({"10 0 5269 " + zone.at("there")});
  (void)zone.called("by address", {&there});
  CONFORMS("RFC2782-usage-2", "how many connections came to a target whose address no SRV answer brings along",
           there.accepted_count(), Ge(1U));
  mocks::RawConnection* speaks = nullptr;
  (void)n.until([&] { return (speaks = there.take_accepted()) != nullptr; });
  if (!GIVEN(speaks != nullptr, "the subject speaks on a connection to the target")) return;
  CONFORMS("XEP0368-3-3", "what it said first to a target of _xmpp-server was a record of TLS",
           speaks->received().starts_with('\x16'), Eq(false));
}

CUTOVER_CASE(addresses){
    .id = "dns.addresses-asked-for",
    .title = "The address of a target is asked for where the SRV answer did not bring it, and STARTTLS spoken there",
    .procedure = "One SRV record, and an answer without an additional section; let the user write.",
    .accepted = "A connection to the target, and a stream header on it.",
    .likely_causes = "A resolver that takes addresses from the additional section alone.",
    .judges = {{"RFC2782-usage-2", {"dns.needs-additional-section"}}, {"XEP0368-3-3", {"xmpp.direct-tls-everywhere"}}},
    .needs = needs,
    .budget = 5min,
    .body = addresses_apart};

void weight_zero(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& one = zone.machine("one");
  auto& zero = zone.machine("zero");
  zone.srv({"10 1 5269 " + zone.at("one"), "10 0 5269 " + zone.at("zero")});
  constexpr std::size_t draws = 24;  // by the procedure of RFC 2782 each goes to zero with a probability of one half
  std::size_t drawn = 0;
  for (; drawn < draws && zero.accepted_count() == 0; ++drawn) {
    const auto before = one.accepted_count();
    n.subject().send_message(n.romeo(external), fmt::format("draw {}", drawn));
    if (!n.until([&] { return one.accepted_count() > before || zero.accepted_count() > 0; })) break;
    if (one.accepted_count() > before) zone.hang_up(one);
    n.subject().world().run_for(5min);  // of whatever keeps a server from coming back at once
  }
  if (!GIVEN(zero.accepted_count() > 0 || drawn == draws, "the subject comes back for each message")) return;
  CONFORMS("RFC2782-weight-2", fmt::format("a target of weight 0 beside one of 1 was called within {} draws", draws),
           zero.accepted_count() > 0, Eq(true));
}

CUTOVER_CASE(zero_weight){
    .id = "dns.srv-weight-zero",
    .title = "A target of weight zero is drawn now and then",
    .procedure = "Two SRV records of one priority, weights 1 and 0; the user writes again and again.",
    .accepted = "A connection to the second within 24 draws; the procedure of RFC 2782 gives each one half.",
    .likely_causes = "Zero is never.",
    .judges = {{"RFC2782-weight-2", {"dns.never-draws-weight-zero"}}},
    .needs = needs,
    .live = false,
    .budget = 6h,
    .body = weight_zero};

const std::vector<Need> direct_needs{Need::sasl_external, Need::user_account, Need::spare_addresses,
                                     Need::direct_tls,    Need::peer_zones,   Need::unmet_peers};

void direct_declined(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.srv({"0 0 0 ."}, "_xmpps-server");
  zone.srv({"10 0 5269 " + zone.at("there")});
  (void)zone.called("by STARTTLS", {&there});
  CONFORMS("XEP0368-5-1", "how many connections came to the target of _xmpp-server", there.accepted_count(), Ge(1U));
}

CUTOVER_CASE(declined){.id = "dns.direct-tls-declined",
                       .title = "'.' for direct TLS says nothing of STARTTLS",
                       .procedure = "_xmpps-server is '.', _xmpp-server has a target; let the user write.",
                       .accepted = "A connection to that target.",
                       .likely_causes = "Either '.' ends the search.",
                       .judges = {{"XEP0368-5-1", {"dns.dot-cancels-both-lists"}}},
                       .needs = direct_needs,
                       .body = direct_declined};

void direct_alone(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& apex = zone.machine("apex");
  zone.srv({"0 0 0 ."}, "_xmpps-server");
  zone.srv({});
  zone.apex(n.subject().free_host());
  (void)zone.called("not to the apex", {&apex});
  CONFORMS("RFC6120-10.4.3-1", "what the sender was told", n.told("not to the apex"), Ne("nothing"));
  CONFORMS("XEP0368-5-1", "how many connections came to the domain's own address", apex.accepted_count(), Eq(0U));
}

CUTOVER_CASE(declined_alone){
    .id = "dns.direct-tls-declined-alone",
    .title = "Where '.' for direct TLS is all that there is the domain's own address is not called",
    .procedure = "_xmpps-server is '.', there is no _xmpp-server record, and an address at the domain itself.",
    .accepted = "No connection; an error for the user.",
    .likely_causes = "The fallback looks at one of the two lists.",
    .judges = {{"XEP0368-5-1", {"dns.falls-back-after-direct-tls-dot"}},
               {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}}},
    .needs = direct_needs,
    .budget = 5min,
    .body = direct_alone};

void both_families(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.srv({"10 0 5269 " + zone.at("there")});
  (void)zone.called("by either family", {&there});
  if (!GIVEN(there.accepted_count() > 0, "the target is called")) return;
  for (const auto* requirement : {"RFC6120-3.2.2-1", "MIG-D10"})
    CONFORMS(requirement, "how many queries for AAAA records of the target came",
             n.subject().names().queries(zone.at("there"), dns::Type::aaaa), Ge(1U));
}

CUTOVER_CASE(families){.id = "dns.both-families",
                       .title = "Addresses of both families are asked for",
                       .procedure = "One SRV record; let the user write; see what is asked of its target.",
                       .accepted = "A query for AAAA, whatever is done with its answer.",
                       .likely_causes = "A look-up of IPv4 alone.",
                       .judges = {{"RFC6120-3.2.2-1", {"dns.ignores-aaaa"}}, {"MIG-D10", {"dns.ignores-aaaa"}}},
                       // A server that was told to use IPv4 alone does right.
                       .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones,
                                 Need::unmet_peers, Need::new_deployment},
                       .body = both_families};

}  // namespace
}  // namespace cutover::suites
