from session_contract import SessionContract


class TestOpenVINO(SessionContract):
    runtime = "openvino"
    recipes = ("cpu-openvino-fp32", "cpu-openvino-fp16", "cpu-onnxruntime-fp32")
    foreign = "any-pytorch-fp32"
