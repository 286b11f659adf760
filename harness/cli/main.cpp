// The program `cutover`.
#include "harness/cli/command_line.h"

int main(int argc, char** argv) { return cutover::harness::cli::run_command_line(argc, argv); }
