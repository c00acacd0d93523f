# resemote-camera, included by the folder above. It needs OpenCV: without it, `resemote camera` says so. The OpenCV of
# JetPack, Debian and Ubuntu has GStreamer.
resemote_option(RESEMOTE_BUILD_CAMERA "Build resemote camera, if OpenCV 4.1 or newer is found" ON)
if(NOT RESEMOTE_BUILD_CAMERA)
  return()
endif()
find_package(OpenCV 4.1 QUIET COMPONENTS core imgproc videoio)
if(NOT OpenCV_FOUND)
  message(STATUS "resemote camera: left out, OpenCV 4.1 or newer was not found")
  return()
endif()
message(STATUS "resemote camera: built with OpenCV ${OpenCV_VERSION}")

resemote_add_tool(resemote_camera resemote-camera
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
  quantile.cpp
  session_choice.cpp
  signals.cpp
  terminal.cpp
  text.cpp)
target_include_directories(resemote_camera SYSTEM PRIVATE ${OpenCV_INCLUDE_DIRS})
# What is computed about faces, in the order of operations of the Python package: products and sums are rounded
# separately, so that tracks have the same bits on every CPU.
target_compile_options(resemote_camera PRIVATE -ffp-contract=off)

# Windows bring a toolkit such as GTK along, which a board without a screen does not need.
resemote_option(RESEMOTE_CAMERA_WINDOWS "Let resemote camera show pictures in a window, if this OpenCV has windows" ON)
if(RESEMOTE_CAMERA_WINDOWS AND TARGET opencv_highgui)
  target_compile_definitions(resemote_camera PRIVATE RESEMOTE_WITH_WINDOWS=1)
  list(APPEND OpenCV_LIBS opencv_highgui)
endif()

target_link_libraries(resemote_camera PRIVATE ${OpenCV_LIBS})
target_compile_definitions(resemote_tools PRIVATE RESEMOTE_WITH_CAMERA=1)
