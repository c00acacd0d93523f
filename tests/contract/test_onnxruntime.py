from importlib.util import find_spec

from session_contract import SessionContract

BUILDER = find_spec("tensorrt_rtx") is not None


class TestONNXRuntime(SessionContract):
    runtime = "onnxruntime"
    # The artifact of the last one contains the ONNX that its engine was built from.
    recipes = ("cpu-onnxruntime-fp32", "cpu-onnxruntime-fp16", *(("rtx-tensorrt-fp16",) if BUILDER else ()))
    foreign = "cpu-openvino-fp32"
