// A scan over well-formed octets: it checks nothing, for a Reader has.
#include "protocol/xml/markup.h"

#include <algorithm>
#include <utility>

namespace cutover::xml {

namespace {

constexpr std::string_view spaces = " \t\r\n";

void add_declarations(std::string_view attributes, Declarations& declared) {
  while (true) {
    attributes.remove_prefix(std::min(attributes.find_first_not_of(spaces), attributes.size()));
    const auto equals = attributes.find('=');
    if (equals == std::string_view::npos) return;
    const auto name = attributes.substr(0, attributes.find_first_of(" \t\r\n="));
    const auto open = attributes.find_first_of("'\"", equals);
    if (open == std::string_view::npos) return;
    const auto close = attributes.find(attributes[open], open + 1);
    if (close == std::string_view::npos) return;
    const auto value = attributes.substr(open + 1, close - open - 1);
    if (name == "xmlns") declared.emplace_back("", std::string(value));
    if (name.starts_with("xmlns:")) declared.emplace_back(std::string(name.substr(6)), std::string(value));
    attributes.remove_prefix(close + 1);
  }
}

/// What is no element: a comment, CDATA, an instruction. Where it ends; `at` where it is a tag.
std::size_t end_of_other(std::string_view octets, std::size_t at) {
  const auto behind = [&](std::string_view end) {
    const auto found = octets.find(end, at);
    return found == std::string_view::npos ? octets.size() : found + end.size();
  };
  const auto rest = octets.substr(at);
  if (rest.starts_with("<![CDATA[")) return behind("]]>");
  if (rest.starts_with("<!--")) return behind("-->");
  if (rest.starts_with("<?")) return behind("?>");
  return at;
}

}  // namespace

std::size_t end_of_tag(std::string_view octets, std::size_t at) {
  char quote = 0;
  for (; at < octets.size(); ++at) {
    const char c = octets[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

std::vector<Tag> tags_of(std::string_view octets, Declarations declared) {
  std::vector<Tag> tags;
  std::vector<std::size_t> scopes;  // how many declarations there were outside of each open element
  for (auto at = octets.find('<'); at < octets.size(); at = octets.find('<', at)) {
    if (const auto other = end_of_other(octets, at); other != at) {
      at = other;
      continue;
    }
    const auto end = std::min(end_of_tag(octets, at), octets.size());
    auto tag = octets.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('/')) {
      if (scopes.empty()) return tags;
      declared.resize(scopes.back());
      scopes.pop_back();
      continue;
    }
    const bool empty = tag.ends_with('/');
    if (empty) tag.remove_suffix(1);
    scopes.push_back(declared.size());
    const auto name = tag.substr(0, tag.find_first_of(spaces));
    add_declarations(tag.substr(name.size()), declared);
    const auto colon = name.find(':');
    const auto prefix = colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
    const auto found =
        std::find_if(declared.rbegin(), declared.rend(), [&](const auto& one) { return one.first == prefix; });
    tags.push_back({prefix, colon == std::string_view::npos ? name : name.substr(colon + 1),
                    found == declared.rend() ? "" : found->second});
    if (empty) {
      declared.resize(scopes.back());
      scopes.pop_back();
    }
  }
  return tags;
}

}  // namespace cutover::xml
