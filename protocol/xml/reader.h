// One XML stream, item by item: restricted XML (RFC 6120 section 11.1) with every bound; the only user of libxml2's
// parser.
#pragma once

#include "protocol/base/limits.h"
#include "protocol/xml/element.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cutover::xml {

/// The open tag of the document. `content_ns` is the default namespace that it declares; `prefixes` all others.
struct StreamHeader {
  Element tag;
  std::string content_ns;
  std::vector<std::pair<std::string, std::string>> prefixes;  ///< prefix, namespace
};
/// The end tag of the document.
struct StreamEnd {};
/// What cannot be read; `condition` is a stream error condition of RFC 6120 section 4.9.3.
struct Fault {
  std::string condition;
  std::string text;  ///< for people
};
using Item = std::variant<StreamHeader, Element, StreamEnd, Fault>;

/// The bounds of one reader, in octets and counts; the defaults are those of limits.h.
struct ReaderLimits {
  std::size_t element_octets = limits::stanza_size_max_octets;
  std::size_t header_octets = limits::stream_header_size_max_octets;
  std::size_t depth = limits::element_depth_max;
  std::size_t attributes = limits::element_attributes_max;
  std::size_t children = limits::element_children_max;
};

/// Parses one document. A stream restart is a new Reader. After a Fault or StreamEnd it discards what it is fed.
///
/// Conditions: restricted-xml (comment, processing instruction, DTD, entity other than the five), unsupported-encoding,
/// bad-namespace-prefix (unbound prefix), bad-format (character data directly below the stream), policy-violation (a
/// bound), not-well-formed (the rest). White space between stanzas (a keep-alive) is consumed silently and counts for
/// no bound. The verdict does not depend on how the octets were cut into calls.
class Reader {
 public:
  explicit Reader(ReaderLimits = {});
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  /// Reads up to and including the octet that completes an item and never one more: what follows a <starttls/> or a
  /// <success/> belongs to another document, or to TLS. Returns nothing when all of `in` was consumed without an item.
  [[nodiscard]] std::optional<Item> feed(std::string_view in, std::size_t& consumed);

 private:
  friend std::variant<Element, Fault> parse(std::string_view document);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A whole document (PIDF, a stored stanza, a fixture) as one element; Fault when it is not one. DTDs are refused;
/// comments, processing instructions and a byte order mark are skipped.
[[nodiscard]] std::variant<Element, Fault> parse(std::string_view document);

}  // namespace cutover::xml
