// What happens where the system gives no more memory: the allocator that we use would end the program without a word.
#pragma once

namespace cutover::harness::cli {

/// What to say about it, with the remedy; ends with a line end.
extern const char out_of_memory_words[];

/// From here on `new` throws std::bad_alloc. Before, in constructors of libraries, nobody could catch it: then the
/// program says the words and ends with the exit code of a fault.
void throw_when_out_of_memory();

}  // namespace cutover::harness::cli
