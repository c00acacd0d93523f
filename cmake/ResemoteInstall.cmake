# Installs the target resemote, its headers, and what find_package(resemote) and pkg-config read.
#
# Components: `runtime` (the shared library), `dev` (headers, static library, packages), `tools` (programs).
# RESEMOTE_INSTALL_CMAKEDIR is the folder of the CMake package. It stays below the prefix even if the libraries' folder is
# absolute, because the package finds the headers from its own place.
include(CMakePackageConfigHelpers)

set(RESEMOTE_DEFAULT_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/resemote")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(RESEMOTE_DEFAULT_CMAKEDIR "lib/cmake/resemote")
endif()
resemote_setting(RESEMOTE_INSTALL_CMAKEDIR "Where the CMake package is installed" STRING "${RESEMOTE_DEFAULT_CMAKEDIR}")

# Two rules, because CMake before 3.12 cannot give the link without a version a component of its own.
install(TARGETS resemote EXPORT resemoteTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_SKIP
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
if(RESEMOTE_TYPE STREQUAL "SHARED_LIBRARY")
  install(TARGETS resemote LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev NAMELINK_ONLY)
endif()
install(DIRECTORY include/resemote DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
install(EXPORT resemoteTargets NAMESPACE resemote:: DESTINATION "${RESEMOTE_INSTALL_CMAKEDIR}" COMPONENT dev)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/resemoteConfig.cmake.in" resemoteConfig.cmake
  INSTALL_DESTINATION "${RESEMOTE_INSTALL_CMAKEDIR}"
  NO_SET_AND_CHECK_MACRO)
configure_file("${PROJECT_SOURCE_DIR}/cmake/resemoteConfigVersion.cmake.in" resemoteConfigVersion.cmake @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/resemoteConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/resemoteConfigVersion.cmake"
  DESTINATION "${RESEMOTE_INSTALL_CMAKEDIR}" COMPONENT dev)

# What a program needs that links the static library: in Libs.private for pkg-config --static, or in Libs if there is no
# other library.
set(RESEMOTE_CXX_LIBRARY "-lstdc++")
if("c++" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  set(RESEMOTE_CXX_LIBRARY "-lc++")
endif()
set(RESEMOTE_PC_OWN "-L\${libdir} -lresemote")
set(RESEMOTE_PC_PRIVATE "${RESEMOTE_CXX_LIBRARY} -lm -pthread")
if(CMAKE_DL_LIBS)
  set(RESEMOTE_PC_PRIVATE "${RESEMOTE_PC_PRIVATE} -l${CMAKE_DL_LIBS}")
endif()
if(NOT RESEMOTE_TYPE STREQUAL "SHARED_LIBRARY")
  set(RESEMOTE_PC_OWN "${RESEMOTE_PC_OWN} ${RESEMOTE_PC_PRIVATE}")
endif()

# The prefix is found from the file's own place, so that the tree may be moved; next to an absolute library folder, it is
# the prefix of the installation. Both are known when it is installed, and not before: `cmake --install --prefix`.
set(RESEMOTE_PC_PREFIX "\${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH RESEMOTE_PC_UP "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" RESEMOTE_PC_UP "${RESEMOTE_PC_UP}")
  set(RESEMOTE_PC_PREFIX "\${pcfiledir}/${RESEMOTE_PC_UP}")
endif()
foreach(DIR LIBDIR INCLUDEDIR)
  set(RESEMOTE_PC_${DIR} "\${prefix}/${CMAKE_INSTALL_${DIR}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${DIR}}")
    set(RESEMOTE_PC_${DIR} "${CMAKE_INSTALL_${DIR}}")
  endif()
endforeach()
configure_file("${PROJECT_SOURCE_DIR}/cmake/resemote.pc.in" resemote.pc.in @ONLY)
install(CODE "
  file(READ \"${CMAKE_CURRENT_BINARY_DIR}/resemote.pc.in\" RESEMOTE_PC)
  string(REPLACE \"\\\${CMAKE_INSTALL_PREFIX}\" \"\${CMAKE_INSTALL_PREFIX}\" RESEMOTE_PC \"\${RESEMOTE_PC}\")
  file(WRITE \"${CMAKE_CURRENT_BINARY_DIR}/resemote.pc\" \"\${RESEMOTE_PC}\")" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/resemote.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
