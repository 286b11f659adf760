// What the subject agrees to in a handshake, and what it offers: hellos by hand, read as octets.
#include "protocol/tls/hello.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using tls::ClientHello;

constexpr char starttls[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr char proceed[] = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// Suites that every server may take: forward secrecy, with a certificate of either kind.
const std::vector<std::uint16_t> good_suites{0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8};
const std::vector<std::uint16_t> static_rsa_suites{0x009C, 0x009D, 0x003C, 0x002F, 0x0035};
const std::vector<std::uint16_t> unencrypted_suites{0xC006, 0xC010, 0x003B, 0x0002, 0x0001};
const std::vector<std::uint16_t> broken_suites{0xC007, 0xC011, 0x0005, 0x0004, 0x0003, 0x0008, 0x0014, 0x0009};
const std::vector<std::uint16_t> anonymous_suites{0x006C, 0x0034, 0x00A6, 0xC018, 0xC019};

/// What came behind <proceed/>: octets that nobody has read.
struct Answer {
  std::string octets;
  bool ended = false;  ///< the connection
  [[nodiscard]] std::optional<tls::ServerHello> hello() const { return tls::read_server_hello(octets); }
  /// In words, for a report.
  [[nodiscard]] std::string kind() const {
    if (hello()) return "a ServerHello";
    if (octets.empty()) return ended ? "the end of the connection" : "nothing";
    return octets.front() == '\x15' ? "an alert" : "other octets";
  }
};

/// Sends octets where the subject has answered <starttls/> with <proceed/>. Nothing where it did not come to that.
std::optional<Answer> answer_to(Negotiation& n, const std::string& octets, bool until_end = false) {
  auto stream = n.connect(n.kind_in_tls());
  const bool opened = stream.open().has_value();
  stream.send(starttls);
  const auto reply = opened ? stream.await_element() : std::nullopt;
  if (!GIVEN(reply && reply->is("proceed", xmpp::ns::tls), "the subject answers <starttls/> with <proceed/>"))
    return std::nullopt;
  auto& wire = stream.wire();
  wire.stop_reader();
  const auto begin = wire.received().find('>', wire.received().rfind("proceed")) + 1;
  wire.send(octets);
  const auto answered = [&] { return wire.received().size() > begin && !until_end; };
  (void)n.until([&] { return answered() || wire.eof() || wire.closed(); });
  Answer answer{wire.received().substr(begin), wire.eof() || wire.closed()};
  // A hello that is cut is waited for.
  if (answered() && !answer.ended && answer.kind() == "other octets") {
    (void)n.until([&] {
      return tls::read_server_hello(wire.received().substr(begin)).has_value() || wire.eof() || wire.closed();
    });
    answer.octets = wire.received().substr(begin);
  }
  wire.abort();
  return answer;
}

std::optional<Answer> answer_to(Negotiation& n, ClientHello hello) {
  hello.server_name = n.subject().domain();
  return answer_to(n, tls::write(hello));
}

/// The twin of hellos that must be refused: a good one by the same hand is answered.
bool answers_a_good_one(Negotiation& n) {
  const auto answer = answer_to(n, ClientHello{.suites = good_suites, .versions = {}, .server_name = {}});
  return answer && GIVEN(answer->hello().has_value(), "the subject answers a good hello of TLS 1.2");
}

ClientHello offering(const std::vector<std::uint16_t>& suites) {
  return {.suites = suites, .versions = {}, .server_name = {}};
}

void refuse_in_hello(Run& run) {
  Negotiation n(run);
  if (!answers_a_good_one(n)) return;
  const auto judge = [&](std::initializer_list<const char*> requirements, const std::string& words, ClientHello hello) {
    const auto answer = answer_to(n, std::move(hello));
    if (!answer) return;
    for (const auto* requirement : requirements)
      CONFORMS(requirement, "what answered a hello that offers " + words, answer->kind(),
               AnyOf("an alert", "the end of the connection", "nothing"));
  };
  judge({"RFC9325-4.1-1", "RFC7590-3-1"}, "suites without encryption alone", offering(unencrypted_suites));
  judge({"RFC9325-4.1-1", "RFC7590-3-1"}, "RC4, DES and export suites alone", offering(broken_suites));
  judge({"RFC6120-5.4.3.1-2"}, "suites without a certificate alone", offering(anonymous_suites));
  auto ssl = offering({0xC009, 0xC013, 0x002F, 0x0035, 0x000A});
  ssl.version = tls::ssl3;
  judge({"RFC7525-3.1.1-1", "RFC7590-3-1"}, "SSL 3.0 alone", ssl);
  ssl.version = tls::ssl2;
  judge({"RFC6120-13.9.5-1"}, "SSL 3.0 and 2.0 in the form of the latter", ssl);
  (void)answers_a_good_one(n);
}

CUTOVER_CASE(refused){
    .id = "tls.hellos-refused",
    .title = "No suite that does not encrypt or authenticate, and no SSL, is agreed to",
    .procedure =
        "Behind <proceed/>, on a connection each: hellos that offer suites without encryption, RC4 with DES and "
        "export, "
        "suites without a certificate, SSL 3.0, and SSL in the form of 2.0. Before and behind them a good one.",
    .accepted = "An alert, or the end of the connection.",
    .likely_causes = "A list of suites that somebody wrote for an old client; a library of another time.",
    .judges = {{"RFC9325-4.1-1", {"xmpp.weak-suites-taken"}},
               {"RFC7590-3-1", {"xmpp.weak-suites-taken", "xmpp.ssl-spoken"}},
               {"RFC6120-5.4.3.1-2", {"xmpp.weak-suites-taken"}},
               {"RFC7525-3.1.1-1", {"xmpp.ssl-spoken"}},
               {"RFC6120-13.9.5-1", {"xmpp.ssl-spoken"}}},
    .needs = {Need::tls},
    .budget = 1min,
    .body = refuse_in_hello};

void choose_in_hello(Run& run) {
  Negotiation n(run);
  auto suites = static_rsa_suites;
  suites.insert(suites.end(), good_suites.begin(), good_suites.end());
  auto hello = offering(suites);
  hello.compressions = {1, 0};
  const auto answer = answer_to(n, hello);
  if (!answer) return;
  const auto chosen = answer->hello();
  if (!GIVEN(chosen.has_value(), "the subject answers a hello that offers good suites")) return;
  CONFORMS_THAT("RFC9325-4.1-3", "the suite chosen of static RSA and, behind it, ECDHE",
                !tls::is_static_rsa_suite(chosen->suite), "one with forward secrecy",
                fmt::format("{:#06x}", chosen->suite));
  CONFORMS("RFC7590-3-1", "the compression chosen of DEFLATE and none", static_cast<int>(chosen->compression), Eq(0));
  const auto usual = answer_to(n, offering(good_suites));
  if (!usual || !GIVEN(usual->hello().has_value(), "the subject answers a good hello of TLS 1.2")) return;
  CONFORMS("RFC6120-5.3.5-1", "the ServerHello of TLS 1.2 says that renegotiation is safe (RFC 5746)",
           usual->hello()->renegotiation_info, Eq(true));
}

CUTOVER_CASE(chosen){
    .id = "tls.hello-chosen",
    .title = "Of what is offered the server chooses forward secrecy and no compression, and renegotiates safely",
    .procedure = "Hellos of TLS 1.2: static RSA before ECDHE, with DEFLATE; and a good one, with renegotiation_info.",
    .accepted = "Any suite with forward secrecy; no compression; renegotiation_info in the ServerHello.",
    .likely_causes = "The client's order of suites is followed, and those of static RSA are not taken out.",
    .judges = {{"RFC9325-4.1-3", {"xmpp.static-rsa-preferred"}},
               {"RFC7590-3-1", {"xmpp.tls-compressed"}},
               {"RFC6120-5.3.5-1", {"xmpp.renegotiation-unsafe"}}},
    .needs = {Need::tls},
    .body = choose_in_hello};

void failed_handshake(Run& run) {
  Negotiation n(run);
  const auto good = answer_to(n, offering(good_suites));
  if (!good || !GIVEN(!good->octets.empty(), "the subject answers a good hello of TLS 1.2")) return;
  if (!CONFORMS("RFC6120-5.4.2.3-1", "the first octet behind <proceed/>, as the kind of a record of TLS",
                static_cast<int>(good->octets.front()), AnyOf(21, 22)))
    return;
  const std::pair<const char*, std::string> tries[] = {
      {"octets that are no TLS", std::string(64, 'x')},
      {"a hello without a suite in common", tls::write(offering({0x5600}))}};
  for (const auto& [words, octets] : tries) {
    const auto answer = answer_to(n, octets, true);
    if (!answer) return;
    CONFORMS("RFC6120-5.4.3.2-1", fmt::format("the connection was ended behind {}", words), answer->ended, Eq(true));
    CONFORMS("RFC6120-5.4.3.2-2", fmt::format("an end tag came behind {}", words),
             answer->octets.find("stream>") != std::string::npos, Eq(false));
  }
}

CUTOVER_CASE(failed){
    .id = "tls.failed-handshake",
    .title = "TLS begins right behind <proceed/>, and a handshake that fails ends the connection without an end tag",
    .procedure =
        "Behind <proceed/>: a good hello; on a connection each octets that are no TLS, and a hello without a suite in "
        "common.",
    .accepted = "A record of TLS; an alert or none, and the end of the connection.",
    .likely_causes = "A stream that is ended as usual, whatever its state; a connection that nobody ends.",
    .judges = {{"RFC6120-5.4.2.3-1", {"xmpp.line-break-behind-proceed"}},
               {"RFC6120-5.4.3.2-1", {"xmpp.open-after-tls-failure"}},
               {"RFC6120-5.4.3.2-2", {"xmpp.end-tag-after-tls-failure"}}},
    .needs = {Need::tls},
    .budget = 2min,
    .body = failed_handshake};

/// The hello of the subject where it calls a peer; nothing where it did not come to one.
std::optional<ClientHello> called(Negotiation& n) {
  auto stream = n.called(n.kind_in_tls(), "begins TLS");
  const bool asked =
      stream && stream->answer_header(starttls_required) && stream->await_element("starttls", xmpp::ns::tls);
  if (!GIVEN(asked, "the subject opened a stream to its peer and asked for TLS")) return std::nullopt;
  auto& wire = stream->wire();
  wire.stop_reader();
  const auto begin = wire.received().size();
  stream->send(proceed);
  std::optional<ClientHello> hello;
  (void)n.until([&] {
    hello = tls::read_client_hello(std::string_view(wire.received()).substr(begin));
    return hello || wire.eof() || wire.closed();
  });
  wire.abort();
  (void)GIVEN(hello.has_value(), "the subject says hello");
  return hello;
}

void offered_by_subject(Run& run) {
  Negotiation n(run);
  const auto hello = called(n);
  if (!hello) return;
  const auto weak = std::ranges::count_if(hello->suites, tls::is_weak_suite);
  CONFORMS("RFC9325-4.1-1", "how many suites it offers that do not encrypt, or authenticate nobody", weak, Eq(0));
  for (const auto* requirement : {"RFC7525-3.1.1-1", "RFC6120-13.9.5-1"})
    CONFORMS(requirement, "it offers no better version than SSL 3.0, or has the form of SSL 2.0",
             hello->version <= tls::ssl3, Eq(false));
  const bool plain = hello->compressions == std::vector<std::uint8_t>{0} || hello->version == tls::ssl2;
  CONFORMS("RFC7590-3-1", "it offers no compression", plain, Eq(true));
  // Who speaks TLS 1.3 alone does not renegotiate.
  const bool older = hello->versions.empty() || std::ranges::any_of(hello->versions, [](auto version) {
                       return version <= tls::tls1_2_number && version > tls::ssl3;
                     });
  CONFORMS("RFC6120-5.3.5-1", "a hello of TLS 1.2 asks whether renegotiation is safe (RFC 5746)",
           !older || hello->renegotiation_info || hello->version == tls::ssl2, Eq(true));
}

CUTOVER_CASE(offered){
    .id = "tls.hello-offered",
    .title = "Where the server opens a stream it offers no suite or version that may not be used, and no compression",
    .procedure = "Let the user write; answer <starttls/> with <proceed/>; read the subject's hello.",
    .accepted = "Any suites that encrypt and authenticate; TLS; no compression; RFC 5746 where TLS 1.2 is offered.",
    .likely_causes = "A library's or a distribution's defaults of another time.",
    .judges = {{"RFC9325-4.1-1", {"xmpp.weak-suites-offered"}},
               {"RFC7525-3.1.1-1", {"xmpp.ssl-offered"}},
               {"RFC6120-13.9.5-1", {"xmpp.ssl-offered"}},
               {"RFC7590-3-1", {"xmpp.compression-in-tls-offered"}},
               {"RFC6120-5.3.5-1", {"xmpp.renegotiation-info-not-sent"}}},
    .needs = {Need::tls, Need::user_account},
    .body = offered_by_subject};

}  // namespace
}  // namespace cutover::suites
