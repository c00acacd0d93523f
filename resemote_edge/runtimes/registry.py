"""Registry of runtimes: maps a name on the command line to the class that implements it."""

from pkgutil import resolve_name

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.errors import (
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    NotEnoughMemoryError,
    ResEmoteEdgeError,
)
from resemote_edge.runtimes.session import Availability, Runtime, Session, SessionOptions

__all__ = ["RUNTIMES", "choose_runtime", "get_runtime", "open_session", "probe_all", "runtimes_for", "why_unavailable"]

#: Name to ``module:Class``; the order is the order in which ``auto`` tries them.
RUNTIMES: dict[str, str] = {
    "tensorrt": "resemote_edge.runtimes.tensorrt:TensorRTRuntime",
    "openvino": "resemote_edge.runtimes.openvino:OpenVINORuntime",
    "onnxruntime": "resemote_edge.runtimes.onnxruntime:ONNXRuntimeRuntime",
    "pytorch": "resemote_edge.runtimes.pytorch:PyTorchRuntime",
    "native": "resemote_edge.runtimes.native.runtime:NativeRuntime",
}


def get_runtime(name: str) -> Runtime:
    """Return the runtime of that name; its package is imported only when it is probed or used.

    Raises:
        InputError: No runtime has that name.
    """
    if name not in RUNTIMES:
        raise InputError(f"unknown runtime {name!r}", hint=f"choose one of {', '.join(sorted(RUNTIMES))}")
    runtime: Runtime = resolve_name(RUNTIMES[name])()
    return runtime


def probe_all() -> dict[str, Availability]:
    """Availability of every runtime on this machine, by name."""
    return {name: get_runtime(name).probe() for name in RUNTIMES}


def runtimes_for(artifact: BaseArtifact) -> list[str]:
    """Names of the runtimes that know the format of an artifact's model file, in registry order."""
    return [name for name in RUNTIMES if artifact.find(get_runtime(name).formats) is not None]


def why_unavailable(name: str, artifact: BaseArtifact, options: SessionOptions | None = None) -> str | None:
    """Explain in a sentence why a runtime cannot run an artifact here; None when it can.

    Raises:
        NotEnoughMemoryError: It cannot be told, since the runtime cannot be loaded for want of memory.
    """
    try:
        get_runtime(name).check(artifact, options or SessionOptions())
    except NotEnoughMemoryError:
        raise
    except ResEmoteEdgeError as error:
        return str(error)
    return None


def open_session(artifact: BaseArtifact, runtime: str = "auto", options: SessionOptions | None = None) -> Session:
    """Load an artifact.

    Args:
        artifact: Artifact to load.
        runtime: Name of a runtime, or ``auto`` for the first in registry order that knows the artifact's model file and
            is available here. ``auto`` never runs the ONNX that an engine was built from instead of the engine.
        options: Options of the session, such as device and threads.

    Returns:
        The session; its ``runtime`` and ``device`` tell what was chosen.

    Raises:
        DeviceUnavailableError: ``auto`` found no runtime that works here, or the device asked for is not there.
    """
    options = options or SessionOptions()
    name = choose_runtime(artifact, options) if runtime == "auto" else runtime
    return get_runtime(name).create_session(artifact, options)


def choose_runtime(artifact: BaseArtifact, options: SessionOptions | None = None) -> str:
    """Return the name that ``auto`` stands for: see `open_session`.

    Raises:
        MissingDependencyError: No runtime that knows the artifact's model file is installed.
        DeviceUnavailableError: No runtime that knows the artifact's model file works here.
    """
    names = runtimes_for(artifact)
    reasons = []
    for name in names:
        reason = why_unavailable(name, artifact, options)
        if reason is None:
            return name
        reasons.append(reason)
    found = {name: get_runtime(name).probe() for name in names}
    if found and all(runtime.version is None for runtime in found.values()):
        hints = "; ".join(f"for {name}, {runtime.hint}" for name, runtime in found.items())
        raise MissingDependencyError(
            f"{artifact.path.name}: no runtime that can run this artifact is installed", hint=hints
        )
    raise DeviceUnavailableError(
        f"{artifact.path}: no runtime can run this artifact here: {'; '.join(reasons) or 'none knows its format'}"
    )
