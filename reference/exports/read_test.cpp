// The three forms give the same objects; what is damaged is told with its line, and nothing makes the reader big or
// slow.
#include "reference/exports/read.h"

#include "reference/exports/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::reference::exports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Value::Kind;

struct Read {
  std::vector<Value> objects;
  Problems problems{"f", {}};
  [[nodiscard]] std::vector<std::string> words() const {
    std::vector<std::string> all;
    for (const auto& problem : problems.all) all.push_back(to_string(problem));
    return all;
  }
};

Read read(std::string_view octets) {
  Read out;
  read_export(
      octets, [&](Value&& object) { out.objects.push_back(std::move(object)); }, out.problems);
  return out;
}

std::string utf16(std::string_view ascii, bool little, bool mark) {
  std::string out = mark ? (little ? "\xFF\xFE" : "\xFE\xFF") : "";
  for (const char c : ascii) out += little ? std::string{c, '\0'} : std::string{'\0', c};
  return out;
}

std::string shown(const Value& value) {
  switch (value.kind) {
    case Kind::null:
      return "null";
    case Kind::flag:
      return value.flag ? "true" : "false";
    case Kind::list: {
      std::string all;
      for (const auto& item : value.items) all += (all.empty() ? "" : ",") + shown(item);
      return "[" + all + "]";
    }
    case Kind::object: {
      std::string all;
      for (const auto& [name, inner] : value.properties) all += (all.empty() ? "" : ",") + name + "=" + shown(inner);
      return "{" + all + "}";
    }
    case Kind::unreadable:
      return "?" + value.text;
    default:
      return value.text;
  }
}

constexpr std::string_view one = R"({
  "Domain": "a.example",
  "AdditionalDomains": ["b.example", "c.example"],
  "ConnectionLimit": null,
  "PartnerType": 0,
  "EnableKeepAlive": false
})";

TEST(ExportJson, OneObjectAListAndTheShellsWrapperAreTheSame) {
  const std::string expected =
      "{Domain=a.example,AdditionalDomains=[b.example,c.example],ConnectionLimit=null,PartnerType=0,"
      "EnableKeepAlive=false}";
  const std::string list = "[" + std::string(one) + "," + std::string(one) + "]";
  for (const auto& text :
       {std::string(one), list, "{\"value\": " + list + ", \"Count\": 2}", "{\"Count\": 2, \"value\": " + list + "}"}) {
    const auto all = read(text);
    EXPECT_THAT(all.words(), IsEmpty()) << text;
    EXPECT_THAT(all.objects, SizeIs(text == one ? 1 : 2)) << text;
    for (const auto& object : all.objects) EXPECT_EQ(shown(object), expected) << text;
  }
  EXPECT_THAT(read("[]").words(), IsEmpty());
  EXPECT_THAT(read("null\r\n").words(), IsEmpty());
  EXPECT_THAT(read(R"({"value": [], "Count": 0})").words(), IsEmpty());
}

TEST(ExportJson, AWrappedListInsideIsAList) {
  const auto all = read(R"([{"Domain": "a.example", "AdditionalDomains": {"value": ["b.example"], "Count": 1}}])");
  ASSERT_THAT(all.objects, SizeIs(1));
  EXPECT_EQ(shown(all.objects[0]), "{Domain=a.example,AdditionalDomains=[b.example]}");
}

TEST(ExportJson, EveryPropertyHasItsLine) {
  const auto all = read("\n[" + std::string(one) + ",\n" + std::string(one) + "]\n");
  ASSERT_THAT(all.objects, SizeIs(2));
  EXPECT_EQ(all.objects[0].line, 2);
  EXPECT_EQ(all.objects[0].find("domain")->line, 3);
  EXPECT_EQ(all.objects[1].find("EnableKeepAlive")->line, 14);
}

TEST(ExportJson, WhatIsDamagedIsToldWithItsLine) {
  EXPECT_THAT(read("{\n\"a\": 1,\n\"b\" 2}").words(), ElementsAre(HasSubstr("f:3: is not JSON")));
  EXPECT_THAT(read("[\n{\"a\": 1},\n{\"a\":").words(), ElementsAre(HasSubstr("f:3: ends in the middle")));
  EXPECT_THAT(read("[\n{\"a\": 1},\n{\"a\":\n").words(), ElementsAre(HasSubstr("f:3: ends in the middle")));
  EXPECT_THAT(read("[{\"a\": 1}]\n[]").words(), ElementsAre(HasSubstr("f:2: something stands behind")));
  EXPECT_THAT(read("[{\"a\": 1}] x").words(), ElementsAre(HasSubstr("f:1: something stands behind")));
  EXPECT_THAT(read("[1,\n\"x\"]").words(), ElementsAre(HasSubstr("f:1: an object"), HasSubstr("f:2: an object")));
  EXPECT_THAT(read("{\"a\": 1,\n\"A\": 2}").words(), ElementsAre(HasSubstr("f:2: A stands twice")));
  EXPECT_THAT(read(R"({"value": [{"a": 1}], "Count": 2})").words(), ElementsAre(HasSubstr("Count says 2, and 1")));
  EXPECT_THAT(read(std::string(100, '[')).words(), ElementsAre(HasSubstr("nested deeper than 32")));
  std::string many = "{\"a\": [";
  for (int i = 0; i < 100'001; ++i) many += "0,";
  EXPECT_THAT(read(many + "0]}").words(), ElementsAre(HasSubstr("more than 100,000 values")));
}

TEST(ExportJson, NumbersOfEverySize) {
  const auto all = read(R"({"a": 18446744073709551615, "b": -3, "c": 300.0, "d": 1e300})");
  ASSERT_THAT(all.objects, SizeIs(1));
  EXPECT_EQ(all.objects[0].find("a")->number, INT64_MAX);
  EXPECT_EQ(all.objects[0].find("b")->number, -3);
  EXPECT_EQ(all.objects[0].find("c")->number, 300);
  EXPECT_EQ(number_of(*all.objects[0].find("a")), std::nullopt);
  EXPECT_EQ(number_of(*all.objects[0].find("b")), std::nullopt);
}

TEST(ExportText, EveryEncodingOfTheShell) {
  for (const bool little : {true, false}) {
    for (const bool mark : {true, false}) {
      const auto all = read(utf16(one, little, mark));
      EXPECT_THAT(all.words(), IsEmpty());
      ASSERT_THAT(all.objects, SizeIs(1));
      EXPECT_EQ(text_of(*all.objects[0].find("Domain")), "a.example");
    }
  }
  EXPECT_THAT(read("\xEF\xBB\xBF" + std::string(one)).objects, SizeIs(1));
  EXPECT_THAT(read("{\n\"a\": \"\xE4\"}").words(), ElementsAre(HasSubstr("f:2: is not UTF-8")));
  EXPECT_THAT(read("\xFF\xFE{").words(), ElementsAre(HasSubstr("is not UTF-16LE")));
  EXPECT_THAT(read("{\n\"a\": \n\"\xC0\x80\"}").words(), ElementsAre(HasSubstr("f:3: is not UTF-8")));
  EXPECT_THAT(read("").words(), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(read("\xEF\xBB\xBF\r\n").words(), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(read("Identity : a.example\r\nDomain : a.example").words(), ElementsAre(HasSubstr("ConvertTo-Json")));
  EXPECT_THAT(read(std::string("{\n\0}", 4)).words(), ElementsAre(HasSubstr("f:2: holds a character of value 0")));
}

constexpr std::string_view objs =
    "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\n";

TEST(ExportClixml, ObjectsEnumerationsListsDictionariesAndReferences) {
  const auto all = read(std::string(objs) + R"(<Obj RefId="0">
  <TN RefId="0"><T>Microsoft.Rtc.Thing#Decorated</T><T>System.Object</T></TN>
  <ToString>a.example</ToString>
  <Props>
    <S N="Domain">a.example</S>
    <Obj N="Tls" RefId="1">
      <TN RefId="1"><T>Use</T><T>System.Enum</T></TN><ToString>Optional</ToString><I32>1</I32>
    </Obj>
    <Ref N="Sasl" RefId="1" />
    <Obj N="More" RefId="2"><TN RefId="2"><T>List</T></TN><LST><S>b_x002E_example</S><S>c.example</S></LST></Obj>
    <B N="KeepAlive">false</B>
    <Nil N="Limit" />
    <TS N="Interval">PT5M</TS>
    <Obj N="Table" RefId="3"><DCT><En><S N="Key">one</S><I32 N="Value">1</I32></En></DCT></Obj>
    <S N="Note">two_x000A_lines, _x005F_x0041_ and _xD83D__xDE00_ &amp; _xD83D_</S>
    <Ref N="Itself" RefId="0" />
    <S N="Flat">System.Collections.ArrayList</S>
  </Props>
  <MS><S N="PSComputerName">host</S></MS>
</Obj>
<Obj RefId="4"><TNRef RefId="0" /><Props><S N="Domain">d.example</S></Props></Obj>
</Objs>)");
  EXPECT_THAT(all.words(), IsEmpty());
  ASSERT_THAT(all.objects, SizeIs(2));
  EXPECT_EQ(shown(all.objects[0]),
            "{Domain=a.example,Tls=Optional,Sasl=Optional,More=[b.example,c.example],KeepAlive=false,Limit=null,"
            "Interval=PT5M,Table={one=1},Note=two\nlines, _x0041_ and \xF0\x9F\x98\x80 & \xEF\xBF\xBD,"
            "Itself=?a reference to the object 0,Flat=?System.Collections.ArrayList,PSComputerName=host}");
  EXPECT_THAT(all.objects[0].types, ElementsAre("Microsoft.Rtc.Thing#Decorated", "System.Object"));
  EXPECT_EQ(all.objects[1].types, all.objects[0].types);
  EXPECT_EQ(all.objects[0].text, "a.example");
  EXPECT_EQ(all.objects[0].find("Domain")->line, 6);
  EXPECT_EQ(all.objects[1].line, 22);
}

TEST(ExportClixml, AListAtTheTopIsItsObjects) {
  const auto all = read(std::string(objs) + R"(<Obj RefId="0"><TN RefId="0"><T>System.Object[]</T></TN><LST>
<Obj RefId="1"><Props><S N="a">1</S></Props></Obj><Obj RefId="2"><MS><S N="a">2</S></MS></Obj></LST></Obj></Objs>)");
  EXPECT_THAT(all.words(), IsEmpty());
  ASSERT_THAT(all.objects, SizeIs(2));
  EXPECT_EQ(shown(all.objects[1]), "{a=2}");
}

TEST(ExportClixml, Utf16WithADeclarationAndManyMegabytes) {
  const auto text = "<?xml version=\"1.0\" encoding=\"utf-16\"?>" + std::string(objs) +
                    "<Obj RefId=\"0\"><Props><S N=\"a\">1</S></Props></Obj></Objs>";
  EXPECT_THAT(read(utf16(text, true, true)).words(), IsEmpty());
  EXPECT_THAT(read(utf16(text, true, true)).objects, SizeIs(1));
  std::string large(objs);
  for (int i = 0; i < 100'000; ++i)
    large += "<Obj RefId=\"" + std::to_string(i) +
             "\">\n<Props><S N=\"SipAddress\">sip:user@contoso.example</S><B N=\"Enabled\">true</B>"
             "<S N=\"RegistrarPool\">pool.contoso.example</S><Nil N=\"ExternalAccessPolicy\" /></Props></Obj>\n";
  std::size_t count = 0;
  Problems problems;
  read_export(
      large + "</Objs>", [&](Value&&) { ++count; }, problems);
  EXPECT_EQ(count, 100'000U);
  EXPECT_THAT(problems.all, IsEmpty());
}

TEST(ExportClixml, NothingIsExpandedOrFetched) {
  EXPECT_THAT(read("<!DOCTYPE Objs [<!ENTITY a \"aaaa\">]>" + std::string(objs) + "<S>&a;</S></Objs>").words(),
              ElementsAre(HasSubstr("has a document type")));
  EXPECT_THAT(read(std::string(objs) + "<S>&a;</S></Objs>").words(), ElementsAre(HasSubstr("f:2: has the entity &a;")));
  // Each object refers ten times to the one before: copies of copies.
  std::string bomb = std::string(objs) +
                     "<Obj RefId=\"x\"><Props><Obj N=\"o\" RefId=\"0\"><Props><S N=\"a\">b</S>"
                     "</Props></Obj>";
  for (int i = 1; i < 20; ++i) {
    bomb += "<Obj N=\"o" + std::to_string(i) + "\" RefId=\"" + std::to_string(i) + "\"><LST>";
    for (int j = 0; j < 10; ++j) bomb += "<Ref RefId=\"" + std::to_string(i - 1) + "\" />";
    bomb += "</LST></Obj>";
  }
  EXPECT_THAT(read(bomb + "</Props></Obj></Objs>").words(), ElementsAre(HasSubstr("more than 100,000 values")));
  // ... or once, each within the next.
  std::string chain(objs);
  for (int i = 0; i < 20'000; ++i) {
    chain += "<Obj RefId=\"t" + std::to_string(i) + "\"><Props><Obj N=\"o\" RefId=\"" + std::to_string(i) +
             "\"><Props><Ref N=\"r\" RefId=\"" + std::to_string(i - 1) + "\" /></Props></Obj></Props></Obj>";
  }
  EXPECT_THAT(read(chain + "</Objs>").objects, SizeIs(20'000));
  std::string deep(objs);
  for (int i = 0; i < 100; ++i) deep += "<Obj><Props>";
  EXPECT_THAT(read(deep).words(), ElementsAre(HasSubstr("nested deeper")));
}

TEST(ExportClixml, WhatIsDamagedIsToldWithItsLine) {
  EXPECT_THAT(read(std::string(objs) + "<Obj RefId=\"0\">\n<Props>").words(), ElementsAre(HasSubstr("f:3: ")));
  EXPECT_THAT(read(std::string(objs) + "<Obj></Props></Objs>").words(), ElementsAre(HasSubstr("f:2: is not XML")));
  EXPECT_THAT(read(std::string(objs) + "<S>text</S></Objs>").words(),
              ElementsAre(HasSubstr("an object of the product")));
  EXPECT_THAT(read(std::string(objs) + "<Obj><Props><QQ N=\"a\">1</QQ></Props></Obj></Objs>").words(),
              ElementsAre(HasSubstr("<QQ> is not understood")));
  EXPECT_THAT(read("<html></html>").words(), ElementsAre(HasSubstr("neither JSON nor CLIXML")));
}

TEST(ExportCsv, WithAndWithoutTypeInAnyDelimiter) {
  const auto row = [](std::initializer_list<std::string> fields, char delimiter) {
    std::string line;
    for (const auto& field : fields) line += (line.empty() ? "" : std::string(1, delimiter)) + field;
    return line + "\r\n";
  };
  for (const std::string before : {"", "#TYPE Microsoft.Rtc.Thing#Decorated\r\n", "\r\n"}) {
    for (const char delimiter : {',', ';', '\t'}) {
      const auto text =
          before + row({"\"Domain\"", "\"Note\"", "\"More\"", "\"Limit\""}, delimiter) +
          row({"\"a.example\"", "\"say \"\"hi\"\",;\r\nor\"", "\"\"", ""}, delimiter) +
          row({"\"b.example\"", "x", "\"System.Collections.Generic.List`1[System.String]\"", "\"3\""}, delimiter);
      const auto all = read(text);
      EXPECT_THAT(all.words(), IsEmpty()) << text;
      ASSERT_THAT(all.objects, SizeIs(2)) << text;
      EXPECT_EQ(shown(all.objects[0]), "{Domain=a.example,Note=say \"hi\",;\r\nor,More=,Limit=null}");
      EXPECT_EQ(shown(all.objects[1]),
                "{Domain=b.example,Note=x,More=?System.Collections.Generic.List`1[System.String],Limit=3}");
      EXPECT_EQ(all.objects[0].types.size(), before.starts_with("#") ? 1U : 0U);
      EXPECT_EQ(all.objects[1].line, before.empty() ? 4 : 5);
    }
  }
}

TEST(ExportCsv, WhatIsDamagedIsToldAndTheOtherRowsAreRead) {
  const auto all = read("\"a\",\"b\"\n1,2,3\n\"4\",\"5\"\n6\n7,8");
  EXPECT_THAT(all.words(), ElementsAre(HasSubstr("f:2: has 3 fields, and the header 2"),
                                       HasSubstr("f:4: has 1 fields, and the header 2")));
  EXPECT_THAT(all.objects, SizeIs(2));
  EXPECT_THAT(read("\"a\",\"b\"\n\"1\",\"2\n3,4\n").words(), ElementsAre(HasSubstr("f:2: a quote is opened")));
  EXPECT_THAT(read("\"a\",\"b\"\n\"1\"x,2\n").words(), ElementsAre(HasSubstr("f:2: something stands between")));
}

Value text(std::string words) {
  Value value;
  value.kind = Kind::text;
  value.text = std::move(words);
  return value;
}

TEST(ExportValues, TimesInEveryForm) {
  EXPECT_EQ(duration_of(text("00:05:00")), 300s);
  EXPECT_EQ(duration_of(text("08:00:00")), 28800s);
  EXPECT_EQ(duration_of(text("1.00:00:01.5")), 86401500ms);
  EXPECT_EQ(duration_of(text("PT5M")), 300s);
  EXPECT_EQ(duration_of(text("P1DT2H3M4.5S")), 93784500ms);
  EXPECT_EQ(duration_of(text("600")), 600s);
  for (const auto* bad : {"", "P", "PT", "PT5", "P5M", "00:60:00", "24:00:00", "1:2", "x", "-00:05:00", "PT5MT5M",
                          "00:00:99999999999", "99999999999"}) {
    EXPECT_EQ(duration_of(text(bad)), std::nullopt) << bad;
  }
  const auto spans = read(R"({"a": {"Ticks": 3000000000, "TotalSeconds": 300.0}, "b": {"TotalSeconds": 60}, "c": {}})");
  EXPECT_EQ(duration_of(*spans.objects[0].find("a")), 300s);
  EXPECT_EQ(duration_of(*spans.objects[0].find("b")), 60s);
  EXPECT_EQ(duration_of(*spans.objects[0].find("c")), std::nullopt);
}

TEST(ExportValues, WhatAnObjectIsCalled) {
  const auto all = read(R"({"p": {"FriendlyName": "Pool", "Name": "x"}, "q": {"Authority": 0}, "l": "a, b;c"})");
  EXPECT_EQ(text_of(*all.objects[0].find("p")), "Pool");
  EXPECT_EQ(text_of(*all.objects[0].find("q")), std::nullopt);
  EXPECT_EQ(texts_of(*all.objects[0].find("l")), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ExportRecords, APartnerWithAllThatIsWrongAtOnce) {
  const auto all = read(R"({
"Identity": "a.example", "Domain": "b.example",
"TlsNegotiation": "Maybe",
"PartnerType": 7,
"EnableKeepAlive": null,
"AdditionalDomains": "System.Collections.Generic.List`1[System.String]",
"ScopeClass": 1,
"Colour": "blue"})");
  Problems problems{"f", {}};
  (void)partner_of(all.objects[0], {}, problems);
  std::vector<std::string> words;
  for (const auto& problem : problems.all) words.push_back(to_string(problem));
  EXPECT_THAT(words, ElementsAre(HasSubstr("f:2: Domain and Identity"), HasSubstr("f:3: TlsNegotiation: Required"),
                                 HasSubstr("f:4: PartnerType: Federated"), HasSubstr("f:5: EnableKeepAlive: a value"),
                                 HasSubstr("f:6: AdditionalDomains: an array of domains was expected, and \"System."),
                                 HasSubstr("f:8: unknown field Colour")));
  EXPECT_THAT(words[4], HasSubstr("ConvertTo-Json"));
  EXPECT_FALSE(problems.all.back().error);
}

TEST(ExportRecords, AGatewayInAnyFormOfTime) {
  const auto all = read(R"([{"Identity": "Global", "KeepAliveInterval": "00:01:00", "PartnerConnectionLimit": 7,
"StreamEstablishmentTimeout": {"Ticks": 300000000}, "StreamInactivityTimeout": 700, "DialbackPassphrase": null,
"EnableLoggingAllMessageBodies": "True"}])");
  Problems problems;
  const auto gateway = gateway_of(all.objects[0], {}, problems);
  EXPECT_THAT(problems.all, IsEmpty());
  EXPECT_EQ(gateway.keep_alive_interval, 60s);
  EXPECT_EQ(gateway.partner_connection_limit, 7U);
  EXPECT_EQ(gateway.stream_establishment_timeout, 30s);
  EXPECT_EQ(gateway.stream_inactivity_timeout, 700s);
  EXPECT_TRUE(gateway.enable_logging_all_message_bodies);
}

}  // namespace
}  // namespace cutover::reference::exports
