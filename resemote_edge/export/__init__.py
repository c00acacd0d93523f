"""Export: a pipeline of stages from a checkpoint to an artifact.

graph -> onnx -> target -> verify -> passport; each stage takes a frozen dataclass and returns one.
"""
