// Sides in words, and all of them.
#include "harness/negotiation/side.h"

#include <array>

namespace cutover::harness::negotiation {

Side side(Certificate certificate, bool dialback, Tls tls) {
  Side made;
  made.certificate = certificate;
  made.tls = tls;
  made.external = tls != Tls::none;
  made.dialback_in_tls = dialback && tls != Tls::none;
  made.dialback_in_clear = dialback && tls != Tls::required;
  return made;
}

Side external_alone() { return side(Certificate::good, false, Tls::required); }

Side dialback_over_tls() {
  auto made = side(Certificate::good, true, Tls::required);
  made.external = false;
  return made;
}

Side dialback_without_tls() {
  auto made = side(Certificate::none, true, Tls::none);
  made.features = false;
  return made;
}

std::vector<Side> sides() {
  std::vector<Side> all;
  for (const auto certificate : {Certificate::none, Certificate::bad, Certificate::good}) {
    for (const bool dialback : {true, false}) {
      for (const auto tls : {Tls::none, Tls::optional, Tls::required}) all.push_back(side(certificate, dialback, tls));
    }
  }
  return all;
}

std::vector<Side> all_sides() {
  std::vector<Side> all;
  for (const bool direct : {false, true}) {
    for (const bool lenient : {true, false}) {
      for (auto one : sides()) {
        one.direct_tls = direct;
        one.lenient = lenient;
        all.push_back(one);
      }
    }
  }
  return all;
}

std::string words_of(const Side& one) {
  static constexpr std::array certificates{"no certificate", "bad certificate", "good certificate"};
  static constexpr std::array tls{"no TLS", "TLS optional", "TLS required"};
  std::string words = certificates.at(static_cast<std::size_t>(one.certificate));
  words += one.dialback_in_tls || one.dialback_in_clear ? ", dialback" : ", no dialback";
  words += std::string(", ") + tls.at(static_cast<std::size_t>(one.tls));
  if (!one.features) return words + ", XMPP 0.9";
  if (!one.external && one.tls != Tls::none) words += ", no EXTERNAL";
  if (!one.lenient) words += ", strict";
  if (one.direct_tls) words += ", direct TLS";
  return words;
}

std::string_view name_of(Method method) {
  static constexpr std::array names{"none", "dialback in clear", "dialback over TLS", "EXTERNAL"};
  return names.at(static_cast<std::size_t>(method));
}

}  // namespace cutover::harness::negotiation
