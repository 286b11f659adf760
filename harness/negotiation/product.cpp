// The rows as their page has them, and the types as XEP-0238 has them.
#include "harness/negotiation/product.h"

#include <array>

namespace cutover::harness::negotiation {

namespace {

constexpr auto required = Use::required, optional = Use::optional, unsupported = Use::not_supported;

// lync-facts.md section 3.2; five rows are invalid, for they leave no method.
constexpr std::array rows{
    ProductRow{1, required, required, true, true, false, false, "LYNC-NEG-2"},
    ProductRow{2, required, required, false, true, false, false, "LYNC-NEG-1"},
    ProductRow{3, optional, required, true, true, true, true, "LYNC-NEG-5"},
    ProductRow{4, optional, required, false, true, false, false, "LYNC-NEG-6"},
    ProductRow{5, unsupported, required, true, false, false, true, "LYNC-NEG-8"},
    ProductRow{6, unsupported, required, false, false, false, false, "LYNC-NEG-9"},
    ProductRow{7, required, optional, true, true, true, false, "LYNC-NEG-3"},
    ProductRow{8, required, optional, false, true, false, false, "LYNC-NEG-4"},
    ProductRow{9, optional, optional, true, true, true, true, "LYNC-NEG-7"},
    ProductRow{10, optional, optional, false, true, false, false, "LYNC-NEG-11"},
    ProductRow{11, unsupported, optional, true, false, false, true, "LYNC-NEG-12"},
    ProductRow{12, unsupported, optional, false, false, false, false, "LYNC-NEG-13"},
    ProductRow{13, required, unsupported, true, false, true, false, "LYNC-NEG-14"},
    ProductRow{14, required, unsupported, false, false, false, false, "LYNC-NEG-15"},
    ProductRow{15, optional, unsupported, true, false, true, true, "LYNC-NEG-16"},
    ProductRow{16, optional, unsupported, false, false, false, false, "LYNC-NEG-17"},
    ProductRow{17, unsupported, unsupported, true, false, false, true, "LYNC-NEG-10"},
    ProductRow{18, unsupported, unsupported, false, false, false, false, "LYNC-NEG-18"},
};

constexpr Tls tls_of(Use use) { return use == required ? Tls::required : use == optional ? Tls::optional : Tls::none; }

std::array<ServerType, 6> make_types() {
  auto oldest = side(Certificate::none, true, Tls::none);
  oldest.features = false;
  auto trusted = side(Certificate::good, false, Tls::required);
  trusted.lenient = false;
  return {ServerType{1, "verified only, XMPP 0.9", oldest},
          ServerType{2, "verified acceptable, self-signed", side(Certificate::bad, true, Tls::optional)},
          ServerType{3, "verified acceptable, CA-issued", side(Certificate::good, true, Tls::optional)},
          ServerType{4, "encrypted required, self-signed", side(Certificate::bad, true, Tls::required)},
          ServerType{5, "encrypted required, CA-issued", side(Certificate::good, true, Tls::required)},
          ServerType{6, "trusted required, CA-issued", trusted}};
}

}  // namespace

std::span<const ProductRow> product_rows() { return rows; }

Side side_of(const ProductRow& row) {
  Side made;
  made.tls = tls_of(row.tls);
  made.external = row.sasl_over_tls;
  made.dialback_in_tls = row.tls_dialback;
  made.dialback_in_clear = row.tcp_dialback;
  return made;
}

std::string words_of(const ProductRow& row) {
  static constexpr std::array words{"required", "optional", "not supported"};
  return std::string("TLS ") + words.at(static_cast<std::size_t>(row.tls)) + ", SASL " +
         words.at(static_cast<std::size_t>(row.sasl)) + (row.dialback ? ", dialback" : ", no dialback");
}

std::span<const ServerType> server_types() {
  static const auto types = make_types();
  return types;
}

char outcome_by_xep0238(int initiating, int receiving) {
  static constexpr std::array<std::string_view, 6> table{"VVVUUU", "VVEEUU", "VVEEET", "UEEEEU", "UETETT", "UUTUTT"};
  return table.at(static_cast<std::size_t>(initiating - 1)).at(static_cast<std::size_t>(receiving - 1));
}

Method method_of(char outcome) {
  switch (outcome) {
    case 'V':
      return Method::dialback_in_clear;
    case 'E':
      return Method::dialback_in_tls;
    case 'T':
      return Method::external;
    default:
      return Method::none;
  }
}

}  // namespace cutover::harness::negotiation
