// XMPP addresses: parsed, prepared and compared as RFC 6122 (stringprep) and RFC 7622 section 3 say.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace cutover::xmpp {

/// A prepared address: a value whose three parts are in canonical form (nodeprep, UTS 46 U-labels, resourceprep), so
/// that equal addresses are equal octets. Each part that is present has 1 to 1023 octets.
class Jid {
 public:
  /// Nothing where `text` is not an address.
  [[nodiscard]] static std::optional<Jid> parse(std::string_view text);

  [[nodiscard]] const std::string& local() const { return local_; }  ///< empty where absent
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const std::string& resource() const { return resource_; }  ///< empty where absent

  [[nodiscard]] std::string bare() const;
  [[nodiscard]] std::string full() const;
  [[nodiscard]] Jid without_resource() const;
  [[nodiscard]] bool is_domain() const { return local_.empty() && resource_.empty(); }
  [[nodiscard]] bool is_bare() const { return resource_.empty(); }

  auto operator<=>(const Jid&) const = default;

 private:
  std::string local_, domain_, resource_;
};

/// The domain in canonical form: lower case U-labels, no final dot; an IPv4 or bracketed IPv6 literal as it stands.
/// Nothing where it is not a domain.
[[nodiscard]] std::optional<std::string> prepare_domain(std::string_view domain);

/// Whether the text is an address that is a domain and nothing else.
[[nodiscard]] bool is_domain(std::string_view text);

/// The same for tables and comparisons: what is no domain or address stands as it is written.
[[nodiscard]] std::string canonical_domain(std::string_view domain);
[[nodiscard]] std::string canonical_bare(std::string_view address);

/// The domain as A-labels, for DNS, SNI and certificates. Nothing where it is not a domain.
[[nodiscard]] std::optional<std::string> domain_to_ascii(std::string_view domain);

}  // namespace cutover::xmpp
