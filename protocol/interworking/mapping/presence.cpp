// Presence documents and the tables of what a state is called on the other side.
#include "protocol/interworking/mapping/presence.h"

#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>

namespace cutover::interworking {

namespace {

constexpr char pidf_ns[] = "urn:ietf:params:xml:ns:pidf";
constexpr char model_ns[] = "urn:ietf:params:xml:ns:pidf:data-model";
constexpr char rpid_ns[] = "urn:ietf:params:xml:ns:pidf:rpid";

struct ActivityRow {
  std::string_view activity, show;
};
/// RPID activities (RFC 4480 section 3.2, MS-PRES tokens at the end). Profile choice, kept as data.
constexpr ActivityRow activity_rows[] = {
    {"appointment", "dnd"},
    {"away", "away"},
    {"breakfast", "away"},
    {"busy", "dnd"},
    {"dinner", "away"},
    {"holiday", "xa"},
    {"in-transit", "away"},
    {"lunch", "away"},
    {"meal", "away"},
    {"meeting", "dnd"},
    {"on-the-phone", "dnd"},
    {"performance", "dnd"},
    {"permanent-absence", "xa"},
    {"presentation", "dnd"},
    {"shopping", "away"},
    {"sleeping", "xa"},
    {"steering", "away"},
    {"travel", "xa"},
    {"vacation", "xa"},
    {"worship", "dnd"},
    {"in-a-conference", "dnd"},
    {"in-a-meeting", "dnd"},
    {"urgent-interruptions-only", "dnd"},
    {"out-of-office", "xa"},
    {"off-work", "xa"},
    {"be-right-back", "away"},
};

constexpr std::array<AvailabilityRow, 8> availability_rows{{
    {0, "Available", true, "", ""},
    {4500, "Available-Idle", true, "away", "away"},
    {6000, "Busy", true, "busy", "dnd"},
    {7500, "Busy-Idle", true, "busy", "dnd"},
    {9000, "Do Not Disturb", true, "busy", "dnd"},
    {12000, "Be Right Back", true, "away", "away"},
    {15000, "Away", true, "away", "away"},
    {18000, "Offline", false, "", ""},
}};

bool is_show(std::string_view text) { return text == "away" || text == "chat" || text == "dnd" || text == "xa"; }

/// How strongly a show keeps people away; the most restrictive evidence wins.
int restriction(std::string_view show) { return show == "dnd" ? 3 : show == "xa" ? 2 : show == "away" ? 1 : 0; }

/// The most restrictive show of the activities directly below `holder`.
std::string show_of_activities(const xml::Element& holder) {
  std::string best;
  for (const xml::Element* activities : holder.children()) {
    if (activities->name() != "activities" || !activities->ns().starts_with("urn:ietf:params:xml:ns:pidf")) continue;
    for (const xml::Element* activity : activities->children()) {
      const std::string_view show = show_of_activity(activity->name());
      if (restriction(show) > restriction(best)) best = show;
    }
  }
  return best;
}

std::string note_of(const xml::Element& holder, std::string_view ns, std::string& language) {
  const xml::Element* note = holder.child("note", ns);
  if (note == nullptr) return {};
  if (const auto tag = note->attribute("lang", xmpp::ns::xml)) language = language_tag(*tag);
  return xml_text(note->text());
}

/// What a document says of the person, for tuples that say less (RFC 4479 section 3.4).
struct PersonView {
  std::string show, note, language;
};
PersonView person_of(const xml::Element& root) {
  PersonView out;
  for (const xml::Element* child : root.children()) {
    if (!child->is("person", model_ns)) continue;
    out.show = show_of_activities(*child);
    out.note = note_of(*child, model_ns, out.language);
  }
  if (out.note.empty()) out.note = note_of(root, pidf_ns, out.language);
  return out;
}

std::optional<int> availability_number(const xml::Element& holder) {
  for (const xml::Element* child : holder.children()) {
    if (child->name() != "availability") continue;
    const std::string text = child->attribute("aggregate").value_or(child->text());
    const std::string_view digits = trimmed(text);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc() && end == digits.data() + digits.size() && value >= 0) return value;
  }
  return std::nullopt;
}

std::string show_of_tuple(const xml::Element& tuple, const xml::Element& status, const PersonView& person) {
  if (const auto* show = status.child("show", xmpp::ns::client); show != nullptr && is_show(show->text())) {
    return show->text();
  }
  for (const std::string& found : {show_of_activities(status), show_of_activities(tuple), person.show}) {
    if (!found.empty()) return found;
  }
  const auto number = availability_number(status);
  return number ? std::string(availability(*number).show) : std::string();
}

std::optional<Presence> read_tuple(const xml::Element& tuple, const PersonView& person) {
  const xml::Element* status = tuple.child("status", pidf_ns);
  const xml::Element* basic = status == nullptr ? nullptr : status->child("basic", pidf_ns);
  if (basic == nullptr) return std::nullopt;  // RFC 3863 section 4.1.4: unknown, no claim
  Presence out;
  out.resource = resource_of_tuple(tuple.attribute_or_empty("id"));
  out.available = trimmed(basic->text()) == "open";
  if (out.available) out.show = show_of_tuple(tuple, *status, person);
  out.language = person.language;
  out.status = note_of(tuple, pidf_ns, out.language);
  if (out.status.empty()) out.status = person.note;
  if (const auto* contact = tuple.child("contact", pidf_ns); contact != nullptr && out.available) {
    if (const auto priority = contact->attribute("priority")) out.priority = priority_of_contact(*priority);
  }
  return out;
}

xml::Element tuple_element(const Presence& presence, std::string_view contact_uri) {
  xml::Element status("status", pidf_ns);
  status.add(xml::Element("basic", pidf_ns).with_text(presence.available ? "open" : "closed"));
  if (presence.available && !presence.show.empty()) {
    status.add(xml::Element("show", xmpp::ns::client).with_text(presence.show));
  }
  xml::Element tuple("tuple", pidf_ns);
  tuple.set_attribute("id", tuple_id(presence.resource));
  tuple.add(std::move(status));  // RFC 3863 section 4.1.2: status, extensions, contact, note, timestamp
  auto contact = xml::Element("contact", pidf_ns).with_text(contact_uri);
  if (presence.priority) contact.set_attribute("priority", contact_priority(*presence.priority));
  tuple.add(std::move(contact));
  if (!presence.status.empty()) {
    auto note = xml::Element("note", pidf_ns).with_text(presence.status);
    if (!presence.language.empty()) note.set_attribute("lang", presence.language, xmpp::ns::xml);
    tuple.add(std::move(note));
  }
  return tuple;
}

std::string write_document(const xml::Element& root) {
  return "<?xml version='1.0' encoding='UTF-8'?>" + xml::write(root);
}

}  // namespace

Presence presence_of(const xml::Element& stanza, std::string_view resource) {
  Presence out;
  out.resource = resource;
  out.available = !stanza.attribute("type").has_value();
  out.language = language_tag(stanza.attribute("lang", xmpp::ns::xml).value_or(""));
  if (const auto* status = stanza.child("status", stanza.ns())) out.status = status->text();
  if (!out.available) return out;
  if (const auto* show = stanza.child("show", stanza.ns()); show != nullptr && is_show(show->text())) {
    out.show = show->text();
  }
  if (const auto* priority = stanza.child("priority", stanza.ns())) {
    const std::string text(trimmed(priority->text()));
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 127) out.priority = value;
  }
  return out;
}

void put_presence(xml::Element& stanza, const Presence& presence) {
  const auto child = [&](const char* name, std::string_view text) {
    if (!text.empty()) stanza.add(xml::Element(name, stanza.ns()).with_text(text));
  };
  if (!presence.available) stanza.set_attribute("type", "unavailable");
  if (!presence.language.empty()) stanza.set_attribute("lang", presence.language, xmpp::ns::xml);
  if (presence.available) child("show", presence.show);
  child("status", presence.status);
  if (presence.available && presence.priority) child("priority", fmt::format("{}", *presence.priority));
}

std::string to_pidf(std::string_view entity, std::string_view contact_uri,
                    const std::map<std::string, Presence>& resources) {
  xml::Element root("presence", pidf_ns);
  root.set_attribute("entity", "pres:" + std::string(entity));
  std::string_view activity;
  int strongest = -1;
  for (const auto& [resource, presence] : resources) {
    root.add(tuple_element(presence, contact_uri));
    // The person is one: the resource that counts is the one with the highest priority.
    if (const int weight = presence.priority.value_or(0); presence.available && weight > strongest) {
      strongest = weight;
      activity = activity_of_show(presence.show);
    }
  }
  if (!activity.empty()) {
    xml::Element person("person", model_ns);
    person.set_attribute("id", "person");
    person.add(xml::Element("activities", rpid_ns)).add(xml::Element(std::string(activity), rpid_ns));
    root.add(std::move(person));
  }
  return write_document(root);
}

std::string closed_pidf(std::string_view entity, std::string_view contact_uri) {
  Presence gone;
  gone.available = false;
  return to_pidf(entity, contact_uri, {{"", gone}});
}

std::variant<std::vector<Presence>, NotPidf> read_pidf(std::string_view document) {
  const auto parsed = xml::parse(document);
  if (const auto* fault = std::get_if<xml::Fault>(&parsed)) return NotPidf{fault->text};
  const auto& root = std::get<xml::Element>(parsed);
  if (!root.is("presence", pidf_ns)) return NotPidf{"the root is not presence of RFC 3863"};
  const PersonView person = person_of(root);
  std::vector<Presence> out;
  for (const xml::Element* child : root.children()) {
    if (!child->is("tuple", pidf_ns)) continue;
    if (auto presence = read_tuple(*child, person)) out.push_back(std::move(*presence));
  }
  return out;
}

std::string tuple_id(std::string_view resource) {
  std::string out = "ID-";
  for (const char c : resource) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("_{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string resource_of_tuple(std::string_view id) {
  if (!id.starts_with("ID-")) return xml_text(id);
  std::string escaped(id.substr(3));
  if (escaped.find('%') != std::string::npos) return xml_text(id.substr(3));
  std::replace(escaped.begin(), escaped.end(), '_', '%');
  const auto octets = percent_decode(escaped);
  return octets && is_utf8(*octets) ? xml_text(*octets) : xml_text(id.substr(3));
}

std::string contact_priority(int priority) {
  const int thousandths = (std::clamp(priority, 0, 127) * 1000 + 63) / 127;
  if (thousandths >= 1000) return "1";
  return thousandths == 0 ? "0" : fmt::format("0.{:03}", thousandths);
}

std::optional<int> priority_of_contact(std::string_view text) {
  // RFC 3863 section 4.1.5: 0..1 with at most three decimals.
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string decimals(point == std::string_view::npos ? "" : text.substr(point + 1));
  if ((whole != "0" && whole != "1") || decimals.size() > 3) return std::nullopt;
  if (decimals.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  decimals.resize(3, '0');
  int thousandths = whole == "1" ? 1000 : 0;
  thousandths += (decimals[0] - '0') * 100 + (decimals[1] - '0') * 10 + (decimals[2] - '0');
  if (thousandths > 1000) return std::nullopt;
  return (thousandths * 127 + 500) / 1000;
}

std::string_view show_of_activity(std::string_view activity) {
  const auto* row = std::find_if(std::begin(activity_rows), std::end(activity_rows),
                                 [&](const ActivityRow& r) { return r.activity == activity; });
  return row == std::end(activity_rows) ? std::string_view() : row->show;
}

std::string_view activity_of_show(std::string_view show) {
  // RFC 8048 section 6.2 note 7; xa is away as well: permanent-absence would mean closed.
  if (show == "dnd") return "busy";
  return show == "away" || show == "xa" ? "away" : "";
}

const AvailabilityRow& availability(int number) {
  const auto* row = availability_rows.begin();
  for (const auto& candidate : availability_rows) {
    if (candidate.from <= number) row = &candidate;
  }
  return *row;
}

}  // namespace cutover::interworking
