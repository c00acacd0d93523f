"""Target ``pytorch``: the eval graph as one safetensors file, for the ``pytorch`` runtime.

The operations are JSON in the file's metadata, and the weights are its tensors. Loading it runs no code from the file,
which PyTorch's own archive formats cannot promise.
"""

import json

import numpy as np

from resemote_edge.errors import ExportError, needs
from resemote_edge.export.recipe import Recipe
from resemote_edge.export.targets.base import Built, BuiltFile, TargetInputs

__all__ = ["PyTorchTarget"]


class PyTorchTarget:
    """Writes ``model.safetensors``."""

    def onnx_precision(self, recipe: Recipe) -> str:
        """The recipe's precision; the ONNX itself is not used."""
        return recipe.float_precision

    def build(self, inputs: TargetInputs) -> Built:
        """Save the graph."""
        if inputs.graph is None:
            raise ExportError("the runtime pytorch runs no network that came as ONNX", hint="pass another --target")
        with needs("export", "exporting to PyTorch"):
            import safetensors
            from safetensors import SafetensorError
            from safetensors.numpy import save_file
        dtype = np.float16 if inputs.recipe.float_precision == "fp16" else np.float32
        tensors = {
            f"{node.name}.{key}": np.ascontiguousarray(array, dtype=dtype if array.dtype.kind == "f" else array.dtype)
            for node in inputs.graph.nodes
            for key, array in node.params.items()
        }
        nodes = [
            {
                "name": node.name,
                "op": node.op,
                "inputs": list(node.inputs),
                "params": sorted(node.params),
                "attributes": dict(node.attributes),
            }
            for node in inputs.graph.nodes
        ]
        metadata = {**inputs.facts, "graph": json.dumps(nodes)}
        try:
            save_file(tensors, inputs.folder / "model.safetensors", metadata=metadata)
        except SafetensorError as error:
            raise ExportError(f"{inputs.folder}: cannot write the graph ({error})") from None
        return Built(
            files=(BuiltFile("model.safetensors", "model", "graph"),), tools={"safetensors": safetensors.__version__}
        )
