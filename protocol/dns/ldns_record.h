// The bridge between ldns's records and ours, for the files that use ldns.
#pragma once

#include "protocol/dns/message.h"

struct ldns_struct_rr;

namespace cutover::dns {

/// Nothing where the record has no text form.
[[nodiscard]] std::optional<Record> record_of(const ldns_struct_rr& rr);

}  // namespace cutover::dns
