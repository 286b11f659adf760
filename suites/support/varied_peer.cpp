// The steps of a negotiation, each written as the combination has it.
#include "suites/support/varied_peer.h"

#include "protocol/base/base64.h"
#include "protocol/base/check.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/dialback.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace cutover::suites {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;
using stimuli::Surroundings;
namespace ns = xmpp::ns;

namespace {

std::string in_capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

Surroundings surroundings_of(const std::string& ours, const std::string& subject, const std::string& user) {
  std::string deep, back, children;
  for (int i = 0; i < 6; ++i) {
    deep += fmt::format("<n{}>", i);
    back.insert(0, fmt::format("</n{}>", i));
  }
  for (int i = 0; i < 60; ++i) children += fmt::format("<c{}/>", i % 7);
  const auto local = user.substr(0, user.find('@'));
  return {{"our domain", ours},
          {"our domain in capitals", in_capitals(ours)},
          {"our domain by references", stimuli::written(ours, "hexadecimal")},
          {"our domain in base64", to_base64(ours)},
          {"sub-domain in base64", to_base64("sub." + ours)},
          {"our user", "romeo@" + ours},
          {"subject", subject},
          {"subject in capitals", in_capitals(subject)},
          {"subject by references", stimuli::written(subject, "hexadecimal")},
          {"user", user},
          {"user in capitals", in_capitals(local) + "@" + subject},
          {"user with its domain in capitals", local + "@" + in_capitals(subject)},
          {"x200", std::string(200, 'x')},
          {"x900", std::string(900, 'x')},
          {"x500", std::string(500, 'x')},
          {"x8100", std::string(8100, 'x')},
          {"x1023", std::string(1023, 'x')},
          {"open 6", deep},
          {"close 6", back},
          {"60 children", children}};
}

/// What is sent in one write each.
std::vector<std::string> pieces(std::string_view octets, std::string_view cut) {
  constexpr std::size_t pieces_max = 150;  // each is a write
  std::vector<std::string> all;
  while (!octets.empty()) {
    auto size = octets.size();
    if (cut == "halves" && all.empty()) size = (octets.size() + 1) / 2;
    if (cut == "sevens") size = 7;
    if (cut == "quotes") size = octets.find_first_of("'\"");
    if (cut == "quotes" && size != std::string_view::npos) ++size;
    if (all.size() == pieces_max) size = octets.size();
    all.emplace_back(octets.substr(0, size));
    octets.remove_prefix(std::min(size, octets.size()));
  }
  return all;
}

}  // namespace

void send_pieces(World& world, PeerStream& stream, std::string_view octets, std::string_view cut) {
  auto all = pieces(octets, cut);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Writes in clear would go together otherwise; inside TLS each has a record of its own.
    if (i > 0 && stream.wire().tls() == nullptr) world.run_for(1ms);
    stream.send(all[i]);
  }
}

std::string more_than_any_tag() { return std::string(2048, ' '); }

namespace {
constexpr std::string_view put_off = "nothing until more octets were sent";
}

std::string refused_for_cuts(std::string_view words) {
  return words.find(put_off) == std::string_view::npos ? "" : "SEC-SMUGGLE-7";
}

std::string silence_in_words(World& world, PeerStream& stream, std::string_view cut) {
  auto& wire = stream.wire();
  const auto heard = wire.received().size();
  if (stream.is_over()) return "the end of the stream";
  if (cut.empty() || cut == "whole") return "nothing";
  // The stream is lost: blanks may stand where none are allowed, and where the other side should have begun with TLS.
  const bool in_handshake = wire.tls() != nullptr && !wire.secured();
  in_handshake ? wire.send_in_clear(more_than_any_tag()) : wire.send(more_than_any_tag());
  const auto stirs = [&] { return wire.received().size() > heard || (in_handshake && wire.handshake_over()); };
  (void)world.await([&] { return stirs() || stream.is_over(); });
  return stirs() ? std::string(put_off) : "nothing";
}

std::string in_words(const Ending& ending) { return testing::PrintToString(ending); }

PartnerKind kind_of_peer(const Run& run) {
  return run.target() == nullptr ? PartnerKind::sasl_external : kinds_met({}, *run.target()).front();
}

VariedPeer::VariedPeer(Run& run, std::shared_ptr<Subject> subject, PartnerKind kind)
    : subject_(std::move(subject)), kind_(kind), domain_(subject_->peer_domain(kind)) {
  auto& world = subject_->world();
  home_ = &world.add("home", subject_->peer_host(kind),
                     std::make_unique<mocks::Partner>(peer_settings(*subject_, kind, "romeo")));
  hand_ = &world.add("hand", subject_->free_host(), std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{}));
  surroundings_ = surroundings_of(domain_, subject_->domain(), subject_->user());
  if (auto* account = subject_->account())
    surroundings_["full user"] = account->full_jid(subject_->user().substr(0, subject_->user().find('@')));
  std::vector<std::string> columns{"hand", "home"};
  for (const auto& column : subject_->columns()) columns.push_back(column);
  run.columns(columns);
}

const tls::Identity& VariedPeer::identity(bool rsa) {
  auto& made = rsa ? rsa_ : elliptic_;
  if (!made) made = subject_->authority().issue({.names = {{tls::NameKind::dns, domain_}}, .flaw = flaw_, .rsa = rsa});
  return *made;
}

void VariedPeer::show(tls::Flaw flaw) {
  flaw_ = flaw;
  elliptic_ = rsa_ = nullptr;
}

void VariedPeer::send(PeerStream& stream, std::string_view octets, std::string_view cut) {
  send_pieces(subject_->world(), stream, octets, cut);
}

/// One negotiation.
class VariedPeer::Lead {
 public:
  Lead(VariedPeer& peer, PeerStream& stream, const Grammar& grammar, const Combination& combination, Pace pace)
      : peer_(peer),
        stream_(stream),
        grammar_(grammar),
        combination_(combination),
        slots_(peer.surroundings_),
        pace_(pace) {}

  /// What came in the end; empty where the stream is ready.
  std::string lead() {
    if (auto got = up_to_authentication(); !got.empty()) return got;
    return peer_.kind_ == PartnerKind::sasl_external ? external() : dialback();
  }
  /// The same up to the features behind TLS.
  std::string up_to_authentication() {
    if (auto got = header(); !got.empty()) return "in answer to the header " + got;
    if (peer_.kind_ == PartnerKind::plaintext_dialback) return {};
    if (auto got = tls(); !got.empty()) return got;
    const auto got = header();
    return got.empty() ? got : "in answer to the header inside TLS " + got;
  }

 private:
  [[nodiscard]] std::string_view of_connection(std::string_view dimension) const {
    return varies("connection") ? grammar_.value(combination_, "connection", dimension).octets : std::string_view();
  }
  [[nodiscard]] bool varies(std::string_view element) const {
    return std::ranges::any_of(grammar_.dimensions(), [&](const auto& one) { return one.element == element; });
  }
  void say(std::string_view element) {
    if (!varies("header")) slots_["dialback"] = "db";
    static const std::map<std::string_view, Grammar> usual{{"header", Grammar({"header"})},
                                                           {"starttls", Grammar({"starttls"})},
                                                           {"auth", Grammar({"auth"})},
                                                           {"result", Grammar({"header", "result"})}};
    const auto& plain = usual.at(element);
    const auto octets =
        varies(element) ? grammar_.render(element, combination_, slots_) : plain.render(element, plain.usual(), slots_);
    heard_before_ = stream_.wire().items().size();
    peer_.send(stream_, octets, of_connection("cut"));
  }
  /// What came instead of what was waited for.
  std::string instead() {
    const auto& items = stream_.wire().items();
    for (auto item = items.rbegin(); item != items.rend() - static_cast<std::ptrdiff_t>(heard_before_); ++item) {
      const auto* element = std::get_if<xml::Element>(&*item);
      if (element == nullptr) continue;
      const auto* condition = element->first_child();
      return fmt::format("{}{} {}", element->is("error", ns::streams) ? "stream " : "", element->name(),
                         condition == nullptr ? "" : condition->name());
    }
    return silence_in_words(peer_.subject_->world(), stream_, of_connection("cut"));
  }

  std::string header() {
    say("header");
    if (!stream_.await_header()) return instead();
    return stream_.await_element("features", ns::streams) ? "" : instead();
  }

  std::string tls() {
    say("starttls");
    const auto answer = stream_.await_element("proceed", ns::tls);
    if (!answer) return "in answer to <starttls/> " + instead();
    const bool old = of_connection("version") == "1.2";
    tls::SessionOptions options{.server_name = peer_.subject_->domain()};
    if (old) options.newest = tls::Version::tls1_2;
    auto& wire = stream_.wire();
    wire.start_tls(peer_.identity(of_connection("key") == "RSA"), tls::Role::client, options);
    (void)peer_.until([&] { return wire.handshake_over(); });
    return wire.secured() ? "" : "no TLS: " + wire.tls_failure();
  }

  /// The next element is that one of SASL; waits for it. What is something else stays.
  bool next_is(std::string_view name) {
    const auto& items = stream_.wire().items();
    const auto seen = items.size();
    (void)peer_.until([&] { return stream_.wire().has_item() || stream_.is_over(); });
    const auto* element =
        items.size() > seen || stream_.wire().has_item() ? std::get_if<xml::Element>(&items.back()) : nullptr;
    return element != nullptr && element->is(name, ns::sasl);
  }

  std::string external() {
    say("auth");
    if (next_is("challenge")) {
      (void)stream_.await_element();
      peer_.send(stream_, fmt::format("<response xmlns='{}'>=</response>", ns::sasl), of_connection("cut"));
    }
    if (!next_is("success")) return "in answer to <auth/> " + instead();
    (void)stream_.await_element();
    stream_.wire().restart_reader();
    const auto got = header();
    return got.empty() ? got : "in answer to the header behind SASL " + got;
  }

  std::string dialback() {
    const auto key =
        xmpp::dialback_key("secret of " + peer_.domain_, peer_.subject_->domain(), peer_.domain_, stream_.id());
    slots_["key"] = key;
    slots_["another key"] = std::string(key.rbegin(), key.rend());
    slots_["key by references"] = stimuli::written(key, "decimal");
    say("result");
    const auto limit = pace_ == Pace::quick ? std::optional<Duration>(1s) : std::nullopt;
    const auto answer = stream_.await_element("result", ns::dialback, limit);
    if (!answer) return "in answer to db:result " + instead();
    const auto type = answer->attribute("type").value_or("no type");
    return type == "valid" ? "" : "in answer to db:result type " + type;
  }

  VariedPeer& peer_;
  PeerStream& stream_;
  const Grammar& grammar_;
  const Combination& combination_;
  Surroundings slots_;
  Pace pace_;
  std::size_t heard_before_ = 0;  ///< items, before what was said last
};

mocks::RawConnection& VariedPeer::dial() {
  auto& wire = hand_->connect(subject_->s2s());
  (void)until([&] { return wire.state() != mocks::RawConnection::State::connecting; });
  return wire;
}

PeerStream VariedPeer::stream_on(mocks::RawConnection& wire) {
  return {subject_->world(), wire, Header{.from = domain_, .to = subject_->domain()}};
}

std::optional<PeerStream> VariedPeer::connect() {
  auto& wire = dial();
  if (!wire.open()) return std::nullopt;
  return stream_on(wire);
}

std::optional<PeerStream> VariedPeer::up_to_authentication() {
  static const Grammar none({});
  auto stream = connect();
  if (!stream) return std::nullopt;
  const auto usual = none.usual();
  if (!Lead(*this, *stream, none, usual, Pace::patient).up_to_authentication().empty()) return std::nullopt;
  return stream;
}

Negotiated VariedPeer::negotiate(const Grammar& grammar, const Combination& combination, Pace pace) {
  auto& wire = dial();
  Negotiated done;
  if (!wire.open()) {
    done.got = "no connection: " + wire.reason();
    return done;
  }
  done.stream = stream_on(wire);
  done.got = Lead(*this, *done.stream, grammar, combination, pace).lead();
  done.ready = done.got.empty();
  done.tls = wire.secured();
  return done;
}

Negotiated VariedPeer::negotiate() {
  static const Grammar none({});
  return negotiate(none, none.usual());
}

void VariedPeer::end(PeerStream& stream, std::string_view tag) {
  auto& wire = stream.wire();
  if (wire.closed()) return;
  wire.send(tag);
  if (wire.secured()) wire.close_tls();
  wire.shutdown();
  (void)until([&] { return wire.closed() || wire.eof(); });
}

void VariedPeer::end(PeerStream& stream, const Grammar& grammar, const Combination& combination) {
  const bool varies =
      std::ranges::any_of(grammar.dimensions(), [](const auto& one) { return one.element == "header"; });
  end(stream, varies ? grammar.part("header", "names", 3, combination, surroundings_) : "</stream:stream>");
}

bool VariedPeer::marker_slips_through(PeerStream& stream) {
  const auto text = fmt::format("marker {}", ++markers_);
  stream.send(fmt::format("<message from='romeo@{}' to='{}' id='{}' type='chat'><body>{}</body></message>", domain_,
                          subject_->user(), text, text));
  const Grammar none({});
  if (auto good = negotiate(); good.ready) {
    (void)marker_passes(*good.stream, none, none.usual());
    end(*good.stream);
  }
  return subject_->received(text) > 0;
}

bool VariedPeer::marker_passes(PeerStream& stream, const Grammar& grammar, const Combination& combination) {
  const auto text = fmt::format("marker {}", ++markers_);
  const bool varies =
      std::ranges::any_of(grammar.dimensions(), [](const auto& one) { return one.element == "header"; });
  const auto own = varies ? grammar.part("header", "names", 2, combination, surroundings_) : std::string();
  stream.send(fmt::format("<message{} from='romeo@{}' to='{}' id='{}' type='chat'><body>{}</body></message>", own,
                          domain_, subject_->user(), text, text));
  return until([&] { return subject_->received(text) > 0 || stream.is_over(); }) && subject_->received(text) > 0;
}

}  // namespace cutover::suites
