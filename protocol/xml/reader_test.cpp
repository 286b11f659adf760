// The stream reader: items whatever the cuts, restrictions, bounds, and a round trip through the writer.
#include "protocol/xml/reader.h"

#include "protocol/xml/writer.h"

#include <gmock/gmock.h>

#include <array>
#include <random>

namespace cutover::xml {
namespace {

const std::string header =
    "<?xml version='1.0' encoding='UTF-8'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0' xml:lang='de'>";

// What was read, in words; faults by their condition.
std::string describe(const Item& item) {
  struct Describe {
    std::string operator()(const StreamHeader& it) const {
      std::string text = "header " + write(it.tag) + " " + it.content_ns;
      for (const auto& [prefix, ns] : it.prefixes) text.append(" ").append(prefix).append("=").append(ns);
      return text;
    }
    std::string operator()(const Element& it) const { return write(it, "jabber:server"); }
    std::string operator()(const StreamEnd&) const { return "end"; }
    std::string operator()(const Fault& it) const { return "fault " + it.condition; }
  };
  return std::visit(Describe{}, item);
}

std::vector<std::string> read_all(Reader& reader, std::string_view in) {
  std::vector<std::string> items;
  while (!in.empty()) {
    std::size_t consumed = 0;
    if (const auto item = reader.feed(in, consumed)) items.push_back(describe(*item));
    in.remove_prefix(consumed);
  }
  return items;
}

std::vector<std::string> read_in_pieces(std::string_view in, std::size_t size, const ReaderLimits& bounds = {}) {
  Reader reader(bounds);
  std::vector<std::string> items;
  for (; !in.empty(); in.remove_prefix(std::min(size, in.size()))) {
    for (auto& item : read_all(reader, in.substr(0, size))) items.push_back(item);
  }
  return items;
}

// The last thing read of the header and `rest`, which must not depend on the cuts.
std::string verdict(std::string_view rest, const ReaderLimits& bounds = {}) {
  const std::string stream = header + std::string(rest);
  const auto whole = read_in_pieces(stream, stream.size(), bounds);
  EXPECT_EQ(read_in_pieces(stream, 1, bounds), whole) << rest;
  EXPECT_EQ(read_in_pieces(stream, 3, bounds), whole) << rest;
  return whole.empty() ? "nothing" : whole.back();
}

std::string start_verdict(std::string_view start) {
  const auto whole = read_in_pieces(start, start.size());
  EXPECT_EQ(read_in_pieces(start, 1), whole) << start;
  return whole.empty() ? "nothing" : whole.back();
}

TEST(Reader, GivesTheSameItemsForEveryCut) {
  const std::string stream =
      header +
      " \n<message from='a@a.example' to='b@b.example' id=\"x>y\"><body>a &amp; b &lt; c > d &#xE4;\xC3\xA4"
      "</body>mixed<x xmlns='urn:x'><![CDATA[<raw> & ]] ]]]>t</x> tail</message>\t"
      "<db:result from='a.example' to='b.example'>key</db:result><a/>\n</stream:stream >";
  Reader whole;
  const auto expected = read_all(whole, stream);
  ASSERT_EQ(expected.size(), 5U);
  EXPECT_EQ(
      expected[1],
      "<message from='a@a.example' to='b@b.example' id='x&gt;y'><body>a &amp; b &lt; c &gt; d \xC3\xA4\xC3\xA4</body>"
      "mixed<x xmlns='urn:x'>&lt;raw&gt; &amp; ]] ]t</x> tail</message>");
  EXPECT_EQ(expected[4], "end");
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    Reader reader;
    auto items = read_all(reader, std::string_view(stream).substr(0, cut));
    for (auto& item : read_all(reader, std::string_view(stream).substr(cut))) items.push_back(item);
    EXPECT_EQ(items, expected) << cut;
  }
  EXPECT_EQ(read_in_pieces(stream, 1), expected);
}

TEST(Reader, KeepsTheHeadersNamespacesAndAttributes) {
  Reader reader;
  std::size_t consumed = 0;
  const auto item = reader.feed(header, consumed);
  ASSERT_TRUE(item);
  // The XML declaration and the tag are one item.
  EXPECT_EQ(consumed, header.size());
  const auto& open = std::get<StreamHeader>(*item);
  EXPECT_TRUE(open.tag.is("stream", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(open.content_ns, "jabber:server");
  EXPECT_THAT(open.prefixes, testing::ElementsAre(testing::Pair("db", "jabber:server:dialback"),
                                                  testing::Pair("stream", "http://etherx.jabber.org/streams")));
  EXPECT_EQ(open.tag.attribute("lang", "http://www.w3.org/XML/1998/namespace"), "de");
  EXPECT_EQ(open.tag.attribute("lang"), std::nullopt);
}

TEST(Reader, NeverReadsPastAnItem) {
  Reader reader;
  std::size_t consumed = 0;
  const std::string starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  (void)reader.feed(header, consumed);
  const auto item = reader.feed(starttls + "<smuggled/>", consumed);
  ASSERT_TRUE(item);
  EXPECT_TRUE(std::holds_alternative<Element>(*item));
  EXPECT_EQ(consumed, starttls.size());
}

TEST(Reader, ConsumesKeepAlivesSilentlyAndWithoutBound) {
  ReaderLimits bounds;
  bounds.element_octets = 20;
  EXPECT_EQ(verdict(std::string(1000, ' ') + "<a/>", bounds), "<a/>");
}

TEST(Reader, RefusesWhatRfc6120Section11Forbids) {
  EXPECT_EQ(verdict("<!-- c --><a/>"), "fault restricted-xml");
  EXPECT_EQ(verdict("<a><!-- c --></a>"), "fault restricted-xml");
  EXPECT_EQ(verdict("<a><?php x ?></a>"), "fault restricted-xml");
  EXPECT_EQ(verdict("<a>&foo;</a>"), "fault restricted-xml");
  EXPECT_EQ(verdict("<a b='&foo;'/>"), "fault restricted-xml");
  EXPECT_EQ(start_verdict("<!DOCTYPE a [<!ENTITY x 'y'>]><a>"), "fault restricted-xml");
  EXPECT_EQ(start_verdict("<?foo bar?><stream>"), "fault restricted-xml");
  EXPECT_EQ(start_verdict("<?xml version='1.0'?><!DOCTYPE a><a>"), "fault restricted-xml");
}

TEST(Reader, TakesTheFiveEntitiesAndCharacterReferences) {
  EXPECT_EQ(verdict("<a b='&amp;&lt;&gt;&quot;&apos;&#38;'>&amp;&lt;&gt;&quot;&apos;&#x26;</a>"),
            "<a b='&amp;&lt;&gt;&quot;&apos;&amp;'>&amp;&lt;&gt;&quot;&apos;&amp;</a>");
}

TEST(Reader, RefusesOtherEncodings) {
  EXPECT_EQ(start_verdict("<?xml version='1.0' encoding='ISO-8859-1'?><a>"), "fault unsupported-encoding");
  EXPECT_EQ(start_verdict("<?xml version='1.0' encoding=\"utf-16\"?><a>"), "fault unsupported-encoding");
  EXPECT_EQ(start_verdict("\xFF\xFE<"), "fault unsupported-encoding");
  EXPECT_EQ(start_verdict(std::string("<\0?\0", 4)), "fault unsupported-encoding");
  EXPECT_EQ(start_verdict("<?xml version='1.0' encoding='utf-8'?><a>"), "header <a/> ");
  // RFC 6120 section 11.6: U+FEFF is a character, not a mark.
  EXPECT_EQ(start_verdict("\xEF\xBB\xBF<a>"), "fault not-well-formed");
}

TEST(Reader, RefusesUnboundPrefixesButNotRelativeNamespaces) {
  EXPECT_EQ(verdict("<a><x:b/></a>"), "fault bad-namespace-prefix");
  EXPECT_EQ(verdict("<a x:b='c'/>"), "fault bad-namespace-prefix");
  EXPECT_EQ(start_verdict("<stream:stream xmlns='jabber:server'>"), "fault bad-namespace-prefix");
  EXPECT_EQ(verdict("<vCard xmlns='vcard-temp'/>"), "<vCard xmlns='vcard-temp'/>");
}

TEST(Reader, RefusesWhatIsNotWellFormed) {
  EXPECT_EQ(verdict("<a x:1='c'/><b/>"), "fault not-well-formed");  // and nothing after the fault
  for (const char* bad : {"<a></b>", "<a b='1' b='2'/>", "<a b='<'/>", "<a b=c/>", "<>", "</a>", "<a \x01/>",
                          "<a>\xC3</a>", "<a>\xC0\x80</a>", "<a>\xED\xA0\x80</a>", "<a>\xEF\xBF\xBF</a>", "<a>&#0;</a>",
                          "<a>]]></a>", "<a>& </a>", "<a><![CDATB[x]]></a>", "<?xml version='1.0'?>",
                          "<a xmlns:x='u' xmlns:y='u' x:b='' y:b=''/>", "<a b='1'c='2'/>"}) {
    EXPECT_EQ(verdict(bad), "fault not-well-formed") << bad;
  }
  EXPECT_EQ(start_verdict("GET / HTTP/1.1\r\n"), "fault not-well-formed");
  EXPECT_EQ(start_verdict(" <?xml version='1.0'?><a>"), "fault not-well-formed");
  EXPECT_EQ(verdict("text"), "fault bad-format");
}

TEST(Reader, HoldsEveryBound) {
  ReaderLimits bounds;
  bounds.element_octets = 40;
  bounds.depth = 4;
  bounds.attributes = 6;  // of the stream header: three and three namespaces
  bounds.children = 3;
  const std::string fits = "<a>" + std::string(33, 'x') + "</a>";
  EXPECT_EQ(verdict(fits, bounds), fits);
  EXPECT_EQ(verdict("<a>" + std::string(34, 'x') + "</a>", bounds), "fault policy-violation");
  // Before it is complete, in text as in a tag.
  EXPECT_EQ(verdict("<a>" + std::string(40, 'x'), bounds), "fault policy-violation");
  EXPECT_EQ(verdict("<a b='" + std::string(40, 'x'), bounds), "fault policy-violation");
  EXPECT_EQ(verdict("<a><b><c/></b></a>", bounds), "<a><b><c/></b></a>");
  EXPECT_EQ(verdict("<a><b><c><d/></c></b></a>", bounds), "fault policy-violation");
  EXPECT_EQ(verdict("<a b='' c='' d='' e='' f='' g='' h=''/>", bounds), "fault policy-violation");
  EXPECT_EQ(verdict("<a><b/><b/><b/></a>", bounds), "<a><b/><b/><b/></a>");
  EXPECT_EQ(verdict("<a><b/><b/><b/><b/></a>", bounds), "fault policy-violation");
  ReaderLimits small_header;
  small_header.header_octets = 30;
  EXPECT_EQ(verdict("", small_header), "fault policy-violation");
}

TEST(Reader, ReportsAnEmptyDocumentAsTwoItems) {
  Reader reader;
  std::size_t consumed = 0;
  auto item = reader.feed("<s/>", consumed);
  ASSERT_TRUE(item && std::holds_alternative<StreamHeader>(*item));
  item = reader.feed({}, consumed);
  ASSERT_TRUE(item && std::holds_alternative<StreamEnd>(*item));
  item = reader.feed("more", consumed);
  EXPECT_FALSE(item);
  EXPECT_EQ(consumed, 4U);
}

TEST(Parse, ReadsDocumentsAndRefusesDtds) {
  const auto good =
      parse("\xEF\xBB\xBF<?xml version='1.0'?><!-- c --><a xmlns='urn:a'>x<?pi y?><b/></a>\n<!-- d -->\n");
  ASSERT_TRUE(std::holds_alternative<Element>(good));
  EXPECT_EQ(write(std::get<Element>(good)), "<a xmlns='urn:a'>x<b/></a>");
  const auto condition = [](std::string_view text) {
    const auto result = parse(text);
    return std::holds_alternative<Fault>(result) ? std::get<Fault>(result).condition : "none";
  };
  EXPECT_EQ(condition("<!DOCTYPE a><a/>"), "restricted-xml");
  EXPECT_EQ(condition("<a/><b/>"), "not-well-formed");
  EXPECT_EQ(condition("<a>"), "not-well-formed");
  EXPECT_EQ(condition("<a/><!-- x"), "not-well-formed");
  EXPECT_EQ(condition("<a/>x"), "not-well-formed");
  EXPECT_EQ(condition(""), "not-well-formed");
}

// A generator of our own draws: the same on every library.
struct Draw {
  std::mt19937_64 source;
  std::size_t below(std::size_t n) { return source() % n; }
  std::string pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
};

Element random_element(Draw& draw, int depth) {
  const std::vector<std::string> names{"a", "b-c", "_d", "\xC3\xA4"};
  const std::vector<std::string> spaces{
      "jabber:server", "jabber:server:dialback", "http://etherx.jabber.org/streams", "urn:x", "u'&<v", ""};
  const std::vector<std::string> values{"", "x", "a\n\tb\r\nc", "<&>'\"", "\xF0\x9F\x98\x80", "]]>", " two  spaces "};
  Element element(draw.pick(names), draw.pick(spaces));
  for (std::size_t i = draw.below(4); i > 0; --i) {
    const std::string ns = draw.pick({"", "", "http://www.w3.org/XML/1998/namespace", "urn:y", "urn:z"});
    element.set_attribute(draw.pick(names), draw.pick(values), ns);
  }
  for (std::size_t i = draw.below(4); i > 0; --i) {
    if (depth == 0 || draw.below(2) == 0) {
      element.add_text(draw.pick(values));
    } else {
      element.add(random_element(draw, depth - 1));
    }
  }
  return element;
}

TEST(Writer, IsReadBackAsTheSameInfoset) {
  Draw draw{std::mt19937_64(1)};
  Reader reader;
  std::size_t consumed = 0;
  ASSERT_TRUE(reader.feed(header, consumed));
  for (int i = 0; i < 1000; ++i) {
    const Element element = random_element(draw, 4);
    const auto back = parse(write(element));
    ASSERT_TRUE(std::holds_alternative<Element>(back)) << write(element);
    EXPECT_TRUE(std::get<Element>(back) == element) << write(element);
    const std::string octets = write(element, "jabber:server", true);
    const auto in_stream = reader.feed(octets, consumed);
    ASSERT_TRUE(in_stream && std::holds_alternative<Element>(*in_stream)) << octets;
    EXPECT_EQ(consumed, octets.size());
    EXPECT_TRUE(std::get<Element>(*in_stream) == element) << octets;
  }
}

TEST(Writer, ReplacesWhatXmlForbids) {
  EXPECT_EQ(escape(std::string("a\0b\x01", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(escape("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(escape("\xEF\xBF\xBE"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escape("<a b=\"'&\">\t\n\xC3\xA4"), "&lt;a b=&quot;&apos;&amp;&quot;&gt;\t\n\xC3\xA4");
}

TEST(Writer, UsesThePrefixesOfTheStream) {
  const Element result("result", "jabber:server:dialback");
  EXPECT_EQ(write(result, "jabber:server", true), "<db:result/>");
  EXPECT_EQ(write(result, "jabber:server"), "<db:result xmlns:db='jabber:server:dialback'/>");
}

TEST(Element, ComparesAsInfosetAndChangesOnlyItsOwnTree) {
  Element left = Element("m", "jabber:server").with("a", "1").with("b", "2").with_text("xy");
  Element right = Element("m", "jabber:server").with("b", "2").with("a", "1");
  right.content().push_back({"x", {}});
  right.content().push_back({"y", {}});
  EXPECT_EQ(left, right);
  right.content().push_back({"z", {}});
  EXPECT_FALSE(left == right);

  Element forwarded = Element("m", "jabber:server").with(Element("body", "jabber:server"));
  forwarded.add(Element("forwarded", "urn:xmpp:forward:0")).add(Element("m", "jabber:server"));
  forwarded.change_namespace("jabber:server", "jabber:client");
  EXPECT_TRUE(forwarded.child("body", "jabber:client") != nullptr);
  EXPECT_TRUE(forwarded.child("forwarded", "urn:xmpp:forward:0")->child("m", "jabber:server") != nullptr);
}

}  // namespace
}  // namespace cutover::xml
