// Reads what the product's shell exports: ConvertTo-Json, Export-Clixml, Export-Csv. The form is told from the content.
#pragma once

#include "reference/exports/value.h"

#include <optional>
#include <variant>

namespace cutover::reference::exports {

enum class Form { json, clixml, csv };
[[nodiscard]] const char* name_of(Form);  ///< as the cmdlet is called

/// Text of any encoding that the shell writes (UTF-8, UTF-16 of either order, with or without a mark) as UTF-8 without
/// mark; or what is wrong.
[[nodiscard]] std::variant<std::string, Problem> to_utf8(std::string_view octets, const std::string& file);

/// Which form a text in UTF-8 has; nothing where it is none of them.
[[nodiscard]] std::optional<Form> form_of(std::string_view text);

/// Reads a text in UTF-8 of that form, an object after the other. What cannot be read is told in `problems`; where the
/// rest of the file makes no sense then, it ends there. Nothing is opened, and no entity is expanded.
void read_form(Form form, std::string_view text, const Sink& sink, Problems& problems);

/// All of it: encoding, form, objects.
void read_export(std::string_view octets, const Sink& sink, Problems& problems);

}  // namespace cutover::reference::exports
