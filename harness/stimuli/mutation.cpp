// Each change by itself, and what parsers stumble over.
#include "harness/stimuli/mutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cutover::harness::stimuli {

namespace {

using namespace std::string_view_literals;

/// {host} is filled in. What is long is made of a unit, so that the table can be read.
constexpr std::array stumbling_stones{
    "\0"sv,
    "\xff\xfe"sv,
    "\xef\xbb\xbf"sv,
    "\xc0\xbc"sv,
    "\xed\xa0\x80"sv,
    "\xf4\x90\x80\x80"sv,
    "&#0;"sv,
    "&#xFFFE;"sv,
    "&#x110000;"sv,
    "&lt"sv,
    "&undefined;"sv,
    "<!DOCTYPE a [<!ENTITY e 'ha'><!ENTITY f '&e;&e;&e;&e;'>]><a>&f;</a>"sv,
    "<!DOCTYPE a SYSTEM 'http://{host}/a.dtd'>"sv,
    "<!DOCTYPE a [<!ENTITY e SYSTEM 'http://{host}/e'>]><a>&e;</a>"sv,
    "<!-- -- -->"sv,
    "<![CDATA["sv,
    "]]>"sv,
    "<?xml version='1.1'?>"sv,
    "<?target data?>"sv,
    "<"sv,
    ">"sv,
    "'"sv,
    "\""sv,
    "<a:b/>"sv,
    "<a xmlns:xml='urn:example'/>"sv,
    "<a xmlns:x='' x:y='z'/>"sv,
    "<a b='c' b='c'/>"sv,
    "</a>"sv,
    "</stream:stream>"sv,
    "<stream:stream>"sv,
    "<stream:error/>"sv,
    "<stream:features/>"sv,
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"sv,
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"sv,
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"sv,
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"sv,
    "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"sv,
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"sv,
    "<db:verify xmlns:db='jabber:server:dialback'/>"sv,
    "\x16\x03\x01\x02\x00\x01\x00"sv,
    "GET / HTTP/1.1\r\n\r\n"sv,
};

struct Long {
  std::string_view words, unit;
  std::size_t times = 0;
};
constexpr std::array long_stones{
    Long{"an element name of 5000 octets", "a", 5'000},
    Long{"1000 open elements", "<a>", 1'000},
    Long{"1000 attributes without values", " a", 1'000},
    Long{"4096 octets of white space", " ", 4'096},
    Long{"2000 references to one character", "&#65;", 2'000},
    Long{"500 namespaces", "<a xmlns='urn:example:a'>", 500},
    Long{"10000 times '<'", "<", 10'000},
};

std::string filled(std::string_view text, std::string_view host) {
  std::string made(text);
  constexpr std::string_view slot = "{host}";
  for (auto at = made.find(slot); at != std::string::npos; at = made.find(slot)) made.replace(at, slot.size(), host);
  return made;
}

/// A place, and how many octets from there on.
struct Piece {
  std::size_t at = 0, size = 0;
};
Piece piece_of(std::string_view octets, Choice& choice) {
  const auto at = choice.choose(octets.size() + 1);
  constexpr std::size_t size_max = 64;
  return {at, choice.choose(std::min(size_max, octets.size() - at) + 1)};
}

std::string shown(std::string_view octets) {
  constexpr std::size_t shown_max = 40;
  std::string text;
  for (const unsigned char octet : octets.substr(0, shown_max)) {
    if (octet >= ' ' && octet < 0x7f)
      text += static_cast<char>(octet);
    else
      text += fmt::format("\\x{:02x}", octet);
  }
  return octets.size() > shown_max ? text + "..." : text;
}

Mutation with_stone(std::string_view octets, Choice& choice, std::string_view host) {
  const auto at = choice.choose(octets.size() + 1);
  const auto number = choice.choose(stumbling_stones.size() + long_stones.size());
  std::string stone, words;
  if (number < stumbling_stones.size()) {
    stone = filled(stumbling_stones.at(number), host);
    words = shown(stone);
  } else {
    const auto& one = long_stones.at(number - stumbling_stones.size());
    for (std::size_t i = 0; i < one.times; ++i) stone += one.unit;
    words = one.words;
  }
  std::string made(octets);
  made.insert(at, stone);
  return {std::move(made), fmt::format("{} put in at {}", words, at)};
}

}  // namespace

Mutation mutated(std::string_view octets, Choice& choice, std::string_view host) {
  if (octets.size() > mutated_max_octets / 2) return {std::string(octets), "nothing, for it is too long"};
  std::string made(octets);
  enum { cut, stone, doubled, octet, exchanged, moved, ways };
  const auto way = choice.choose(ways);
  if (way == stone) return with_stone(octets, choice, host);
  const auto [at, size] = piece_of(octets, choice);
  const auto part = made.substr(at, size);
  switch (way) {
    case cut:
      made.erase(at, size);
      return {std::move(made), fmt::format("{} octets cut out at {}", size, at)};
    case doubled: {
      constexpr std::size_t times_max = 200;
      const auto times = 1 + choice.choose(times_max);
      std::string more;
      for (std::size_t i = 0; i < times; ++i) more += part;
      made.insert(at, more);
      return {std::move(made), fmt::format("{} octets at {} repeated {} times", size, at, times)};
    }
    case octet: {
      if (at == made.size()) return {std::move(made), "nothing"};
      constexpr std::size_t octets_there_are = 256;
      const auto other = choice.choose(octets_there_are);
      made[at] = static_cast<char>(other);
      return {std::move(made), fmt::format("octet {} made \\x{:02x}", at, other)};
    }
    case exchanged:
      std::reverse(made.begin() + static_cast<std::ptrdiff_t>(at),
                   made.begin() + static_cast<std::ptrdiff_t>(at + size));
      return {std::move(made), fmt::format("{} octets at {} turned about", size, at)};
    default: {
      made.erase(at, size);
      const auto to = choice.choose(made.size() + 1);
      made.insert(to, part);
      return {std::move(made), fmt::format("{} octets moved from {} to {}", size, at, to)};
    }
  }
}

}  // namespace cutover::harness::stimuli
