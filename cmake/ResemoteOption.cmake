# resemote_option(NAME "help" DEFAULT)         an option that is ON or OFF
# resemote_setting(NAME "help" TYPE DEFAULT)   a cache variable of another type
#
# Both keep a variable that the project above has set. CMake would remove it before 3.13 and 3.21 (policies CMP0077 and
# CMP0126). A value from the command line has no type in the cache until it is declared.
macro(resemote_setting NAME HELP TYPE DEFAULT)
  get_property(RESEMOTE_CACHED CACHE ${NAME} PROPERTY TYPE)
  if(NOT DEFINED ${NAME} OR RESEMOTE_CACHED STREQUAL "UNINITIALIZED")
    set(${NAME} "${DEFAULT}" CACHE ${TYPE} "${HELP}")
  endif()
endmacro()

macro(resemote_option NAME HELP DEFAULT)
  resemote_setting(${NAME} "${HELP}" BOOL ${DEFAULT})
endmacro()
