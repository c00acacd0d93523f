# Finds the headers of OpenVINO's C API, in a system install or in the Python package.
#   OpenVINOHeaders_INCLUDE_DIR  Folder that holds openvino/c/openvino.h.
# Hints: the variables OpenVINO_DIR and OpenVINOHeaders_ROOT, and the Python in RESEMOTE_PYTHON.
include(ResemoteOption)
resemote_setting(RESEMOTE_PYTHON "Python whose openvino package may give the headers" STRING python3)

if(NOT OpenVINOHeaders_INCLUDE_DIR)
  # The package is not imported, because that would start OpenVINO and load its dependencies.
  execute_process(
    COMMAND "${RESEMOTE_PYTHON}" -c
            "import importlib.util as u; s = u.find_spec('openvino'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE OPENVINO_PACKAGE
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
  find_path(OpenVINOHeaders_INCLUDE_DIR openvino/c/openvino.h
    HINTS "${OpenVINOHeaders_ROOT}" "${OpenVINO_DIR}/../include" "$ENV{INTEL_OPENVINO_DIR}/runtime/include"
          "${OPENVINO_PACKAGE}/include"
    PATHS /opt/intel/openvino/runtime/include)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenVINOHeaders REQUIRED_VARS OpenVINOHeaders_INCLUDE_DIR)
mark_as_advanced(OpenVINOHeaders_INCLUDE_DIR)
