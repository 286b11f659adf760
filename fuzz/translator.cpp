// Stanzas and SIP messages from anybody, in any order: the translator never throws, and what it emits can be written
// and reads again.
#include "protocol/interworking/translator.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace cutover;
using namespace cutover::interworking;

Settings settings() {
  Settings out;
  out.sip_domains = {"sip.example"};
  out.partner = [](std::string_view domain) {
    return domain == "xmpp.example" ? std::optional(PartnerType::federated) : std::nullopt;
  };
  out.random = [state = std::uint64_t{1}](std::uint64_t bound) mutable {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33U) % bound;
  };
  return out;
}

struct Run {
  Translator engine{settings()};
  Time now{1us};
  std::uint64_t transactions = 0;
  std::vector<ClientId> open;
  sip::Message last;

  void check(const Output& output) {
    if (const auto* stanza = std::get_if<SendStanza>(&output)) {
      const auto again = xml::parse(xml::write(stanza->stanza));
      if (!std::holds_alternative<xml::Element>(again)) std::abort();
      return;
    }
    const auto* request = std::get_if<SendRequest>(&output);
    if (request != nullptr && request->id != ClientId::none) open.push_back(request->id);
    if (request != nullptr) last = request->message;
    auto message = request != nullptr ? request->message : std::get<SendResponse>(output).message;
    (void)sip::serialise(message);  // throws for text that would add a line
  }
  void pull() {
    while (const auto output = engine.poll()) check(*output);
  }
  void feed(std::string_view input) {
    now += 1s;
    const auto message = sip::parse(input);
    if (const auto* parsed = std::get_if<sip::Message>(&message)) {
      if (parsed->is_request) {
        engine.on_request(sip::TransactionId{++transactions}, *parsed, now);
      } else if (!open.empty()) {
        engine.on_response(open.back(), *parsed, now);
        if (parsed->status >= 200) open.pop_back();
      }
    } else if (const auto element = xml::parse(input); std::holds_alternative<xml::Element>(element)) {
      engine.on_stanza(std::get<xml::Element>(element), "xmpp.example", now);
    } else {
      now += 40s;
      engine.timeout(now);
    }
    pull();
  }
};

}  // namespace

/// The input is a sequence of messages, parted by a NUL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run run;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    run.feed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
