// Elements to octets: escaped, namespace-complete, and never an octet that XML forbids.
#pragma once

#include "protocol/xml/element.h"

namespace cutover::xml {

/// `text` with & < > " ' escaped and the characters that XML 1.0 forbids replaced by U+FFFD.
[[nodiscard]] std::string escape(std::string_view text);

/// The element as octets. Elements in `default_ns` (the content namespace of the enclosing stream) are written without
/// a declaration; those of the stream and dialback namespaces with the usual prefixes "stream" and "db", which the
/// enclosing stream header declares when `in_stream` is true.
[[nodiscard]] std::string write(const Element&, std::string_view default_ns = {}, bool in_stream = false);

}  // namespace cutover::xml
