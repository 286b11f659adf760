// Framing of both directions of a stream into items, and the rewrites of each.
#include "protocol/xmpp/passage.h"

#include "protocol/xml/markup.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace cutover::xmpp {

namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Where the first tag that is no declaration begins and ends ('>' or "/>"); nothing where there is none.
std::optional<std::pair<std::size_t, std::size_t>> first_tag(std::string_view octets) {
  auto begin = octets.find('<');
  while (begin != std::string_view::npos && octets.substr(begin).starts_with("<?")) begin = octets.find('<', begin + 1);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = xml::end_of_tag(octets, begin);
  if (end == std::string_view::npos) return std::nullopt;
  return std::pair(begin, octets[end - 1] == '/' ? end - 1 : end);
}

/// Where an attribute stands in a tag, with the white space before it; nothing where the tag does not have it.
std::optional<std::pair<std::size_t, std::size_t>> attribute_at(std::string_view octets, std::string_view name) {
  const auto tag = first_tag(octets);
  if (!tag) return std::nullopt;
  for (auto at = octets.find_first_of(blanks, tag->first); at < tag->second;) {
    const auto begin = octets.find_first_not_of(blanks, at);
    const auto equals = octets.find('=', begin);
    if (begin >= tag->second || equals >= tag->second) return std::nullopt;
    const auto open = octets.find_first_of("'\"", equals);
    const auto close = octets.find(octets[open], open + 1);
    const auto name_end = octets.find_first_of(" \t\r\n=", begin);
    if (octets.substr(begin, name_end - begin) == name) return std::pair(at, close + 1);
    at = close + 1;
  }
  return std::nullopt;
}

/// Nothing but the prefixes that a writer takes: stream, and db where dialback is declared.
bool has_usual_prefixes(const xml::StreamHeader& header) {
  const auto is_usual = [](const auto& one) { return one.second != ns::dialback || one.first == "db"; };
  return std::ranges::count(header.prefixes, std::pair(std::string("stream"), std::string(ns::streams))) > 0 &&
         std::ranges::all_of(header.prefixes, is_usual);
}

bool begins_document(std::string_view octets) {
  const auto begin = octets.find_first_not_of(blanks);
  return begin != std::string_view::npos && octets.substr(begin).starts_with("<?xml");
}

/// To a reader of items a header inside of a document is an element without end, which would be waited for.
bool is_nested_header(std::string_view octets) {
  const auto begin = octets.find_first_not_of(blanks);
  return begin != std::string_view::npos && octets.substr(begin).starts_with("<stream:stream");
}

}  // namespace

bool Passage::is(std::string_view name, std::string_view ns) const {
  return kind == Kind::element && element.name() == name && (ns.empty() || element.ns() == ns);
}

bool Passage::has_type(std::string_view type) const {
  return is_stanza() && element.attribute_or_empty("type") == type;
}

bool Passage::is_stanza() const { return kind == Kind::element && xmpp::is_stanza(element); }

void Passage::put(const xml::Element& changed) {
  element = changed;
  octets = xml::write(changed, content_ns, usual_prefixes);
}

void Passage::edit(const std::function<void(xml::Element&)>& change) {
  const auto before = octets;
  auto changed = element;
  change(changed);
  put(changed);
  // A content namespace that another rewrite declared there stays declared.
  const auto declared = attribute_at(before, "xmlns");
  const auto tag = first_tag(octets);
  if (declared && tag && !attribute_at(octets, "xmlns"))
    octets.insert(tag->second, before.substr(declared->first, declared->second - declared->first));
}

void Passage::end_stream(std::string_view condition) {
  ended = true;
  octets = out() ? stream_error(condition) : std::string(end_tag);
  answer(out() ? std::string(end_tag) : stream_error(condition));
}

void Passage::answer(const xml::Element& what) { back += xml::write(what, ns::server, true); }

void Passage::set_attribute(std::string_view name, std::string_view value) {
  remove_attribute(name);
  const auto tag = first_tag(octets);
  if (!tag) return;
  octets.insert(tag->second, " " + std::string(name) + "='" + xml::escape(value) + "'");
}

void Passage::remove_attribute(std::string_view name) {
  if (const auto at = attribute_at(octets, name)) octets.erase(at->first, at->second - at->first);
}

bool Passage::replace(std::string_view text, std::string_view by) {
  bool found = false;
  for (auto at = octets.find(text); at != std::string::npos; at = octets.find(text, at + by.size())) {
    octets.replace(at, text.size(), by);
    found = true;
  }
  return found;
}

struct Seam::Impl {
  /// One direction: the document that is read, and what is not whole yet.
  struct Way {
    std::optional<xml::Reader> reader;
    std::string octets, raw, back;
    bool header_seen = false, unreadable = false;
    std::string content_ns = ns::server;  ///< as the last header declared it
    bool usual_prefixes = true;
  };

  std::vector<std::function<void(Passage&)>> items;
  std::vector<std::function<void(Direction, std::string&)>> octets;
  bool initiating = false, link = false, secured = false;
  bool ended = false;  ///< by a rewrite: the peer has its stream error
  Way out, in;

  Way& way(Direction direction) { return direction == Direction::out ? out : in; }

  static void restart(Way& way) {
    way.reader.emplace();
    way.raw.clear();
    way.header_seen = way.unreadable = false;
  }

  Passage passage(Direction direction, Passage::Kind kind, std::string raw) {
    Passage made;
    made.direction = direction;
    made.kind = kind;
    made.initiating = initiating;
    made.secured = secured;
    made.link = link;
    made.content_ns = way(direction).content_ns;
    made.usual_prefixes = way(direction).usual_prefixes;
    made.octets = std::move(raw);
    return made;
  }

  std::string rewritten(Passage made) {
    if (ended) return made.out() && made.kind == Passage::Kind::end_tag ? std::move(made.octets) : std::string();
    for (const auto& rewrite : items) rewrite(made);
    ended = ended || made.ended;
    way(made.direction).back += made.back;
    return std::move(made.octets);
  }

  std::string pass(Direction direction, std::string_view more, bool inside_tls) {
    if (inside_tls != secured) {
      secured = inside_tls;
      restart(out);
      restart(in);
    }
    auto& way = this->way(direction);
    if (!way.reader) restart(way);
    std::string plain(more);
    for (const auto& rewrite : octets) rewrite(direction, plain);
    if (items.empty()) return plain;
    way.octets += plain;
    std::string on;
    while (!way.octets.empty() && !way.unreadable) {
      if (way.header_seen && way.raw.empty() && begins_document(way.octets)) restart(way);
      std::size_t used = 0;
      auto item = way.reader->feed(way.octets, used);
      way.raw += way.octets.substr(0, used);
      way.octets.erase(0, used);
      if (!item) {
        way.unreadable = way.header_seen && is_nested_header(way.raw);
        // A keep-alive must not wait for the next stanza.
        if (way.raw.find_first_not_of(blanks) == std::string::npos) on += other(direction);
        break;
      }
      on += on_item(direction, *item);
    }
    if (way.unreadable && !(way.raw + way.octets).empty()) {
      way.raw += std::exchange(way.octets, {});
      on += other(direction);
    }
    return on;
  }

  std::string other(Direction direction) {
    auto raw = std::exchange(way(direction).raw, {});
    return raw.empty() ? raw : rewritten(passage(direction, Passage::Kind::other, std::move(raw)));
  }

  std::string on_item(Direction direction, xml::Item& item) {
    auto& way = this->way(direction);
    auto made = passage(direction, Passage::Kind::other, std::exchange(way.raw, {}));
    if (auto* header = std::get_if<xml::StreamHeader>(&item)) {
      way.header_seen = true;
      way.content_ns = made.content_ns = header->content_ns;
      way.usual_prefixes = made.usual_prefixes = has_usual_prefixes(*header);
      made.kind = Passage::Kind::header;
      made.element = std::move(header->tag);
    } else if (auto* element = std::get_if<xml::Element>(&item)) {
      made.kind = Passage::Kind::element;
      made.element = std::move(*element);
      // RFC 6120 section 6.3.2: a new document in both directions, where the receiving side says so.
      if (made.element.is("success", ns::sasl) && made.in() == initiating) {
        restart(out);
        restart(in);
      }
    } else if (std::holds_alternative<xml::StreamEnd>(item)) {
      made.kind = Passage::Kind::end_tag;
    } else {
      way.unreadable = true;
    }
    return rewritten(std::move(made));
  }
};

Seam::Seam(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Seam::~Seam() = default;

std::unique_ptr<Seam> Seam::of(const Departures& departures, bool initiating, bool link) {
  const auto* departed = departures.get();
  if (departed == nullptr || (departed->xmpp_items.empty() && departed->xmpp_octets.empty())) return nullptr;
  auto impl = std::make_unique<Impl>();
  impl->items = departed->xmpp_items;
  impl->octets = departed->xmpp_octets;
  impl->initiating = initiating;
  impl->link = link;
  return std::unique_ptr<Seam>(new Seam(std::move(impl)));
}

std::string Seam::pass(Direction direction, std::string_view octets, bool secured) {
  return impl_->pass(direction, octets, secured);
}

std::string Seam::rest(Direction direction) {
  auto& way = impl_->way(direction);
  way.raw += std::exchange(way.octets, {});
  return impl_->other(direction);
}

std::string Seam::take_back(Direction direction) { return std::exchange(impl_->way(direction).back, {}); }

}  // namespace cutover::xmpp
