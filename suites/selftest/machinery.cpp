// Hidden cases that prove the machinery itself: how each kind of end is told. Run by their full id only.
#include "harness/judging/run.h"

#include <unistd.h>
#include <csignal>
#include <iostream>

namespace cutover::harness {
namespace {

using testing::Eq;

constexpr auto must = "SEED-2";

CaseRecord machinery(const char* id, const char* title, std::function<void(Run&)> body) {
  return {.id = id,
          .title = title,
          .procedure = "Ends in one certain way.",
          .judges = {{must, {"xmpp.deaf-while-closing"}}},
          .budget = 2s,
          .body = std::move(body)};
}

const Registration pass = CaseAt{__FILE__, __LINE__} + machinery("selftest.pass", "A case that passes", [](Run& run) {
                            CONFORMS(must, "the seed of the run", run.seed(), Eq(run.options().seed));
                          });
const Registration fail = CaseAt{__FILE__, __LINE__} + machinery("selftest.fail", "A case that fails", [](Run&) {
                            CONFORMS(must, "the document", std::string("<a>\x01</a>"), Eq("<b/>"));
                          });
const Registration broken = CaseAt{__FILE__, __LINE__} + machinery("selftest.broken", "A case that throws", [](Run&) {
                              throw std::runtime_error("thrown on purpose");
                            });
const Registration skip = CaseAt{__FILE__, __LINE__} + machinery("selftest.skip", "A case that is skipped",
                                                                 [](Run& run) { run.skip("not on this machine"); });
const Registration crash = CaseAt{__FILE__, __LINE__} + machinery("selftest.crash", "A case that crashes", [](Run&) {
                             std::cerr << "last words of the worker\n";
                             std::signal(SIGSEGV, SIG_DFL);
                             std::raise(SIGSEGV);
                           });
const Registration killed = CaseAt{__FILE__, __LINE__} + machinery("selftest.killed", "A case whose worker is killed",
                                                                   [](Run&) { std::raise(SIGKILL); });
const Registration hang = CaseAt{__FILE__, __LINE__} + machinery("selftest.hang", "A case that never ends", [](Run&) {
                            for (;;) ::pause();
                          });

}  // namespace
}  // namespace cutover::harness
