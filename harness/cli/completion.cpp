// The script asks the program for its words, so that it never knows old ones.
#include "harness/cli/completion.h"

#include "harness/deployment/topology.h"

#include <CLI/CLI.hpp>

namespace cutover::harness::cli {

namespace {

std::string options_of(const CLI::App& command) {
  std::string words;
  for (const auto* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    for (const auto& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

std::string nodes() {
  std::string words = "pools partners users";
  for (const auto& node : nodes_of(reference_topology())) words += " " + node.name;
  return words;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string commands, options;
  for (const auto* command : app.get_subcommands([](const auto*) { return true; })) {
    const auto name = command->get_name();
    commands += name + " ";
    if (name == "authority") command = command->get_subcommand("issue");  // `new` has no options
    options += "    " + name + ") options='" + options_of(*command) + "' ;;\n";
  }
  // Bash takes '=' for a word of its own: "--world=s" arrives as three.
  return R"(_cutover() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} option= options= words=
  if [ "$current" = "=" ]; then option=$before current=
  elif [ "$before" = "=" ]; then option=${COMP_WORDS[COMP_CWORD-2]}
  else case $before in
    --world|--exclude|--defect|--plant|--requirement|--kind|--nature|--layer) option=$before ;;
  esac
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ')" +
         commands + R"(--help --version' -- "$current"))
    return
  fi
  case $option in
    --world) words='sim live both' ;;
    --kind) words='rule rewrite setting inner' ;;
    --nature) words='defect variant' ;;
    --layer) words=$("${COMP_WORDS[0]}" defects --words 2>/dev/null | cut -d. -f1 | sort -u) ;;
    --defect|--plant) words=$("${COMP_WORDS[0]}" defects --words 2>/dev/null) ;;
    --requirement) words=$("${COMP_WORDS[0]}" list --words 2>/dev/null | grep '^[A-Z]') ;;
    --exclude) words=$("${COMP_WORDS[0]}" list --words 2>/dev/null) ;;
    --*) return ;;
  esac
  if [ -n "$option" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case ${COMP_WORDS[1]} in
)" + options +
         R"(  esac
  case ${COMP_WORDS[1]} in
    run|list|coverage|selftest) words=$("${COMP_WORDS[0]}" list --words 2>/dev/null) ;;
    explain) words=$("${COMP_WORDS[0]}" list --words 2>/dev/null; "${COMP_WORDS[0]}" defects --words 2>/dev/null) ;;
    serve) words=')" +
         nodes() + R"(' ;;
    authority) [ "$COMP_CWORD" -eq 2 ] && words='new issue' ;;
    plan) [ "$COMP_CWORD" -eq 2 ] && words='new operations causes' ;;
    completion) words=bash ;;
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o default -F _cutover cutover
)";
}

}  // namespace cutover::harness::cli
