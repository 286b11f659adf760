// The usual mistakes of a target file, by what is seen of them.
#include "harness/subjects/diagnosis.h"

#include "protocol/xmpp/namespaces.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace cutover::harness {

namespace {

namespace ns = xmpp::ns;

/// Any octets, for people.
std::string shown(std::string_view octets) {
  constexpr std::size_t shown_max = 60;
  std::string text;
  for (const char c : octets.substr(0, shown_max)) {
    const auto octet = static_cast<unsigned char>(c);
    text += octet < 0x20 || octet >= 0x7f ? fmt::format("\\x{:02x}", octet) : std::string(1, c);
  }
  return "'" + text + (octets.size() > shown_max ? "...'" : "'");
}

/// Words of the other side, in its own letters.
std::string quoted(std::string text) {
  constexpr std::size_t quoted_max = 200;
  const bool whole = text.size() <= quoted_max;
  text.resize(std::min(text.size(), quoted_max));
  return "'" + text + (whole ? "'" : "...'");
}

struct Protocol {
  std::string_view begins, what;
};
constexpr Protocol protocols[] = {
    {"HTTP/", "HTTP; a web server, or a proxy for the web"},
    {"<html", "a page of HTML; a web server, or a proxy for the web"},
    {"<!DOCTYPE", "a page of HTML; a web server, or a proxy for the web"},
    {"SSH-", "SSH; the port for remote login"},
    {"SIP/", "SIP; the port of a SIP server"},
    {"220", "a greeting of mail (SMTP) or FTP"},
    {"* OK", "a greeting of IMAP"},
    {"+OK", "a greeting of POP3"},
    {"\x15\x03", "TLS; the port for direct TLS"},
    {"\x16\x03", "TLS; the port for direct TLS"},
};

constexpr char usual_port[] = "the port for servers is 5269 mostly (settings.s2s)";

/// The text of the error, quoted; empty for none.
std::string text_of(const xml::Element& error) {
  const auto* text = error.child("text", ns::stream_errors);
  return text == nullptr || text->text().empty() ? "" : ": " + quoted(text->text());
}

const xml::Element* condition_of(const xml::Element& error) {
  const auto children = error.children();
  const auto found = std::ranges::find_if(
      children, [](const auto* child) { return child->ns() == ns::stream_errors && child->name() != "text"; });
  return found == children.end() ? nullptr : *found;
}

/// Whether the text of an error speaks of a limit.
bool speaks_of_a_limit(const xml::Element& error) {
  auto text = text_of(error);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  constexpr std::string_view words[] = {"too many", "limit", "quota", "exceed", "maximum", "blocked for", "rate"};
  return std::ranges::any_of(words, [&](const auto word) { return text.find(word) != std::string::npos; });
}

}  // namespace

bool is_tls(std::string_view octets) {
  return octets.size() >= 2 && (octets[0] == '\x15' || octets[0] == '\x16') && octets[1] == '\x03';
}

std::string words_for_octets(std::string_view octets) {
  auto words = "answers what is no XMPP stream, " + shown(octets);
  const auto known =
      std::ranges::find_if(protocols, [&](const auto& protocol) { return octets.starts_with(protocol.begins); });
  if (known != std::end(protocols)) words += fmt::format(": that is {}", known->what);
  return words + fmt::format("; {}", usual_port);
}

std::string words_for_error(const xml::Element& error, const Probed& probed) {
  const auto* condition = condition_of(error);
  const auto name = condition == nullptr ? std::string("no condition") : condition->name();
  const auto said = name + text_of(error);
  if (name == "host-unknown" || name == "host-gone") {
    const auto& other = probed.calls_itself;
    return fmt::format("does not serve {} (settings.domain): {}{}", probed.domain, said,
                       other.empty() || other == probed.domain ? "" : "; it calls itself " + other);
  }
  if (name == "invalid-namespace")
    return fmt::format("takes no stream of jabber:server: {}; it is the port for clients, and {}", said, usual_port);
  if (name == "see-other-host")
    return fmt::format("sends us elsewhere: {}, {}; that place belongs into settings.s2s", said,
                       quoted(condition->text()));
  if (name == "system-shutdown")
    return fmt::format("is shutting down: {}; start it again, and wait until it is up", said);
  if (name == "internal-server-error" || name == "undefined-condition")
    return fmt::format("ends the stream at once with {}; its log tells why", said);
  if (name == "resource-constraint" || speaks_of_a_limit(error))
    return fmt::format(
        "takes no more connections: {}; its limits for one address or one peer are too low for this machine, or an "
        "earlier run is not forgotten",
        said);
  if (name == "improper-addressing" || name == "invalid-from")
    return fmt::format("does not take the addresses of the header, {} to {}: {}; are both domains as it writes them?",
                       probed.peer, probed.domain, said);
  return fmt::format("ends the stream at once with {}; may {} (settings.peers) federate with it?", said, probed.peer);
}

std::string words_for_client_port(std::string_view content_ns, const xml::Element* features) {
  std::string sign;
  if (content_ns == ns::client) sign = "its header is of jabber:client";
  if (features != nullptr) {
    if (const auto* mechanisms = features->child("mechanisms", ns::sasl)) {
      for (const auto* mechanism : mechanisms->children()) {
        const auto name = mechanism->text();
        if (name == "PLAIN" || name.starts_with("SCRAM-") || name == "DIGEST-MD5")
          sign = "it offers " + name + ", which is for users";
      }
    }
    if (features->child("auth", "http://jabber.org/features/iq-auth") != nullptr ||
        features->child("register", "http://jabber.org/features/iq-register") != nullptr)
      sign = "it offers to sign in or to register a user";
  }
  return sign.empty() ? sign : fmt::format("is the port for clients: {}; {}", sign, usual_port);
}

std::string words_for_queries(const dns::DnsServer& names, const std::string& peer) {
  std::map<std::string, std::size_t> asked;
  std::set<std::string> clients, others;
  for (const auto& query : names.history()) {
    const bool ours = query.name == peer || query.name.ends_with("." + peer);
    if (!ours) {
      others.insert(query.name);
      continue;
    }
    ++asked[fmt::format("{} {}", to_string(query.type), query.name)];
    clients.insert(query.client);
  }
  if (!asked.empty()) {
    std::vector<std::string> each;
    each.reserve(asked.size());
    for (const auto& [what, times] : asked)
      each.push_back(times == 1 ? what : fmt::format("{} ({} times)", what, times));
    return fmt::format(
        "{} asked our name server for {} and was answered; is a firewall in between, or does the target still "
        "wait after an earlier failure?",
        fmt::join(clients, ", "), fmt::join(each, ", "));
  }
  if (others.empty())
    return "our name server (settings.name-server) was never asked for anything; does the target use it?";
  return fmt::format("our name server was asked for {} and never for {}", fmt::join(others, ", "), peer);
}

}  // namespace cutover::harness
