// Between the readers of the three forms.
#pragma once

#include "reference/exports/value.h"

namespace cutover::reference::exports {

void read_json(std::string_view text, const Sink& sink, Problems& problems);
void read_clixml(std::string_view text, const Sink& sink, Problems& problems);
void read_csv(std::string_view text, const Sink& sink, Problems& problems);

/// What stands for a property whose name was given twice: the first holds.
void drop_repeated(Value& object, Problems& problems);

/// A text that is the name of a type, as Export-Csv and a shallow ConvertTo-Json write a list or an object.
[[nodiscard]] bool is_type_name(std::string_view text);

inline constexpr std::string_view too_much_in_one = "is an object of more than 100,000 values";
inline constexpr std::string_view select_less =
    "export less: ... | Select-Object Identity, SipAddress, RegistrarPool, ExternalAccessPolicy, Enabled";

}  // namespace cutover::reference::exports
