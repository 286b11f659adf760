// RFC 6120 section 8.3.1, lync-facts 1 and 3: proxy and gateway without each other, and before federation is enabled.
#include "reference/gateway.h"
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::StartsWith;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

void set_route(Federated& f, bool route) {
  auto settings = f.deployment.gateway().settings();
  settings.site_federation_route = route;
  f.deployment.gateway().apply(std::move(settings));
}

void parted(Run& run) {
  Federated f(run);
  if (!f.given_markers()) return;
  set_route(f, false);
  f.deployment.world().run_for(1s);  // the link ends by the end of its stream
  f.partner.send(f.message("without a gateway", {}, "p1"));
  const auto came = [&] { return std::ranges::count(f.alice.texts(), "without a gateway", &mocks::SipText::body) > 0; };
  const auto told = [&] { return f.error_stanza("p1") != nullptr; };
  (void)f.until([&] { return came() || told(); });
  if (!CONFORMS("LYNC-ARCH-1", "a message came through while the site had no federation route", came(), Eq(false)))
    return;
  CONFORMS("RFC6120-8.3.3.17-1", "an error came for a message while no gateway was linked", told(), Eq(true));
  f.alice.send_message(f.romeo_uri, "without a proxy");
  CONFORMS("RFC6120-8.3.3.17-1", "the answer to a MESSAGE while no proxy is linked", f.answer_to("without a proxy"),
           AnyOf(StartsWith("4"), StartsWith("5"), StartsWith("6")));
  set_route(f, true);
  f.deployment.world().run_for(7s);  // it is dialled again after a pause
  (void)f.given_markers();
}

CUTOVER_CASE(no_link){
    .id = "error.gateway-without-route",
    .title = "While proxy and gateway are not linked nothing passes, and each sender is told",
    .procedure = "The federation route of the site is taken away; a message each way; the route comes back.",
    .accepted = "An error stanza, a refusal; nothing passes, and later messages do.",
    .likely_causes = "Stanzas are dropped where there is no link; the link outlives its route.",
    .judges = {{"RFC6120-8.3.3.17-1", {"gateway.proxy-silent-without-gateway", "gateway.silent-without-proxy"}},
               {"LYNC-ARCH-1", {"gateway.links-without-route"}}},
    .needs = needs,
    .staging = Staging::bench_only,
    .budget = 1h,
    .takes = 8s,
    .body = parted};

}  // namespace
}  // namespace cutover::suites
