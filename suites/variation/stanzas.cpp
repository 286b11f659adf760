// Stanzas of a peer in every form that the texts allow, compared as a whole where they come out, and in forms that they
// forbid.
#include "harness/standing/crossing.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stanza.h"
#include "suites/support/variation.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <set>

namespace cutover::suites {
namespace {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;

constexpr char delivered[] = "a message in the usual form reaches the user";
/// On one stream.
constexpr std::size_t together_max = 40;
/// What a stanza may have, counted from '<' to '>' (RFC 6120 section 13.12), is always taken.
constexpr std::size_t stanza_max_octets = 9900;

const Grammar& messages() {
  static const Grammar grammar({"message"});
  return grammar;
}

/// A stanza as octets, and as whoever reads them finds it.
struct Written {
  std::string octets;
  xml::Element element;
};

/// As a reader finds it on a stream whose content namespace is jabber:server. Nothing for what it cannot read.
std::optional<xml::Element> read(std::string_view octets) {
  xml::Reader reader;
  const auto document =
      fmt::format("<stream:stream xmlns='{}' xmlns:stream='{}'>{}", xmpp::ns::server, xmpp::ns::streams, octets);
  for (std::string_view rest = document; !rest.empty();) {
    std::size_t used = 0;
    auto item = reader.feed(rest, used);
    if (!item) return std::nullopt;
    if (auto* element = std::get_if<xml::Element>(&*item)) return std::move(*element);
    if (std::holds_alternative<xml::Fault>(*item)) return std::nullopt;
    rest.remove_prefix(used);
  }
  return std::nullopt;
}

/// Writes stanzas, each with a mark of its own.
class Writer {
 public:
  Writer(VariedPeer& peer, std::string_view element) : peer_(peer), element_(element) {}

  [[nodiscard]] std::string octets(const Grammar& grammar, const Combination& one) {
    auto slots = peer_.surroundings();
    const auto mark = fmt::format("v{}", ++marks_);
    slots["mark"] = mark;
    slots["first of mark"] = fmt::format("{:x}", mark.front());
    slots["rest of mark"] = mark.substr(1);
    slots["digits"] = fmt::format("00{}", marks_);
    return grammar.render(element_, one, slots);
  }
  [[nodiscard]] Written written(const Grammar& grammar, Combination one) {
    auto octets = this->octets(grammar, one);
    for (std::size_t i = 0; octets.size() > stanza_max_octets && i < one.size(); ++i) {
      // Not all of what is long goes into one.
      if (grammar.dimensions()[i].name != "long" && grammar.dimensions()[i].name != "from") continue;
      one[i] = 0;
      octets = this->octets(grammar, one);
    }
    auto element = read(octets);
    if (!element) throw HarnessFault("a legal stimulus is not legal: " + octets);
    return {std::move(octets), std::move(*element)};
  }

 private:
  VariedPeer& peer_;
  std::string_view element_;
  int marks_ = 0;
};

/// By id; null while it is not there, or where it came twice.
const xml::Element* only(const std::vector<xml::Element>& stanzas, const std::string& id) {
  const auto is_it = [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; };
  return std::ranges::count_if(stanzas, is_it) == 1 ? &*std::ranges::find_if(stanzas, is_it) : nullptr;
}

/// What came of a message: whether it came, and what was lost of it on the way.
Tried compared(const xml::Element& sent, const xml::Element& came) {
  Tried result;
  for (const auto& [rule, lost] : standing::compare_crossed(sent, came)) {
    const std::string requirement(standing::row_of(rule).requirement);
    result.judged.insert(requirement);
    if (!lost.empty()) result.breaches.emplace(requirement, lost);
  }
  return result;
}

/// Sends stanzas on as few streams as may be: one that ends begins anew behind what ended it.
class Batch {
 public:
  /// Whether the stanza with that id has come to where it was to come.
  using Came = std::function<const xml::Element*(const std::string& id)>;
  Batch(VariedPeer& peer, Came came) : peer_(peer), came_(std::move(came)) {}

  /// What came instead of each; empty where it came.
  std::vector<std::string> send(const std::vector<Written>& all) {
    std::vector<std::string> instead(all.size());
    for (std::size_t begin = 0; begin < all.size();) {
      const auto end = std::min(begin + (one_by_one_ ? 1 : together_max), all.size());
      begin = send(all, begin, end, instead);
    }
    return instead;
  }

 private:
  /// Those from `begin` to `end` on one stream; the first that was not settled.
  std::size_t send(const std::vector<Written>& all, std::size_t begin, std::size_t end,
                   std::vector<std::string>& instead) {
    auto led = peer_.negotiate();
    if (!GIVEN(led.ready, "a stream that is led as usual is established")) {
      for (auto i = begin; i < all.size(); ++i) instead[i] = "no stream: " + led.got;
      return all.size();
    }
    for (auto i = begin; i < end; ++i) led.stream->send(all[i].octets);
    const Grammar none({});
    const bool handled = peer_.marker_passes(*led.stream, none, none.usual());
    const auto missing = [&](std::size_t from) {
      while (from < end && came_(all[from].element.attribute_or_empty("id")) != nullptr) ++from;
      return from;
    };
    if (handled) {
      for (auto i = missing(begin); i < end; i = missing(i + 1)) instead[i] = "it never came, or twice";
      peer_.end(*led.stream);
      return end;
    }
    // What came before the end is on its way to the user, perhaps.
    if (auto another = peer_.negotiate(); another.ready) {
      (void)peer_.marker_passes(*another.stream, none, none.usual());
      peer_.end(*another.stream);
    }
    // What ended the stream is one of those that did not come; some before it may have been lost. Those behind it were
    // not read.
    const auto culprit = missing(begin);
    const auto ending = in_words(led.stream->await_ending());
    peer_.end(*led.stream);
    one_by_one_ = end - begin > 1;
    if (one_by_one_ || culprit == end) return culprit;
    instead[culprit] = ending;
    return culprit + 1;
  }

  VariedPeer& peer_;
  Came came_;
  bool one_by_one_ = false;  ///< until it is found what ended the stream
};

void legal_messages(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  const auto user = peer.subject().user();
  auto& inbox = peer.subject().account()->user(user.substr(0, user.find('@'))).messages;
  Writer writer(peer, "message");
  Batch batch(peer, [&](const std::string& id) { return only(inbox, id); });
  Variation(run, messages(), delivered, std::numeric_limits<std::size_t>::max(),
            [&](const std::vector<Combination>& all) {
              std::vector<Written> stanzas;
              stanzas.reserve(all.size());
              for (const auto& one : all) stanzas.push_back(writer.written(messages(), one));
              const auto instead = batch.send(stanzas);
              std::vector<Tried> results;
              for (std::size_t i = 0; i < all.size(); ++i) {
                const auto* came = only(inbox, stanzas[i].element.attribute_or_empty("id"));
                results.push_back(came == nullptr ? Tried{} : compared(stanzas[i].element, *came));
                if (came == nullptr) results.back().refused = instead[i];
              }
              return results;
            })
      .judge();
}

CUTOVER_CASE(crossing){
    .id = "variation.messages-to-user",
    .title = "A peer's messages reach the user as they were, in whatever form they are written",
    .procedure =
        "On few streams a message for each combination of addresses, ids, types, languages, texts, children, payloads "
        "and forms of XML (`--depth`). What does not come, or not as it was, is tried again with less of it, until "
        "nothing can be left out.",
    .accepted =
        "Each comes once and whole, its children in any order; a server may add a language, a delay and elements of "
        "its "
        "own. A failure names the smallest combination.",
    .likely_causes = "Tags that are compared as text; stanzas that are written anew from what a server knows of them.",
    .judges = {{"RFC6120-10.5.4-1", {"account.full-jid-messages-lost"}},
               {"RFC6120-11.8-1", {"xmpp.single-quotes-only"}},
               {"RFC6120-4.8.2-2", {}},
               {"RFC7622-3.4-1",
                {"xmpp.resources-in-ascii-only", "xmpp.collapses-slashes", "xmpp.long-resources-cut",
                 "xmpp.addresses-in-one-plane"}},
               {"RFC7622-3.1-1", {"xmpp.splits-resources"}},
               {"RFC7622-3.3-1",
                {"xmpp.localparts-compared-as-written", "xmpp.unescapes-localparts", "xmpp.long-localparts-refused"}},
               {"RFC7622-3.2.2-1", {"xmpp.addresses-compared-as-written"}},
               {"RFC7622-3.2-1", {"xmpp.domains-send-nothing"}},
               {"RFC7622-3.2-2", {"xmpp.addresses-compared-as-written"}},
               {"RFC6120-11.1-6", {"xmpp.references-refused"}},
               {"XML-2.11-1", {"xmpp.attributes-on-one-line"}},
               {"RFC6120-11.6-4", {"xmpp.byte-order-marks-refused"}},
               {"RFC6120-11.7-1", {}},
               {"RFC6120-13.12-4", {"xmpp.small-stanzas-only"}},
               {"RFC6121-5.2.2-1", {"xmpp.odd-types-lost"}},
               {"INV-4",
                {"xmpp.keeps-one-body", "xmpp.cuts-long-bodies", "xmpp.type-becomes-normal",
                 "xmpp.loses-supplementary-planes", "xmpp.ids-decoded", "xmpp.carriage-returns-lost",
                 "xmpp.searches-octets-for-instructions", "xmpp.no-end-of-cdata-in-texts", "xmpp.no-break-spaces-lost",
                 "xmpp.line-ends-of-xml-1.1", "xmpp.joiners-lost", "xmpp.texts-decoded-twice",
                 "xmpp.bodies-taken-for-html", "xmpp.empty-bodies-lost", "xmpp.replacement-characters-refused"}},
               {"RFC6121-8.5.2.1.1-4", {"account.bare-to-rewritten"}},
               {"RFC6120-8.4-2",
                {"account.payloads-lost", "xmpp.prefixes-by-their-root", "xmpp.default-namespaces-stick",
                 "xmpp.languages-inside-payloads-lost", "xmpp.attributes-by-local-name", "xmpp.attributes-in-one-plane",
                 "xmpp.names-in-ascii-only", "xmpp.text-between-elements-lost", "xmpp.blanks-in-payloads-lost",
                 "xmpp.bodies-of-any-namespace", "xmpp.long-attributes-cut", "xmpp.like-payloads-merged",
                 "xmpp.payloads-turned-about", "xmpp.messages-without-body-lost", "xmpp.empty-attributes-lost"}},
               {"RFC6120-4.8.3-4",
                {"xmpp.rescopes-what-is-inside-payloads", "xmpp.client-namespace-inside-payloads-lost"}},
               {"RFC6120-4.7.4-6",
                {"xmpp.loses-language", "xmpp.languages-in-small-letters", "xmpp.private-languages-lost"}}},
    .needs = {Need::user_account},
    .budget = 2min,
    .body = legal_messages};

/// The addresses that senders have in the table are where the user writes to; forms of XML are the client's own.
const Grammar& messages_out() {
  static const Grammar grammar(
      {"message"}, {"attributes", "content", "q", "end", "to", "form", "blank", "behind", "a domain as sender"});
  return grammar;
}

/// Messages of the subject's user to users of the peer.
class Outward {
 public:
  explicit Outward(VariedPeer& peer) : peer_(peer), account_(*peer.subject().account()) {
    const auto user = peer.subject().user();
    user_ = user.substr(0, user.find('@'));
  }

  /// The stanza as the client sends it.
  static xml::Element turned(xml::Element stanza) {
    stanza.set_attribute("to", stanza.attribute_or_empty("from"));
    stanza.remove_attribute("from");
    return stanza;
  }

  /// Sends them all, and waits for a message behind them. Whether that came.
  bool send(const std::vector<xml::Element>& stanzas) {
    for (const auto& stanza : stanzas) {
      const auto to = stanza.attribute_or_empty("to");
      const auto jid = xmpp::Jid::parse(to);
      if (!jid) throw HarnessFault("no address: " + to);
      if (homes_.insert(jid->local()).second) peer_.home().add_user(jid->local());
      account_.send(user_, stanza);
    }
    const auto marker = fmt::format("outward {}", ++markers_);
    peer_.subject().send_message("romeo@" + peer_.domain(), marker);
    return peer_.until([&] {
      return std::ranges::any_of(peer_.romeo().messages,
                                 [&](const auto& message) { return body_of(message) == marker; });
    });
  }

  /// Whether a message in the usual form reaches the peer still.
  bool gets_through() { return send({}); }

  [[nodiscard]] const xml::Element* came(const xml::Element& stanza) {
    const auto jid = xmpp::Jid::parse(stanza.attribute_or_empty("to"));
    return only(peer_.home().user(jid->local()).messages, stanza.attribute_or_empty("id"));
  }

 private:
  VariedPeer& peer_;
  mocks::PartnerDomain& account_;
  std::string user_;
  std::set<std::string> homes_{"romeo"};
  int markers_ = 0;
};

void legal_messages_out(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  Writer writer(peer, "message");
  Outward outward(peer);
  Variation(run, messages_out(), "a message of the user in the usual form reaches the peer's user", together_max,
            [&](const std::vector<Combination>& all) {
              const auto written = [&](const Combination& one) {
                return Outward::turned(writer.written(messages_out(), one).element);
              };
              std::vector<xml::Element> stanzas;
              std::ranges::transform(all, std::back_inserter(stanzas), written);
              const bool handled = outward.send(stanzas);
              // One that ended the stream took others with it: they are sent anew, each by itself.
              const bool over = !handled && !outward.gets_through();
              for (std::size_t i = 0; !handled && !over && all.size() > 1 && i < all.size(); ++i) {
                if (outward.came(stanzas[i]) != nullptr) continue;
                stanzas[i] = written(all[i]);
                (void)outward.send({stanzas[i]});
              }
              std::vector<Tried> results;
              for (const auto& stanza : stanzas) {
                const auto* came = outward.came(stanza);
                results.push_back(came == nullptr ? Tried{} : compared(stanza, *came));
                if (came != nullptr) continue;
                results.back().refused = over ? "it never came, and nothing behind it" : "it never came, or twice";
                results.back().is_the_last = over;
              }
              return results;
            })
      .judge();
}

CUTOVER_CASE(leaving){
    .id = "variation.messages-to-peer",
    .title = "The user's messages reach a peer as they were, whatever they hold and whoever they are for",
    .procedure =
        "The user sends users of a peer a message for each combination of addresses, ids, types, languages, texts, "
        "children and payloads (`--depth`). What does not come, or not as it was, is tried again with less of it, "
        "until nothing can be left out.",
    .accepted =
        "Each comes once and whole, its children in any order; a server may add a language, a delay and elements of "
        "its own. A failure names the smallest combination.",
    .likely_causes =
        "Stanzas that are written anew from what a server knows of them; values that are escaped for text "
        "and not for attributes.",
    .judges =
        {{"RFC7622-3.4-1", {"xmpp.sends-to-resources-in-ascii", "xmpp.addresses-in-one-plane"}},
         {"RFC7622-3.1-1", {"xmpp.splits-resources-that-it-sends-to"}},
         {"RFC7622-3.3-1", {"xmpp.unescapes-localparts", "xmpp.long-localparts-refused", "xmpp.at-signs-as-percent"}},
         {"RFC7622-3.2.2-1", {"xmpp.addresses-sent-to-as-written"}},
         {"RFC6120-11.1-6", {"xmpp.sends-no-references"}},
         {"XML-2.11-1", {"xmpp.attributes-on-one-line"}},
         {"RFC6120-11.6-4", {"xmpp.sends-no-byte-order-marks"}},
         {"RFC6120-13.12-4", {"xmpp.sends-small-stanzas-only"}},
         {"RFC6121-5.2.2-1", {"xmpp.sends-no-odd-types"}},
         {"INV-4",
          {"xmpp.ids-decoded", "xmpp.carriage-returns-lost", "xmpp.loses-supplementary-planes", "xmpp.keeps-one-body",
           "xmpp.cuts-long-bodies", "xmpp.texts-decoded-twice", "xmpp.bodies-taken-for-html", "xmpp.lines-end-in-crlf",
           "xmpp.empty-bodies-lost", "xmpp.replacement-characters-refused"}},
         {"RFC6121-8.5.2.1.1-4",
          {"xmpp.recipients-without-resource", "xmpp.collapses-slashes", "xmpp.long-resources-cut"}},
         {"RFC6120-8.4-2",
          {"xmpp.prefixes-by-their-root", "xmpp.default-namespaces-stick", "xmpp.languages-inside-payloads-lost",
           "xmpp.attributes-by-local-name", "xmpp.attributes-in-one-plane", "xmpp.names-in-ascii-only",
           "xmpp.text-between-elements-lost", "xmpp.blanks-in-payloads-lost", "xmpp.bodies-of-any-namespace",
           "xmpp.messages-without-body-lost", "xmpp.empty-attributes-lost"}},
         {"RFC6120-4.8.3-4", {"xmpp.rescopes-what-is-inside-payloads", "xmpp.client-namespace-inside-payloads-lost"}},
         {"RFC6120-4.7.4-6", {"xmpp.languages-in-small-letters", "xmpp.private-languages-lost"}}},
    .needs = {Need::user_account},
    .budget = 2min,
    .body = legal_messages_out};

/// What is whole is read, wherever the reads of a server divide it.
constexpr char put_off[] = "SEC-SMUGGLE-7";

void legal_requests(Run& run) {
  static const Grammar grammar({"request"});
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  Writer writer(peer, "request");
  const auto answered = [&](const std::string& id) -> const xml::Element* {
    for (const auto* kind : {&peer.romeo().iqs, &peer.romeo().errors})
      if (const auto* found = only(*kind, id)) return found;
    return nullptr;
  };
  // The same as it is read where its white space is written as it is.
  const auto answered_in_words = [&](std::string id) {
    const auto exact = id;
    std::ranges::replace_if(
        id, [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
    return id != exact && answered(id) != nullptr;
  };
  // Answers come by another stream than the marker: they are waited for.
  Variation(run, grammar, "a request in the usual form is answered", 1, [&](const std::vector<Combination>& all) {
    std::vector<Tried> results(all.size());
    auto led = peer.negotiate();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!led.ready) {
        results[i].refused = "no stream: " + led.got;
        continue;
      }
      const auto request = writer.written(grammar, all[i]);
      led.stream->send(request.octets);
      const auto id = request.element.attribute_or_empty("id");
      (void)peer.until([&] { return answered(id) != nullptr || answered_in_words(id) || led.stream->is_over(); });
      results[i].judged.insert(put_off);
      if (answered_in_words(id)) {
        results[i].refused = "an answer with blanks in its id";
        continue;
      }
      if (answered(id) == nullptr && !led.stream->is_over()) {
        led.stream->send(more_than_any_tag());
        (void)peer.until([&] { return answered(id) != nullptr || led.stream->is_over(); });
        if (answered(id) != nullptr) results[i].breaches[put_off] = "no answer until more octets were sent";
      }
      if (answered(id) != nullptr) continue;
      results[i].refused = led.stream->is_over() ? in_words(led.stream->await_ending()) : "no answer with its id";
      if (!led.stream->is_over()) continue;
      peer.end(*led.stream);
      led = peer.negotiate();
    }
    if (led.stream) peer.end(*led.stream);
    return results;
  }).judge();
}

CUTOVER_CASE(requests){
    .id = "variation.requests-to-server",
    .title = "A peer's requests are answered with their id, in whatever form they are written",
    .procedure = "On one stream a ping for each combination of addresses, ids and forms of XML (`--depth`).",
    .accepted = "An answer of any type to the domain or user that asked, with the id exactly as it was.",
    .likely_causes = "Ids that are written back without being escaped, or cut.",
    .judges = {{"RFC7622-3.2.2-1", {"xmpp.addresses-compared-as-written"}},
               {"RFC6120-11.8-1", {"xmpp.single-quotes-only"}},
               {"RFC7622-3.4-1", {"xmpp.resources-in-ascii-only"}},
               {"SEC-SMUGGLE-4", {"xmpp.ids-not-escaped", "xmpp.ids-decoded"}},
               {"XML-2.11-1", {"xmpp.attributes-on-one-line"}},
               {"SEC-SMUGGLE-7", {"xmpp.puts-off-long-tags"}},
               {"RFC6120-8.4-4", {"xmpp.requests-by-their-prefix"}},
               {"RFC6120-8.1.3-1", {"xmpp.ids-cut", "xmpp.answers-with-small-ids", "xmpp.ids-as-numbers"}}},
    .needs = {Need::user_account},
    .budget = 2min,
    .body = legal_requests};

void forbidden_messages(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  Writer writer(peer, "message");
  const auto user = peer.subject().user();
  auto& inbox = peer.subject().account()->user(user.substr(0, user.find('@'))).messages;
  judge_refusals(run, messages(), delivered, [&](const Combination& one) {
    Refused result;
    auto led = peer.negotiate();
    if (!led.ready) return result;
    const auto octets = writer.octets(messages(), one);
    const auto came_before = inbox.size();
    const auto errors_before = peer.romeo().errors.size();
    led.stream->send(octets);
    // A marker on the same stream shows that it was read, where the stream goes on.
    const Grammar none({});
    const bool goes_on = peer.marker_passes(*led.stream, none, none.usual());
    const auto returned = [&] {
      for (auto i = errors_before; i < peer.romeo().errors.size(); ++i)
        if (const auto error = xmpp::error_of(peer.romeo().errors[i])) result.stanza_error = error->condition;
      return !result.stanza_error.empty();
    };
    (void)returned();
    result.goes_on = goes_on;
    result.taken = inbox.size() > came_before + (goes_on ? 1 : 0);
    if (!goes_on) result.ending = led.stream->await_ending();
    peer.end(*led.stream);
    return result;
  });
}

CUTOVER_CASE(refused){
    .id = "variation.refused-messages",
    .title = "A message of a form that no text allows is refused, and its twin reaches the user",
    .procedure =
        "On a stream each, every forbidden value of a message, and a usual message behind it; before and behind them "
        "all a usual one alone.",
    .accepted =
        "A stream error and the end of the stream; for an address or a prefix that is none a stanza error, too. Which "
        "condition is another check.",
    .likely_causes = "An XML parser with its defaults; addresses that are split, and not judged.",
    .judges = {{"RFC6120-11.3-3", {"xmpp.no-stream-error"}},
               {"RFC6120-11.3-2", {"xmpp.takes-repeated-attributes", "xmpp.no-stream-error"}},
               {"RFC6120-4.9.3.13-1", {"xmpp.wrong-stream-condition"}},
               {"RFC7622-4-1", {"xmpp.invalid-senders-delivered"}},
               {"RFC6120-11.1-2", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-3", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-5", {"xmpp.repairs-what-is-not-well-formed", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-7", {}},
               {"RFC6120-11.5-4", {"xmpp.no-stream-error"}},
               {"SEC-SMUGGLE-1", {"xmpp.takes-octets-beyond-utf-8"}},
               {"RFC6120-4.9.3.22-1", {}},
               {"RFC6120-11.7-2", {"xmpp.no-stream-error"}}},
    .needs = {Need::user_account},
    .budget = 2min,
    .body = forbidden_messages};

}  // namespace
}  // namespace cutover::suites
