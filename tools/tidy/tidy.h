// Tidy: the rules of the tree that a compiler does not know, each with what to do instead.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::tidy {

struct Finding {
  std::string path;
  int line = 0;  ///< from 1; 0 for the file as a whole
  std::string message;
  bool operator==(const Finding&) const = default;
};

/// The tree: path from its root ("protocol/xml/reader.cpp") and content.
using Tree = std::map<std::string, std::string>;

/// Every finding in every file, by path and line.
[[nodiscard]] std::vector<Finding> inspect(const Tree&);

/// The text with comments, character and string literals blanked out; lines and columns stay.
[[nodiscard]] std::string code_only(std::string_view text);

/// "path:line: message", one a line, as a compiler would.
[[nodiscard]] std::string text(const std::vector<Finding>&);

}  // namespace cutover::tidy
