// The records of the product out of objects with its property names: one reading for exports and the admin interface.
#pragma once

#include "reference/exports/value.h"
#include "reference/settings.h"

#include <optional>

namespace cutover::reference::exports {

/// What a value says, whichever form it came in; nothing where it is none of that kind.
/// - a text: of an object how it calls itself (FriendlyName, Name, Identity)
/// - a flag or a number: Export-Csv writes them as text
/// - a time: "00:05:00", "PT5M", {"Ticks": 3000000000, ...}, or seconds
/// - texts: one, a list, or one with commas, as people join a list for Export-Csv
[[nodiscard]] std::optional<std::string> text_of(const Value&);
[[nodiscard]] std::optional<bool> flag_of(const Value&);
[[nodiscard]] std::optional<std::uint32_t> number_of(const Value&);
[[nodiscard]] std::optional<Duration> duration_of(const Value&);
[[nodiscard]] std::optional<std::vector<std::string>> texts_of(const Value&);

/// Sets what a property says; false where the record has no such property. What is wrong with it goes to `problems`.
[[nodiscard]] bool set(AllowedPartner&, const Property&, Problems& problems);
[[nodiscard]] bool set(GatewayConfiguration&, const Property&, Problems& problems);
[[nodiscard]] bool set(AccessPolicy&, const Property&, Problems& problems);

/// The same for single properties of other records. A null leaves what is there.
void set_text(std::string& target, const Property&, Problems& problems);
void set_flag(bool& target, const Property&, Problems& problems);
void set_number(std::uint32_t& target, const Property&, Problems& problems);
void set_texts(std::vector<std::string>& target, const Property&, Problems& problems);

/// All properties of an exported object; Identity for Domain is taken. What the shell and the store add is passed over,
/// other properties that the record does not have are noted.
[[nodiscard]] AllowedPartner partner_of(const Value& object, AllowedPartner base, Problems& problems);
[[nodiscard]] GatewayConfiguration gateway_of(const Value& object, GatewayConfiguration base, Problems& problems);

/// Beside the settings of an object: what the shell adds, and how the store keeps it.
[[nodiscard]] bool is_of_the_shell(std::string_view property);

}  // namespace cutover::reference::exports
