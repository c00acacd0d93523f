"""Targets: one module per kind of artifact, and the table of all that is known of them by name.

Nothing else switches on a target's name: a fact that differs between targets is a column here, or a method of `Target`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

from resemote_edge.errors import InputError

if TYPE_CHECKING:
    from resemote_edge.export.targets.base import Target

__all__ = ["TARGETS", "TargetInfo", "find_target", "target_of"]


@dataclass(frozen=True, kw_only=True)
class TargetInfo:
    """Facts about a target that are known before anything is imported for it.

    Attributes:
        implementation: Class that builds, as ``module:Class``.
        formats: Formats of the model files that it writes; one artifact has one of them.
        runtimes: Runtimes whose default artifact it makes; the first is its home, which verifies and measures.
        extras: Extras that an export needs, with its verification.
        recipes: Device and runtime in the names of its default recipes.
        without_vnni: Default recipe by precision where int8 sums of the CPU saturate, as far as it is another one.
        section: Name of the section that its recipes must have, and no others may; None where there is none.
        default_precision: Precision of the default artifact.
        demo: Precisions that the demo exports.
        detector_input: What its detectors take by default (`DetectorInput`).
    """

    implementation: str
    formats: tuple[str, ...]
    runtimes: tuple[str, ...]
    extras: tuple[str, ...]
    recipes: str
    without_vnni: Mapping[str, str] = field(default_factory=dict)
    section: str | None = None
    default_precision: str = "fp32"
    demo: tuple[str, ...] = ()
    detector_input: Literal["tensor", "bgr-u8"] = "bgr-u8"

    @property
    def home_runtime(self) -> str:
        """Runtime that verifies what the target builds, and measures it."""
        return self.runtimes[0]

    def load(self) -> "Target":
        """What builds artifacts of the target; its module is imported only now."""
        target: Target = resolve_name(self.implementation)()
        return target


#: A new target is a module and a row here.
TARGETS: dict[str, TargetInfo] = {
    "onnx": TargetInfo(
        implementation="resemote_edge.export.targets.onnx:OnnxTarget",
        formats=("onnx",),
        runtimes=("onnxruntime", "native"),
        extras=("export", "onnxruntime"),
        recipes="cpu-onnxruntime",
        demo=("fp32", "int8"),
    ),
    "openvino": TargetInfo(
        implementation="resemote_edge.export.targets.openvino:OpenVINOTarget",
        formats=("openvino-ir",),
        runtimes=("openvino",),
        extras=("export", "openvino"),
        recipes="cpu-openvino",
        without_vnni={"int8": "cpu-no-vnni-openvino-int8"},
        demo=("fp32", "int8"),
    ),
    "tensorrt": TargetInfo(
        implementation="resemote_edge.export.targets.tensorrt:TensorRTTarget",
        formats=("tensorrt-engine", "tensorrt-rtx-engine"),
        runtimes=("tensorrt",),
        extras=("export", "onnxruntime", "tensorrt-rtx"),  # without a GPU the ONNX beside the engine is verified
        recipes="rtx-tensorrt",
        section="tensorrt",
        default_precision="fp16",  # GPUs are made for it
        demo=("fp16",),
        detector_input="tensor",  # TensorRT 8.2 takes no bytes
    ),
    "pytorch": TargetInfo(
        implementation="resemote_edge.export.targets.pytorch:PyTorchTarget",
        formats=("graph",),
        runtimes=("pytorch",),
        extras=("export", "pytorch"),
        recipes="any-pytorch",
    ),
}


def find_target(name: str) -> TargetInfo:
    """Return the row of a target.

    Raises:
        InputError: No target has that name.
    """
    if name not in TARGETS:
        raise InputError(f"unknown target {name!r}", hint=f"choose one of {', '.join(TARGETS)}")
    return TARGETS[name]


def target_of(runtime: str) -> str:
    """Name of the target that makes a runtime's default artifact."""
    return next(name for name, info in TARGETS.items() if runtime in info.runtimes)
