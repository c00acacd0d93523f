"""Recipe: every setting that decides an export, in one TOML file named ``<device>-<runtime>-<precision>.toml``."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.artifacts.record import Name, Strict, read_toml
from resemote_edge.artifacts.tensor_spec import BatchRange
from resemote_edge.errors import InputError
from resemote_edge.export.quantize.scheme import find_scheme
from resemote_edge.export.targets import TARGETS, TargetInfo, find_target
from resemote_edge.runtimes.cpu_features import int8_sums_saturate
from resemote_edge.vision.preprocessing import InputFormat

__all__ = [
    "EIGHT_BIT",
    "PRECISIONS",
    "GateOptions",
    "GraphOptions",
    "LoweringEvidence",
    "Precision",
    "QuantizeOptions",
    "Recipe",
    "TensorRTOptions",
    "VerifyLimits",
    "available_recipes",
    "default_recipe",
    "find_recipe",
    "load_recipe",
    "refuse_board_without_int8",
]

Precision = Literal["fp32", "fp16", "int8", "w8"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

#: Precisions that the quantize stage makes.
EIGHT_BIT: tuple[Precision, ...] = ("int8", "w8")

RECIPE_SCHEMA = 1


class VerifyLimits(Strict, frozen=True, kw_only=True):
    """Limits of the verify stage.

    Attributes:
        samples: Number of inputs compared with the PyTorch reference.
        max_abs_logit_diff: Largest absolute logit difference allowed. If the output is probabilities, half of it is
            allowed between probabilities (see `resemote_edge.artifacts.output_format.limit_in_units_of`).
        min_top1_agreement: Smallest fraction of inputs with the same top class, in [0, 1].
        golden_max_abs_logit_diff: Limit on logits for the self-test, if the deployed engine computes in another
            precision than the file that is verified; None to use `max_abs_logit_diff`.
    """

    samples: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    max_abs_logit_diff: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]
    min_top1_agreement: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    golden_max_abs_logit_diff: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] | None = None

    @property
    def golden_limit(self) -> float:
        """Largest logit difference of the self-test."""
        return self.golden_max_abs_logit_diff or self.max_abs_logit_diff


class LoweringEvidence(Strict, frozen=True, kw_only=True):
    """The measurement that decided how small maps are computed.

    Attributes:
        machine: Name of the CPU, and threads.
        runtime: Name and version of the runtime.
        width: Width of the network it was measured with.
        batch: Crops per call.
        conv_p50_ms: Latency with convolutions.
        matmul_p50_ms: Latency with matrix products over tokens; both were measured in turn.
    """

    machine: str
    runtime: str
    width: int
    batch: int
    conv_p50_ms: float
    matmul_p50_ms: float


class GraphOptions(Strict, frozen=True, kw_only=True):
    """Exact rewriting of the graph before it is written as ONNX.

    Attributes:
        compact: Whether to drop weights that cannot reach the output at 64x64.
        lowering: Form of small maps: ``conv`` leaves their convolutions as they are, ``matmul`` computes them as matrix
            products over tokens, ``auto`` measures both on the exporting machine and takes the faster.
        input: Input of the graph: the normalised ``tensor``, or uint8 pixels that it normalises itself.
        output: Output of the graph: the ``logits``, or ``probabilities`` computed with the network.
        evidence: Figures that decided; empty for ``auto`` and where no measurement was possible.
    """

    compact: bool = True
    lowering: Literal["auto", "conv", "matmul"] = "conv"
    input: InputFormat = "tensor"
    output: OutputFormat = "logits"
    evidence: tuple[LoweringEvidence, ...] = ()


class QuantizeOptions(Strict, frozen=True, kw_only=True):
    """Options for putting weights, or weights and activations, into eight bits.

    Attributes:
        scheme: Name of a scheme of `resemote_edge.export.quantize.scheme`.
        remainder: Type of the tensors that stay floating.
        calibration_images: Number of images of the training split on which activation ranges are observed.
        seed: Seed of the choice of these images.
        keep_float: Layers that stay floating from the start.
    """

    scheme: str
    remainder: Literal["fp32", "fp16"] = "fp32"
    calibration_images: Annotated[int, msgspec.Meta(ge=1)] = 512
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    keep_float: tuple[str, ...] = ()


class GateOptions(Strict, frozen=True, kw_only=True):
    """Demands of the accuracy gate, for every precision but fp32.

    Attributes:
        max_drop_points: Largest upper bound of the accuracy drop's 95 % interval, percentage points.
        repair: Whether layers may be kept floating, worst first, until the gate passes.
    """

    max_drop_points: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] = 0.5
    repair: bool = True


class TensorRTOptions(Strict, frozen=True, kw_only=True):
    """Options for building a TensorRT engine.

    Attributes:
        builder: Builder: ``tensorrt`` (needs a GPU), ``tensorrt-rtx`` (ahead of time, no GPU), ``on-device`` (no engine
            here: the board builds it), or ``auto``: ``tensorrt`` if there is a GPU, else ``tensorrt-rtx``, else an
            error.
        compute_capabilities: Compute capabilities such as ``"8.6"``: of the GPUs that an ahead-of-time engine is built
            for, or of the board, if the board builds its own engine.
        typing: Origin of the precision. ``strong``: it stands in the ONNX (TensorRT 10 and later have only this);
            ``flags``: the ONNX stays fp32 and the builder is told (TensorRT 8).
        workspace_mib: Scratch memory that the builder may use; None leaves it to TensorRT.
    """

    builder: Literal["auto", "tensorrt", "tensorrt-rtx", "on-device"] = "auto"
    compute_capabilities: tuple[str, ...] = ()
    typing: Literal["strong", "flags"] = "strong"
    workspace_mib: int | None = None


def without_int8(capabilities: tuple[str, ...]) -> tuple[str, ...]:
    """Select the CUDA compute capabilities that have no int8 arithmetic.

    The four-way dot product DP4A came with 6.1; 6.0 and, on a Jetson TX2, 6.2 lack it.
    """

    def lacks(capability: str) -> bool:
        major, _, minor = capability.partition(".")
        return (int(major), int(minor)) < (6, 1) or capability == "6.2"

    return tuple(filter(lacks, capabilities))


class Recipe(Strict, frozen=True, kw_only=True):
    """All decisions of one export.

    Attributes:
        schema: Schema of the recipe, `RECIPE_SCHEMA`.
        name: Name, ``<device>-<runtime>-<precision>``, which is the file's stem.
        description: Description in one sentence.
        target: Name of the target, one of `resemote_edge.export.targets.TARGETS`.
        precision: Precision: ``fp32``, ``fp16``; ``int8``: weights and activations in eight bits; ``w8``: weights
            alone.
        opset: ONNX opset of the graph.
        graph: Exact rewriting of the graph.
        batch: Batch sizes; for TensorRT the optimisation profile.
        verify: Limits of the verify stage.
        quantize: Quantization options, for precisions ``int8`` and ``w8`` only.
        gate: Limits of the accuracy gate.
        tensorrt: TensorRT options, for target ``tensorrt`` only.
    """

    schema: int
    name: Name
    description: str
    target: str
    precision: Precision
    opset: int
    graph: GraphOptions = GraphOptions()
    batch: BatchRange = BatchRange()
    verify: VerifyLimits
    quantize: QuantizeOptions | None = None
    gate: GateOptions = GateOptions()
    tensorrt: TensorRTOptions | None = None

    @property
    def float_precision(self) -> str:
        """Type of the tensors that are not in eight bits; if none are, this is the precision itself."""
        return self.precision if self.quantize is None else self.quantize.remainder

    @property
    def info(self) -> TargetInfo:
        """Facts about the target; raises `InputError` if no target has that name."""
        return find_target(self.target)


def load_recipe(path: Path) -> Recipe:
    """Read and validate a recipe.

    Raises:
        InputError: There is no such file, it is not TOML, or a key is missing, unknown or of the wrong type; the
            message names it.
    """
    hint = f"the ones that come with it are: {', '.join(available_recipes())}"
    recipe = read_toml(path, Recipe, what="recipe", schema=RECIPE_SCHEMA, hint=hint)
    _check_target(path, recipe)
    if (recipe.precision in EIGHT_BIT) != (recipe.quantize is not None):
        raise InputError(f"{path}: a [quantize] section belongs to precision int8 or w8, and only there")
    if recipe.quantize is not None:
        scheme = find_scheme(recipe.quantize.scheme)
        if (recipe.precision == "w8") != (scheme.activations == "none"):
            raise InputError(f"{path}: scheme {scheme.name!r} is not for precision {recipe.precision}")
    if recipe.precision in EIGHT_BIT and recipe.tensorrt is not None:
        refuse_board_without_int8(recipe.name, recipe.tensorrt)
    return recipe


def _check_target(path: Path, recipe: Recipe) -> None:
    try:
        wanted = find_target(recipe.target).section
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    for target, info in TARGETS.items():
        if info.section is not None and (info.section == wanted) != (getattr(recipe, info.section) is not None):
            raise InputError(f'{path}: a [{info.section}] section belongs to target = "{target}", and only there')


def refuse_board_without_int8(name: str, options: TensorRTOptions) -> None:
    """Refuse eight bits for GPUs that cannot compute with them.

    Raises:
        InputError: The compute capability is below 6.1, or 6.2.
    """
    lacking = without_int8(options.compute_capabilities)
    if lacking:
        raise InputError(
            f"recipe {name}: compute capability {', '.join(lacking)} has no int8 arithmetic (it came with 6.1, and 6.2 "
            "lacks it), so TensorRT would refuse or run in fp32",
            hint="export fp16 instead: for a Jetson Nano, --recipe jetson-nano-tensorrt-fp16",
        )


def _recipe_folder() -> Path:
    """Folder of the recipes: packaged ones in an installed wheel, the top-level ``export/`` in a checkout."""
    packaged = Path(__file__).parent / "recipes"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "export"


def available_recipes() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    return sorted(path.stem for path in _recipe_folder().glob("*.toml"))


def default_recipe(target: str, precision: str) -> str:
    """Name of the recipe for a target and precision, for a CPU like this machine's.

    Raises:
        InputError: No target has that name, or it has no recipe for that precision.
    """
    info = find_target(target)
    recipes = {each: f"{info.recipes}-{each}" for each in PRECISIONS if f"{info.recipes}-{each}" in available_recipes()}
    if precision not in recipes:
        raise InputError(
            f"target {target} has no recipe for precision {precision}", hint=f"it has {', '.join(recipes)}"
        )
    return info.without_vnni.get(precision, recipes[precision]) if int8_sums_saturate() else recipes[precision]


def find_recipe(name: str | Path) -> Recipe:
    """Load a recipe by name (one that comes with the package) or by path.

    Raises:
        InputError: Neither names a recipe, or it is not valid.
    """
    packaged = _recipe_folder() / f"{name}.toml"
    return load_recipe(packaged if packaged.is_file() else Path(name))
