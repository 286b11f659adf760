// The stream reader: a scanner that cuts the octets into whole tags and holds every bound, and libxml2, which judges
// them.
//
// libxml2's push parser reports all that a chunk holds before it returns, takes what RFC 6120 section 11.1 forbids, and
// looks for '>' without regard to quotes. So it is given one tag at a time, with the text before it, and only once the
// scanner has seen the tag's last octet. The verdict then cannot depend on how the network cut the stream, and nothing
// is read beyond an item.
#include "protocol/xml/reader.h"

#include "protocol/base/check.h"
#include "protocol/xml/utf8.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <cstring>

namespace cutover::xml {
namespace {

constexpr std::string_view cdata_open = "[CDATA[";

enum class Kind { stream, document };

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string text_of(const xmlChar* text) { return text != nullptr ? reinterpret_cast<const char*>(text) : ""; }

bool is_declaration(std::string_view markup) {
  return markup.starts_with("<?xml") && markup.size() > 5 && (is_space(markup[5]) || markup[5] == '?');
}

// The value of the encoding pseudo-attribute in lower case; empty where there is none. libxml2 judges the syntax.
std::string declared_encoding(std::string_view declaration) {
  std::size_t at = declaration.find("encoding");
  if (at == std::string_view::npos) return {};
  at = declaration.find_first_of("'\"", at);
  if (at == std::string_view::npos) return {};
  const std::size_t end = declaration.find(declaration[at], at + 1);
  std::string value(declaration.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return value;
}

struct FreeParser {
  void operator()(xmlParserCtxtPtr parser) const { xmlFreeParserCtxt(parser); }
};

}  // namespace

struct Reader::Impl {
  explicit Impl(const ReaderLimits& reader_limits, Kind reader_kind = Kind::stream);

  std::optional<Item> feed(std::string_view in, std::size_t& consumed);
  [[nodiscard]] bool between_tags() const { return scan_ == Scan::text; }

 private:
  enum class Scan { text, open, tag, quote, bang, cdata, comment, instruction };
  enum class Step { more, complete };

  // Scanner.
  std::size_t scan(std::string_view in, Step& step);
  Step take(char c);
  Step take_open(char c);
  Step take_tag(char c);
  Step take_bang(char c);
  std::size_t skip_run(std::string_view in) const;
  [[nodiscard]] bool outside() const { return depth_ == 0 || (depth_ == 1 && kind_ == Kind::stream); }
  [[nodiscard]] std::size_t octets_max() const { return depth_ == 0 ? limits_.header_octets : limits_.element_octets; }
  void judge(std::string_view segment);
  bool judge_instruction(std::string_view segment);
  void judge_parser(int depth_expected);

  // libxml2's callbacks.
  static xmlSAXHandler handlers();
  static Impl& self(void* context) { return *static_cast<Impl*>(context); }
  void start(const xmlChar* name, const xmlChar* ns, int ns_count, const xmlChar** namespaces, int attribute_count,
             const xmlChar** attributes);
  void end();
  void characters(std::string_view text);
  void error(const xmlError& error);
  void fault(std::string_view condition, std::string_view text) {
    if (!fault_) fault_ = Fault{std::string(condition), std::string(text)};
  }

  ReaderLimits limits_;
  Kind kind_;
  std::unique_ptr<xmlParserCtxt, FreeParser> parser_;

  Scan scan_ = Scan::text;
  std::string partial_;     // the segment under way: text and an unfinished tag
  std::size_t octets_ = 0;  // of the item under way
  bool at_start_ = true;    // nothing of the document was read yet
  bool end_tag_ = false;
  char quote_ = 0;
  char previous_ = 0;
  std::size_t matched_ = 0;  // octets of "[CDATA[", "]]" or "--" seen
  std::size_t values_ = 0;   // attribute values in the tag under way

  int depth_ = 0;
  std::vector<Element> open_;             // below the stream tag, outermost first
  std::vector<std::size_t> child_count_;  // of each of them
  std::optional<Item> item_, next_item_;
  std::optional<Fault> fault_;
  bool done_ = false;
};

Reader::Impl::Impl(const ReaderLimits& reader_limits, Kind reader_kind) : limits_(reader_limits), kind_(reader_kind) {
  static const xmlSAXHandler sax = (xmlInitParser(), handlers());
  parser_.reset(xmlCreatePushParserCtxt(const_cast<xmlSAXHandler*>(&sax), this, nullptr, 0, nullptr));
  CUTOVER_CHECK(parser_ != nullptr);
  // NOENT: else "&amp;" in an attribute is reported as "&#38;". Nothing is declared that could expand.
  xmlCtxtUseOptions(parser_.get(), XML_PARSE_NONET | XML_PARSE_NOENT);
  // Without this the first four octets are awaited and guessed at.
  xmlSwitchEncoding(parser_.get(), XML_CHAR_ENCODING_UTF8);
}

std::optional<Item> Reader::Impl::feed(std::string_view in, std::size_t& consumed) {
  consumed = 0;
  if (next_item_) return std::exchange(next_item_, std::nullopt);
  while (!done_ && consumed < in.size() && !item_) {
    // One octet beyond the bound is enough to know; the verdict then is the same for every cut.
    const std::size_t room = octets_max() + 1 - std::min(octets_, octets_max());
    Step step = Step::more;
    const std::string_view window = in.substr(consumed, room);
    const std::size_t taken = scan(window, step);
    consumed += taken;
    if (octets_ > octets_max() && !fault_) fault("policy-violation", "larger than this entity accepts");
    if (step == Step::complete && !fault_) {
      if (partial_.empty()) {
        judge(window.substr(0, taken));
      } else {
        partial_.append(window, 0, taken);
        judge(partial_);
        partial_.clear();
      }
    } else if (!fault_ && octets_ > 0) {
      partial_.append(window, 0, taken);
    }
    if (fault_) {
      done_ = true;
      partial_.clear();
      item_.reset();  // libxml2 may have gone on to report the element whose tag is faulty
      next_item_.reset();
      return std::exchange(fault_, std::nullopt);
    }
  }
  if (done_ && !item_) consumed = in.size();
  return std::exchange(item_, std::nullopt);
}

// Reads to the end of a tag, of the window, or to a fault. White space outside of elements is a call of its own, so
// that it is never buffered.
std::size_t Reader::Impl::scan(std::string_view in, Step& step) {
  std::size_t at = 0;
  if (scan_ == Scan::text && outside() && !at_start_) {
    while (at < in.size() && is_space(in[at])) ++at;
    if (depth_ == 0) octets_ += at;
    if (at > 0 && depth_ > 0) return at;
  }
  const std::size_t begin = at;
  while (at < in.size() && step == Step::more && !fault_) {
    at += skip_run(in.substr(at));
    if (at == in.size()) break;
    step = take(in[at++]);
  }
  octets_ += at - begin;
  return at;
}

// How many octets follow that do not change the scanner's state.
std::size_t Reader::Impl::skip_run(std::string_view in) const {
  const auto run = [&](auto stops) {
    std::size_t n = 0;
    while (n < in.size() && !stops(in[n])) ++n;
    return n;
  };
  switch (scan_) {
    case Scan::text:
      return outside() ? 0 : std::min(in.find('<'), in.size());
    case Scan::tag:
      return run([](char c) { return c == '>' || c == '<' || c == '"' || c == '\''; });
    case Scan::quote:
      return run([this](char c) { return c == quote_ || c == '<'; });
    default:
      return 0;
  }
}

Reader::Impl::Step Reader::Impl::take(char c) {
  const bool first = std::exchange(at_start_, false);
  const char previous = std::exchange(previous_, c);
  switch (scan_) {
    case Scan::text:
      if (c == '<') {
        scan_ = Scan::open;
        matched_ = first ? 1 : 0;
      } else if (outside() && !is_space(c)) {
        const auto octet = static_cast<unsigned char>(c);
        const bool utf16 = first && (octet == 0xfe || octet == 0xff || octet == 0);
        fault(utf16        ? "unsupported-encoding"
              : depth_ > 0 ? "bad-format"
                           : "not-well-formed",
              utf16 ? "not UTF-8" : "character data outside of a stanza");
      }
      return Step::more;
    case Scan::open:
      return take_open(c);
    case Scan::tag:
      return take_tag(c);
    case Scan::quote:
      if (c == '<') fault("not-well-formed", "'<' in an attribute value");
      scan_ = Scan::tag;
      return Step::more;
    case Scan::bang:
      return take_bang(c);
    case Scan::cdata:
    case Scan::comment: {
      if (c == '>' && matched_ >= 2) return Step::complete;
      matched_ = c == (scan_ == Scan::cdata ? ']' : '-') ? matched_ + 1 : 0;
      return Step::more;
    }
    case Scan::instruction:
      return c == '>' && previous == '?' ? Step::complete : Step::more;
  }
  return Step::more;
}

Reader::Impl::Step Reader::Impl::take_open(char c) {
  end_tag_ = c == '/';
  values_ = 0;
  if (c == '!') {
    scan_ = Scan::bang;
    matched_ = 0;
  } else if (c == '?') {
    scan_ = Scan::instruction;
    previous_ = 0;  // "<?>" is not a whole one
  } else if (c == 0 && matched_ == 1) {
    fault("unsupported-encoding", "not UTF-8");
  } else {
    scan_ = Scan::tag;
    if (!end_tag_) return take_tag(c);
  }
  return Step::more;
}

Reader::Impl::Step Reader::Impl::take_tag(char c) {
  if (c == '>') return Step::complete;
  if (c == '<') fault("not-well-formed", "'<' in a tag");
  if (c == '"' || c == '\'') {
    quote_ = c;
    scan_ = Scan::quote;
    // Before libxml2 sees them: it compares every attribute with every other.
    if (++values_ > limits_.attributes) fault("policy-violation", "too many attributes");
  }
  return Step::more;
}

Reader::Impl::Step Reader::Impl::take_bang(char c) {
  if (matched_ == 0 && c == 'D') {
    fault("restricted-xml", "a document type declaration");
  } else if (matched_ == 0 && c == '-') {
    if (kind_ == Kind::stream) fault("restricted-xml", "a comment");
    scan_ = Scan::comment;
  } else if (c == cdata_open[matched_]) {
    if (++matched_ == cdata_open.size()) {
      scan_ = Scan::cdata;
      matched_ = 0;
    }
  } else {
    fault("not-well-formed", "unknown markup declaration");
  }
  return Step::more;
}

// `segment` ends with a whole tag, CDATA section, comment or instruction.
void Reader::Impl::judge(std::string_view segment) {
  const Scan scanned = std::exchange(scan_, Scan::text);
  if (!all_characters(segment)) return fault("not-well-formed", "octets that are no characters of XML in UTF-8");
  if (scanned == Scan::instruction && !judge_instruction(segment)) return;
  int depth_expected = depth_;
  if (scanned == Scan::tag) {
    const bool empty = !end_tag_ && segment.size() > 2 && segment[segment.size() - 2] == '/';
    depth_expected += end_tag_ ? -1 : empty ? 0 : 1;
  }
  CUTOVER_CHECK(segment.size() <= static_cast<std::size_t>(INT32_MAX));
  xmlParseChunk(parser_.get(), segment.data(), static_cast<int>(segment.size()), 0);
  judge_parser(depth_expected);
}

bool Reader::Impl::judge_instruction(std::string_view segment) {
  const std::size_t open = segment.find("<?");
  if (!is_declaration(segment.substr(open))) {
    if (kind_ == Kind::stream) fault("restricted-xml", "a processing instruction");
    return kind_ == Kind::document;
  }
  if (depth_ > 0 || open > 0 || octets_ != segment.size()) {
    fault("not-well-formed", "an XML declaration that is not at the start");
    return false;
  }
  const std::string encoding = declared_encoding(segment);
  if (!encoding.empty() && encoding != "utf-8")
    fault("unsupported-encoding", "encoding '" + encoding + "' is not UTF-8");
  return !fault_;
}

void Reader::Impl::judge_parser(int depth_expected) {
  if (fault_) return;
  if (parser_->wellFormed == 0) return fault("not-well-formed", "not well-formed");
  // libxml2 has understood another structure than the scanner, or waits for more.
  if (depth_ != depth_expected) return fault("not-well-formed", "a tag that does not end where it seems to");
  if (item_ || (depth_ == 1 && kind_ == Kind::stream)) octets_ = 0;
  done_ = kind_ == Kind::stream && depth_ == 0 && item_.has_value();
}

xmlSAXHandler Reader::Impl::handlers() {
  xmlSAXHandler sax;
  std::memset(&sax, 0, sizeof sax);
  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = [](void* context, const xmlChar* name, const xmlChar*, const xmlChar* ns, int ns_count,
                          const xmlChar** namespaces, int attribute_count, int, const xmlChar** attributes) {
    self(context).start(name, ns, ns_count, namespaces, attribute_count, attributes);
  };
  sax.endElementNs = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) { self(context).end(); };
  sax.characters = [](void* context, const xmlChar* text, int size) {
    self(context).characters({reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)});
  };
  sax.cdataBlock = sax.characters;
  sax.ignorableWhitespace = sax.characters;
  // Asked for names other than the five; RFC 6120 section 4.9.3.18 names the condition.
  sax.getEntity = [](void* context, const xmlChar* name) -> xmlEntityPtr {
    self(context).fault("restricted-xml", "the entity reference &" + text_of(name) + ";");
    return nullptr;
  };
  sax.serror = [](void* context, xmlErrorPtr error) { self(context).error(*error); };
  return sax;
}

void Reader::Impl::start(const xmlChar* name, const xmlChar* ns, int ns_count, const xmlChar** namespaces,
                         int attribute_count, const xmlChar** attributes) {
  std::vector<Attribute> list;
  list.reserve(static_cast<std::size_t>(attribute_count));
  for (int i = 0; i < attribute_count; ++i, attributes += 5) {  // local name, prefix, namespace, value, its end
    list.push_back({text_of(attributes[0]),
                    {reinterpret_cast<const char*>(attributes[3]), reinterpret_cast<const char*>(attributes[4])},
                    text_of(attributes[2])});
  }
  Element element(text_of(name), text_of(ns), std::move(list));
  if (static_cast<std::size_t>(++depth_) > limits_.depth) fault("policy-violation", "nested too deeply");
  if (depth_ == 1 && kind_ == Kind::stream) {
    StreamHeader header{.tag = std::move(element), .content_ns = {}, .prefixes = {}};
    for (int i = 0; i < ns_count; ++i, namespaces += 2) {
      if (namespaces[0] == nullptr) {
        header.content_ns = text_of(namespaces[1]);
      } else {
        header.prefixes.emplace_back(text_of(namespaces[0]), text_of(namespaces[1]));
      }
    }
    item_ = std::move(header);
    return;
  }
  if (!child_count_.empty() && ++child_count_.back() > limits_.children) fault("policy-violation", "too many children");
  open_.push_back(std::move(element));
  child_count_.push_back(0);
}

void Reader::Impl::end() {
  CUTOVER_CHECK(depth_ > 0);
  --depth_;
  if (open_.empty()) {
    // "<stream:stream/>" is two items of one tag.
    (item_ ? next_item_ : item_) = StreamEnd{};
    return;
  }
  Element whole = std::move(open_.back());
  open_.pop_back();
  child_count_.pop_back();
  if (open_.empty()) {
    item_ = std::move(whole);
  } else {
    open_.back().add(std::move(whole));
  }
}

void Reader::Impl::characters(std::string_view text) {
  if (!open_.empty()) {
    open_.back().add_text(text);
  } else if (depth_ > 0 && !std::all_of(text.begin(), text.end(), is_space)) {
    fault("bad-format", "character data outside of a stanza");
  }
}

void Reader::Impl::error(const xmlError& error) {
  if (error.level < XML_ERR_ERROR) return;  // "xmlns: URI vcard-temp is not absolute"
  // A namespace name that is no URI is an error to libxml2; peers and RFC 6120 only compare it.
  if (error.domain == XML_FROM_NAMESPACE && error.code == XML_WAR_NS_URI) return;
  std::string text = error.message != nullptr ? error.message : "not well-formed";
  while (!text.empty() && is_space(text.back())) text.pop_back();
  const bool unbound = error.domain == XML_FROM_NAMESPACE && error.code == XML_NS_ERR_UNDEFINED_NAMESPACE;
  fault(unbound ? "bad-namespace-prefix" : "not-well-formed", text);
}

Reader::Reader(ReaderLimits reader_limits) : impl_(std::make_unique<Impl>(reader_limits)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

std::optional<Item> Reader::feed(std::string_view in, std::size_t& consumed) { return impl_->feed(in, consumed); }

std::variant<Element, Fault> parse(std::string_view document) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  constexpr std::size_t document_octets_max = 16 * 1024 * 1024;
  if (document.starts_with(byte_order_mark)) document.remove_prefix(byte_order_mark.size());
  ReaderLimits bounds;
  bounds.element_octets = bounds.header_octets = document_octets_max;
  Reader::Impl reader(bounds, Kind::document);
  std::optional<Element> root;
  while (!document.empty()) {
    std::size_t consumed = 0;
    std::optional<Item> item = reader.feed(document, consumed);
    document.remove_prefix(consumed);
    if (!item) continue;
    if (const auto* fault = std::get_if<Fault>(&*item)) return *fault;
    root = std::get<Element>(std::move(*item));
  }
  if (!root) return Fault{"not-well-formed", "no whole root element"};
  if (!reader.between_tags()) return Fault{"not-well-formed", "unfinished markup after the root element"};
  return std::move(*root);
}

}  // namespace cutover::xml
