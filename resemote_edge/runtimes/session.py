"""Session, Runtime and the types they exchange: the interface that every runtime implements."""

import ctypes
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, final, get_args

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.artifacts.passport_base import FileEntry
from resemote_edge.artifacts.tensor_spec import TensorSpec
from resemote_edge.errors import (
    ArtifactError,
    ArtifactMismatchError,
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    ResEmoteEdgeError,
    SessionClosedError,
)

__all__ = [
    "Availability",
    "PrecisionHint",
    "Runtime",
    "Session",
    "SessionOptions",
    "check_portable",
    "model_file",
    "refuse_cuda_graph",
    "refuse_precision_hint",
    "require_device",
]

#: Precisions to compute in, instead of the one that the artifact promises.
PrecisionHint = Literal["bf16", "tf32"]


# Engines start as many threads as they are told to, each with memory of its own: thousands cannot even be ended.
_THREADS_PER_CORE = 4


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether a runtime can work on this machine.

    Attributes:
        available: Whether the package was imported *and* a device was found.
        version: Version of the package; None when it is not installed.
        devices: Devices found, in this package's words (``cpu``, ``cuda:0``, ``gpu``, ``npu``).
        reason: Reason why it is not available; empty otherwise.
        hint: Advice on what to do about it; empty otherwise.
    """

    available: bool
    version: str | None
    devices: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""

    @classmethod
    def refused(cls, error: ResEmoteEdgeError) -> "Availability":
        """What an error of loading the package says; one that is there and cannot be loaded has no known version."""
        version = None if isinstance(error, MissingDependencyError) else "unknown"
        return cls(available=False, version=version, reason=error.reason, hint=error.hint)


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """Options to open a session with.

    Attributes:
        device: Device to run on: ``cpu``, ``cuda:0``, ``gpu``, ``npu``. Only ``auto`` lets the runtime choose.
        threads: Number of CPU threads for one call, at most four for each core of the process; None leaves it to the
            runtime.
        precision_hint: Precision to compute in. ``bf16`` (8 bits of mantissa) lets OpenVINO and PyTorch compute in
            bf16, whatever the artifact's floating type; ``tf32`` (11 bits) lets PyTorch round the factors of an fp32
            artifact's products on a GPU. A device that does not have the precision refuses it, and so does every other
            runtime. None keeps what the artifact promises.
        cuda_graph: Whether PyTorch records its kernels as a CUDA graph, one for each batch size at its first call, and
            replays it. A replay costs one launch instead of one for each kernel. Every other runtime, and every device
            that is no NVIDIA GPU, refuses.
    """

    device: str = "auto"
    threads: int | None = None
    precision_hint: PrecisionHint | None = None
    cuda_graph: bool = False

    def __post_init__(self) -> None:
        cores = len(os.sched_getaffinity(0))
        if self.threads is not None and not 1 <= self.threads <= _THREADS_PER_CORE * cores:
            raise InputError(
                f"threads must be from 1 to {_THREADS_PER_CORE * cores}, {_THREADS_PER_CORE} for each core of this "
                f"process, got {self.threads}"
            )
        if self.precision_hint not in {None, *get_args(PrecisionHint)}:
            raise InputError(
                f"the precision hint can only be 'bf16' or 'tf32', got {self.precision_hint!r}",
                hint="pass one of them, or leave it out",
            )


class Session(ABC):
    """An artifact loaded on a device.

    The contract, tested for every runtime by the same template:

    - `run` blocks until the outputs are on the host; they are owned by the caller and never written again.
    - Threads take turns: a `run` waits for the one in another thread. Sessions of their own run side by side.
    - After `close`, `run` raises `SessionClosedError`; closing twice is fine. `close` waits for the `run` that another
      thread is in.
    - A process forked from this one cannot run it, and is told so: an engine's threads do not survive a fork.
    - A session does not time itself.

    A subclass sets up everything in its constructor and writes `_run` and `_close`.

    Attributes:
        runtime: Name of the runtime.
        device: The effective device, never ``auto``.
        artifact: Artifact that was loaded.
        file: File of the artifact that runs.
    """

    def __init__(self, runtime: str, device: str, artifact: BaseArtifact, file: FileEntry) -> None:
        self.runtime = runtime
        self.device = device
        self.artifact = artifact
        self.file = file
        # Reentrant, as a signal handler may close the session in the middle of its thread's own `run`.
        self._turn = threading.RLock()
        self._running = False
        self._why_closed = ""
        _open_sessions.add(self)
        self._specs = {spec.name: spec for spec in self.inputs}
        self._batch = artifact.passport.batch
        # The shape of the last feed that passed the checks, where a session has one input.
        self._seen_shape: tuple[int, ...] | None = None

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the tensors that `run` takes."""
        return self.artifact.passport.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the tensors that `run` gives."""
        return self.artifact.passport.outputs

    @final
    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs.

        Args:
            feeds: One array per input spec, by name; not modified.

        Returns:
            One array per output spec, by name, on the host, caller-owned.

        Raises:
            InputError: A feed is missing, unknown, or of another dtype, shape or batch size.
            ArtifactError: The engine fails, or an output has not a row for every sample.
            SessionClosedError: After `close`, in a process that was forked since the session was opened, or from a
                signal handler that interrupted a `run`.
        """
        with self._turn:
            if self._why_closed or self._running:
                raise SessionClosedError(
                    f"this {self.runtime} session {self._why_closed or 'is in the middle of a call of this thread'}",
                    hint="open a new one",
                )
            self._running = True
            try:
                checked = self._same_as_before(feeds) or self._check(feeds)
                return self._whole(self._run(checked), len(next(iter(checked.values()))))
            except _NOT_THE_ENGINE:
                raise
            except Exception as error:  # Engines' own types share no base class.
                raise ArtifactError(
                    f"{self.artifact.file(self.file)}: {self.runtime} on {self.device} cannot run it: {error}",
                    hint="export the artifact again, or run it on another machine or runtime",
                ) from error
            finally:
                self._running = False
                self._close_if_asked()

    def _whole(self, results: dict[str, NDArray[Any]], batch: int) -> dict[str, NDArray[Any]]:
        """Results, if each has a row for every sample: a model may say that it takes any batch, and hold another."""
        for name, array in results.items():
            if array.shape[:1] != (batch,):
                raise ArtifactMismatchError(
                    f"{self.artifact.file(self.file)}: output {name} for a batch of {batch} has shape {array.shape}",
                    hint="export the artifact again",
                )
        return results

    def _same_as_before(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]] | None:
        """Feeds, if they are like the last ones: a stream of crops is checked once, since a microsecond counts."""
        if self._seen_shape is None or len(feeds) != 1:
            return None
        ((name, spec),) = self._specs.items()
        array = feeds.get(name)
        if (
            type(array) is np.ndarray
            and array.shape == self._seen_shape
            and array.dtype == spec.numpy_dtype
            and array.flags.c_contiguous
        ):
            return {name: array}
        return None

    def _check(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if feeds.keys() != self._specs.keys():
            names = ", ".join(self._specs)
            raise InputError(f"feeds must be named {names}, got {', '.join(sorted(feeds)) or 'none'}")
        checked = {name: spec.check(feeds[name]) for name, spec in self._specs.items()}
        first = next(iter(checked.values()))
        self._batch.check(len(first))
        self._seen_shape = first.shape if len(checked) == 1 else None
        return checked

    @final
    def close(self) -> None:
        """Release what the session holds; calling it again does nothing."""
        with self._turn:
            if self._why_closed:
                return
            self._why_closed = "was closed"
            if not self._running:
                self._close()

    def _close_if_asked(self) -> None:
        """Do what a `close` in the middle of a call left to its end."""
        if self._why_closed:
            self._close()

    def _abandon(self) -> None:
        """Give the session up in a process that was just forked: whatever is called next waits for threads it lacks.

        Engine objects are leaked on purpose, as their destructors would wait as well, at the latest when Python ends.
        """
        self._turn = threading.RLock()  # Another thread of the parent may have held it.
        if not self._why_closed:
            self._why_closed = f"was opened in process {os.getppid()}, from which this one was forked"
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs of checked feeds; it takes contiguous arrays and returns fresh ones."""

    @abstractmethod
    def _close(self) -> None:
        """Release engine objects; called once."""


# What `run` raises for other reasons: a wrong feed, too little memory, or a fault of ours.
_NOT_THE_ENGINE = (ResEmoteEdgeError, MemoryError, AssertionError, AttributeError, NameError, TypeError)

#: Sessions that a forked process has to give up.
_open_sessions: "weakref.WeakSet[Session]" = weakref.WeakSet()


def _abandon_sessions() -> None:
    for session in _open_sessions:
        session._abandon()


os.register_at_fork(after_in_child=_abandon_sessions)


class Runtime(Protocol):
    """An engine family.

    Attributes:
        name: Name of the runtime on the command line and in JSON.
        formats: File formats it can load, best first.
    """

    name: str
    formats: tuple[str, ...]

    def probe(self) -> Availability:
        """Tell whether the runtime can work here; never raises."""
        ...

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Tell whether an artifact can run here, without loading it.

        Returns:
            The device it would run on.

        Raises:
            MissingDependencyError: The package is not installed.
            DeviceUnavailableError: The device is not there.
            ArtifactMismatchError: The artifact is in another format, or was made for another version or GPU.
        """
        ...

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Load an artifact on a device, after the same checks."""
        ...


def model_file(runtime: Runtime, artifact: BaseArtifact) -> FileEntry:
    """Return the file of an artifact that a runtime loads.

    Raises:
        ArtifactMismatchError: The artifact has no file in a format this runtime knows.
    """
    entry = artifact.find(runtime.formats, roles=("model", "source"))
    if entry is None:
        have = ", ".join(sorted({e.format for e in artifact.passport.files if e.role in ("model", "source")}))
        raise ArtifactMismatchError(
            f"{artifact.path}: runtime {runtime.name} loads {', '.join(runtime.formats)}, this artifact holds {have}",
            hint="choose another --runtime, or export for a target it can load",
        )
    return entry


def refuse_precision_hint(runtime: str, options: SessionOptions, *, known: tuple[PrecisionHint, ...] = ()) -> None:
    """Refuse hints that a runtime does not know, so that none is silently ignored.

    Args:
        runtime: Name of the runtime.
        options: Options asked for.
        known: Hints that the runtime takes.

    Raises:
        InputError: The options hold another precision hint.
    """
    hint = options.precision_hint
    if hint is None or hint in known:
        return
    knows = f"knows the precision hint {', '.join(known)} only" if known else "knows no precision hint"
    others = "openvino or pytorch" if hint == "bf16" else "pytorch"
    raise InputError(f"runtime {runtime} {knows}, got {hint!r}", hint=f"leave it out, or pass --runtime {others}")


def refuse_cuda_graph(runtime: str, options: SessionOptions) -> None:
    """Refuse a CUDA graph in runtimes that record none, so that the wish for one is not silently ignored.

    Raises:
        InputError: The options ask for a CUDA graph.
    """
    if options.cuda_graph:
        raise InputError(f"runtime {runtime} records no CUDA graph", hint="leave it out, or use the runtime pytorch")


def check_portable(runtime: Runtime, artifact: BaseArtifact, options: SessionOptions) -> str:
    """Check as `Runtime.check` does, for runtimes whose files are not tied to a machine."""
    device = require_device(runtime.name, options.device, runtime.probe())
    model_file(runtime, artifact)
    return device


def require_device(runtime: str, device: str, availability: Availability) -> str:
    """Return the device to use: the one asked for if it is there, or the first one found for ``auto``.

    Raises:
        DeviceUnavailableError: The runtime cannot work here, or the device asked for was not found.
    """
    if not availability.available:
        raise DeviceUnavailableError(f"runtime {runtime}: {availability.reason}", hint=availability.hint)
    if device == "auto":
        return availability.devices[0]
    if device not in availability.devices:
        raise DeviceUnavailableError(
            f"runtime {runtime}: device {device!r} was not found among {', '.join(availability.devices)}",
            hint="pass one of these as --device (nothing is used in its place)",
        )
    return device
