# Finds the headers of TensorRT, of its ONNX parser and of the CUDA runtime. The libraries are found at run time, when
# they are first needed, so that one binary runs with or without them. CMake 3.10.
#
#   TensorRT_FOUND
#   TensorRT_INCLUDE_DIRS   folders with NvInfer.h, NvOnnxParser.h, cuda_runtime_api.h and crt/host_defines.h
#   TensorRT_VERSION        major.minor.patch, from NvInferVersion.h
#   TensorRT::Headers       an interface target with those folders, as system ones
#
# It looks in TensorRT_ROOT (variable or environment) for the first two, and in CUDAToolkit_ROOT, CUDA_HOME or CUDA_PATH
# for CUDA. Then it looks where JetPack, Debian packages and the CUDA toolkit install them.

set(_TensorRT_cuda_roots ${CUDAToolkit_ROOT} ${CUDA_TOOLKIT_ROOT_DIR} ENV CUDAToolkit_ROOT ENV CUDA_HOME ENV CUDA_PATH)
set(_TensorRT_cuda_suffixes
  include targets/aarch64-linux/include targets/sbsa-linux/include targets/x86_64-linux/include)

find_path(TensorRT_INCLUDE_DIR NvInfer.h
  HINTS ${TensorRT_ROOT} ENV TensorRT_ROOT
  PATHS /usr/local/tensorrt /opt/tensorrt
  PATH_SUFFIXES include)
# Since 10.16, it is beside NvInfer.h in NVIDIA's repository. Packages have always installed it there.
find_path(TensorRT_PARSER_INCLUDE_DIR NvOnnxParser.h
  HINTS ${TensorRT_INCLUDE_DIR} ${TensorRT_ROOT} ENV TensorRT_ROOT
  PATHS /usr/local/tensorrt /opt/tensorrt
  PATH_SUFFIXES include)
find_path(TensorRT_CUDA_INCLUDE_DIR cuda_runtime_api.h
  HINTS ${_TensorRT_cuda_roots}
  PATHS /usr/local/cuda
  PATH_SUFFIXES ${_TensorRT_cuda_suffixes})
# It is part of the toolkit, but has a Python package of its own.
find_path(TensorRT_CUDA_CRT_INCLUDE_DIR crt/host_defines.h
  HINTS ${TensorRT_CUDA_INCLUDE_DIR} ${_TensorRT_cuda_roots}
  PATHS /usr/local/cuda
  PATH_SUFFIXES ${_TensorRT_cuda_suffixes})

# Reads the number of one part. It is written out or, since 10.13, the name of another macro with the number.
function(_tensorrt_version_part text part result)
  set(value "")
  if(text MATCHES "#define[ \t]+NV_TENSORRT_${part}[ \t]+([A-Za-z0-9_]+)")
    set(value "${CMAKE_MATCH_1}")
  endif()
  if(value MATCHES "^[A-Za-z_]" AND text MATCHES "#define[ \t]+${value}[ \t]+([0-9]+)")
    set(value "${CMAKE_MATCH_1}")
  endif()
  if(NOT value MATCHES "^[0-9]+$")
    set(value "")
  endif()
  set(${result} "${value}" PARENT_SCOPE)
endfunction()

set(TensorRT_VERSION "")
if(TensorRT_INCLUDE_DIR AND EXISTS "${TensorRT_INCLUDE_DIR}/NvInferVersion.h")
  file(READ "${TensorRT_INCLUDE_DIR}/NvInferVersion.h" _TensorRT_text)
  _tensorrt_version_part("${_TensorRT_text}" MAJOR _TensorRT_major)
  _tensorrt_version_part("${_TensorRT_text}" MINOR _TensorRT_minor)
  _tensorrt_version_part("${_TensorRT_text}" PATCH _TensorRT_patch)
  if(NOT _TensorRT_major STREQUAL "" AND NOT _TensorRT_minor STREQUAL "" AND NOT _TensorRT_patch STREQUAL "")
    set(TensorRT_VERSION "${_TensorRT_major}.${_TensorRT_minor}.${_TensorRT_patch}")
  endif()
  unset(_TensorRT_text)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TensorRT
  REQUIRED_VARS TensorRT_INCLUDE_DIR TensorRT_PARSER_INCLUDE_DIR TensorRT_CUDA_INCLUDE_DIR
                TensorRT_CUDA_CRT_INCLUDE_DIR TensorRT_VERSION
  VERSION_VAR TensorRT_VERSION)

if(TensorRT_FOUND)
  set(TensorRT_INCLUDE_DIRS
    ${TensorRT_INCLUDE_DIR} ${TensorRT_PARSER_INCLUDE_DIR}
    ${TensorRT_CUDA_INCLUDE_DIR} ${TensorRT_CUDA_CRT_INCLUDE_DIR})
  list(REMOVE_DUPLICATES TensorRT_INCLUDE_DIRS)
  if(NOT TARGET TensorRT::Headers)
    add_library(TensorRT::Headers INTERFACE IMPORTED)
    set_target_properties(TensorRT::Headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${TensorRT_INCLUDE_DIRS}")
  endif()
endif()
mark_as_advanced(
  TensorRT_INCLUDE_DIR TensorRT_PARSER_INCLUDE_DIR TensorRT_CUDA_INCLUDE_DIR TensorRT_CUDA_CRT_INCLUDE_DIR)
