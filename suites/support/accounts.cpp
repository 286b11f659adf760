// Brings up subject and peer for each kind of subject.
#include "suites/support/accounts.h"

#include "harness/targets/target.h"
#include "mocks/name_server.h"
#include "protocol/base/check.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

namespace {

constexpr Duration giving_up_max = 150s;

}  // namespace

Accounts::Accounts(Run& run) : world_(run.world()), server_(make_subject_with_account(run)) {
  subject_ = server_->account();
  if (subject_ == nullptr) throw HarnessFault("the target offers user_account, and has none");
  domain = server_->domain();
  account = server_->user().substr(0, server_->user().find('@'));
  const auto kind = kind_of_peer(run);
  peer_ = &world_.add("peer", server_->peer_host(kind),
                      std::make_unique<mocks::Partner>(peer_settings(*server_, kind, "romeo")));
  juliet_bare = subject_->bare_jid(account);
  juliet_full = subject_->full_jid(account);
  romeo_bare = peer_->bare_jid("romeo");
  romeo_full = peer_->full_jid("romeo");
  run.columns({"peer", "name-server", "subject", account});
}

bool Accounts::until(const std::function<bool()>& condition) { return world_.await(condition); }

bool Accounts::until_given_up(const std::function<bool()>& condition) {
  return world_.run_until(condition, giving_up_max);
}

bool Accounts::markers_pass() {
  const auto text = fmt::format("marker {}", ++markers_);
  const auto came = [&](const mocks::PartnerUser& user) {
    return std::ranges::any_of(user.messages, [&](const auto& stanza) {
      const auto* body = stanza.child("body", stanza.ns());
      return body != nullptr && body->text() == text;
    });
  };
  peer().send_message("romeo", juliet_full, text);
  if (!until([&] { return came(juliet()); })) return false;
  subject().send_message(account, romeo_full, text);
  return until([&] { return came(romeo()); });
}

bool Accounts::soon(const std::function<bool()>& condition) {
  return markers_pass() && world_.run_until(condition, world_.patience());
}

bool Accounts::given_markers() {
  return GIVEN(markers_pass(), "messages pass both ways between the subject's user and the peer's");
}

std::vector<xml::Element> Accounts::answers(const std::string& id) {
  const auto own = romeo_bare.substr(romeo_bare.find('@') + 1);
  const auto answers = [&](const xml::Element& stanza) {
    const auto* error = stanza.child("error", stanza.ns());
    const bool returned = error != nullptr && error->attribute("by") == own;
    return stanza.attribute_or_empty("id") == id && !returned;
  };
  std::vector<xml::Element> found;
  for (const auto* kind : {&romeo().messages, &romeo().presences, &romeo().iqs, &romeo().errors})
    std::ranges::copy_if(*kind, std::back_inserter(found), answers);
  return found;
}

std::string Accounts::called() const {
  for (const auto& record : world_.trace().records()) {
    const auto& note = record.note;
    if (record.node != "peer" || note.direction != Direction::in || !note.summary.starts_with("stream header"))
      continue;
    if (opener_of(record) == "peer") continue;
    std::size_t consumed = 0;
    const auto item = xml::Reader().feed(note.detail, consumed);
    const auto* header = item ? std::get_if<xml::StreamHeader>(&*item) : nullptr;
    return header == nullptr ? "nobody" : header->tag.attribute("to").value_or("nobody");
  }
  return "no stream";
}

std::vector<std::string> Accounts::came_back() const {
  std::vector<std::string> stanzas;
  for (const auto& record : world_.trace().records()) {
    const auto& note = record.note;
    const bool ours = record.node == "peer" && opener_of(record) == "peer";
    if (!ours || note.layer != Layer::xmpp || note.direction != Direction::in) continue;
    const auto kind = note.summary.substr(0, note.summary.find(' '));
    if (kind == "iq" || kind == "message" || kind == "presence") stanzas.push_back(note.summary);
  }
  return stanzas;
}

xml::Element Accounts::answer(const std::string& id) {
  (void)until([&] { return !answers(id).empty(); });
  const auto found = answers(id);
  return found.empty() ? xml::Element(no_answer, "") : found.front();
}

std::string Accounts::stream_error() const {
  constexpr std::string_view words = "stream:error ";
  for (const auto& record : world_.trace().records()) {
    const bool heard = record.node == "peer" && record.note.direction == Direction::in;
    if (heard && record.note.layer == Layer::xmpp && record.note.summary.starts_with(words))
      return record.note.summary.substr(words.size());
  }
  return {};
}

xml::Element Accounts::ask(const std::string& to, const std::string& id, xml::Element payload) {
  peer().send(xmpp::make_iq(romeo_full, to, "get", id, std::move(payload)));
  return answer(id);
}

std::string kind_of(const xml::Element& stanza) {
  const auto error = xmpp::error_of(stanza);
  if (error) return "error/" + error->condition;
  const auto type = stanza.attribute_or_empty("type");
  return stanza.name() == "iq" ? type : stanza.name() + (type.empty() ? "" : "/" + type);
}

std::vector<std::string> kinds_of(const std::vector<xml::Element>& stanzas) {
  std::vector<std::string> kinds;
  std::ranges::transform(stanzas, std::back_inserter(kinds), kind_of);
  return kinds;
}

}  // namespace cutover::suites
