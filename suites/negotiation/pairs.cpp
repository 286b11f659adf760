// Every pair of servers that negotiation as data has: the method that was used is the predicted one, and never weaker.
#include "harness/judging/run.h"
#include "harness/negotiation/oracle.h"
#include "harness/negotiation/pair.h"
#include "harness/negotiation/product.h"
#include "protocol/xmpp/rules.h"

#include <fmt/format.h>

#include <map>

namespace cutover::suites {
namespace {

using namespace harness;
using namespace harness::negotiation;

/// What was found in the cells that stand on one requirement.
class Table {
 public:
  explicit Table(Run& run, Judged judged) : run_(run), judged_(judged) {
    // Each departs from nothing but this: who looks at <required/> itself never shows whether the other side means it.
    if (judged == Judged::receiving) peer_ = Departures::waiving({xmpp::Rule::peer_may_require_tls});
  }

  /// Plays one cell, and keeps what differs. `requirement`: that is broken then.
  void play(Stage& stage, const Player& subject, const Side& peer, std::string_view requirement = {},
            const std::string& words = {}) {
    const Player other{.side = peer, .departures = peer_};
    auto judged = subject;
    judged.departures = run_.planted().at(departures::account_server);
    const bool initiates = judged_ == Judged::initiating;
    const auto &from = initiates ? judged : other, &to = initiates ? other : judged;
    const auto prediction = predict(from.side, to.side);
    const auto& rationale = rationale_of(prediction.why);
    const auto used = stage.play(from, to, judged_);
    if (requirement.empty()) requirement = initiates ? rationale.initiating : rationale.receiving;
    const auto cell =
        fmt::format("{}{}{} to {}", words, words.empty() ? "" : ": ", words_of(from.side), words_of(to.side));
    const auto found = [&](Findings& in, bool differs, std::string_view expected, std::string_view because) {
      ++in.cells;
      if (!differs) return;
      in.differing.push_back(fmt::format("{}: {} ({}), got {}", cell, expected, because, words_of(used)));
      show(stage, from, to);
    };
    const bool permitted = prediction.permitted.contains(used.method);
    if (!requirement.empty()) {
      found(by_requirement_[std::string(requirement)], !permitted, name_of(prediction.method),
            fmt::format("{}; {}", rationale.sentence, rationale.documents));
    }
    const auto weaker = weaker_than_allowed(used.method, from.side, to.side);
    found(weaker_, !weaker.empty(), "no weaker method", weaker);
    if (prediction.direct_tls && used.method == prediction.method)
      found(direct_, !used.direct_tls, "direct TLS", "both have it; XEP-0368 section 3");
  }

  /// One check a requirement, one that nothing was weaker, and one of direct TLS where that is named.
  void judge(const char* weaker, const char* direct) const {
    for (const auto& [requirement, findings] : by_requirement_)
      judge(requirement.c_str(), "the method that was used in {} pairs of servers", findings);
    judge(weaker, "no method weaker than the settings allow, in {} pairs of servers", weaker_);
    if (direct != nullptr) judge(direct, "TLS from the first octet, in {} pairs of servers that have it", direct_);
  }

 private:
  struct Findings {
    std::size_t cells = 0;
    std::vector<std::string> differing;
  };
  static void judge(const char* requirement, fmt::format_string<std::size_t&> looked_at, const Findings& findings) {
    auto cells = findings.cells;
    CONFORMS_THAT(requirement, fmt::format(looked_at, cells), findings.differing.empty(), "as predicted",
                  told_of(findings.differing));
  }
  /// The first cell that differs once more, for the report.
  void show(Stage& stage, const Player& from, const Player& to) {
    if (shown_) return;
    shown_ = true;
    Trace trace;
    (void)stage.play(from, to, judged_, &trace);
    run_.show(trace);
  }

  Run& run_;
  Judged judged_;
  Departures peer_;
  std::map<std::string, Findings> by_requirement_;
  Findings weaker_, direct_;
  bool shown_ = false;
};

/// What is not usual on the subject's side or the other one.
struct Unusual {
  bool direct = false, strict_subject = false, strict_peer = false;
};

/// 324 pairs.
void play_sides(Table& table, Stage& stage, const Unusual& unusual) {
  for (auto subject : sides()) {
    subject.direct_tls = unusual.direct;
    subject.lenient = !unusual.strict_subject;
    for (auto peer : sides()) {
      peer.direct_tls = unusual.direct;
      peer.lenient = !unusual.strict_peer;
      table.play(stage, {.side = subject}, peer);
    }
  }
}

/// What the three settings alone make with real TLS, what is unusual with TLS of paper; for --depth=deep all.
void all_pairs(Run& run, Judged judged, const char* direct) {
  Table table(run, judged);
  Stage paper(Stage::Crypto::paper), real(Stage::Crypto::real);
  if (run.depth() == stimuli::Depth::deep) {
    for (const auto& subject : all_sides()) {
      for (const auto& peer : all_sides()) table.play(real, {.side = subject}, peer);
    }
  } else {
    play_sides(table, real, {});
    for (const auto& unusual : {Unusual{.direct = true}, Unusual{.strict_subject = true}, Unusual{.strict_peer = true}})
      play_sides(table, paper, unusual);
  }
  table.judge("SEC-DOWNGRADE-1", direct);
}

constexpr char procedure[] =
    "Two servers of ours, one of them the subject, in a network of their own for each pair: certificate (none, bad, "
    "good) x dialback x TLS (none, optional, required) on each side, 324 pairs, and again with direct TLS, with a "
    "strict "
    "subject and with a strict peer; all 5184 with --depth=deep. A user writes to the other side; how the stream was "
    "authenticated is asked of the server that is not the subject. `cutover negotiation` shows the table.";
constexpr char accepted[] =
    "The method that the oracle predicts from the two sides' settings, or what else the documents permit there: where "
    "a "
    "certificate proves nothing, whoever sees it may end the stream.";

CUTOVER_CASE(initiating){
    .id = "negotiation.initiating-pairs",
    .title = "Whoever is called, and however: the initiating server uses the strongest method that both sides allow",
    .procedure = procedure,
    .accepted = accepted,
    .likely_causes = "A policy that is read once, before TLS; a fall-back that forgets what was required.",
    .judges = {{"RFC6120-13.8.4-1", {"xmpp.external-not-used", "xmpp.never-starts-tls"}},
               {"RFC6120-13.14-1", {"xmpp.never-starts-tls"}},
               {"XEP0220-2.1.1-1", {"xmpp.result-without-key"}},
               {"SEC-TLS-STRIP-1", {"xmpp.goes-on-without-tls"}},
               {"RFC6120-13.7.2-1", {"xmpp.unproven-against-policy"}},
               {"RFC6120-4.3.5-2", {"xmpp.sends-key-against-policy"}},
               {"SEC-DOWNGRADE-1",
                {"xmpp.goes-on-without-tls", "xmpp.sends-key-against-policy", "xmpp.unproven-against-policy"}},
               {"XEP0368-3-1", {"dns.skips-direct-tls"}}},
    .needs = {Need::new_deployment},
    .live = false,
    .body = [](Run& run) { all_pairs(run, Judged::initiating, "XEP0368-3-1"); }};

CUTOVER_CASE(receiving){
    .id = "negotiation.receiving-pairs",
    .title = "Whoever calls, and however: the receiving server takes the strongest method that both sides allow",
    .procedure = procedure,
    .accepted = accepted,
    .likely_causes =
        "Dialback that is taken before the policy was asked; a certificate that is judged when it is shown, "
        "and not where it counts.",
    .judges = {{"RFC6120-13.8.4-1", {"xmpp.external-not-offered", "xmpp.starttls-not-offered"}},
               {"RFC6120-13.14-1", {"xmpp.starttls-not-offered"}},
               {"XEP0220-2.2.1-1", {"xmpp.dialback-unanswered", "xmpp.dialback-without-verifying"}},
               {"SEC-TLS-STRIP-2", {"xmpp.dialback-against-policy"}},
               {"RFC6120-13.7.2-1", {"xmpp.unproven-against-policy"}},
               {"SEC-DIALBACK-8", {"xmpp.dialback-against-policy"}},
               {"SEC-DOWNGRADE-1", {"xmpp.dialback-against-policy", "xmpp.unproven-against-policy"}}},
    .needs = {Need::new_deployment},
    .live = false,
    .body = [](Run& run) { all_pairs(run, Judged::receiving, nullptr); }};

/// The product with the settings of the row, as its owner writes them, against each type of server, in both roles.
void product(Run& run, Judged judged) {
  Table table(run, judged);
  Stage stage(Stage::Crypto::real);
  for (const auto& row : product_rows()) {
    for (const auto& type : server_types()) {
      table.play(stage, {.side = side_of(row), .policy = policy_of(row)}, type.side, row.requirement,
                 fmt::format("row {} ({}) and type {} of XEP-0238", row.number, words_of(row), type.number));
    }
  }
  table.judge("MIG-N02", nullptr);
}

CUTOVER_CASE(rows_initiating){
    .id = "negotiation.product-rows-initiating",
    .title = "Each row of the product's negotiation settings calls each type of server by the method that it lists",
    .procedure =
        "The 18 rows of the product's matrix as settings of the subject, which calls the six types of server of "
        "XEP-0238: 108 pairs with real TLS.",
    .accepted = accepted,
    .likely_causes = "TLS or SASL that is optional and taken for not wanted; the row in which dialback has no effect.",
    .judges = {{"LYNC-NEG-1", {"xmpp.external-not-used"}},
               {"LYNC-NEG-2", {"xmpp.external-not-used", "xmpp.sends-key-against-policy"}},
               {"LYNC-NEG-3", {"xmpp.external-not-used"}},
               {"LYNC-NEG-4", {"xmpp.external-not-used"}},
               {"LYNC-NEG-5", {"xmpp.external-not-used"}},
               {"LYNC-NEG-6", {"xmpp.external-not-used"}},
               {"LYNC-NEG-7", {"xmpp.external-not-used"}},
               {"LYNC-NEG-8", {"xmpp.result-without-key"}},
               {"LYNC-NEG-9", {"xmpp.sends-key-against-policy"}},
               {"LYNC-NEG-10", {"xmpp.result-without-key"}},
               {"LYNC-NEG-11", {"xmpp.external-not-used"}},
               {"LYNC-NEG-12", {"xmpp.result-without-key"}},
               {"LYNC-NEG-13", {"xmpp.sends-key-against-policy"}},
               {"LYNC-NEG-14", {"xmpp.result-without-key"}},
               {"LYNC-NEG-15", {"xmpp.sends-key-against-policy"}},
               {"LYNC-NEG-16", {"xmpp.result-without-key"}},
               {"LYNC-NEG-17", {"xmpp.sends-key-against-policy"}},
               {"LYNC-NEG-18", {"xmpp.sends-key-against-policy"}},
               {"MIG-N02", {"xmpp.sends-key-against-policy"}}},
    .needs = {Need::new_deployment},
    .live = false,
    .body = [](Run& run) { product(run, Judged::initiating); }};

CUTOVER_CASE(rows_receiving){
    .id = "negotiation.product-rows-receiving",
    .title = "Each row of the product's negotiation settings takes each type of server by the method that it lists",
    .procedure =
        "The 18 rows of the product's matrix as settings of the subject, which the six types of server of "
        "XEP-0238 call: 108 pairs with real TLS.",
    .accepted = accepted,
    .likely_causes = "Settings that count for streams of one's own alone.",
    .judges = {{"LYNC-NEG-1", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-2", {"xmpp.external-not-offered", "xmpp.dialback-against-policy"}},
               {"LYNC-NEG-3", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-4", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-5", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-6", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-7", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-8", {"xmpp.dialback-unanswered"}},
               {"LYNC-NEG-9", {"xmpp.dialback-against-policy"}},
               {"LYNC-NEG-10", {"xmpp.dialback-unanswered"}},
               {"LYNC-NEG-11", {"xmpp.external-not-offered"}},
               {"LYNC-NEG-12", {"xmpp.dialback-unanswered"}},
               {"LYNC-NEG-13", {"xmpp.dialback-against-policy"}},
               {"LYNC-NEG-14", {"xmpp.dialback-unanswered"}},
               {"LYNC-NEG-15", {"xmpp.dialback-against-policy"}},
               {"LYNC-NEG-16", {"xmpp.dialback-unanswered"}},
               {"LYNC-NEG-17", {"xmpp.dialback-against-policy"}},
               {"LYNC-NEG-18", {"xmpp.dialback-against-policy"}},
               {"MIG-N02", {"xmpp.dialback-against-policy"}}},
    .needs = {Need::new_deployment},
    .live = false,
    .body = [](Run& run) { product(run, Judged::receiving); }};

}  // namespace
}  // namespace cutover::suites
