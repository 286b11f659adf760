// `new` on top of malloc. mimalloc's own asks no new-handler in a C build: it aborts, and that without a word.
#include "harness/cli/out_of_memory.h"

#include "harness/judging/outcome.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace cutover::harness::cli {

const char out_of_memory_words[] =
    "cutover: out of memory; allow this process more of it (ulimit -v, or the limit of its container)\n";

namespace {

bool can_throw = false;

[[maybe_unused]] void* allocated(std::size_t size) {
  if (void* place = std::malloc(size)) return place;
  if (can_throw) throw std::bad_alloc();
  (void)!::write(STDERR_FILENO, out_of_memory_words, std::strlen(out_of_memory_words));
  ::_exit(exit_code::fault);
}

}  // namespace

void throw_when_out_of_memory() { can_throw = true; }

}  // namespace cutover::harness::cli

#ifdef CUTOVER_MIMALLOC
void* operator new(std::size_t size) { return cutover::harness::cli::allocated(size); }
void* operator new[](std::size_t size) { return cutover::harness::cli::allocated(size); }
void operator delete(void* place) noexcept { std::free(place); }
void operator delete[](void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
void operator delete[](void* place, std::size_t) noexcept { std::free(place); }
#endif
