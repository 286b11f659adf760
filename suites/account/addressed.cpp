// What is addressed to the judged server itself, and errors on their way to its user.
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::StartsWith;

const std::vector<Need> needs{Need::user_account};

xml::Element ping() { return {"ping", "urn:xmpp:ping"}; }

void to_domain(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto answered = AnyOf(Eq("result"), StartsWith("error/"));
  CONFORMS("RFC6120-10.5.1-1", "the answer to a ping of the domain", kind_of(a.ask(a.domain, "to-domain", ping())),
           answered);
  CONFORMS("RFC6120-10.5.2-1", "the answer to a ping of a resource of the domain",
           kind_of(a.ask(a.domain + "/admin", "to-resource", ping())), answered);
}

CUTOVER_CASE(served_domain){
    .id = "account.addressed-to-the-server",
    .title = "A request to the domain, or to a resource of it, is answered",
    .procedure = "A peer's user pings the domain, and the resource `admin` of it.",
    .accepted = "A result, or any error.",
    .likely_causes = "A router that knows users alone.",
    .judges = {{"RFC6120-10.5.1-1", {"xmpp.requests-unanswered"}}, {"RFC6120-10.5.2-1", {"xmpp.requests-unanswered"}}},
    .needs = needs,
    .budget = 1min,
    .body = to_domain};

void odd_errors(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto send = [&](const std::string& id, const xml::Element* more) {
    auto message = xmpp::make_message(a.romeo_full, a.juliet_full, {}, "error", id);
    xml::Element error("error", "jabber:server");
    error.set_attribute("type", "cancel");
    error.add({"service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas"});
    if (more != nullptr) error.add(*more);
    message.add(error);
    a.peer().send(std::move(message));
  };
  const auto came = [&](const std::string& id) {
    return a.until([&] {
      return std::ranges::any_of(a.juliet().errors,
                                 [&](const auto& one) { return one.attribute_or_empty("id") == id; });
    });
  };
  const xml::Element application("odd", "urn:example:odd");
  send("usual", nullptr);
  if (!GIVEN(came("usual"), "an error reaches the subject's user")) return;
  send("of-an-application", &application);
  CONFORMS("RFC6120-8.3.4-1", "an error with an element of an application reached the user", came("of-an-application"),
           Eq(true));
  (void)GIVEN(a.markers_pass(), "messages pass behind them");
}

CUTOVER_CASE(errors_pass){
    .id = "account.errors-that-say-more",
    .title = "An error that says more than its condition is passed on like any other",
    .procedure =
        "A peer's user returns errors to the full JID of the subject's user: a usual one, and one "
        "with an element of an application.",
    .accepted = "Each comes to the user, as an error.",
    .likely_causes = "A list of conditions that is taken for the schema.",
    .judges = {{"RFC6120-8.3.4-1", {"xmpp.odd-errors-lost"}}},
    .needs = needs,
    .budget = 1min,
    .body = odd_errors};

}  // namespace
}  // namespace cutover::suites
