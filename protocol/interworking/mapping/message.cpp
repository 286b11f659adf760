// The text of a message, out of one syntax and into the other.
#include "protocol/interworking/mapping/message.h"

#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xmpp/namespaces.h"

#include <algorithm>
#include <array>

namespace cutover::interworking {

namespace {

constexpr char accepted_media[] = "text/plain, text/html, multipart/alternative, application/im-iscomposing+xml";
constexpr std::string_view encoded_thread_prefix = "xt-";
constexpr std::size_t thread_max_octets = 256;

bool same_name(std::string_view a, std::string_view b) { return lowered(a) == lowered(b); }

/// RFC 3261 section 25.1: what a word may hold beside letters and digits.
bool is_word(std::string_view text) {
  constexpr std::string_view marks = "-.!%*_+`'~()<>:\\\"/[]?{}";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.find(c) != marks.npos;
  });
}
bool is_callid(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return is_word(text);
  return is_word(text.substr(0, at)) && is_word(text.substr(at + 1));
}

std::string language_of(const xml::Element& element) {
  return language_tag(element.attribute("lang", xmpp::ns::xml).value_or(""));
}

struct Part {
  std::string content_type, body;
};

/// Splits headers from body of a MIME or CPIM part at the first empty line; nothing where there is none.
std::optional<std::pair<std::string_view, std::string_view>> split_head(std::string_view part) {
  if (part.starts_with("\r\n")) return std::pair(std::string_view(), part.substr(2));
  const std::size_t end = part.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return std::pair(part.substr(0, end), part.substr(end + 4));
}

std::string head_value(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_name(trimmed(line.substr(0, colon)), name)) {
      return std::string(trimmed(line.substr(colon + 1)));
    }
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return {};
}

/// The first part of a multipart that is text/plain, else the first text/html (RFC 2046 section 5.1).
std::optional<Part> text_part(std::string_view body, std::string_view boundary) {
  if (boundary.empty()) return std::nullopt;
  const std::string delimiter = "--" + std::string(boundary);
  std::optional<Part> html;
  std::size_t at = body.find(delimiter);
  while (at != std::string_view::npos) {
    std::string_view rest = body.substr(at + delimiter.size());
    if (rest.starts_with("--")) break;
    const std::size_t next = body.find(delimiter, at + delimiter.size());
    rest = rest.substr(0, next == std::string_view::npos ? rest.size() : next - at - delimiter.size());
    if (rest.starts_with("\r\n")) rest.remove_prefix(2);
    if (rest.ends_with("\r\n")) rest.remove_suffix(2);
    if (const auto split = split_head(rest)) {
      Part part{head_value(split->first, "Content-Type"), std::string(split->second)};
      if (part.content_type.empty()) part.content_type = "text/plain";
      const std::string type = media_type(part.content_type);
      if (type == "text/plain") return part;
      if (type == "text/html" && !html) html = std::move(part);
    }
    at = next;
  }
  return html;
}

/// UTF-8 out of what the charset parameter says; nothing for a charset that is not known or octets that lie about it.
std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset) {
  const std::string name = lowered(charset);
  if (name == "iso-8859-1" || name == "latin1") return latin1_to_utf8(octets);
  if (!name.empty() && name != "utf-8" && name != "us-ascii" && name != "utf8") return std::nullopt;
  return is_utf8(octets) ? std::optional(std::string(octets)) : std::nullopt;
}

std::variant<std::string, Status> plain_text(const Part& part, int depth);

std::variant<std::string, Status> cpim_text(const Part& part, int depth) {
  const Status broken{400, "Bad CPIM message", {}};
  const auto outer = split_head(part.body);  // RFC 3862 section 2.4: the empty line is required
  if (!outer) return broken;
  const auto inner = split_head(outer->second);
  if (!inner) return broken;
  // RFC 3922 section 4.2.9: only text/plain inside goes on; the wrapper's From is not believed.
  const std::string type = head_value(inner->first, "Content-Type");
  if (media_type(type) != "text/plain") return unsupported_media();
  return plain_text({type, std::string(inner->second)}, depth + 1);
}

std::variant<std::string, Status> plain_text(const Part& part, int depth) {
  if (depth > 3) return unsupported_media();
  const std::string type = media_type(part.content_type);
  if (type == "message/cpim") return cpim_text(part, depth);
  if (type == "multipart/alternative" || type == "multipart/mixed") {
    const auto inner = text_part(part.body, header_parameter(part.content_type, "boundary"));
    return inner ? plain_text(*inner, depth + 1) : unsupported_media();
  }
  if (type != "text/plain" && type != "text/html") return unsupported_media();
  const auto text = to_utf8(part.body, header_parameter(part.content_type, "charset"));
  if (!text) return unsupported_media();
  return xml_text(type == "text/html" ? text_of_html(*text) : *text);
}

struct EntityRow {
  std::string_view name, text;
};
constexpr std::array<EntityRow, 6> entity_rows{
    {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};

/// Resolves the entity at the start of `html`; nothing where there is none that is known.
std::optional<std::pair<std::string_view, std::size_t>> entity_at(std::string_view html) {
  for (const auto& row : entity_rows) {
    if (html.substr(1).starts_with(row.name) && html.substr(1 + row.name.size()).starts_with(';')) {
      return std::pair(row.text, row.name.size() + 2);
    }
  }
  return std::nullopt;
}

struct InLanguage {
  const xml::Element* element = nullptr;
  std::string language;
};
/// The child of that name in the language that is wanted, or else the first of them.
InLanguage child_in(const xml::Element& message, std::string_view name, const std::string& wanted) {
  InLanguage first;
  for (const xml::Element* child : message.children()) {
    if (!child->is(name, message.ns())) continue;
    const std::string own = language_of(*child);
    InLanguage found{child, own.empty() ? language_of(message) : own};
    if (found.language == wanted) return found;
    if (first.element == nullptr) first = std::move(found);
  }
  return first;
}

}  // namespace

std::optional<Text> text_of(const xml::Element& message) {
  const auto body = child_in(message, "body", language_of(message));
  if (body.element == nullptr) return std::nullopt;
  Text text{body.element->text(), {}, body.language, {}};
  const auto subject = child_in(message, "subject", body.language);  // Content-Language speaks of both
  if (subject.element != nullptr) text.subject = header_text(subject.element->text());
  if (const auto* thread = message.child("thread", message.ns())) text.thread = thread->text();
  return text;
}

std::variant<Text, NoText, Status> text_of(const sip::Message& request) {
  if (request.body.empty()) return NoText{};
  auto plain = plain_text({request.header("Content-Type").value_or("text/plain"), request.body}, 0);
  if (auto* refusal = std::get_if<Status>(&plain)) return std::move(*refusal);
  Text text;
  text.body = std::move(std::get<std::string>(plain));
  if (text.body.empty()) return NoText{};
  text.subject = xml_text(request.header_or_empty("Subject"));
  text.language = language_tag(request.header_or_empty("Content-Language"));
  text.thread = thread_of(request.call_id());
  return text;
}

void put_text(sip::Message& request, const Text& text) {
  if (const std::string subject = header_text(text.subject); !subject.empty()) request.set_header("Subject", subject);
  if (const std::string tag = language_tag(text.language); !tag.empty()) request.set_header("Content-Language", tag);
  request.set_header("Content-Type", "text/plain;charset=utf-8");
  request.body = crlf_text(text.body);
}

void put_text(xml::Element& message, const Text& text) {
  if (!text.language.empty()) message.set_attribute("lang", text.language, xmpp::ns::xml);
  if (!text.subject.empty()) message.add(xml::Element("subject", message.ns()).with_text(xml_text(text.subject)));
  if (!text.body.empty()) message.add(xml::Element("body", message.ns()).with_text(text.body));
  if (!text.thread.empty()) message.add(xml::Element("thread", message.ns()).with_text(xml_text(text.thread)));
}

std::optional<std::string> call_id_of(std::string_view thread) {
  if (thread.empty() || thread.size() > thread_max_octets) return std::nullopt;
  if (is_callid(thread) && !thread.starts_with(encoded_thread_prefix)) return std::string(thread);
  static constexpr char digits[] = "0123456789abcdef";
  std::string out(encoded_thread_prefix);
  for (const char c : thread) {
    const auto octet = static_cast<unsigned char>(c);
    out += digits[octet >> 4U];
    out += digits[octet & 15U];
  }
  return out;
}

std::string thread_of(std::string_view call_id) {
  if (!call_id.starts_with(encoded_thread_prefix)) return xml_text(call_id);
  std::string escaped;
  for (std::size_t i = encoded_thread_prefix.size(); i < call_id.size(); i += 2) {
    escaped.append("%").append(call_id.substr(i, 2));
  }
  const auto octets = percent_decode(escaped);
  return octets && is_utf8(*octets) ? xml_text(*octets) : xml_text(call_id);
}

std::string media_type(std::string_view content_type) {
  return lowered(trimmed(content_type.substr(0, content_type.find(';'))));
}

std::string header_parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos) {
    value.remove_prefix(at + 1);
    at = value.find(';');
    const std::string_view one = value.substr(0, at);
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos || !same_name(trimmed(one.substr(0, equals)), name)) continue;
    std::string_view found = trimmed(one.substr(equals + 1));
    if (found.size() >= 2 && found.front() == '"' && found.back() == '"') found = found.substr(1, found.size() - 2);
    return std::string(found);
  }
  return {};
}

Status unsupported_media() { return {415, reason_phrase(415), {{"Accept", accepted_media}}}; }

std::string text_of_html(std::string_view html) {
  std::string out;
  std::string skip_until;  // inside <script> or <style>
  while (!html.empty()) {
    if (html.front() == '<') {
      const std::size_t end = std::min(html.find('>'), html.size() - 1);
      const std::string tag = lowered(html.substr(1, end - 1));
      const std::string name = tag.substr(0, tag.find_first_of(" \t\r\n/", tag.starts_with('/') ? 1 : 0));
      html.remove_prefix(end + 1);
      if (!skip_until.empty()) {
        if (name == skip_until) skip_until.clear();
      } else if (name == "script" || name == "style" || name == "head") {
        skip_until = "/" + name;
      } else if (name == "br" || name == "/p" || name == "/div") {
        out += '\n';
      }
      continue;
    }
    const auto entity = html.front() == '&' ? entity_at(html) : std::nullopt;
    if (skip_until.empty()) out.append(entity ? entity->first : html.substr(0, 1));
    html.remove_prefix(entity ? entity->second : 1);
  }
  return std::string(trimmed(out));
}

}  // namespace cutover::interworking
