// The known failures of section 5, in words of our own: what people see, and what would have found it before.
#include "harness/migration/cause.h"

#include <array>

namespace cutover::harness::migration {

namespace {

constexpr std::array table{
    FailureText{"F1", "netstat shows nothing on 5269 and 23456",
                "flag, route, publication, service and both listeners"},
    FailureText{"F2", "the proxy's service does not start", "a certificate is assigned before the start"},
    FailureText{"F3", "partners reject our TLS or offer no EXTERNAL", "subjectAltName has every XMPP domain verbatim"},
    FailureText{"F4", "it works for the first SIP domain and not for the second",
                "SRV record and bare name, domain by domain"},
    FailureText{"F5", "a certificate with a wildcard is rejected", "no name is covered by a wildcard alone"},
    FailureText{"F6", "presence unknown and no message with a new partner, both ways",
                "the effective policy of each user, and AllowFederatedUsers"},
    FailureText{"F7", "presence of one provider's contacts is unknown",
                "whether the partner takes our domain for one of its own"},
    FailureText{"F8", "a partner without TLS is not reached", "what the partner supports against its row"},
    FailureText{"F9", "all contacts of a partner are gone from one day on",
                "rows that allow TCP dialback only, which fail when the partner requires TLS"},
    FailureText{"F10", "a contact is shown online and messages are lost",
                "a message with an answer, not presence alone"},
    FailureText{"F11", "dialback fails with remote-server-not-found",
                "our own domain resolved from outside: SRV record, address, port"},
    FailureText{"F12", "the stream is closed with unsupported-version",
                "the version in the partner's stream header, and dialback for such a peer"},
    FailureText{"F13", "the partner offers no SASL mechanism",
                "what the partner makes of our certificate as a client's: chain, names, usage"},
    FailureText{"F14", "EXTERNAL is offered, fails, and the connection is closed",
                "what the partner does when EXTERNAL fails"},
    FailureText{"F15", "one direction works and the other does not", "5269 in both directions, 53 and 80 outwards"},
    FailureText{"F16", "some messages of the front end do not reach the edge",
                "23456 from the front ends to each machine of the edge pool"},
    FailureText{"F17", "users of legacy pools lose XMPP after the change of route", "nobody is left on a legacy pool"},
    FailureText{"F18", "users who have moved lose the legacy path",
                "the list of partners lacks the domain until its window"},
    FailureText{"F19", "dialback of partners fails after the change of DNS",
                "the TTL was lowered ahead, and who is authoritative at which time"},
    FailureText{"F20", "some partners go on sending to the legacy gateway", "TTL, and streams that are open"},
    FailureText{"F21", "users of a branch appliance have no XMPP", "where users who need XMPP are homed"},
    FailureText{"F22", "half of the traffic fails", "every machine behind the record, one by one"},
    FailureText{"F23", "failover to the second edge pool has no effect",
                "the route names the pool whose address the record has"},
    FailureText{"F24", "the shell takes a partner that the Control Panel refuses",
                "the row against the complete matrix"},
    FailureText{"F25", "presence of a partner is unknown, with TLS errors in its log",
                "our chain as the partner sees it, up to a public root"},
    FailureText{"F26", "presence is stale after hours", "a subscription is refreshed within its interval"},
    FailureText{"F27", "an idle partner is disconnected every five minutes", "whether the partner sends keep-alives"},
    FailureText{"F28", "one more connection of a partner is refused", "as many connections as the partner opens"},
    FailureText{"F29", "a change of the edge's configuration has no effect",
                "replication is up to date, and services were restarted behind a certificate"},
    FailureText{"F30", "Test-CsXmppIM fails with 10060 towards 5061",
                "nothing of XMPP: its sign-in at the registrar failed"},
    FailureText{"F31", "a synthetic test ends with 504 on a watcher node",
                "nothing of XMPP: the node's own firewall blocks the test"},
    FailureText{"F32", "it is not clear which way a partner's messages take",
                "no partner stands in the list of SIP domains and of XMPP partners at once"},
    FailureText{"F33", "users of a partner's sub-domain fail", "each domain of a partner is listed"},
    FailureText{"F34", "one of a provider's two domains works", "each domain of a partner is listed"},
    FailureText{"F35", "an answer to dialback never comes", "what the partner's dialback does, with a time-out"},
    FailureText{"F36", "the stream ends with host-unknown or invalid-namespace",
                "the header names the partner's domain, not the host of its record"},
    FailureText{"F37", "the edge stops federating after a front end pool failed over", "its next hop runs"},
};

}  // namespace

std::span<const FailureText> failures() { return table; }

std::vector<Cause> causes_behind(std::string_view failure) {
  std::vector<Cause> found;
  for (const auto& one : causes()) {
    for (std::size_t at = 0; at < one.failure.size();
         at = one.failure.find_first_not_of(", ", one.failure.find(',', at))) {
      if (one.failure.substr(at, one.failure.find(',', at) - at) == failure) found.push_back(one.cause);
    }
  }
  return found;
}

}  // namespace cutover::harness::migration
