// The verbs of the stanza cases; each one pumps the world until its event came.
#include "suites/support/federated.h"

#include "protocol/sip/text.h"
#include "suites/support/administrator.h"
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

namespace {

constexpr Duration patience = 60s;
constexpr char ns_server[] = "jabber:server";

std::shared_ptr<Deployment> deployed(Run& run) {
  auto topology = with_one_edge_machine(run);
  check_block(run, topology);
  auto deployment = std::make_shared<Deployment>(
      run.world(), DeploymentOptions{.topology = std::move(topology), .planted = run.planted(), .admin = admin_plan()});
  deployment->bring_up();
  return deployment;
}

}  // namespace

Federated::Federated(Run& run, Repeats repeats)
    : partner_chosen_(partner_by_certificate(run)),
      user_chosen_(user_of_first_domain(run)),
      shared_deployment(deployed(run)),
      deployment(*shared_deployment),
      alice(deployment.user(user_chosen_)),
      partner(deployment.partner(partner_chosen_.domain)),
      romeo(partner.user(partner_chosen_.users.front())),
      alice_jid(address_of(deployment.topology(), user_chosen_)),
      romeo_name(partner_chosen_.users.front()),
      partner_domain(partner_chosen_.domain) {
  run.columns(deployment.columns());
  for (const auto step : canonical_steps()) deployment.carry_out(step);
  deployment.settle();
  hold_invariants(run, shared_deployment, repeats);
}

bool Federated::until(const std::function<bool()>& condition) {
  return deployment.world().run_until(condition, patience);
}

xml::Element Federated::message(std::string_view body, std::string_view type, std::string_view id) const {
  return xmpp::make_message(romeo_full, alice_jid, body, type, id);
}

std::optional<sip::Message> Federated::sip_request_for(xml::Element stanza, const std::string& method,
                                                       const std::string& body) {
  const auto matches = [&](const sip::Message& request) { return request.method == method && request.body == body; };
  const auto before = alice.requests().size();
  partner.send(std::move(stanza));
  const auto found = [&] {
    return std::find_if(alice.requests().begin() + static_cast<std::ptrdiff_t>(before), alice.requests().end(),
                        matches);
  };
  if (!until([&] { return found() != alice.requests().end(); })) return std::nullopt;
  return *found();
}

sip::Message Federated::pager(const std::string& body) const {
  sip::Message request;
  request.method = "MESSAGE";
  request.request_uri = romeo_uri;
  request.add_header("Content-Type", "text/plain;charset=UTF-8");
  request.body = body;
  return request;
}

std::optional<xml::Element> Federated::stanza_for(sip::Message request) {
  const auto before = romeo.messages.size();
  alice.send_raw(std::move(request));
  if (!until([&] { return romeo.messages.size() > before; })) return std::nullopt;
  return romeo.messages.back();
}

const xml::Element* Federated::error_stanza(const std::string& id) const {
  const auto found =
      std::ranges::find_if(romeo.errors, [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; });
  return found == romeo.errors.end() ? nullptr : &*found;
}

std::optional<xmpp::StanzaError> Federated::error_for(const std::string& id) {
  if (!until([&] { return error_stanza(id) != nullptr; })) return std::nullopt;
  return xmpp::error_of(*error_stanza(id));
}

mocks::SipOutcome Federated::outcome_of(const std::string& body) {
  const auto find = [&] { return std::ranges::find(alice.outcomes(), body, &mocks::SipOutcome::body); };
  if (!until([&] { return find() != alice.outcomes().end(); })) return {body, 0, "nothing came"};
  return *find();
}

std::string Federated::answer_to(const std::string& body) { return status_text(outcome_of(body).status); }

sip::Message Federated::request_to_alice(const std::string& method, std::size_t n) {
  if (!until([&] { return requests_to_alice(method) >= n; })) return {};
  for (const auto& request : alice.requests()) {
    if (request.method == method && --n == 0) return request;
  }
  return {};
}

xml::Element Federated::presence_to_romeo(const std::string& type, std::size_t n) {
  if (!until([&] { return presences_to_romeo(type) >= n; })) return {};
  for (const auto& stanza : romeo.presences) {
    if (stanza.attribute_or_empty("type") == type && --n == 0) return stanza;
  }
  return {};
}

std::size_t Federated::requests_to_alice(const std::string& method) const {
  return static_cast<std::size_t>(std::ranges::count(alice.requests(), method, &sip::Message::method));
}

std::size_t Federated::presences_to_romeo(const std::string& type) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      romeo.presences, [&](const auto& stanza) { return stanza.attribute_or_empty("type") == type; }));
}

std::vector<const sip::Message*> Federated::final_answers(std::string_view method) const {
  std::vector<const sip::Message*> answers;
  for (const auto& response : alice.responses()) {
    if (response.status >= 200 && response.header_or_empty("CSeq").ends_with(fmt::format(" {}", method)))
      answers.push_back(&response);
  }
  return answers;
}

std::string Federated::answer_to_notify(const std::function<void(sip::Message&)>& change) {
  // The user outlives this wait.
  const auto status = std::make_shared<int>(0);
  alice.notify_as("active;expires=3600", change, [status](const sip::Message& answer) {
    if (answer.status >= 200) *status = answer.status;
  });
  (void)until([&] { return *status != 0; });
  return status_text(*status);
}

bool Federated::romeo_watches_alice() {
  partner.send_presence(romeo_name, alice_jid, "subscribe");
  return until([&] { return presences_to_romeo("subscribed") > 0 && presences_to_romeo("") > 0; });
}

bool Federated::alice_watches_romeo() {
  alice.subscribe(romeo_uri);
  return until([&] { return !alice.contact(romeo_uri).presence.empty(); });
}

bool Federated::marker_reaches_alice() {
  const auto text = fmt::format("marker {}", ++markers_);
  partner.send(message(text, {}, text));
  return until([&] { return std::ranges::count(alice.texts(), text, &mocks::SipText::body) == 1; });
}

bool Federated::marker_reaches_romeo() {
  const auto text = fmt::format("marker {}", ++markers_);
  alice.send_message(romeo_uri, text);
  return until([&] {
    return std::ranges::count_if(romeo.messages, [&](const auto& stanza) { return body_of(stanza) == text; }) == 1;
  });
}

bool Federated::given_markers() {
  return GIVEN(marker_reaches_alice() && marker_reaches_romeo(), "messages sent later pass both ways");
}

std::string open_document() {
  interworking::Presence presence;
  presence.resource = "desk";
  return interworking::to_pidf("alice@contoso.example", "sip:alice@contoso.example", {{"desk", presence}});
}

std::string status_text(int status) {
  return status == 0 ? "no answer" : fmt::format("{} {}", status, sip::reason_phrase(status));
}

std::vector<std::string> status_texts(const std::vector<int>& statuses) {
  std::vector<std::string> texts;
  std::ranges::transform(statuses, std::back_inserter(texts), status_text);
  return texts;
}

std::string child_text(const xml::Element& stanza, std::string_view name) {
  const auto* child = stanza.child(name, ns_server);
  return child == nullptr ? std::string() : child->text();
}

std::string body_of(const xml::Element& message) { return child_text(message, "body"); }

constexpr char nothing_came[] = "nothing came";

std::string header_in(const sip::Message& request, std::string_view name) {
  return request.method.empty() ? nothing_came : request.header_or_empty(name);
}

std::string token_in(const sip::Message& request, std::string_view header) {
  const auto read = sip::parse_value_with_parameters(header_in(request, header));
  return read ? sip::lower(read->value) : header_in(request, header);
}

std::string attribute_in(const xml::Element& stanza, std::string_view name) {
  return stanza.name().empty() ? nothing_came : stanza.attribute_or_empty(name);
}

}  // namespace cutover::suites
