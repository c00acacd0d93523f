"""Target ``tensorrt``: an engine, and beside it the ONNX it was built from.

Two builders share one code path, because their Python APIs agree: ``tensorrt`` builds for the GPU it finds,
``tensorrt-rtx`` builds ahead of time for GPUs named in the recipe and needs none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import onnx

from resemote_edge.artifacts.passport_base import EngineInfo
from resemote_edge.errors import DeviceUnavailableError, ExportError, MissingDependencyError, needs
from resemote_edge.export.recipe import Recipe, TensorRTOptions
from resemote_edge.export.targets.base import Built, BuiltFile, TargetInputs
from resemote_edge.runtimes.cuda_memory import compute_capability

__all__ = ["TensorRTTarget"]

_TURING = "7.5"


@dataclass(frozen=True)
class _Builder:
    """One of the two builders: its package, and the GPUs to build for."""

    name: str
    module: Any
    compute_capabilities: tuple[str, ...]
    ahead_of_time: bool


class TensorRTTarget:
    """Writes ``model.onnx`` and ``model.engine``; with ``builder = "on-device"``, it writes only the ONNX."""

    def onnx_precision(self, recipe: Recipe) -> str:
        """The recipe's precision if types stand in the ONNX, fp32 if the builder is told by flags."""
        return recipe.float_precision if _options(recipe).typing == "strong" else "fp32"

    def build(self, inputs: TargetInputs) -> Built:
        """Save the ONNX, choose the builder the recipe asks for, and build."""
        onnx.save(inputs.onnx, inputs.folder / "model.onnx")
        options = _options(inputs.recipe)
        if options.builder == "on-device":
            return Built(
                files=(BuiltFile("model.onnx", "model", "onnx"),),
                tools={"onnx": onnx.__version__},
                notes=("no engine inside: TensorRT engines for this device are built on the device, from model.onnx",),
            )
        builder = _choose(options)
        plan = _build_plan(inputs, builder)
        (inputs.folder / "model.engine").write_bytes(plan)
        version = str(builder.module.__version__)
        return Built(
            files=(
                BuiltFile("model.engine", "model", f"{builder.name}-engine"),
                BuiltFile("model.onnx", "source", "onnx"),
            ),
            tools={"onnx": onnx.__version__, builder.name: version},
            engine=EngineInfo(
                builder=builder.name,
                version=version,
                compute_capabilities=builder.compute_capabilities,
                typing=options.typing,
            ),
        )


def _options(recipe: Recipe) -> TensorRTOptions:
    if recipe.tensorrt is None:
        raise ExportError(f"recipe {recipe.name} has no [tensorrt] section", hint="add one, or choose another recipe")
    return recipe.tensorrt


# --- choosing a builder -----------------------------------------------------------------------------------------------


def _choose(options: TensorRTOptions) -> _Builder:
    """Choose the builder of the recipe; for ``auto`` the first that can work here, else an error names both extras."""
    choices: dict[str, Callable[[TensorRTOptions], _Builder]] = {"tensorrt": _for_this_gpu, "tensorrt-rtx": _ahead}
    if options.builder != "auto":
        return choices[options.builder](options)
    reasons = []
    for name, choice in choices.items():
        try:
            return choice(options)
        except (MissingDependencyError, DeviceUnavailableError) as error:
            reasons.append(f"{name}: {error}")
    raise MissingDependencyError(f"no TensorRT builder can work here. {'. '.join(reasons)}")


def _for_this_gpu(options: TensorRTOptions) -> _Builder:
    module = _import("tensorrt", "tensorrt", "building an engine on this machine's GPU")
    return _Builder("tensorrt", module, (compute_capability(),), ahead_of_time=False)


def _ahead(options: TensorRTOptions) -> _Builder:
    module = _import("tensorrt_rtx", "tensorrt-rtx", "building an engine ahead of time, without a GPU")
    known = {_dotted(name): name for name in module.ComputeCapability.__members__ if name.startswith("SM")}
    unknown = [wanted for wanted in options.compute_capabilities if wanted not in known]
    if unknown or not options.compute_capabilities:
        raise ExportError(
            f"tensorrt-rtx {module.__version__} builds ahead of time for compute capabilities {', '.join(known)}",
            hint=f"the recipe asks for {', '.join(unknown) or 'none'}: correct tensorrt.compute_capabilities",
        )
    return _Builder("tensorrt-rtx", module, options.compute_capabilities, ahead_of_time=True)


def _dotted(name: str) -> str:
    """Convert ``SM86`` to ``8.6``, ``SM120`` to ``12.0``."""
    return f"{name[2:-1]}.{name[-1]}"


def _import(module: str, extra: str, purpose: str) -> Any:
    with needs(extra, purpose):
        return import_module(module)


# --- building ---------------------------------------------------------------------------------------------------------


def _build_plan(inputs: TargetInputs, builder: _Builder) -> bytes:
    trt, recipe = builder.module, inputs.recipe
    _refuse_turing_fp32(builder, recipe)
    logger, errors = _collecting_logger(trt)
    trt_builder = trt.Builder(logger)
    network = trt_builder.create_network(_network_flags(trt, _options(recipe)))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(inputs.onnx.SerializeToString()):
        found = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise ExportError(f"{builder.name} {trt.__version__} cannot parse the ONNX (opset {recipe.opset}): {found}")
    config = trt_builder.create_builder_config()
    profile = trt_builder.create_optimization_profile()
    batch = recipe.batch
    if batch.max is None:
        raise ExportError(f"recipe {recipe.name}: an engine needs a largest batch", hint="set batch.max")
    fed = network.get_input(0)
    sample = tuple(fed.shape)[1:]
    profile.set_shape(fed.name, *((size, *sample) for size in (batch.min, batch.opt, batch.max)))
    config.add_optimization_profile(profile)
    _configure(trt, config, builder, recipe)
    plan = trt_builder.build_serialized_network(network, config)
    if plan is None:
        raise ExportError(
            f"{builder.name} {trt.__version__} cannot build {recipe.precision} for compute capability "
            f"{', '.join(builder.compute_capabilities)}: {'; '.join(errors) or 'no reason given'}"
        )
    return bytes(plan)


def _refuse_turing_fp32(builder: _Builder, recipe: Recipe) -> None:
    if builder.ahead_of_time and recipe.precision == "fp32" and _TURING in builder.compute_capabilities:
        raise ExportError(
            "tensorrt-rtx has no FP32 matrix product for Turing (compute capability 7.5), so an fp32 engine cannot be "
            "built for it",
            hint="export --precision fp16, or take 7.5 out of tensorrt.compute_capabilities",
        )


def _network_flags(trt: Any, options: TensorRTOptions) -> int:
    """Flags for strong typing where the builder knows it, and for explicit batch where it must still be asked for."""
    known = trt.NetworkDefinitionCreationFlag.__members__
    wanted = ["STRONGLY_TYPED"] if options.typing == "strong" else []
    return sum(1 << int(known[name]) for name in [*wanted, "EXPLICIT_BATCH"] if name in known)


def _configure(trt: Any, config: Any, builder: _Builder, recipe: Recipe) -> None:
    options = _options(recipe)
    flags = trt.BuilderFlag.__members__
    strongly_typed = options.typing == "strong" and "STRONGLY_TYPED" in trt.NetworkDefinitionCreationFlag.__members__
    if recipe.precision == "fp32" and "TF32" in flags:
        config.clear_flag(flags["TF32"])  # fp32 means fp32: TF32 keeps ten bits of mantissa
    if recipe.precision == "fp16" and not strongly_typed:
        if "FP16" not in flags:
            raise ExportError(
                f"{builder.name} {trt.__version__} takes precision from the ONNX only",
                hint='set tensorrt.typing = "strong"',
            )
        config.set_flag(flags["FP16"])
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if builder.ahead_of_time:
        config.num_compute_capabilities = len(builder.compute_capabilities)
        for index, capability in enumerate(builder.compute_capabilities):
            name = "SM" + capability.replace(".", "")
            config.set_compute_capability(trt.ComputeCapability.__members__[name], index)


def _collecting_logger(trt: Any) -> tuple[Any, list[str]]:
    """A logger that prints nothing and keeps the errors, for our own message that follows."""
    errors: list[str] = []

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                errors.append(message.strip())

    return Logger(), errors
