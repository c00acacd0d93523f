"""Profiles: what an engine's own counters say about its nodes; a module per engine."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.measuring.profiles.base import NodeProfile
from resemote_edge.runtimes.registry import get_runtime, runtimes_for, why_unavailable
from resemote_edge.runtimes.session import SessionOptions

__all__ = ["PROFILERS", "NodeProfile", "choose_runtime", "profile_nodes"]

#: Runtime to ``module:function``, in the order in which ``auto`` tries them.
PROFILERS: dict[str, str] = {
    "openvino": "resemote_edge.measuring.profiles.openvino:profile",
    "onnxruntime": "resemote_edge.measuring.profiles.onnxruntime:profile",
}


def choose_runtime(artifact: Artifact, runtime: str, options: SessionOptions) -> str:
    """Choose the runtime to profile an artifact in.

    Args:
        artifact: Artifact to profile.
        runtime: Name of a runtime, or ``auto`` for the first of `PROFILERS` that can run the artifact here.
        options: Device, threads and precision hint of the session.

    Raises:
        InputError: That runtime gives no profile, or knows no precision hint.
        DeviceUnavailableError: No runtime that gives a profile can run it here.
        ResEmoteEdgeError: The runtime named cannot run it here.
    """
    if runtime != "auto":
        if runtime not in PROFILERS:
            raise InputError(f"runtime {runtime} gives no profile", hint=f"choose one of {', '.join(PROFILERS)}")
        get_runtime(runtime).check(artifact, options)
        return runtime
    reasons = []
    for name in (name for name in PROFILERS if name in runtimes_for(artifact)):
        reason = why_unavailable(name, artifact, options)
        if reason is None:
            return name
        reasons.append(reason)
    raise DeviceUnavailableError(
        f"{artifact.path}: none of {', '.join(PROFILERS)}, which give profiles, can run it here",
        hint=f"{'; '.join(reasons) or 'none knows its format; export it for a target one of them loads'}",
    )


def profile_nodes(
    artifact: Artifact, runtime: str, feeds: NDArray[Any], options: SessionOptions
) -> tuple[NodeProfile, ...]:
    """Profile an artifact on the CPU.

    Args:
        artifact: Artifact to profile.
        runtime: Runtime of `PROFILERS`, as `choose_runtime` returns it.
        feeds: Batch, as the artifact's first input takes it.
        options: Threads and precision hint of the session.

    Returns:
        Every node the engine ran.
    """
    profile: Callable[..., tuple[NodeProfile, ...]] = resolve_name(PROFILERS[runtime])
    return profile(artifact, feeds, options)
