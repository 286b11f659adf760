# Compiler flags that hold for every target, ccache and the faster linker where present.
find_program(CUTOVER_CCACHE ccache)
if(CUTOVER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # pch_defines,time_macros: what ccache asks for before it will store a build with precompiled headers. Paths relative
  # to the tree let a second checkout use what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CUTOVER_CCACHE})
endif()
find_program(CUTOVER_LLD ld.lld)
if(CUTOVER_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_library(cutover_flags INTERFACE)
target_compile_options(cutover_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference
  -Wno-missing-field-initializers # designated initialisers leave the rest at its default on purpose
  -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees dangling and overlapping accesses inside its own std::string at -O2 (GCC bug 105651), and with precompiled
  # headers also accesses beyond its end.
  target_compile_options(cutover_flags INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-null-dereference)
  if(CUTOVER_SANITIZE)
    # ... and, instrumented, uninitialised members inside its own std::regex (GCC bug 105562).
    target_compile_options(cutover_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
target_compile_definitions(cutover_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(cutover_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(CUTOVER_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(CUTOVER_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(CUTOVER_FUZZ)
  # Coverage feedback from every layer, and clang's own opinions as warnings only: g++ is the compiler that must be silent.
  add_compile_options(-fsanitize=fuzzer-no-link)
  target_compile_options(cutover_flags INTERFACE -Wno-error)
endif()
