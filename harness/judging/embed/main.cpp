// Build tool: writes the catalogue of requirements as a C++ table, so that the program needs no folder and no YAML at
// start.
#include "harness/judging/requirements.h"
#include "harness/judging/requirements_table.h"

#include <fstream>
#include <iostream>

namespace cutover::harness {
// The tool is built before the table that it writes.
std::span<const Requirement> embedded_requirements() { return {}; }
}  // namespace cutover::harness

namespace {

// Octets beyond ASCII are escaped in octal, of which a literal takes three digits and no more. With its length in the
// literal nobody has to count 300 000 octets while compiling: clang gives up on that.
std::string literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '?') {
      result += {'\\', c};
    } else if (octet >= 0x20 && octet < 0x7f) {
      result += c;
    } else {
      result += {'\\', static_cast<char>('0' + (octet >> 6)), static_cast<char>('0' + ((octet >> 3) & 7)),
                 static_cast<char>('0' + (octet & 7))};
    }
  }
  return result + "\"sv";
}

void write(std::ostream& out, const cutover::harness::Catalogue& catalogue) {
  out << "// Written by harness/judging/embed from fixtures/requirements; do not edit.\n"
         "#include \"harness/judging/requirements_table.h\"\n\n"
         "namespace cutover::harness {\nusing namespace std::literals;\nnamespace {\nconstexpr Requirement table[] = "
         "{\n";
  for (const auto& item : catalogue.all()) {
    out << "{";
    for (const auto text : {item.id, item.source, item.level, item.actor, item.area, item.title, item.text, item.test,
                            item.send, item.see, item.parts, item.testable, item.verified, item.file}) {
      out << literal(text) << ",";
    }
    out << item.line << "},\n";
  }
  out << "};\n}  // namespace\nstd::span<const Requirement> embedded_requirements() { return table; }\n"
         "}  // namespace cutover::harness\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("usage: embed_requirements DIRECTORY OUTPUT");
    const auto catalogue = cutover::harness::Catalogue::load(argv[1]);
    std::ofstream out(argv[2], std::ios::binary);
    write(out, catalogue);
    out.close();
    if (!out) throw std::runtime_error(std::string("cannot write ") + argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "embed_requirements: " << error.what() << '\n';
    return 1;
  }
}
