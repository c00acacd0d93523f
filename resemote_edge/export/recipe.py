"""Recipe: everything that decides an export, in one TOML file named ``<device>-<runtime>-<precision>.toml``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from resemote_edge.errors import InputError
from resemote_edge.output_format import OutputFormat
from resemote_edge.preprocessing import InputFormat
from resemote_edge.tensor_spec import BatchRange

__all__ = ["GraphOptions", "LoweringEvidence", "Recipe", "TensorRTOptions", "VerifyLimits", "available_recipes", "find_recipe", "load_recipe"]

Precision = Literal["fp32", "fp16"]

RECIPE_SCHEMA = 1


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Strict: a misspelt key is an error, not a default. Subclasses repeat frozen and kw_only for type checkers."""


class VerifyLimits(_Section, frozen=True, kw_only=True):
    """Limits of the verify stage.

    Attributes:
        samples: Inputs compared with the PyTorch reference.
        max_abs_logit_diff: Largest absolute logit difference allowed; where the output is probabilities, half of it is
            allowed between probabilities (see `resemote_edge.output_format.limit_in_units_of`).
        min_top1_agreement: Smallest fraction of inputs with the same top class, in [0, 1].
        golden_max_abs_logit_diff: The same limit for the self-test, where the deployed engine computes in another
            precision than the file that is verified; None to use the one above.
    """

    samples: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    max_abs_logit_diff: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]
    min_top1_agreement: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    golden_max_abs_logit_diff: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] | None = None

    @property
    def golden_limit(self) -> float:
        """Largest logit difference of the self-test."""
        return self.golden_max_abs_logit_diff or self.max_abs_logit_diff


class LoweringEvidence(_Section, frozen=True, kw_only=True):
    """The measurement that decided how small maps are computed.

    Attributes:
        machine: CPU and threads.
        runtime: Runtime and version.
        width: Width of the network it was measured with.
        batch: Crops per call.
        conv_p50_ms: Latency with convolutions.
        matmul_p50_ms: Latency with matrix products over tokens, measured alternately with the former.
    """

    machine: str
    runtime: str
    width: int
    batch: int
    conv_p50_ms: float
    matmul_p50_ms: float


class GraphOptions(_Section, frozen=True, kw_only=True):
    """Exact rewriting of the graph before it is written as ONNX.

    Attributes:
        compact: Drop weights that cannot reach the output at 64x64.
        lowering: ``conv`` leaves convolutions on small maps as they are, ``matmul`` computes them as matrix products
            over tokens, ``auto`` measures both on the exporting machine and takes the faster.
        input: What the graph takes: the normalised ``tensor``, or uint8 pixels it normalises itself.
        output: What the graph gives: the ``logits``, or ``probabilities`` computed with the network.
        evidence: The figures that decided; empty for ``auto`` and where no measurement was possible.
    """

    compact: bool = True
    lowering: Literal["auto", "conv", "matmul"] = "conv"
    input: InputFormat = "tensor"
    output: OutputFormat = "logits"
    evidence: tuple[LoweringEvidence, ...] = ()


class TensorRTOptions(_Section, frozen=True, kw_only=True):
    """How a TensorRT engine is built.

    Attributes:
        builder: ``tensorrt`` (needs a GPU), ``tensorrt-rtx`` (ahead of time, no GPU), ``on-device`` (no engine here:
            the board builds it), or ``auto``: ``tensorrt`` where a GPU is, else ``tensorrt-rtx``, else an error.
        compute_capabilities: GPUs an ahead-of-time engine is built for, such as ``"8.6"``.
        typing: ``strong``: precision stands in the ONNX (TensorRT 10 and later know nothing else); ``flags``: the ONNX
            stays fp32 and the builder is told (TensorRT 8).
        workspace_mib: Scratch memory the builder may use; None leaves it to TensorRT.
    """

    builder: Literal["auto", "tensorrt", "tensorrt-rtx", "on-device"] = "auto"
    compute_capabilities: tuple[str, ...] = ()
    typing: Literal["strong", "flags"] = "strong"
    workspace_mib: int | None = None


class Recipe(_Section, frozen=True, kw_only=True):
    """One export, decided in full.

    Attributes:
        schema: `RECIPE_SCHEMA`.
        name: ``<device>-<runtime>-<precision>``, the file's stem.
        description: One sentence.
        target: ``onnx``, ``openvino``, ``tensorrt`` or ``pytorch``.
        precision: Precision the engine computes in.
        opset: ONNX opset of the graph.
        graph: Exact rewriting of the graph.
        batch: Batch sizes; for TensorRT the optimisation profile.
        verify: Limits of the verify stage.
        tensorrt: For target ``tensorrt`` only.
    """

    schema: int
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str
    target: str
    precision: Precision
    opset: int
    graph: GraphOptions = GraphOptions()
    batch: BatchRange = BatchRange()
    verify: VerifyLimits
    tensorrt: TensorRTOptions | None = None

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON types, as it goes into the passport."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def load_recipe(path: Path) -> Recipe:
    """Read and validate a recipe.

    Raises:
        InputError: No such file, not TOML, or a key is missing, unknown or of the wrong type; the message names it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such recipe; the ones that come with it are: {', '.join(available_recipes())}")
    try:
        recipe = msgspec.toml.decode(path.read_bytes(), type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: not a valid recipe: {error}") from None
    if recipe.schema != RECIPE_SCHEMA:
        raise InputError(f"{path}: recipe schema {recipe.schema}, this version reads schema {RECIPE_SCHEMA}")
    if (recipe.target == "tensorrt") != (recipe.tensorrt is not None):
        raise InputError(f"{path}: a [tensorrt] section belongs to target = \"tensorrt\", and only there")
    return recipe


def _recipe_folder() -> Path:
    """The recipes: packaged ones in an installed wheel, the top-level ``export/`` in a checkout."""
    packaged = Path(__file__).parent / "recipes"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "export"


def available_recipes() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    return sorted(path.stem for path in _recipe_folder().glob("*.toml"))


def find_recipe(name: str | Path) -> Recipe:
    """Load a recipe by name (one that comes with the package) or by path.

    Raises:
        InputError: Neither names a recipe, or it is not valid.
    """
    packaged = _recipe_folder() / f"{name}.toml"
    return load_recipe(packaged if packaged.is_file() else Path(name))
