// Tables 3 and 4 of RFC 7573 and the two documents.
#include "protocol/interworking/mapping/chat_state.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"

#include <array>
#include <charconv>

namespace cutover::interworking {

namespace {

constexpr char iscomposing_ns[] = "urn:ietf:params:xml:ns:im-iscomposing";

struct StateRow {
  ChatState state;
  std::string_view name;
};
constexpr std::array<StateRow, 5> state_rows{{{ChatState::active, "active"},
                                              {ChatState::inactive, "inactive"},
                                              {ChatState::composing, "composing"},
                                              {ChatState::paused, "paused"},
                                              {ChatState::gone, "gone"}}};

std::optional<Duration> seconds_in(std::string_view text) {
  const std::string_view digits = trimmed(text);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value > 3600) return std::nullopt;
  return std::chrono::seconds(value);
}

std::optional<Typing> read_iscomposing(const xml::Element& root) {
  if (!root.is("isComposing", iscomposing_ns)) return std::nullopt;
  Typing typing;
  if (const auto* state = root.child("state", iscomposing_ns)) typing.active = trimmed(state->text()) == "active";
  if (const auto* refresh = root.child("refresh", iscomposing_ns)) typing.refresh = seconds_in(refresh->text());
  return typing;
}

/// <KeyboardActivity><status status="type"/></KeyboardActivity>; the namespace differs between products.
std::optional<Typing> read_keyboard_activity(const xml::Element& root) {
  if (root.name() != "KeyboardActivity") return std::nullopt;
  for (const xml::Element* child : root.children()) {
    if (child->name() == "status") return Typing{child->attribute_or_empty("status") == "type", std::nullopt};
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ChatState state) {
  for (const auto& row : state_rows) {
    if (row.state == state) return row.name;
  }
  return "active";
}

std::optional<ChatState> chat_state_of(const xml::Element& message) {
  for (const auto& row : state_rows) {
    if (message.child(row.name, xmpp::ns::chat_states) != nullptr) return row.state;
  }
  return std::nullopt;
}

bool is_typing_media(const sip::Message& request) {
  const std::string type = media_type(request.header_or_empty("Content-Type"));
  return type == iscomposing_media || (request.method == "INFO" && type == "application/xml");
}

std::optional<Typing> typing_of(const sip::Message& request) {
  if (!is_typing_media(request)) return std::nullopt;
  const auto document = xml::parse(request.body);
  const auto* root = std::get_if<xml::Element>(&document);
  if (root == nullptr) return std::nullopt;
  return request.method == "INFO" && root->name() == "KeyboardActivity" ? read_keyboard_activity(*root)
                                                                        : read_iscomposing(*root);
}

ChatState chat_state_of(const Typing& typing) { return typing.active ? ChatState::composing : ChatState::active; }

std::optional<Typing> typing_of(ChatState state) {
  if (state == ChatState::gone) return std::nullopt;
  return Typing{state == ChatState::composing, std::nullopt};
}

std::string iscomposing_document(const Typing& typing) {
  xml::Element root("isComposing", iscomposing_ns);
  root.add(xml::Element("state", iscomposing_ns).with_text(typing.active ? "active" : "idle"));
  root.add(xml::Element("contenttype", iscomposing_ns).with_text("text/plain"));
  return "<?xml version='1.0' encoding='UTF-8'?>" + xml::write(root);
}

}  // namespace cutover::interworking
