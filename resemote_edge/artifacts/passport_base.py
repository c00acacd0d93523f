"""Base of every passport: what sessions and file checks need, whatever kind of model it is."""

from typing import Annotated, ClassVar

from msgspec import Meta

from resemote_edge.artifacts.record import Count, Sha256, Strict, Text
from resemote_edge.artifacts.tensor_spec import BatchRange, TensorSpec

__all__ = ["PASSPORT_NAME", "SCHEMA_VERSION", "BasePassport", "BaseVerification", "EngineInfo", "FileEntry"]

SCHEMA_VERSION = 2
PASSPORT_NAME = "passport.json"


class FileEntry(Strict, frozen=True, kw_only=True):
    """One file of the artifact.

    Attributes:
        path: Path relative to the passport; a plain file name.
        role: ``model`` (what runs), ``weights`` (read along with the model), ``source`` (what the model was built
            from) or ``golden`` (self-test data).
        format: File format a runtime declares it can load: ``onnx``, ``openvino-ir``, ``tensorrt-engine``,
            ``tensorrt-rtx-engine``, ``graph``; ``openvino-weights`` and ``npy`` are read along with others.
        sha256: Hex digest of the contents.
        size_bytes: Size of the contents.
    """

    path: Text
    role: Text
    format: Text
    sha256: Sha256
    size_bytes: Count


class EngineInfo(Strict, frozen=True, kw_only=True):
    """Builder and GPUs that a TensorRT engine is tied to.

    Attributes:
        builder: Name of the builder: ``tensorrt`` or ``tensorrt-rtx``.
        version: Version of the builder; any other version refuses the engine.
        compute_capabilities: GPUs it was built for, such as ``"8.6"``.
        typing: Origin of the precision: ``strong`` (it stands in the ONNX) or ``flags`` (builder flags on an fp32
            ONNX).
    """

    builder: str
    version: str
    compute_capabilities: tuple[str, ...]
    typing: str


class BasePassport(Strict, frozen=True, kw_only=True):
    """The part of the manifest that all kinds of artifacts have.

    Attributes:
        kind: Kind of the artifact, for people: ``classifier`` or ``detector``.
        schema_version: Schema of the writer, `SCHEMA_VERSION`.
        name: Name of the artifact.
        created_utc: ISO 8601, seconds.
        target: Target: ``onnx``, ``openvino``, ``tensorrt`` or ``pytorch``.
        precision: Precision: ``fp32``, ``fp16``, ``int8`` (weights and activations) or ``w8`` (weights alone).
        inputs: Tensor specs.
        outputs: Tensor specs.
        batch: Batch sizes accepted.
        tools: Versions of everything that took part.
        files: Every file beside the passport.
        engine: Build facts of a TensorRT engine; None for other targets.
        notes: Plain sentences for whoever inspects the artifact.
    """

    kind: ClassVar[str] = ""

    schema_version: int
    name: Text
    created_utc: Text
    target: Text
    precision: Text
    inputs: Annotated[tuple[TensorSpec, ...], Meta(min_length=1, max_length=16)]
    outputs: Annotated[tuple[TensorSpec, ...], Meta(min_length=1, max_length=16)]
    batch: BatchRange
    tools: dict[str, str]
    files: Annotated[tuple[FileEntry, ...], Meta(max_length=256)]
    engine: EngineInfo | None = None
    notes: tuple[str, ...] = ()


class BaseVerification(Strict, frozen=True, kw_only=True):
    """The part of the verify stage's outcome that all kinds of artifacts have.

    Attributes:
        status: Outcome: ``passed``; a failed export leaves no passport.
        runtime: Runtime that ran the exported model.
        runtime_version: Version of the runtime.
        device: Device it ran on.
        file: File that was run. For an engine that cannot run on the exporting machine: the ONNX it was built from.
        engine_verified: Whether the very file that will be deployed ran; ``no: ...`` gives the reason.
        inputs: Inputs that were fed, for example ``"64 faces of fer2013 validation"``.
        samples: Number of inputs.
        max_abs_diff: Largest absolute difference to the reference over all inputs.
        max_abs_diff_limit: Limit on it.
    """

    status: str
    runtime: str
    runtime_version: str
    device: str
    file: str
    engine_verified: str
    inputs: str
    samples: int
    max_abs_diff: float
    max_abs_diff_limit: float
