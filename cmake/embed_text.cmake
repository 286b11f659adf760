# Writes INPUT as the C++ function FUNCTION of NAMESPACE, which HEADER declares, to OUTPUT: a string constant in pieces
# that every compiler takes.
file(READ ${INPUT} text)
string(LENGTH "${text}" length)
get_filename_component(name ${INPUT} NAME)
set(code "// Made from ${name} at build time.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\nstd::string_view ${FUNCTION}() {\n  return\n")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND code "R\"~text~(${piece})~text~\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
string(APPEND code ";\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE ${OUTPUT} "${code}")
