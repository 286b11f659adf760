// The tags of octets that were read as XML already, as they are written: prefixes, which an Element does not keep.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::xml {

struct Tag {
  std::string_view prefix, name;
  std::string ns;  ///< empty where it is not declared
};

/// Where the tag that begins at `at` ends: its '>', the first outside of quotes; npos where there is none.
[[nodiscard]] std::size_t end_of_tag(std::string_view octets, std::size_t at);

using Declarations = std::vector<std::pair<std::string, std::string>>;  ///< prefix (empty: the default), namespace

/// The start tags of well-formed octets, in their order: of one element, with or without text around it. `around` is
/// what is declared outside of them.
[[nodiscard]] std::vector<Tag> tags_of(std::string_view octets, Declarations around = {});

}  // namespace cutover::xml
