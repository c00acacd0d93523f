from session_contract import SessionContract


class TestONNXRuntime(SessionContract):
    runtime = "onnxruntime"
    recipes = ("cpu-onnxruntime-fp32", "cpu-onnxruntime-fp16", "rtx-tensorrt-fp16")
    foreign = "cpu-openvino-fp32"
