// XMPP addresses by ICU: stringprep profiles for localpart and resourcepart, UTS 46 for the domain.
#include "protocol/xmpp/jid.h"

#include "protocol/base/ascii.h"
#include "protocol/base/limits.h"

#include <unicode/idna.h>
#include <unicode/unistr.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>

namespace cutover::xmpp {

namespace {

struct CloseProfile {
  void operator()(UStringPrepProfile* profile) const { usprep_close(profile); }
};
using Profile = std::unique_ptr<UStringPrepProfile, CloseProfile>;

Profile open_profile(UStringPrepProfileType type) {
  UErrorCode status = U_ZERO_ERROR;
  return Profile(usprep_openByType(type, &status));
}

// Immutable once opened, and costly to open: one each for the life of the process.
const UStringPrepProfile* nodeprep() {
  static const Profile profile = open_profile(USPREP_RFC3920_NODEPREP);
  return profile.get();
}
const UStringPrepProfile* resourceprep() {
  static const Profile profile = open_profile(USPREP_RFC3920_RESOURCEPREP);
  return profile.get();
}
const icu::IDNA* idna() {
  static const std::unique_ptr<icu::IDNA> instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    constexpr auto options = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                             UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE;
    return std::unique_ptr<icu::IDNA>(icu::IDNA::createUTS46Instance(options, status));
  }();
  return instance.get();
}

bool length_ok(std::string_view part) { return !part.empty() && part.size() <= limits::jid_part_max_octets; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// UTF-8 to UTF-16; nothing where it is not UTF-8 (ICU would put U+FFFD, which is a legal character of a resource).
std::optional<icu::UnicodeString> decode(std::string_view text) {
  std::u16string buffer(text.size() + 1, u'\0');
  std::int32_t length = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8(buffer.data(), static_cast<std::int32_t>(buffer.size()), &length, text.data(),
                static_cast<std::int32_t>(text.size()), &status);
  if (U_FAILURE(status)) return std::nullopt;
  return icu::UnicodeString(buffer.data(), length);
}

std::optional<std::string> apply(const UStringPrepProfile* profile, std::string_view text) {
  const auto source = decode(text);
  if (!profile || !source) return std::nullopt;
  // Mapping and NFKC make a string longer, at most 18 times (U+FDFA).
  std::u16string out(static_cast<std::size_t>(source->length()) * 18 + 16, u'\0');
  UErrorCode status = U_ZERO_ERROR;
  UParseError where;
  const auto length = usprep_prepare(profile, source->getBuffer(), source->length(), out.data(),
                                     static_cast<std::int32_t>(out.size()), USPREP_DEFAULT, &where, &status);
  if (U_FAILURE(status)) return std::nullopt;
  std::string utf8;
  icu::UnicodeString(out.data(), length).toUTF8String(utf8);
  return utf8;
}

// ASCII short cut of nodeprep: RFC 6122 appendix A.5 forbids these nine and the controls; upper case folds.
std::optional<std::string> prepare_local(std::string_view text) {
  if (!length_ok(text)) return std::nullopt;
  std::optional<std::string> out;
  if (is_ascii(text)) {
    if (text.find_first_of("\"&'/:<>@ ") != std::string_view::npos) return std::nullopt;
    if (std::ranges::any_of(text, [](char c) { return c < 0x20 || c == 0x7f; })) return std::nullopt;
    out.emplace(text);
    std::ranges::transform(*out, out->begin(), lower);
  } else {
    out = apply(nodeprep(), text);
  }
  return out && length_ok(*out) ? out : std::nullopt;
}

std::optional<std::string> prepare_resource(std::string_view text) {
  if (!length_ok(text)) return std::nullopt;
  if (is_ascii(text)) {
    if (std::ranges::any_of(text, [](char c) { return c < 0x20 || c == 0x7f; })) return std::nullopt;
    return std::string(text);
  }
  auto out = apply(resourceprep(), text);
  return out && length_ok(*out) ? out : std::nullopt;
}

/// Plain letters, digits, hyphens and dots, without an A-label: the case of nearly every domain.
std::optional<std::string> plain_domain(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  std::size_t label = 0;
  for (std::size_t i = 0; i <= out.size(); ++i) {
    if (i < out.size() && out[i] != '.') {
      if (!is_alnum(out[i]) && out[i] != '-') return std::nullopt;
      continue;
    }
    const auto length = i - label;
    if (length == 0 || length > 63 || out[label] == '-' || out[i - 1] == '-') return std::nullopt;
    // "xn--" and every other label with hyphens in that place are for IDNA to judge.
    if (length >= 4 && out[label + 2] == '-' && out[label + 3] == '-') return std::nullopt;
    label = i + 1;
  }
  return out.size() <= 253 ? std::optional(out) : std::nullopt;
}

bool is_ipv6_literal(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  const auto inside = text.substr(1, text.size() - 2);
  return inside.find(':') != std::string_view::npos &&
         inside.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

std::optional<std::string> run_idna(std::string_view text, bool to_ascii) {
  const auto source = decode(text);
  if (!source || !idna()) return std::nullopt;
  icu::UnicodeString result;
  icu::IDNAInfo info;
  UErrorCode status = U_ZERO_ERROR;
  if (to_ascii) {
    idna()->nameToASCII(*source, result, info, status);
  } else {
    idna()->nameToUnicode(*source, result, info, status);
  }
  if (U_FAILURE(status) || info.hasErrors()) return std::nullopt;
  std::string utf8;
  result.toUTF8String(utf8);
  return utf8;
}

}  // namespace

std::optional<std::string> prepare_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);  // RFC 7622 section 3.2
  if (!length_ok(domain)) return std::nullopt;
  if (is_ipv6_literal(domain)) return std::string(domain);
  if (auto plain = plain_domain(domain)) return plain;
  if (!run_idna(domain, true)) return std::nullopt;  // only the way to A-labels judges the length of labels
  auto out = run_idna(domain, false);
  return out && length_ok(*out) && !out->ends_with('.') ? out : std::nullopt;
}

bool is_domain(std::string_view text) {
  const auto address = Jid::parse(text);
  return address && address->is_domain();
}

std::string canonical_domain(std::string_view domain) { return prepare_domain(domain).value_or(std::string(domain)); }

std::string canonical_bare(std::string_view address) {
  const auto parsed = Jid::parse(address);
  return parsed ? parsed->bare() : std::string(address.substr(0, address.find('/')));
}

std::optional<std::string> domain_to_ascii(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (!length_ok(domain)) return std::nullopt;
  if (auto plain = plain_domain(domain)) return plain;
  return run_idna(domain, true);
}

std::optional<Jid> Jid::parse(std::string_view text) {
  // RFC 7622 section 3.2: first cut the resource at the first '/', then the localpart at the first '@'.
  Jid jid;
  const auto slash = text.find('/');
  auto head = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    auto resource = prepare_resource(text.substr(slash + 1));
    if (!resource) return std::nullopt;
    jid.resource_ = std::move(*resource);
  }
  if (const auto at = head.find('@'); at != std::string_view::npos) {
    auto local = prepare_local(head.substr(0, at));
    if (!local) return std::nullopt;
    jid.local_ = std::move(*local);
    head.remove_prefix(at + 1);
  }
  auto domain = prepare_domain(head);
  if (!domain) return std::nullopt;
  jid.domain_ = std::move(*domain);
  return jid;
}

std::string Jid::bare() const { return local_.empty() ? domain_ : local_ + '@' + domain_; }
std::string Jid::full() const { return resource_.empty() ? bare() : bare() + '/' + resource_; }
Jid Jid::without_resource() const {
  Jid out = *this;
  out.resource_.clear();
  return out;
}

}  // namespace cutover::xmpp
