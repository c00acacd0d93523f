from session_contract import SessionContract

from resemote_edge.runtimes.session import SessionOptions


class TestPyTorch(SessionContract):
    runtime = "pytorch"
    recipes = ("any-pytorch-fp32", "any-pytorch-fp16")
    foreign = "cpu-openvino-fp32"


class TestPyTorchCudaGraph(TestPyTorch):
    options = SessionOptions(device="cuda:0", cuda_graph=True)
