"""Target ``onnx``: the ONNX itself, for ONNX Runtime and anything else that reads it."""

import onnx

from resemote_edge.export.recipe import Recipe
from resemote_edge.export.targets.base import Built, BuiltFile, TargetInputs

__all__ = ["OnnxTarget"]


class OnnxTarget:
    """Writes ``model.onnx``."""

    def onnx_precision(self, recipe: Recipe) -> str:
        """The recipe's precision: a typed graph."""
        return recipe.float_precision

    def build(self, inputs: TargetInputs) -> Built:
        """Save the model."""
        onnx.save(inputs.onnx, inputs.folder / "model.onnx")
        return Built(files=(BuiltFile("model.onnx", "model", "onnx"),), tools={"onnx": onnx.__version__})
