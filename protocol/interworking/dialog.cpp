// Dialog state from requests and responses, and requests inside it.
#include "protocol/interworking/dialog.h"

#include <fmt/format.h>

namespace cutover::interworking {

namespace {

void take_target(Dialog& dialog, const sip::Message& message) {
  const auto contact = sip::parse_name_addr(message.header_or_empty("Contact"));
  if (contact) dialog.remote_target = contact->uri.text();
}

std::string without_parameters(const sip::NameAddr& address) { return "<" + address.uri.text() + ">"; }

sip::Message skeleton(const Dialog& dialog, std::string_view method, std::uint32_t cseq) {
  sip::Message request;
  request.method = method;
  request.request_uri = dialog.remote_target;
  request.add_header("Max-Forwards", "70");
  for (const auto& route : dialog.route_set) request.add_header("Route", route);
  request.add_header("From", dialog.local + ";tag=" + dialog.local_tag);
  request.add_header("To", dialog.remote_tag.empty() ? dialog.remote : dialog.remote + ";tag=" + dialog.remote_tag);
  request.add_header("Call-ID", dialog.call_id);
  request.add_header("CSeq", fmt::format("{} {}", cseq, method));
  return request;
}

}  // namespace

Dialog answering_dialog(const sip::Message& request, std::string local_tag) {
  Dialog dialog;
  dialog.call_id = request.call_id();
  dialog.local_tag = std::move(local_tag);
  if (const auto from = request.from()) {
    dialog.remote = without_parameters(*from);
    dialog.remote_tag = from->tag();
    dialog.remote_target = from->uri.text();
  }
  if (const auto to = request.to()) dialog.local = without_parameters(*to);
  take_target(dialog, request);
  dialog.route_set = request.all("Record-Route");
  dialog.remote_cseq = request.cseq_number();
  return dialog;
}

void establish_from_response(Dialog& dialog, const sip::Message& response) {
  const auto to = response.to();
  if (!dialog.remote_tag.empty() || !to || to->tag().empty()) return;
  dialog.remote_tag = to->tag();
  take_target(dialog, response);
  const auto routes = response.all("Record-Route");
  dialog.route_set.assign(routes.rbegin(), routes.rend());
}

void establish_from_request(Dialog& dialog, const sip::Message& request) {
  const auto from = request.from();
  if (!dialog.remote_tag.empty() || !from) return;
  dialog.remote_tag = from->tag();
  take_target(dialog, request);
  dialog.route_set = request.all("Record-Route");
}

sip::Message request_in(Dialog& dialog, std::string_view method) {
  return skeleton(dialog, method, ++dialog.local_cseq);
}

sip::Message ack_in(const Dialog& dialog, std::uint32_t cseq) { return skeleton(dialog, "ACK", cseq); }

}  // namespace cutover::interworking
