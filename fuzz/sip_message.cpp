// SIP messages from anybody: what is accepted can be written, and reads the same again; what is refused can be
// answered.
#include "protocol/sip/message.h"
#include "protocol/sip/transaction.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace cutover::sip;

Message read_again(const Message& message) {
  auto result = parse(serialise(message));
  if (!std::holds_alternative<Message>(result)) std::abort();
  return std::get<Message>(std::move(result));
}

void check_address(const std::optional<NameAddr>& address) {
  if (!address) std::abort();
  const auto again = parse_name_addr(address->text());
  if (!again || again->text() != address->text() || again->uri != address->uri) std::abort();
}

void check_message(const Message& message) {
  const auto again = read_again(message);
  if (again.is_request != message.is_request || again.method != message.method || again.body != message.body)
    std::abort();
  if (again.request_uri != message.request_uri || again.status != message.status) std::abort();
  if (again.all("Via") != message.all("Via") || again.all("Contact") != message.all("Contact")) std::abort();
  check_address(message.from());
  check_address(message.to());
  if (!message.is_request) return;
  if (server_key(again) != server_key(message)) std::abort();
  (void)read_again(response_to(message, 404, "", "tag"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (const auto* message = std::get_if<Message>(&result)) {
    check_message(*message);
  } else if (const auto& answerable = std::get<ParseError>(result).answerable) {
    (void)serialise(response_to(*answerable, 400, "", "tag"));
  }
  return 0;
}
