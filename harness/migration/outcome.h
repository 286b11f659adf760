// What becomes of an exchange between a user and a partner in a state of the migration: the documents' rules as a pure
// function. It shares no code with pools, gateways and proxy, which are judged by it.
#pragma once

#include "harness/migration/cause.h"
#include "harness/migration/state.h"
#include "protocol/base/time.h"

#include <iosfwd>

namespace cutover::harness::migration {

enum class Way { to_partner, from_partner };
enum class What { message, presence, note };  ///< presence: the subscription and what it brings

/// One exchange. `remote_domain` is the partner's primary domain, or another one of its users'.
struct Exchange {
  std::string user_class;
  std::string remote_domain;
  Way way = Way::to_partner;
  What what = What::message;
  bool contact_listed = true;  ///< the user has the partner's user in the contact list
};

/// What a user feels, from the best to the worst.
enum class Kind {
  works,
  works_at_times,  ///< some of the members or targets carry it, others do not
  refused,         ///< the sender is told at once
  bounced,         ///< the sender is told after `after`
  black_holed,     ///< nobody is told
  lost,            ///< the sender is told success
};
enum class Path { none, legacy, current };

struct Outcome {
  Kind kind = Kind::works;
  Path path = Path::none;
  Cause cause = Cause::none;
  Duration after{};                                        ///< of `bounced`
  negotiation::Method method = negotiation::Method::none;  ///< of the stream between us and the partner
  bool operator==(const Outcome&) const = default;
};

/// Where the documents leave something open; each is our choice, and told as such (issue of the reading: `about`).
struct Readings {
  enum class LegacyUsers { cut_off_when_configured, cut_off_when_routed };
  enum class Unlisted { dropped, refused };
  enum class WrongKey { silence, answered };
  /// Section 1.2.3 against 1.2.6: when users of a legacy pool lose a partner that the new side has.
  LegacyUsers legacy_users = LegacyUsers::cut_off_when_configured;
  /// Section 4.1: a message of a contact that may not write.
  Unlisted unlisted = Unlisted::dropped;
  /// Section 4.4: what the product does with a key that is not valid.
  WrongKey wrong_key = WrongKey::silence;
  bool operator==(const Readings&) const = default;
};

/// What a partner sees of us: the record that its resolver has, and a stream of earlier times.
struct View {
  const Srv* srv = nullptr;      ///< null: what our zone has now
  std::string open_stream;       ///< box to which the partner has a stream for this domain already; empty: none
  bool our_stream_open = false;  ///< we have an authenticated stream to the partner already
};

/// Throws std::out_of_range for a class that the state does not have.
[[nodiscard]] Outcome outcome_of(const State&, const Partner&, const Exchange&, const Readings& = {}, const View& = {});

[[nodiscard]] std::string_view name_of(Kind);
[[nodiscard]] std::string_view name_of(Path);
[[nodiscard]] std::string_view name_of(Way);
[[nodiscard]] std::string_view name_of(What);
/// "refused: the partner is not allowed on the new side"; "works, by the legacy gateway".
[[nodiscard]] std::string words_of(const Outcome&);
void PrintTo(const Outcome&, std::ostream*);

}  // namespace cutover::harness::migration
