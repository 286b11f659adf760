// A deployment in a live world that lasts until somebody ends it.
#include "harness/live/serve.h"

#include "harness/deployment.h"
#include "harness/live/live_world.h"

#include <fmt/format.h>

#include <csignal>
#include <ostream>

namespace cutover::harness {

namespace {
volatile std::sig_atomic_t ended = 0;
void end(int) { ended = 1; }

void print_endpoints(std::ostream& out, const Deployment& deployment) {
  for (const auto& [name, endpoint] : deployment.endpoints()) {
    out << fmt::format("  {:<24} {}:{}\n", name, endpoint.address, endpoint.port);
  }
  const auto dns = deployment.name_server_endpoint();
  out << fmt::format("ask it:  dig @{} -p {} SRV _xmpp-server._tcp.{}\n", dns.address, dns.port,
                     deployment.topology().domain);
}

// Notes since the last call; the trace is emptied so that a deployment can stay up for days.
void print_notes(std::ostream& out, Trace& trace) {
  for (const auto& record : trace.records()) {
    const auto* arrow = record.note.direction == Direction::out  ? "->"
                        : record.note.direction == Direction::in ? "<-"
                                                                 : "--";
    const auto seconds = std::chrono::duration<double>(record.time.time_since_epoch()).count();
    out << fmt::format("{:10.3f} {} {} {}: {}\n", seconds, record.node, arrow, record.peer, record.note.summary);
  }
  trace.clear();
}
}  // namespace

int serve(std::ostream& out, const ServeOptions& options) {
  ended = 0;
  std::signal(SIGINT, end);
  std::signal(SIGTERM, end);
  LiveWorld world({.block = options.block, .seed = options.seed});
  Deployment deployment(world, {});
  deployment.bring_up();
  if (!options.legacy) {
    for (const auto step : canonical_steps()) deployment.carry_out(step);
  }
  world.trace().clear();
  out << (options.legacy ? "up, before the migration:\n" : "up, after the migration:\n");
  print_endpoints(out, deployment);
  out << "Ctrl-C ends it.\n" << std::flush;
  while (ended == 0) {
    world.run_for(100ms);
    print_notes(out, world.trace());
    out.flush();
  }
  out << "ended\n";
  return 0;
}

}  // namespace cutover::harness
