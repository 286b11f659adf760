// The facts of the migration as data: what the documents say becomes of an exchange in a state. They were read off the
// documents and not off outcome.cpp, so that the model and the deployment can both be held against them.
#pragma once

#include "harness/migration/operation.h"
#include "harness/migration/outcome.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::migration {

/// Whether the documents say it, it follows from what they say, or we chose it where they are silent.
enum class Standing { stated, derived, ours };
[[nodiscard]] std::string_view name_of(Standing);

/// What the documents say of an outcome; what they leave open is empty, or has several values.
struct Expected {
  std::vector<Kind> kinds;
  std::vector<Cause> causes;
  Path path = Path::none;  ///< of what is carried
  std::optional<Duration> after;
  std::optional<negotiation::Method> method;
};

struct Fact {
  std::string id;  ///< "FACT-001"; never changed, never used again
  int line = 0;
  Generation generation = Generation::lync2013;
  int after = 0;                                ///< so many steps of the document are done ...
  std::vector<Operation> without;               ///< ... but for these operations of theirs ...
  std::vector<Operation> operations;            ///< ... and then these
  std::string partner;                          ///< primary domain
  std::optional<AllowedPartner> configured_as;  ///< how it is configured, where not as the estate has it
  std::vector<Exchange> exchanges;              ///< both ways: two
  std::string seen_record;                      ///< that the partner's resolver still has, by name; empty: ours
  std::string open_stream;                      ///< View::open_stream
  bool our_stream_open = false;
  Expected expected;
  Standing standing = Standing::stated;
  std::string source;    ///< sections of lync-facts.md, failures (F17) and cases (O05)
  std::string sentence;  ///< what the document says, in our words
  // The reading under which it is so; without: under every one.
  std::optional<Readings::LegacyUsers> legacy_users;
  std::optional<Readings::Unlisted> unlisted;
  std::optional<Readings::WrongKey> wrong_key;
};

struct Facts {
  std::string source;  ///< of the text, for messages
  Estate estate;
  /// The six steps as the documents have them for this estate; operations_of_step() is held against them, too.
  std::array<std::vector<Operation>, steps_of_the_document> steps;
  std::vector<Fact> all;
};

/// Throws YamlError with every mistake: a word that is none, an id used twice, an operation that the estate cannot do.
[[nodiscard]] Facts parse_facts(std::string_view yaml, const std::string& source);
/// fixtures/migration/facts.yaml as this program was built with it.
[[nodiscard]] const Facts& embedded_facts();

/// The estate as it is when the fact's exchange begins.
[[nodiscard]] State state_of(const Facts&, const Fact&);
/// Every reading under which the fact holds.
[[nodiscard]] std::vector<Readings> readings_of(const Fact&);
/// What somebody found is not what the documents say: a sentence with id, section and standing. Empty: it is.
[[nodiscard]] std::string contradiction(const Facts&, const Fact&, const Exchange&, const Outcome& found);
/// Each fact against outcome_of(); a sentence for each contradiction.
[[nodiscard]] std::vector<std::string> held_against_model(const Facts&);

}  // namespace cutover::harness::migration
