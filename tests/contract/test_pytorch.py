from session_contract import SessionContract


class TestPyTorch(SessionContract):
    runtime = "pytorch"
    recipes = ("any-pytorch-fp32", "any-pytorch-fp16")
    foreign = "cpu-openvino-fp32"
