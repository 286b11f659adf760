// lync-facts 2.4: the name in the subject of a certificate has to be among the alternative names, too.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"
#include "suites/support/peer_stream.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

/// How the edge answers EXTERNAL of the partner with a certificate of these names.
std::string answer_of_edge(Deployment& deployment, mocks::RawPeer& peer, const std::string& partner,
                           const std::string& name) {
  tls::CertificateRequest request;
  request.names = {{tls::NameKind::dns, name}};
  request.common_name = partner;
  PeerStream stream(deployment.world(), peer.connect(deployment.endpoint(edge_machine(deployment))),
                    {.from = partner, .to = deployment.topology().domain});
  auto answer = stream.open() ? stream.worth_of(*deployment.authority().issue(request)) : "no features";
  if (answer == "success") (void)stream.reopen();
  stream.close();
  return answer;
}

void in_the_subject_alone(Run& run) {
  const auto partner = partner_by_certificate(run).domain, user = user_of_first_domain(run);
  auto estate = estate_of(run.topology());
  const auto domain = run.topology().domain;
  estate.certificates["subject-only"] = {.names = {"sip." + domain}, .subject = domain};
  const auto edge = estate.start.edges.begin()->first;
  const auto deployment = migrate(run, std::move(estate));
  const auto shown = [&](const std::string& certificate) {
    deployment->carry_out("assign-certificate " + edge + " " + certificate);
    deployment->carry_out("restart-edge " + edge);
    deployment->settle();
    return deviations(*deployment, exchanges_of(deployment->topology(), user, partner));
  };
  CONFORMS("MIG-C04", "the exchanges by a certificate that has the domain in its subject alone", shown("subject-only"),
           AsPredicted());
  for (const auto way : {Way::to_partner, Way::from_partner})
    CONFORMS("MIG-C04", "what the rules say makes them fail", predicted_cause(*deployment, user, partner, way),
             Eq(Cause::name_missing));
  CONFORMS("MIG-C04", "the exchanges by a certificate that has it among the alternative names", shown("edge"),
           AsPredicted());
  CONFORMS("MIG-C04", "what the rules say makes them fail",
           predicted_cause(*deployment, user, partner, Way::from_partner), Eq(Cause::none));
  auto& peer = somebody(*deployment);
  if (!GIVEN(answer_of_edge(*deployment, peer, partner, partner) == "success",
             "the edge takes a certificate that has the partner's domain in both"))
    return;
  CONFORMS("MIG-C04",
           "the edge's answer to EXTERNAL by a certificate that has the partner's domain in its subject alone",
           answer_of_edge(*deployment, peer, partner, "victim.example"), Ne("success"));
}

CUTOVER_CASE(subject_alone){
    .id = "migration.name-in-subject-alone",
    .title = "A certificate that has the domain in its subject alone proves it to no partner, and none to the edge",
    .procedure =
        "The six steps; the edge gets a certificate whose common name is the domain and whose alternative names are "
        "others, then the first one again; exchanges with a partner that goes by certificates. EXTERNAL with such a "
        "one of the "
        "partner's.",
    .accepted =
        "Nothing is carried, and whoever sends a message is told; then everything is. The edge refuses the partner's, "
        "or ends the stream.",
    .likely_causes = "The common name is taken for one of the names.",
    .judges = {{"MIG-C04", {"xmpp.common-name-beside-names"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .takes = 2s,
    .body = in_the_subject_alone};

}  // namespace
}  // namespace cutover::suites
