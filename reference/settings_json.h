// Settings as JSON with the product's names, and back.
#pragma once

#include "reference/settings.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace cutover::reference {

/// What is wrong with a document, for the one who sent it.
struct SettingsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] std::string settings_json(const Settings& settings);  ///< without the dialback passphrase
[[nodiscard]] std::string partners_json(const Settings& settings);
[[nodiscard]] std::string partner_json(const AllowedPartner& partner);
[[nodiscard]] std::string policies_json(const Settings& settings);

/// Fields that are given replace those of `base`; unknown fields and wrong types throw SettingsError, with all that is
/// wrong. What the product exports is taken, too: Identity for Domain, enumerations by number, null.
[[nodiscard]] AllowedPartner partner_from_json(std::string_view json, AllowedPartner base);
/// What Get-CsXmppAllowedPartner exports, one or many: ConvertTo-Json, Export-Clixml or Export-Csv.
[[nodiscard]] std::vector<AllowedPartner> partners_from_export(std::string_view octets);
[[nodiscard]] AccessPolicy policy_from_json(std::string_view json);
[[nodiscard]] Settings settings_from_json(std::string_view json, Settings base);
/// {"Policy": "name"}
[[nodiscard]] std::string grant_from_json(std::string_view json);
[[nodiscard]] std::string error_json(std::string_view text);

}  // namespace cutover::reference
