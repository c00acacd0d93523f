# resemote_add_backend(NAME INCLUDE_DIRS dirs... SOURCES files...)
#
# Adds the backend in runtimes/backends/NAME to the target resemote, or leaves it out and says why. The list of backends
# and the library's symbols are the same either way.
#   INCLUDE_DIRS  Folders with the engine's headers; "NOTFOUND" leaves the backend out.
#   NO_HEADERS    The backend needs no headers of the engine, because it declares what it uses.
#   SOURCES       Source files, relative to the backend's folder.
# The option RESEMOTE_BACKEND_<NAME> controls it. ON fails if headers are missing, OFF leaves the backend out, and AUTO
# (the default) builds it if the headers are found.
function(resemote_add_backend NAME)
  cmake_parse_arguments(ARG "NO_HEADERS" "" "INCLUDE_DIRS;SOURCES" ${ARGN})
  string(TOUPPER "${NAME}" UPPER)
  resemote_setting(RESEMOTE_BACKEND_${UPPER} "Backend ${NAME}: ON, OFF or AUTO" STRING AUTO)
  set(WANTED "${RESEMOTE_BACKEND_${UPPER}}")
  set(FOUND TRUE)
  if(NOT ARG_NO_HEADERS AND (NOT ARG_INCLUDE_DIRS OR "${ARG_INCLUDE_DIRS}" MATCHES "NOTFOUND"))
    set(FOUND FALSE)
  endif()
  if(WANTED STREQUAL "ON" AND NOT FOUND)
    message(FATAL_ERROR "backend ${NAME}: its headers were not found; install them, or pass -DRESEMOTE_BACKEND_${UPPER}=OFF")
  endif()
  if(WANTED STREQUAL "OFF" OR NOT FOUND)
    message(STATUS "Backend ${NAME}: left out")
    return()
  endif()
  set(FOLDER "${PROJECT_SOURCE_DIR}/runtimes/backends/${NAME}")
  foreach(SOURCE ${ARG_SOURCES})
    target_sources(resemote_objects PRIVATE "${FOLDER}/${SOURCE}")
  endforeach()
  if(NOT ARG_NO_HEADERS)
    target_include_directories(resemote_objects SYSTEM PRIVATE ${ARG_INCLUDE_DIRS})
  endif()
  # This target holds the list of backends.
  target_include_directories(resemote PRIVATE "${FOLDER}")
  target_compile_definitions(resemote PRIVATE RESEMOTE_WITH_${UPPER}=1)
  message(STATUS "Backend ${NAME}: built in")
endfunction()
