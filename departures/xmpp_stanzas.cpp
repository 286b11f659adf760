// Stanzas that come twice or get lost on their way, and XML that no stream may hold.
#include "departures/rows.h"
#include "protocol/base/node.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;

/// Takes out what is whole of comments, processing instructions and document types.
void take_out_restricted(std::string& in) {
  constexpr std::pair<std::string_view, std::string_view> forms[] = {
      {"<!--", "-->"}, {"<!DOCTYPE", "]>"}, {"<?", "?>"}};
  for (const auto& [open, close] : forms) {
    for (auto at = in.find(open); at != std::string::npos; at = in.find(open, at)) {
      const auto end = in.find(close, at);
      if (end == std::string::npos) break;
      if (in.compare(at, 5, "<?xml") == 0) {
        at = end;
      } else {
        in.erase(at, end + close.size() - at);
      }
    }
  }
}

/// Takes out what may become one once more octets come.
std::string take_out_begun(std::string& in) {
  auto begun = in.find("<!");
  for (auto at = in.find("<?"); at != std::string::npos && at < begun; at = in.find("<?", at + 1)) {
    if (in.compare(at, 5, "<?xml") != 0) begun = at;
  }
  if (begun == std::string::npos && in.ends_with('<')) begun = in.size() - 1;
  if (begun == std::string::npos) return {};
  auto held = in.substr(begun);
  in.erase(begun);
  return held;
}

/// Takes out all children of that name but the first.
void keep_one(xml::Element& stanza, std::string_view name) {
  bool seen = false;
  std::erase_if(stanza.content(), [&](const xml::Content& content) {
    return !content.is_text() && content.element.front().name() == name && std::exchange(seen, true);
  });
}

/// Characters beyond the basic plane become the replacement character.
void replace_supplementary(std::string& octets) {
  constexpr unsigned char first_of_four = 0xf0;
  for (std::size_t at = 0; at + 4 <= octets.size(); ++at)
    if (static_cast<unsigned char>(octets[at]) >= first_of_four) octets.replace(at, 4, "\xef\xbf\xbd");
}

void cut_body(xml::Element& stanza) {
  constexpr std::size_t kept_octets = 1000;
  for (auto& content : stanza.content()) {
    if (content.is_text() || content.element.front().name() != "body") continue;
    const auto text = content.element.front().text();
    if (text.size() <= kept_octets) continue;
    auto& body = content.element.front();
    body.content().clear();
    body.add_text(text.substr(0, kept_octets));
  }
}

/// A reader that makes the best of what is not well-formed: entities that nobody declared and elements with a prefix
/// that nobody declared are skipped, tags are closed in the order in which they were opened.
class Repair {
 public:
  std::string operator()(std::string_view more) {
    held_ += more;
    std::string out;
    while (!held_.empty()) {
      auto end = held_.find('<');
      if (end == 0) {
        end = held_.find('>');
        if (end == std::string::npos) break;
        ++end;
      }
      const auto part = std::exchange(held_, end == std::string::npos ? std::string() : held_.substr(end));
      out += part.front() == '<' ? tag(part.substr(0, end)) : text(part.substr(0, end));
    }
    return out;
  }

 private:
  static std::string text(std::string part) {
    constexpr std::string_view known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#"};
    for (auto at = part.find('&'); at != std::string::npos; at = part.find('&', at)) {
      const auto rest = std::string_view(part).substr(at);
      const auto end = part.find(';', at);
      const bool declared = std::ranges::any_of(known, [&](const auto one) { return rest.starts_with(one); });
      declared || end == std::string::npos ? ++at : (part.erase(at, end + 1 - at), at);
    }
    return part;
  }

  std::string tag(const std::string& part) {
    if (part.starts_with("<?") || part.starts_with("<!")) return part;
    const bool closes = part.starts_with("</");
    const auto begin = closes ? std::size_t{2} : std::size_t{1};
    const auto name = part.substr(begin, part.find_first_of(" \t\r\n/>", begin) - begin);
    const auto prefix = name.substr(0, name.find(':'));
    const bool declared = prefix == name || prefix == "stream" || prefix == "db" ||
                          part.find("xmlns:" + prefix) != std::string::npos ||
                          std::ranges::find(open_, name) != open_.end();
    if (!declared) return {};
    if (!closes) {
      if (!part.ends_with("/>")) open_.push_back(name);
      return part;
    }
    if (std::ranges::find(open_, name) == open_.end()) return {};
    std::string out;
    for (; open_.back() != name; open_.pop_back()) out += "</" + open_.back() + ">";
    open_.pop_back();
    return out + part;
  }

  std::string held_;
  std::vector<std::string> open_;
};

}  // namespace

std::vector<Row> xmpp_stanzas() {
  return {
      {"xmpp.accepts-restricted-xml",
       "skips comments, processing instructions and document types instead of refusing them",
       "RFC6120-11.1-2 RFC6120-11.1-3 RFC6120-11.1-4",
       [held = std::string()](Direction direction, std::string& octets) mutable {
         if (direction != Direction::in) return;
         octets.insert(0, std::exchange(held, {}));
         take_out_restricted(octets);
         held = take_out_begun(octets);
       }},
      {"xmpp.repairs-what-is-not-well-formed", "makes the best of XML that is not well-formed, and goes on",
       "RFC6120-11.3-2 RFC6120-11.3-3 RFC6120-11.1-5",
       [repair = Repair()](Direction direction, std::string& octets) mutable {
         if (direction == Direction::in) octets = repair(octets);
       }},
      {"xmpp.duplicates-stanzas", "sends every stanza twice", "INV-2 RFC6120-10.5.4-1 RFC6120-8.2.3-3",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && !p.link) p.repeat();
       }},
      {"xmpp.keeps-one-body", "passes on the first of several bodies only", "INV-4",
       [](Passage& p) {
         if (p.is("message")) p.edit([](xml::Element& stanza) { keep_one(stanza, "body"); });
       }},
      {"xmpp.cuts-long-bodies", "passes on the first thousand octets of a body", "INV-4",
       [](Passage& p) {
         if (p.is("message")) p.edit(cut_body);
       }},
      {"xmpp.type-becomes-normal", "takes the type off messages", "INV-4",
       [](Passage& p) {
         if (p.is("message") && !p.has_type("error")) p.remove_attribute("type");
       }},
      {"xmpp.loses-supplementary-planes", "replaces characters beyond the basic multilingual plane",
       "INV-4 RFC6120-8.4-2",
       [](Passage& p) {
         if (p.is_stanza()) replace_supplementary(p.octets);
       }},
      {"xmpp.loses-language", "takes the language off stanzas", "RFC6120-4.7.4-6",
       [](Passage& p) {
         if (p.is_stanza()) p.remove_attribute("xml:lang");
       }},
      {"xmpp.rescopes-what-is-inside-payloads", "puts stanzas that lie inside a payload into jabber:server",
       "RFC6120-4.8.3-4",
       [](Passage& p) {
         if (p.is_stanza() && p.element.ns() == xmpp::ns::server) p.replace("jabber:client", "jabber:server");
       }},
      {"gateway.proxy-drops-inbound", "hands no stanza from partners on to the gateway",
       "LYNC-ARCH-2 RFC6120-4.3.2-6 RFC8048-5.2.1-1",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && p.link) p.drop();
       },
       proxy},
      {"gateway.proxy-drops-outbound", "drops what the gateway sends to partners", "LYNC-ARCH-2",
       [](Passage& p) {
         if (p.in() && p.is_stanza() && p.link) p.drop();
       },
       proxy},
  };
}

}  // namespace cutover::departures
