# Shell functions of ./run and ./test: configure and build one preset, quietly unless it fails.

# build PRESET [TARGET...]: configures and builds; the log of a failing step is printed whole.
build() {
  preset=$1
  shift
  mkdir -p "build/$preset"
  step "configure" cmake --preset "$preset"
  if [ $# -gt 0 ]; then
    step "build" cmake --build --preset "$preset" --target "$@"
  else
    step "build" cmake --build --preset "$preset"
  fi
}

# step NAME COMMAND...: on a terminal the command shows itself; in a pipe its output is kept and shown only when it fails.
step() {
  name=$1
  shift
  log=build/$preset/$name.log
  if [ -t 1 ]; then
    "$@" </dev/null
    return
  fi
  echo "$name: $*"
  "$@" </dev/null >"$log" 2>&1 || {
    status=$?
    cat "$log"
    echo "$name: failed ($status)"
    exit $status
  }
}
