# The tool's C++ builds its tables before main() begins: 3 ms of a `cnplay --version` that never parses. This
# moves that into the constructor: FILE, the generated source of CLASS.
file(READ ${FILE} text)
set(table "${CLASS}::Initializer ${CLASS}::_init;")
set(interpreter "  _interpreter = new ")
foreach(part IN ITEMS "${table}" "${interpreter}")
  string(FIND "${text}" "${part}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${FILE}: `${part}` is not there: antlr4 writes other code than grammar/lazy.cmake knows")
  endif()
endforeach()
string(REPLACE "${table}" "" text "${text}")
string(REPLACE "${interpreter}" "  static const Initializer made;\n  (void)made;\n${interpreter}" text "${text}")
file(WRITE ${FILE} "${text}")
