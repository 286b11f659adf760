// The bridge between ldns's records and ours, for the files that use ldns.
#pragma once

#include "protocol/dns/message.h"

struct ldns_struct_rr;

namespace cutover::dns {

/// Nothing where the record has no text form.
[[nodiscard]] std::optional<Record> record_of(const ldns_struct_rr& rr);

/// Whether SRV data begins with three numbers of 16 bits: ldns takes larger ones modulo 65536 without a word.
[[nodiscard]] bool srv_numbers_fit(std::string_view data);

}  // namespace cutover::dns
