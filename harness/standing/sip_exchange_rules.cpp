// SIP messages beside others: answers and their requests, transactions, dialogs, subscriptions.
#include "harness/standing/rules_by_layer.h"

#include "protocol/sip/text.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace cutover::harness::standing {

namespace {

using sip::Message;

std::string tag_of(const std::optional<sip::NameAddr>& address) { return address ? address->tag() : std::string(); }
bool same_address(const std::optional<sip::NameAddr>& one, const std::optional<sip::NameAddr>& other) {
  return one && other && one->uri == other->uri;
}

/// A Via without what a server writes beside it (RFC 3261 section 18.2.1, RFC 3581).
std::string without_marks(const std::string& via) {
  const auto semicolon = via.find(';');
  std::string text = via.substr(0, semicolon);
  const auto parameters =
      sip::parse_parameters(semicolon == std::string::npos ? "" : std::string_view(via).substr(semicolon));
  if (!parameters) return via;
  for (const auto& [name, value] : *parameters) {
    const auto low = sip::lower(name);
    if (low != "received" && low != "rport") text.append(";").append(low).append("=").append(value);
  }
  return text;
}

bool copies_vias(const Message& request, const Message& answer) {
  const auto asked = request.all("Via"), copied = answer.all("Via");
  return std::ranges::equal(asked, copied, {}, without_marks, without_marks);
}

bool copies_headers(const Message& request, const Message& answer) {
  const auto asked_to = tag_of(request.to()), to = tag_of(answer.to());
  return copies_vias(request, answer) && request.call_id() == answer.call_id() &&
         request.cseq_number() == answer.cseq_number() && request.cseq_method() == answer.cseq_method() &&
         same_address(request.from(), answer.from()) && tag_of(request.from()) == tag_of(answer.from()) &&
         same_address(request.to(), answer.to()) &&
         (asked_to.empty() ? answer.status == 100 || !to.empty() : to == asked_to);
}

/// The parameter of a header as "expires" of "active;expires=60".
std::optional<std::string> parameter_of(const std::string& header, std::string_view name) {
  const auto value = sip::parse_value_with_parameters(header);
  return value ? sip::find_parameter(value->parameters, name) : std::nullopt;
}
std::string word_of(const std::string& header) {
  const auto value = sip::parse_value_with_parameters(header);
  return value ? sip::lower(value->value) : std::string();
}

/// What an Accept header takes (RFC 2616 section 14.1), qualities aside.
bool takes(const std::string& range, const std::string& type) {
  const auto word = word_of(range);
  return word == "*/*" || word == type || (word.ends_with("/*") && type.starts_with(word.substr(0, word.size() - 1)));
}
std::vector<sip::Uri> uris_of(const std::vector<std::string>& values) {
  std::vector<sip::Uri> uris;
  for (const auto& value : values)
    if (const auto address = sip::parse_name_addr(value)) uris.push_back(address->uri);
  return uris;
}

/// One walk through a conversation; remembers what later messages are judged by.
class Exchange {
 public:
  Exchange(const SipConversation& conversation, Ledger& ledger) : conversation_(conversation), ledger_(ledger) {}

  void judge() {
    for (const auto& one : conversation_.said) {
      if (!one.message) continue;
      if (one.by_sender)
        one.message->is_request ? judge_request(one) : judge_answer(one);
      else
        one.message->is_request ? hear_request(one) : hear_answer(one);
    }
  }

 private:
  /// A request of either side, and what came of it.
  struct Asked {
    const SipSaid* request = nullptr;
    const SipSaid* final_answer = nullptr;
    bool rings = false;  ///< answered provisionally
    bool repeated = false;
  };
  /// By branch and method; the branch of a CANCEL is that of what it cancels.
  using Transactions = std::map<std::pair<std::string, std::string>, Asked>;
  /// Call-ID, tag of the one that is judged, tag of the other one.
  using Dialog = std::tuple<std::string, std::string, std::string>;

  /// How the other side of a dialog is reached (RFC 3261 section 12.1).
  struct Way {
    std::vector<sip::Uri> targets;  ///< every Contact that it gave: a newer one may be on its way
    /// As a request has them, by the first message of each kind: whether a NOTIFY or the 2xx makes the dialog of a
    /// subscription is decided by which comes first (RFC 6665 section 4.4.1).
    std::map<std::string, std::vector<sip::Uri>> routes;
  };

  static Dialog dialog_of(const Message& request, bool by_sender) {
    const auto from = tag_of(request.from()), to = tag_of(request.to());
    return by_sender ? Dialog(request.call_id(), from, to) : Dialog(request.call_id(), to, from);
  }

  /// A message of the other side that makes a dialog, or tells where it is now.
  void hear_way(const Message& heard, const std::string& tag) {
    static const std::set<std::string, std::less<>> methods{"INVITE", "SUBSCRIBE", "NOTIFY", "UPDATE"};
    if (!methods.contains(heard.is_request ? heard.method : heard.cseq_method()) || tag.empty()) return;
    auto& way = ways_[{heard.call_id(), tag}];
    for (auto& uri : uris_of(heard.all("Contact"))) way.targets.push_back(std::move(uri));
    const auto [place, first] = way.routes.try_emplace(heard.is_request ? heard.method : "2xx");
    if (!first) return;
    place->second = uris_of(heard.all("Record-Route"));
    if (!heard.is_request) std::ranges::reverse(place->second);
  }
  void judge_way(const SipSaid& one) {
    const auto& message = *one.message;
    const auto found = ways_.find({message.call_id(), tag_of(message.to())});
    if (found == ways_.end() || found->second.targets.empty()) return;
    const auto& [targets, routes] = found->second;
    const auto is_loose = [](const sip::Uri& uri) { return uri.parameter("lr").has_value(); };
    for (const auto& [kind, uris] : routes)
      if (!std::ranges::all_of(uris, is_loose)) return;  // a strict router wants it otherwise
    const auto target = sip::parse_uri(message.request_uri);
    ledger_.judge(Rule::sip_dialog_target, target && std::ranges::find(targets, *target) != targets.end(), one.octets);
    // A proxy of the own side may stand before them.
    const auto said = uris_of(message.all("Route"));
    ledger_.judge(Rule::sip_dialog_route,
                  std::ranges::any_of(routes,
                                      [&](const auto& pair) {
                                        const auto& uris = pair.second;
                                        return said.size() >= uris.size() &&
                                               std::equal(uris.rbegin(), uris.rend(), said.rbegin());
                                      }),
                  one.octets);
  }

  void hear_request(const SipSaid& one) {
    hear_way(*one.message, tag_of(one.message->from()));
    const auto [place, fresh] = heard_.try_emplace({one.branch(), one.message->method});
    if (!fresh) place->second.repeated = true;
    if (fresh) place->second.request = &one;
    if (one.message->method != "SUBSCRIBE") return;
    // Whoever asks again may be notified again.
    ended_.erase({one.message->call_id(), tag_of(one.message->from())});
    events_[one.message->call_id()].push_back(one.message->header_or_empty("Event"));
    accepted_[one.message->call_id()].push_back(one.message->all("Accept"));
  }
  void hear_answer(const SipSaid& one) {
    const auto asked = asked_.find({one.branch(), one.message->cseq_method()});
    if (asked == asked_.end()) return;
    if (one.is_final() && asked->second.final_answer == nullptr) asked->second.final_answer = &one;
    if (one.message->status < 300) hear_way(*one.message, tag_of(one.message->to()));
    asked->second.rings = asked->second.rings || one.message->status < 200;
  }

  void judge_answer(const SipSaid& one) {
    const auto& answer = *one.message;
    // With another CSeq, or another method in it, it is still the answer of its branch.
    auto heard = heard_.find({one.branch(), answer.cseq_method()});
    if (heard == heard_.end())
      heard = std::ranges::find_if(heard_, [&](const auto& pair) { return pair.first.first == one.branch(); });
    if (heard == heard_.end()) return;  // nobody knows what it answers
    auto& asked = heard->second;
    const auto& request = *asked.request->message;
    ledger_.judge(Rule::sip_answer_copies, copies_headers(request, answer), one.octets);
    if (answer.status >= 200) judge_final(one, asked);
    const bool accepts = answer.status >= 200 && answer.status < 300;
    if (accepts && request.method == "MESSAGE") {
      ledger_.judge(Rule::sip_message_answer_has_no_body, answer.body.empty(), one.octets);
      ledger_.judge(Rule::sip_message_answer_has_no_contact, !answer.header("Contact"), one.octets);
    }
    if (accepts && request.method == "SUBSCRIBE") {
      const auto granted = number_of(answer), wanted = number_of(request);
      ledger_.judge(Rule::sip_subscription_is_granted, granted && (!wanted || *granted <= *wanted), one.octets);
    }
    const bool begins = tag_of(request.to()).empty() && (request.method == "INVITE" || request.method == "SUBSCRIBE");
    if (!begins || !accepts) return;
    ledger_.judge(Rule::sip_acceptance_has_contact, answer.all("Contact").size() == 1, one.octets);
    if (request.header("Record-Route"))
      ledger_.judge(Rule::sip_record_route_is_copied, answer.all("Record-Route") == request.all("Record-Route"),
                    one.octets);
  }
  static std::optional<std::uint64_t> number_of(const Message& message) {
    const auto value = message.header("Expires");
    return value ? sip::parse_number(*value, ~std::uint32_t{0}) : std::nullopt;
  }
  /// A repeated request may get its answer again, and what accepts an INVITE is repeated until an ACK comes.
  void judge_final(const SipSaid& one, Asked& asked) {
    if (asked.final_answer != nullptr) {
      const auto& first = *asked.final_answer->message;
      const bool same = first.status == one.message->status;
      const bool accepts = asked.request->message->method == "INVITE" && first.status < 300;
      ledger_.judge(Rule::sip_one_final_answer, same && (accepts || asked.repeated), one.octets);
      return;
    }
    asked.final_answer = &one;
    ledger_.judge(Rule::sip_one_final_answer, true, one.octets);
  }

  void judge_request(const SipSaid& one) {
    const auto& message = *one.message;
    if (message.method == "ACK") return judge_ack(one);
    if (message.method == "CANCEL") return judge_cancel(one);
    const auto [place, fresh] = asked_.try_emplace({one.branch(), message.method});
    if (!fresh) return;  // the same again
    place->second.request = &one;
    judge_number(one);
    if (!tag_of(message.to()).empty()) judge_way(one);
    if (message.method == "MESSAGE") judge_pace(one);
    if (message.method == "NOTIFY") judge_notify(one);
  }
  /// RFC 3261 section 17.1.1.3: the ACK of a refusal belongs to the transaction of the INVITE.
  void judge_ack(const SipSaid& one) {
    bool accepted = false, numbered = false;
    for (const auto& [key, asked] : asked_) {
      const auto& invite = *asked.request->message;
      if (key.second == "INVITE" && invite.call_id() == one.message->call_id()) {
        accepted = accepted || (asked.final_answer != nullptr && asked.final_answer->message->status < 300);
        numbered = numbered || invite.cseq_number() == one.message->cseq_number();
      }
      const bool refused = asked.final_answer != nullptr && asked.final_answer->message->status >= 300;
      if (key.second != "INVITE" || !refused || invite.call_id() != one.message->call_id() ||
          invite.cseq_number() != one.message->cseq_number())
        continue;
      const auto& answer = *asked.final_answer->message;
      ledger_.judge(Rule::sip_ack_in_transaction,
                    one.branch() == key.first && one.message->request_uri == invite.request_uri &&
                        one.message->all("Via").size() == 1 && tag_of(one.message->to()) == tag_of(answer.to()),
                    one.octets);
    }
    if (accepted) ledger_.judge(Rule::sip_ack_of_acceptance, numbered, one.octets);
  }
  void judge_cancel(const SipSaid& one) {
    const auto asked = asked_.find({one.branch(), "INVITE"});
    ledger_.judge(Rule::sip_cancel_waits, asked != asked_.end() && asked->second.rings, one.octets);
  }
  /// Numbers of one side of a dialog rise, on the connection on which their order is known.
  void judge_number(const SipSaid& one) {
    const auto& message = *one.message;
    const auto dialog = dialog_of(message, true);
    const auto& [call, own, other] = dialog;
    auto& numbers = numbers_[one.connection];
    const auto before = numbers.find(dialog);
    const auto first = before != numbers.end() ? before : numbers.find({call, own, ""});
    if (first != numbers.end() && !own.empty())
      ledger_.judge(Rule::sip_cseq_rises, message.cseq_number() > first->second, one.octets);
    numbers[dialog] = message.cseq_number();
  }
  /// RFC 3428 section 8, outside of dialogs.
  void judge_pace(const SipSaid& one) {
    if (!tag_of(one.message->to()).empty()) return;
    const bool alone = std::ranges::none_of(asked_, [&](const auto& pair) {
      const auto& [key, asked] = pair;
      return asked.request != &one && key.second == "MESSAGE" && asked.final_answer == nullptr &&
             asked.request->connection == one.connection &&
             asked.request->message->request_uri == one.message->request_uri &&
             same_address(asked.request->message->from(), one.message->from()) &&
             tag_of(asked.request->message->to()).empty();
    });
    ledger_.judge(Rule::sip_one_message_at_a_time, alone, one.octets);
  }
  void judge_notify(const SipSaid& one) {
    const auto& message = *one.message;
    const auto state = message.header_or_empty("Subscription-State");
    const auto word = word_of(state);
    if (word == "active" || word == "pending")
      ledger_.judge(Rule::sip_notify_has_expires, parameter_of(state, "expires").has_value(), one.octets);
    if (const auto events = events_.find(message.call_id()); events != events_.end()) {
      const auto event = message.header_or_empty("Event");
      const bool was_asked_for = std::ranges::any_of(events->second, [&](const auto& asked) {
        return word_of(asked) == word_of(event) && parameter_of(asked, "id") == parameter_of(event, "id");
      });
      ledger_.judge(Rule::sip_notify_repeats_event, was_asked_for, one.octets);
    }
    if (const auto all = accepted_.find(message.call_id()); all != accepted_.end() && !message.body.empty()) {
      const auto type = word_of(message.header_or_empty("Content-Type"));
      const auto fits = [&](const std::vector<std::string>& ranges) {
        if (ranges.empty()) return type == "application/pidf+xml";
        return std::ranges::any_of(ranges, [&](const auto& range) { return takes(range, type); });
      };
      ledger_.judge(Rule::sip_accepted_format, std::ranges::any_of(all->second, fits), one.octets);
    }
    const std::pair subscription{message.call_id(), tag_of(message.to())};
    ledger_.judge(Rule::sip_terminated_is_the_last, !ended_.contains(subscription), one.octets);
    if (word == "terminated") ended_.insert(subscription);
  }

  const SipConversation& conversation_;
  Ledger& ledger_;
  Transactions asked_, heard_;  ///< by the one that is judged, and of it
  std::map<ConnectionId, std::map<Dialog, std::uint32_t>> numbers_;
  std::map<std::string, std::vector<std::string>> events_;                 ///< by Call-ID
  std::map<std::string, std::vector<std::vector<std::string>>> accepted_;  ///< Accept of each SUBSCRIBE, by Call-ID
  std::map<std::pair<std::string, std::string>, Way> ways_;                ///< Call-ID, tag of the other side
  std::set<std::pair<std::string, std::string>> ended_;                    ///< Call-ID, tag of the subscriber
};

}  // namespace

void judge_sip_exchanges(const SipConversation& conversation, Ledger& ledger) {
  Exchange(conversation, ledger).judge();
}

}  // namespace cutover::harness::standing
