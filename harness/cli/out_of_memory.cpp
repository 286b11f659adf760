// mimalloc asks the new-handler, and aborts where there is none.
#include "harness/cli/out_of_memory.h"

#include "harness/judging/outcome.h"

#include <unistd.h>

#include <cstring>
#include <new>

namespace cutover::harness::cli {

const char out_of_memory_words[] =
    "cutover: out of memory; allow this process more of it (ulimit -v, or the limit of its container)\n";

namespace {

bool can_throw = false;

void out_of_memory() {
  if (can_throw) throw std::bad_alloc();
  (void)!::write(STDERR_FILENO, out_of_memory_words, std::strlen(out_of_memory_words));
  ::_exit(exit_code::fault);
}

#ifdef CUTOVER_MIMALLOC
void at_start(int, char**, char**) { std::set_new_handler(out_of_memory); }
/// Before the constructors of every library.
[[gnu::section(".preinit_array"), gnu::used]] void (*before_everything)(int, char**, char**) = at_start;
#endif

}  // namespace

void throw_when_out_of_memory() {
  can_throw = true;
  std::set_new_handler(out_of_memory);
}

}  // namespace cutover::harness::cli
