// One connection a request, as the interface has it.
#include "suites/support/administrator.h"

#include <fmt/format.h>

#include <charconv>

namespace cutover::suites {

namespace {

constexpr char token[] = "of the administrator";
constexpr int host = 212;  // that no deployment has
constexpr Duration patience = 10s;

}  // namespace

harness::AdminPlan admin_plan() { return {.enabled = true, .token = token}; }

Administrator::Administrator(harness::Deployment& deployment)
    : deployment_(deployment),
      peer_(deployment.world().add("administrator", host,
                                   std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{}, Layer::http))) {}

AdminReply Administrator::ask(const std::string& box, std::string_view method, std::string_view path,
                              const std::string& body) {
  const auto where = deployment_.endpoint(box + " (admin)");
  auto& connection = peer_.connect(where);
  connection.send(
      fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  method, path, where.address, where.port, token, body.size(), body));
  (void)deployment_.world().run_until([&] { return connection.eof() || connection.closed(); }, patience);
  connection.shutdown();
  const auto& answer = connection.received();
  AdminReply reply;
  constexpr std::string_view version = "HTTP/1.1 ";
  if (answer.starts_with(version))
    std::from_chars(answer.data() + version.size(), answer.data() + answer.size(), reply.status);
  const auto end = answer.find("\r\n\r\n");
  if (end != std::string::npos) reply.body = answer.substr(end + 4);
  return reply;
}

}  // namespace cutover::suites
