// What the subject is told on streams of its own, in every form that the texts allow: headers, features, and answers to
// what it asks.
#include "suites/support/negotiation.h"
#include "suites/support/variation.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;
using stimuli::Surroundings;

constexpr char reached[] = "a message of the user comes on a stream that is answered as usual";

const Grammar& answers() {
  static const Grammar grammar({"connection", "response", "features", "proceed", "success"});
  return grammar;
}

/// One stream of the subject, answered as a combination has it.
class Answering {
 public:
  Answering(Negotiation& n, PeerStream& stream, const Combination& one) : n_(n), stream_(stream), one_(one) {}

  /// What came instead of the message; empty where it came.
  std::string answer(const tls::Identity& identity, int number, const std::string& body) {
    slots_ = {{"our domain", stream_.header().from},
              {"subject", n_.subject().domain()},
              {"number", std::to_string(number)},
              {"x200", std::string(200, 'x')}};
    if (auto got = header("starttls"); !got.empty()) return got;
    const auto request = stream_.await_element();
    if (!request || !request->is("starttls", xmpp::ns::tls)) return instead("<starttls/>", request);
    say(answers().render("proceed", one_, slots_));
    tls::SessionOptions options;
    if (answers().value(one_, "connection", "version").octets == "1.2") options.newest = tls::Version::tls1_2;
    auto& wire = stream_.wire();
    wire.start_tls(identity, tls::Role::server, options);
    (void)n_.until([&] { return wire.handshake_over(); });
    if (!wire.secured()) return "no TLS: " + (wire.handshake_over() ? wire.tls_failure() : gone());
    if (auto got = header("mechanisms"); !got.empty()) return got;
    const auto auth = stream_.await_element();
    if (!auth || !auth->is("auth", xmpp::ns::sasl)) return instead("<auth/>", auth);
    wire.restart_reader();
    say(answers().render("success", one_, slots_));
    if (auto got = header("none"); !got.empty()) return got;
    const auto message = stream_.await_element("message", xmpp::ns::server);
    return body_of(message) == body ? "" : instead("the message", message);
  }

 private:
  void say(std::string_view octets) { send_pieces(n_.subject().world(), stream_, octets, cut()); }
  std::string header(const char* offered) {
    if (!stream_.await_header()) return fmt::format("{} instead of a header", gone());
    slots_["stream id"] = fmt::format("{}-{}", slots_["number"], ++headers_);
    slots_["offered"] = answers().part("features", offered, 0, one_, slots_);
    say(answers().render("response", one_, slots_) + answers().render("features", one_, slots_));
    return {};
  }
  std::string_view cut() { return answers().value(one_, "connection", "cut").octets; }
  std::string gone() { return silence_in_words(n_.subject().world(), stream_, cut()); }
  std::string instead(const char* of, const std::optional<xml::Element>& came) {
    if (!came) return fmt::format("{} instead of {}", gone(), of);
    const auto* condition = came->first_child();
    return fmt::format("{} {} instead of {}", came->name(), condition == nullptr ? "" : condition->name(), of);
  }

  Negotiation& n_;
  PeerStream& stream_;
  const Combination& one_;
  Surroundings slots_;
  int headers_ = 0;
};

void answered(Run& run) {
  Negotiation n(run);
  constexpr auto kind = PartnerKind::sasl_external;
  int number = 0;
  Variation(run, answers(), reached, 1, [&](const std::vector<Combination>& all) {
    std::vector<Tried> results;
    for (const auto& one : all) {
      const auto body = fmt::format("number {}", ++number);
      // A peer that the subject has not met: what it knows of one that it could not talk to is another matter.
      const auto domain = n.subject().another_peer(kind);
      const bool rsa = answers().value(one, "connection", "key").octets == "RSA";
      const auto identity = n.subject().authority().issue({.names = {{tls::NameKind::dns, domain}}, .rsa = rsa});
      n.subject().send_message("romeo@" + domain, body);
      auto stream = n.accepted(kind);
      auto& result = results.emplace_back();
      if (!stream) {
        result.refused = "no stream";
        continue;
      }
      stream->header().from = domain;
      result.refused = Answering(n, *stream, one).answer(*identity, number, body);
      result.refused_for = refused_for_cuts(result.refused);
      stream->close();
      (void)n.until([&] { return stream->wire().closed() || stream->wire().eof(); });
    }
    return results;
  }).judge();
}

CUTOVER_CASE(answers_vary){
    .id = "variation.answers-to-subject",
    .title = "What a peer answers on a stream of the subject is understood in whatever form it writes",
    .procedure =
        "The user writes to a peer that the subject has not met, for each combination of TLS version and key, forms "
        "and "
        "ids of the response header, forms and order of features, <proceed/> and <success/>, and cuts of what is sent "
        "(`--depth`). What fails is tried again with less of it, until nothing can be left out.",
    .accepted = "The message comes to the peer. A failure names the smallest combination.",
    .likely_causes = "Features that are searched as text; ids that are kept in too small a place.",
    .judges = {{"RFC9325-3.1.1-2", {"xmpp.tls-1.2-not-spoken"}},
               {"RFC6120-13.8.4-1", {"xmpp.rsa-peers-refused"}},
               {"SEC-SMUGGLE-7", {"xmpp.misreads-cuts", "xmpp.puts-off-small-writes"}},
               {"RFC6120-11.8-1", {"xmpp.single-quotes-only"}},
               {"RFC6120-4.7.3-1", {"xmpp.long-stream-ids-refused"}},
               {"RFC6120-4.7.4-3", {"xmpp.language-demanded", "xmpp.private-languages-refused"}},
               {"RFC6120-4.3.2-4", {"xmpp.first-feature-only"}},
               {"RFC6120-4.3.2-5", {}},
               {"RFC6120-5.3.1-1", {"xmpp.optional-tls-ignored"}},
               {"RFC6120-6.4.1-1", {"xmpp.first-mechanism-only"}},
               {"RFC6120-11.1-6", {"xmpp.references-refused"}},
               {"RFC6120-5.4.2.3-2", {"xmpp.proceed-by-its-prefix"}},
               {"RFC6120-6.2-1", {"xmpp.success-by-its-prefix"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 2min,
    .body = answered};

}  // namespace
}  // namespace cutover::suites
