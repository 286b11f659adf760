// For tests: whether a JUnit report is valid by the schema in fixtures.
#pragma once

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <memory>
#include <string>

namespace cutover::reports {

/// The errors of libxml2 against the schema in fixtures; empty where valid.
inline std::string schema_errors(const std::string& xml) {
  std::string errors;
  const auto collect = [](void* user, xmlErrorPtr error) { *static_cast<std::string*>(user) += error->message; };
  xmlSetStructuredErrorFunc(&errors, collect);
  std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      xmlReadMemory(xml.data(), static_cast<int>(xml.size()), "junit.xml", nullptr, XML_PARSE_NONET), &xmlFreeDoc);
  if (document) {
    auto* parser = xmlSchemaNewParserCtxt(CUTOVER_SOURCE_DIR "/fixtures/schemas/junit.xsd");
    auto* schema = xmlSchemaParse(parser);
    auto* valid = xmlSchemaNewValidCtxt(schema);
    if (xmlSchemaValidateDoc(valid, document.get()) != 0 && errors.empty()) errors = "invalid";
    xmlSchemaFreeValidCtxt(valid);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
  }
  xmlSetStructuredErrorFunc(nullptr, nullptr);
  return errors;
}

}  // namespace cutover::reports
