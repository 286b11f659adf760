// libxml2 validates; the schema says what the RFC's says, in words of our own.
#include "protocol/interworking/pidf_schema.h"

#include "protocol/base/check.h"
#include "protocol/base/limits.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <memory>

namespace cutover::interworking {

namespace {

// Attributes of the xml namespace are taken as they are: importing their schema would be a look outside.
constexpr std::string_view schema_text = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:p="urn:ietf:params:xml:ns:pidf" targetNamespace="urn:ietf:params:xml:ns:pidf" elementFormDefault="qualified">
  <xs:element name="presence" type="p:presence"/>
  <xs:complexType name="presence">
    <xs:sequence>
      <xs:element name="tuple" type="p:tuple" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="note" type="p:note" minOccurs="0" maxOccurs="unbounded"/>
      <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="entity" type="xs:anyURI" use="required"/>
    <xs:anyAttribute namespace="http://www.w3.org/XML/1998/namespace" processContents="skip"/>
  </xs:complexType>
  <xs:complexType name="tuple">
    <xs:sequence>
      <xs:element name="status" type="p:status"/>
      <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="contact" type="p:contact" minOccurs="0"/>
      <xs:element name="note" type="p:note" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="timestamp" type="xs:dateTime" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="id" type="xs:ID" use="required"/>
    <xs:anyAttribute namespace="http://www.w3.org/XML/1998/namespace" processContents="skip"/>
  </xs:complexType>
  <xs:complexType name="status">
    <xs:sequence>
      <xs:element name="basic" minOccurs="0">
        <xs:simpleType>
          <xs:restriction base="xs:string">
            <xs:enumeration value="open"/>
            <xs:enumeration value="closed"/>
          </xs:restriction>
        </xs:simpleType>
      </xs:element>
      <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="contact">
    <xs:simpleContent>
      <xs:extension base="xs:anyURI">
        <xs:attribute name="priority">
          <xs:simpleType>
            <xs:restriction base="xs:decimal"><xs:pattern value="0(\.[0-9]{0,3})?|1(\.0{0,3})?"/></xs:restriction>
          </xs:simpleType>
        </xs:attribute>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  <xs:complexType name="note">
    <xs:simpleContent>
      <xs:extension base="xs:string">
        <xs:anyAttribute namespace="http://www.w3.org/XML/1998/namespace" processContents="skip"/>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  <xs:attribute name="mustUnderstand" type="xs:boolean" default="0"/>
</xs:schema>)";

struct Free {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
  void operator()(xmlSchema* schema) const { xmlSchemaFree(schema); }
  void operator()(xmlSchemaParserCtxt* context) const { xmlSchemaFreeParserCtxt(context); }
  void operator()(xmlSchemaValidCtxt* context) const { xmlSchemaFreeValidCtxt(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const Owned<xmlSchema>& schema() {
  static const Owned<xmlSchema> schema = [] {
    const Owned<xmlSchemaParserCtxt> parser(
        xmlSchemaNewMemParserCtxt(schema_text.data(), static_cast<int>(schema_text.size())));
    return Owned<xmlSchema>(xmlSchemaParse(parser.get()));
  }();
  CUTOVER_CHECK(schema != nullptr);
  return schema;
}

// libxml2 has changed whether its error is const: whichever it hands over.
template <class Error>
void keep_first(void* words, Error* error) {
  auto& kept = *static_cast<std::string*>(words);
  if (!kept.empty() || error == nullptr || error->message == nullptr) return;
  kept = error->message;
  while (kept.ends_with('\n')) kept.pop_back();
}

}  // namespace

std::string against_pidf_schema(std::string_view document) {
  if (document.size() > limits::sip_message_size_max_octets) return "larger than 64 KiB";
  const Owned<xmlDoc> parsed(xmlReadMemory(document.data(), static_cast<int>(document.size()), nullptr, nullptr,
                                           XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (!parsed) return "not well-formed";
  if (parsed->intSubset != nullptr) return "a document type of its own";
  const Owned<xmlSchemaValidCtxt> context(xmlSchemaNewValidCtxt(schema().get()));
  std::string words;
  xmlSchemaSetValidStructuredErrors(context.get(), keep_first, &words);
  if (xmlSchemaValidateDoc(context.get(), parsed.get()) == 0) return {};
  return words.empty() ? "not valid" : words;
}

}  // namespace cutover::interworking
