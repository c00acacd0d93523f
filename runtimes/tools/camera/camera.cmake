# resemote-camera, included by the folder above. It needs OpenCV: without it, `resemote camera` says so. The OpenCV of
# JetPack, Debian and Ubuntu has GStreamer.
option(RESEMOTE_BUILD_CAMERA "Build resemote camera, if OpenCV 4.1 or newer is found" ON)
if(NOT RESEMOTE_BUILD_CAMERA)
  return()
endif()
find_package(OpenCV 4.1 QUIET COMPONENTS core imgproc videoio)
if(NOT OpenCV_FOUND)
  message(STATUS "resemote camera: left out, OpenCV 4.1 or newer was not found")
  return()
endif()
message(STATUS "resemote camera: built with OpenCV ${OpenCV_VERSION}")

# What is computed about faces, in the order of operations of the Python package: products and sums are rounded
# separately, so that tracks have the same bits on every CPU.
add_executable(resemote_camera
  ../src/sha256.cpp
  camera/address.cpp
  camera/annotation.cpp
  camera/camera_program.cpp
  camera/captured.cpp
  camera/decider.cpp
  camera/faces/candidates.cpp
  camera/faces/detector.cpp
  camera/faces/framing.cpp
  camera/faces/picture.cpp
  camera/faces/quality.cpp
  camera/faces/scaling.cpp
  camera/faces/smoothing.cpp
  camera/faces/tracker.cpp
  camera/film_sink.cpp
  camera/judge.cpp
  camera/line_sink.cpp
  camera/reader.cpp
  camera/results.cpp
  camera/schedule.cpp
  camera/sink.cpp
  camera/summary.cpp
  camera/tally.cpp
  camera/video_source.cpp
  camera/window.cpp
  errors.cpp
  file.cpp
  options.cpp
  progress.cpp
  session_choice.cpp
  signals.cpp
  terminal.cpp)
set_target_properties(resemote_camera PROPERTIES
  OUTPUT_NAME resemote-camera
  CXX_STANDARD 14
  CXX_STANDARD_REQUIRED ON
  CXX_EXTENSIONS OFF
  CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_include_directories(resemote_camera SYSTEM PRIVATE "${NLOHMANN_JSON_INCLUDE_DIR}" ${OpenCV_INCLUDE_DIRS})
target_compile_options(resemote_camera PRIVATE -Wall -Wextra -Wpedantic -Wshadow -ffp-contract=off -ffunction-sections
  -fdata-sections)

# Windows bring a toolkit such as GTK along, which a board without a screen does not need.
option(RESEMOTE_CAMERA_WINDOWS "Let resemote camera show pictures in a window, if this OpenCV has windows" ON)
if(RESEMOTE_CAMERA_WINDOWS AND TARGET opencv_highgui)
  target_compile_definitions(resemote_camera PRIVATE RESEMOTE_WITH_WINDOWS=1)
  list(APPEND OpenCV_LIBS opencv_highgui)
endif()

target_link_libraries(resemote_camera PRIVATE resemote::resemote ${OpenCV_LIBS} Threads::Threads -Wl,--gc-sections)
target_compile_definitions(resemote_tools PRIVATE RESEMOTE_WITH_CAMERA=1)
if(RESEMOTE_INSTALL)
  install(TARGETS resemote_camera RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()
