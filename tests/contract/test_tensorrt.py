from session_contract import SessionContract


class TestTensorRT(SessionContract):
    runtime = "tensorrt"
    recipes = ("rtx-tensorrt-fp16",)
    foreign = "cpu-openvino-fp32"
