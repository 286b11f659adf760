// The error tables as data.
#include "protocol/interworking/mapping/error.h"

#include <algorithm>
#include <array>

namespace cutover::interworking {

namespace {

struct StatusRow {
  int status;
  std::string_view condition, type;
};
/// RFC 7247 section 7.2 Table 3; types by RFC 6120 section 8.3.3.
constexpr StatusRow status_rows[] = {
    {300, "redirect", "modify"},
    {301, "gone", "cancel"},
    {302, "redirect", "modify"},
    {305, "redirect", "modify"},
    {380, "not-acceptable", "modify"},
    {400, "bad-request", "modify"},
    {401, "not-authorized", "auth"},
    {402, "bad-request", "modify"},
    {403, "forbidden", "auth"},
    {404, "item-not-found", "cancel"},
    {405, "feature-not-implemented", "cancel"},
    {406, "not-acceptable", "modify"},
    {407, "registration-required", "auth"},
    {408, "remote-server-timeout", "wait"},
    {410, "gone", "cancel"},
    {413, "policy-violation", "modify"},
    {414, "policy-violation", "modify"},
    {415, "not-acceptable", "modify"},
    {416, "not-acceptable", "modify"},
    {420, "feature-not-implemented", "cancel"},
    {421, "not-acceptable", "modify"},
    {423, "resource-constraint", "wait"},
    {430, "recipient-unavailable", "wait"},
    {439, "feature-not-implemented", "cancel"},
    {440, "policy-violation", "modify"},
    {480, "recipient-unavailable", "wait"},
    {481, "item-not-found", "cancel"},
    {482, "not-acceptable", "modify"},
    {483, "not-acceptable", "modify"},
    {484, "item-not-found", "cancel"},
    {485, "item-not-found", "cancel"},
    {486, "recipient-unavailable", "wait"},
    {487, "recipient-unavailable", "wait"},
    {488, "not-acceptable", "modify"},
    {489, "policy-violation", "modify"},
    {491, "unexpected-request", "wait"},
    {493, "bad-request", "modify"},
    {500, "internal-server-error", "cancel"},
    {501, "feature-not-implemented", "cancel"},
    {502, "remote-server-not-found", "cancel"},
    {503, "internal-server-error", "cancel"},
    {504, "remote-server-timeout", "wait"},
    {505, "not-acceptable", "modify"},
    {513, "policy-violation", "modify"},
    {600, "recipient-unavailable", "wait"},
    {603, "recipient-unavailable", "wait"},
    {604, "item-not-found", "cancel"},
    {606, "not-acceptable", "modify"},
};
/// RFC 7247 section 7.2, text before the table: unknown codes of a class.
constexpr std::array<StatusRow, 4> class_rows{{{3, "redirect", "modify"},
                                               {4, "bad-request", "modify"},
                                               {5, "internal-server-error", "cancel"},
                                               {6, "recipient-unavailable", "wait"}}};

struct ConditionRow {
  std::string_view condition;
  int full, bare;
};
/// RFC 7247 section 7.1 Table 2, with the limits that the header of this file's interface names.
constexpr ConditionRow condition_rows[] = {
    {"bad-request", 400, 400},
    {"conflict", 400, 400},
    {"feature-not-implemented", 405, 501},
    {"forbidden", 403, 603},
    {"internal-server-error", 500, 500},
    {"item-not-found", 404, 604},
    {"jid-malformed", 400, 400},
    {"not-acceptable", 406, 606},
    {"not-allowed", 403, 403},
    {"not-authorized", 403, 403},
    {"policy-violation", 403, 403},
    {"recipient-unavailable", 480, 600},
    {"registration-required", 403, 403},
    {"remote-server-not-found", 404, 404},
    {"remote-server-timeout", 504, 504},
    {"resource-constraint", 500, 500},
    {"service-unavailable", 403, 403},
    {"subscription-required", 400, 400},
    {"undefined-condition", 400, 400},
    {"unexpected-request", 400, 400},
};

struct ReasonRow {
  int status;
  std::string_view reason;
};
constexpr ReasonRow reason_rows[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {200, "OK"},
    {202, "Accepted"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {420, "Bad Extension"},
    {423, "Interval Too Brief"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"},
    {491, "Request Pending"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
};

int plain_status(std::string_view condition, bool full_jid) {
  const auto* row = std::find_if(std::begin(condition_rows), std::end(condition_rows),
                                 [&](const ConditionRow& r) { return r.condition == condition; });
  if (row == std::end(condition_rows)) return 400;  // RFC 6120 section 8.3.2: unknown counts as undefined-condition
  return full_jid ? row->full : row->bare;
}

}  // namespace

Condition condition_of(int status) {
  const auto* row = std::find_if(std::begin(status_rows), std::end(status_rows),
                                 [&](const StatusRow& r) { return r.status == status; });
  if (row != std::end(status_rows)) return {std::string(row->condition), std::string(row->type)};
  const auto* family =
      std::find_if(class_rows.begin(), class_rows.end(), [&](const StatusRow& r) { return r.status == status / 100; });
  if (family == class_rows.end()) return {"undefined-condition", "cancel"};
  return {std::string(family->condition), std::string(family->type)};
}

Status status_of(std::string_view condition, std::string_view address, bool full_jid, bool invite) {
  Status out;
  if (condition == "gone" || condition == "redirect") {
    // RFC 7247 section 7.1 notes 1 and 2: with an address 301 and 302, which need a Contact; without one 410.
    out.code = address.empty() ? 410 : condition == "gone" ? 301 : 302;
    if (!address.empty()) out.headers.emplace_back("Contact", "<" + std::string(address) + ">");
  } else {
    out.code = plain_status(condition, full_jid);
  }
  if (invite && condition == "remote-server-timeout") out.code = 408;
  if (out.code == 405) out.headers.emplace_back("Allow", allowed_methods);  // RFC 3261 section 21.4.6
  if (condition == "resource-constraint") out.headers.emplace_back("Retry-After", "60");
  out.reason = reason_phrase(out.code);
  return out;
}

std::string reason_phrase(int status) {
  const auto* row = std::find_if(std::begin(reason_rows), std::end(reason_rows),
                                 [&](const ReasonRow& r) { return r.status == status; });
  return row == std::end(reason_rows) ? "Failure" : std::string(row->reason);
}

}  // namespace cutover::interworking
