"""Target ``openvino``: IR, ``model.xml`` and ``model.bin``."""

from resemote_edge.errors import ExportError
from resemote_edge.export.recipe import Recipe
from resemote_edge.export.targets.base import Built, BuiltFile, TargetInputs
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["OpenVINOTarget"]


class OpenVINOTarget:
    """Reads the fp32 ONNX and writes IR, with weights in fp32 or compressed to fp16."""

    def onnx_precision(self, recipe: Recipe) -> str:
        """Return fp32 always: OpenVINO compresses the weights itself, and keeps types for the device to choose."""
        return "fp32"

    def build(self, inputs: TargetInputs) -> Built:
        """Convert and save."""
        openvino = import_openvino("exporting to OpenVINO")
        try:
            model = openvino.Core().read_model(inputs.onnx.SerializeToString())
        except RuntimeError as error:
            raise ExportError(f"OpenVINO {openvino.__version__} cannot read the ONNX: {error}") from error
        for key, value in inputs.facts.items():
            model.set_rt_info(value, ["resemote_edge", key.removeprefix("resemote_edge.")])
        try:
            openvino.save_model(
                model, str(inputs.folder / "model.xml"), compress_to_fp16=inputs.recipe.float_precision == "fp16"
            )
        except RuntimeError as error:  # Its writer reports a full disk as a stream error.
            raise ExportError(
                f"{inputs.folder}: OpenVINO cannot write the IR ({error})", hint="is the disk full?"
            ) from None
        return Built(
            files=(
                BuiltFile("model.xml", "model", "openvino-ir"),
                BuiltFile("model.bin", "weights", "openvino-weights"),
            ),
            tools={"openvino": str(openvino.get_version())},
        )
