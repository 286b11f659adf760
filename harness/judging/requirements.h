// The catalogue of requirements: what each check judges, with its level and its text.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// One item of fixtures/requirements/*.yaml. The strings live as long as the catalogue they come from.
struct Requirement {
  std::string_view id;
  std::string_view source;  ///< document and section, "RFC 6120 §4.4"
  std::string_view level;   ///< MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, TEXT or PROFILE
  std::string_view actor, area;
  std::string_view title;  ///< may be empty
  std::string_view text;
  std::string_view test;       ///< how it is tested, in one text; may be empty
  std::string_view send, see;  ///< the same in two parts, where the item has parts
  std::string_view parts;      ///< what it is made of, one name each with blanks between; may be empty
  std::string_view testable;   ///< wire, config or no
  std::string_view verified;   ///< yes: read in the cited text
  std::string_view file;       ///< "s2s.yaml"
  int line = 0;
};

/// What is wrong with a catalogue: "file:line: what was expected".
struct CatalogueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A set of requirements, found by id.
class Catalogue {
 public:
  /// Reads every *.yaml of a folder. Throws CatalogueError for an unreadable folder or file, bad YAML, an unknown or
  /// missing key, an unknown level, or an id that is there twice.
  [[nodiscard]] static Catalogue load(const std::string& directory);
  /// Reads one text; `file` names it in errors and in Requirement::file.
  [[nodiscard]] static Catalogue parse(std::string_view yaml, const std::string& file);
  /// The catalogue that this program was built with. Constant data: costs nothing at start.
  [[nodiscard]] static Catalogue embedded();

  [[nodiscard]] const Requirement* find(std::string_view id) const;          ///< null: no such requirement
  [[nodiscard]] std::span<const Requirement> all() const { return items_; }  ///< sorted by id

  /// What this process judges by: the embedded one until use() was called.
  [[nodiscard]] static const Catalogue& current();
  static void use(Catalogue);

 private:
  class Text;
  explicit Catalogue(std::span<const Requirement> sorted) : items_(sorted) {}

  std::shared_ptr<const Text> owned_;  ///< behind items_, unless they are constant data
  std::span<const Requirement> items_;
};

/// A requirement that is made of several parts is judged by part: CONFORMS("RFC6120-13.7.2-1/path", ...).
[[nodiscard]] std::vector<std::string_view> parts_of(const Requirement&);
/// "ID/PART" in two; the part is empty where none is named.
[[nodiscard]] std::pair<std::string_view, std::string_view> id_and_part(std::string_view requirement);

/// "RFC 6120" of "RFC 6120 §4.4 (derived)": what coverage is counted by.
[[nodiscard]] std::string document_of(const Requirement&);

/// True for a level whose violation is a failure: MUST, MUST NOT, TEXT and PROFILE.
[[nodiscard]] bool is_mandatory(std::string_view level);

}  // namespace cutover::harness
