// Words of a line to verbs of the nodes, and what the nodes saw to lines.
#include "harness/serve/commands.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"
#include "reports/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace cutover::harness {

namespace {

/// What was typed cannot be done; what() says what was expected.
struct Misunderstood : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string without_scheme(std::string uri) {
  if (uri.starts_with("sip:")) uri.erase(0, 4);
  return uri.substr(0, uri.find(';'));
}

std::string words_of(const interworking::Presence& presence) {
  if (!presence.available) return "offline";
  return presence.show.empty() ? "available" : presence.show;
}

std::string words_of_presence(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  if (!type.empty() && type != "unavailable") return std::string(type);
  return words_of(interworking::presence_of(stanza, {}));
}

std::string body_of(const xml::Element& message) {
  const auto* body = message.child("body", xmpp::ns::server);
  return body == nullptr ? "(no body)" : body->text();
}

/// By its side, and by its name where that has several.
std::string words_of_pool(const Topology& topology, const std::string& pool) {
  const auto legacy = legacy_pools_of(topology), current = new_pools_of(topology);
  const bool old = std::ranges::find(legacy, pool) != legacy.end();
  const bool alone = (old ? legacy : current).size() == 1;
  return fmt::format("{} pool{}", old ? "legacy" : "new", alone ? "" : " " + pool);
}

}  // namespace

Commands::Commands(std::ostream& out, Served& served) : out_(out), served_(served) {
  for (const auto& [name, user] : served_.users)
    people_.push_back({name, address_of(served_.topology, name), user, nullptr});
  for (const auto& spec : served_.topology.partners) {
    const auto partner = served_.partners.find(spec.domain);
    if (partner == served_.partners.end()) continue;
    for (const auto& name : spec.users) people_.push_back({name, name + "@" + spec.domain, nullptr, partner->second});
  }
}

void Commands::help() const {
  out_ << "commands (a user is alice, or alice@domain where the name alone is not clear):\n"
          "  send FROM TO TEXT      a message; TO may be any address\n"
          "  subscribe FROM TO      asks for the presence of TO\n"
          "  presence WHO STATE     available, away, dnd, xa, chat or offline\n";
  if (served_.deployment != nullptr) {
    out_ << "  step                   carries out the next step of the migration\n"
            "  undo                   takes the last step back\n"
            "  do OPERATION           one operation of a plan (`cutover plan operations` lists them)\n"
            "  state                  who is homed where, who is allowed, where the SRV record points\n";
  }
  out_ << "  help, end\n";
}

bool Commands::obey(const std::string& line) {
  std::istringstream words(line);
  std::string verb, first, second, rest;
  words >> verb >> first >> second;
  std::getline(words >> std::ws, rest);
  try {
    if (verb.empty()) return true;
    if (verb == "end" || verb == "quit" || verb == "exit") return false;
    if (verb == "help") {
      help();
    } else if (verb == "send" && !rest.empty()) {
      send(first, second, rest);
    } else if (verb == "subscribe" && !second.empty()) {
      subscribe(first, second);
    } else if (verb == "presence" && !second.empty()) {
      presence(first, second);
    } else if (verb == "step" && served_.deployment != nullptr) {
      step();
    } else if (verb == "undo" && served_.deployment != nullptr) {
      undo();
    } else if (verb == "do" && served_.deployment != nullptr) {
      const auto operation = line.substr(line.find("do") + 2);
      served_.deployment->carry_out(std::string_view(operation));
      out_ << "done:" << reports::terminal_text(operation) << '\n';
    } else if (verb == "state" && served_.deployment != nullptr) {
      state();
    } else {
      throw Misunderstood("expected a command such as: send FROM TO TEXT (`help` lists all)");
    }
  } catch (const std::exception& error) {  // a person's slip must not end the deployment
    out_ << "? " << reports::terminal_text(error.what()) << '\n';
  }
  return true;
}

Commands::Person& Commands::person(const std::string& word) {
  Person* found = nullptr;
  std::string all;
  for (auto& each : people_) {
    all += (all.empty() ? "" : ", ") + each.address;
    if (each.address == word) return each;
    if (each.name != word) continue;
    if (found != nullptr) throw Misunderstood("'" + word + "' is not clear: " + found->address + " or " + each.address);
    found = &each;
  }
  if (found == nullptr) throw Misunderstood("no user '" + word + "' is served here; there are: " + all);
  return *found;
}

/// Whoever is in the topology, wherever he is served.
std::string Commands::address(const std::string& word) const {
  if (word.find('@') != std::string::npos) return word;
  std::vector<std::string> meant;
  const auto look = [&](const std::vector<std::string>& users, const std::string& domain) {
    if (std::ranges::find(users, word) != users.end()) meant.push_back(word + "@" + domain);
  };
  for (const auto& user : served_.topology.users) look({user}, domain_of(served_.topology, user));
  for (const auto& partner : served_.topology.partners) look(partner.users, partner.domain);
  if (meant.size() == 1) return meant.front();
  if (meant.empty())
    throw Misunderstood("no user '" + word + "' in the topology; expected an address such as a@b.example");
  throw Misunderstood("'" + word + "' is not clear: " + meant[0] + " or " + meant[1]);
}

void Commands::send(const std::string& from, const std::string& to, const std::string& text) {
  const auto& sender = person(from);
  if (sender.user != nullptr) sender.user->send_message("sip:" + address(to), text);
  if (sender.partner != nullptr) (void)sender.partner->send_message(sender.name, address(to), text);
}

void Commands::subscribe(const std::string& from, const std::string& to) {
  const auto& watcher = person(from);
  const auto contact = address(to);
  if (watcher.partner != nullptr) return watcher.partner->send_presence(watcher.name, contact, "subscribe");
  watcher.user->subscribe("sip:" + contact);
  watched_.emplace(std::pair(watcher.name, "sip:" + contact), 0);
}

void Commands::presence(const std::string& who, const std::string& what) {
  constexpr std::array shows{"away", "dnd", "xa", "chat"};
  interworking::Presence value;
  if (what == "offline") {
    value.available = false;
  } else if (std::ranges::find(shows, what) != shows.end()) {
    value.show = what;
  } else if (what != "available") {
    throw Misunderstood("'" + what + "' is no state; expected available, away, dnd, xa, chat or offline");
  }
  const auto& someone = person(who);
  if (someone.user != nullptr) return someone.user->set_presence(value);
  value.resource = someone.partner->user(someone.name).presence.resource;
  someone.partner->set_presence(someone.name, value);
}

void Commands::step() {
  const auto steps = canonical_steps();
  if (served_.steps_done == steps.size()) throw Misunderstood("all six steps are carried out; `undo` takes one back");
  const auto next = steps[served_.steps_done];
  served_.deployment->carry_out(next);
  ++served_.steps_done;
  out_ << fmt::format("step {} of {} is carried out: {}\n", served_.steps_done, steps.size(), harness::name_of(next));
}

void Commands::undo() {
  if (served_.steps_done == 0) throw Misunderstood("no step is carried out; `step` carries out the first");
  const auto last = canonical_steps()[served_.steps_done - 1];
  served_.deployment->undo(last);
  out_ << fmt::format("step {} is taken back: {}\n", served_.steps_done--, harness::name_of(last));
}

void Commands::state() const {
  const auto& now = served_.deployment->state();
  for (const auto& user : served_.topology.users)
    out_ << fmt::format("  {} is homed on the {}\n", user,
                        words_of_pool(served_.topology, served_.deployment->home_of(user)));
  for (const auto& spec : served_.topology.partners) {
    out_ << fmt::format("  {} is {} on the new side\n", spec.domain,
                        now.configuration.partners.contains(spec.domain) ? "allowed" : "not allowed");
  }
  for (const auto& domain : domains_of(served_.topology))
    out_ << "  the SRV record" << (domain == served_.topology.domain ? "" : " of " + domain) << " names the "
         << (names_edge(now, domain) ? "proxy" : "legacy gateway") << '\n';
}

void Commands::tell_news_of(Person& person) {
  const auto say = [&](const std::string& what) {
    out_ << "== " << person.address << " " << reports::terminal_text(what) << '\n';
  };
  // What came faster than it could be told is counted.
  const auto tell = [&](const auto& history, std::size_t& told, const char* kind, auto one) {
    if (told < history.dropped()) {
      say(fmt::format("has {} more {} than are kept", history.dropped() - told, kind));
      told = history.dropped();
    }
    for (; told < history.total(); ++told) one(history.number(told));
  };
  if (person.user != nullptr) {
    tell(person.user->texts(), person.messages, "messages",
         [&](const auto& text) { say("has a message from " + without_scheme(text.from) + ": " + text.body); });
    tell(person.user->outcomes(), person.errors, "answers", [&](const auto& outcome) {
      if (outcome.status < 200 || outcome.status >= 300)
        say(fmt::format("could not send \"{}\": {} {}", outcome.body, outcome.status, outcome.reason));
    });
    return;
  }
  const auto& seen = person.partner->user(person.name);
  tell(seen.messages, person.messages, "messages", [&](const auto& message) {
    say("has a message from " + message.attribute_or_empty("from") + ": " + body_of(message));
  });
  tell(seen.errors, person.errors, "errors", [&](const auto& stanza) {
    const auto error = xmpp::error_of(stanza);
    say("has an error from " + stanza.attribute_or_empty("from") + ": " + (error ? error->condition : "undeliverable"));
  });
  tell(seen.presences, person.presences, "presences", [&](const auto& stanza) {
    say("has presence from " + stanza.attribute_or_empty("from") + ": " + words_of_presence(stanza));
  });
}

void Commands::tell_news() {
  for (auto& person : people_) tell_news_of(person);
  for (auto& [who, told] : watched_) {
    const auto& contact = served_.users.at(who.first)->contact(who.second);
    for (told = std::max(told, contact.history.dropped()); told < contact.history.total(); ++told) {
      std::string words;
      for (const auto& presence : contact.history.number(told))
        words += (words.empty() ? "" : ", ") + words_of(presence);
      out_ << reports::terminal_text(fmt::format("== {} sees {}: {}", address_of(served_.topology, who.first),
                                                 without_scheme(who.second), words.empty() ? "nobody there" : words))
           << '\n';
    }
  }
}

}  // namespace cutover::harness
