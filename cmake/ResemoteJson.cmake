# Finds nlohmann-json, a library of headers, and sets NLOHMANN_JSON_INCLUDE_DIR. Versions before 3.7.3 are refused: those
# before 3.7 do not compile here, and all of them end the process if a file nests arrays deeply.
set(RESEMOTE_JSON_LEAST 3.7.3)

find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp)
set(RESEMOTE_JSON_CURE "install version ${RESEMOTE_JSON_LEAST} or later (Debian 11 and Ubuntu 20.04 or later: \
nlohmann-json3-dev). It is a single header: on older systems, put json.hpp of a release into a folder nlohmann/, and pass \
-DNLOHMANN_JSON_INCLUDE_DIR=<the folder that holds nlohmann/>")
if(NOT NLOHMANN_JSON_INCLUDE_DIR OR NOT EXISTS "${NLOHMANN_JSON_INCLUDE_DIR}/nlohmann/json.hpp")
  message(FATAL_ERROR "nlohmann/json.hpp was not found; ${RESEMOTE_JSON_CURE}")
endif()

# The macros are in json.hpp itself, or since 3.11 in a header that it includes.
set(RESEMOTE_JSON_VERSION "")
foreach(HEADER json.hpp detail/abi_macros.hpp)
  set(HEADER "${NLOHMANN_JSON_INCLUDE_DIR}/nlohmann/${HEADER}")
  if(RESEMOTE_JSON_VERSION STREQUAL "" AND EXISTS "${HEADER}")
    file(STRINGS "${HEADER}" LINES REGEX "^[ \t]*#[ \t]*define[ \t]+NLOHMANN_JSON_VERSION_(MAJOR|MINOR|PATCH)[ \t]+[0-9]+")
    if("${LINES}" MATCHES "_MAJOR[ \t]+([0-9]+).*_MINOR[ \t]+([0-9]+).*_PATCH[ \t]+([0-9]+)")
      set(RESEMOTE_JSON_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}")
    endif()
  endif()
endforeach()
if(RESEMOTE_JSON_VERSION STREQUAL "" OR RESEMOTE_JSON_VERSION VERSION_LESS RESEMOTE_JSON_LEAST)
  if(RESEMOTE_JSON_VERSION STREQUAL "")
    set(RESEMOTE_JSON_VERSION "without a version number, so before 3.0")
  endif()
  message(FATAL_ERROR
    "${NLOHMANN_JSON_INCLUDE_DIR}/nlohmann/json.hpp is too old (${RESEMOTE_JSON_VERSION}); ${RESEMOTE_JSON_CURE}")
endif()
