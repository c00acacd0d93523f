"""NativeLibrary: libresemote, found and checked, with its statuses turned into this package's errors."""

import ctypes
import os
from importlib import util
from pathlib import Path
from typing import Any

from resemote_edge.errors import (
    ArtifactError,
    ArtifactMismatchError,
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    NativeError,
    PassportVersionError,
    ResEmoteEdgeError,
    SessionClosedError,
    where_installed,
)
from resemote_edge.runtimes.native import structs

__all__ = ["ABI_VERSION", "LIBRARY_VARIABLE", "NOT_READY", "NativeLibrary", "engine_library", "load_library"]

#: ``RESEMOTE_ABI_VERSION`` that this module is written for.
ABI_VERSION = 1

#: Environment variable that names the library file.
LIBRARY_VARIABLE = "RESEMOTE_EDGE_NATIVE_LIBRARY"

#: Status of a poll that found nothing.
NOT_READY = 0x12

_ERRORS: dict[int, type[ResEmoteEdgeError]] = {
    0x10: InputError,
    0x11: SessionClosedError,
    0x20: ArtifactError,
    0x21: PassportVersionError,
    0x22: ArtifactMismatchError,
    0x23: ArtifactMismatchError,
    0x30: MissingDependencyError,
    0x31: DeviceUnavailableError,
}

_DEVICE_HINT = "pass another --device or --runtime"

#: Package and the folder in it that holds the engine's shared library, by backend.
_ENGINE_FOLDERS = {"openvino": ("openvino", "libs"), "onnxruntime": ("onnxruntime", "capi")}

#: Places of the library relative to the package: where a checkout builds it, and where a wheel carries it.
_BUILT = Path("../build/native-release/runtimes/libresemote.so")
_CARRIED = Path("runtimes/native/libresemote.so")


class NativeLibrary:
    """The functions of libresemote.

    Attributes:
        path: Path where the library was found.
        functions: Library whose functions are called by their C names.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.functions = ctypes.CDLL(path)
            self.functions.resemote_abi_version.restype = ctypes.c_uint32
            found = self.functions.resemote_abi_version()
            self._declare()
        except (OSError, AttributeError) as error:
            raise MissingDependencyError(
                f"{path} cannot be loaded ({error})", hint="build it with: make native"
            ) from None
        if found != ABI_VERSION:
            raise NativeError(
                f"{path} has ABI version {found}, this package needs {ABI_VERSION}",
                hint="build it again with: make native",
            )

    def _declare(self) -> None:
        library, pointer = self.functions, ctypes.POINTER
        for name in ("resemote_version", "resemote_last_error", "resemote_backend_name"):
            getattr(library, name).restype = ctypes.c_char_p
        library.resemote_backend_name.argtypes = [ctypes.c_size_t]
        library.resemote_backend_count.restype = ctypes.c_size_t
        handle, text = ctypes.c_void_p, ctypes.c_char_p
        options = pointer(structs.SessionOptions)
        frame, boxes, decisions = pointer(structs.Frame), pointer(structs.Box), pointer(structs.Decision)
        size, tensors = ctypes.c_size_t, pointer(structs.Tensor)
        for name, arguments in {
            "resemote_backend_probe": [text, text, pointer(structs.BackendInfo)],
            "resemote_backend_choose": [text, options, pointer(structs.BackendChoice)],
            "resemote_session_create": [text, options, pointer(handle)],
            "resemote_session_destroy": [handle],
            "resemote_session_get_info": [handle, pointer(structs.SessionInfo)],
            "resemote_session_run": [handle, tensors, size, tensors, size],
            "resemote_session_self_test": [handle, pointer(structs.SelfTestResult)],
            "resemote_frame_init": [frame],
            "resemote_classifier_create": [text, options, pointer(structs.ClassifierOptions), pointer(handle)],
            "resemote_classifier_destroy": [handle],
            "resemote_classifier_get_session": [handle, pointer(handle)],
            "resemote_classifier_classify": [handle, frame, boxes, size, decisions, handle],
            "resemote_classifier_preprocess": [handle, frame, boxes, size, handle, size],
            "resemote_classifier_submit": [handle, frame, boxes, size, ctypes.c_uint64],
            "resemote_classifier_poll": [handle, ctypes.c_int32, pointer(structs.Result), decisions, handle],
        }.items():
            getattr(library, name).argtypes = arguments
            getattr(library, name).restype = ctypes.c_int32

    @property
    def version(self) -> str:
        """Version of the library."""
        return str(self.functions.resemote_version().decode())

    def check(self, status: int) -> None:
        """Raise the error that a status stands for, in the library's own words; 0 raises nothing."""
        if status != 0:
            message = self.functions.resemote_last_error().decode(errors="replace")
            error = _ERRORS.get(status, NativeError)
            raise error(message, hint=_DEVICE_HINT if error is DeviceUnavailableError else "")

    def backends(self) -> tuple[str, ...]:
        """Names of the library's backends, in the order in which it tries them."""
        count = self.functions.resemote_backend_count()
        return tuple(self.functions.resemote_backend_name(index).decode() for index in range(count))

    def probe(self, backend: str) -> Any:
        """Report what a backend finds on this machine, as a `structs.BackendInfo`."""
        info = structs.sized(structs.BackendInfo)
        place = engine_library(backend)
        self.check(self.functions.resemote_backend_probe(backend.encode(), place and os.fsencode(place), info))
        return info

    def choose(self, artifact: Path, device: str) -> Any:
        """Ask which backend would run an artifact, as a `structs.BackendChoice`.

        Raises:
            DeviceUnavailableError: No backend has the device.
            ArtifactMismatchError: No backend loads the artifact.
            MissingDependencyError: The engine that would is not found.
        """
        choice = structs.sized(structs.BackendChoice)
        options = self.session_options(device, None)
        self.check(self.functions.resemote_backend_choose(os.fsencode(artifact), options, choice))
        return choice

    def session_options(self, device: str, threads: int | None) -> Any:
        """Make a `structs.SessionOptions` that leaves the backend to the library, with this environment's engines."""
        options = structs.sized(structs.SessionOptions)
        folders = [folder for backend in self.backends() if (folder := engine_library(backend))]
        options.library = os.fsencode(":".join([*folders, ""]))  # the empty one stands for where else it would look
        options.device = device.encode()
        options.threads = threads or 0
        return options

    def session_info(self, session: ctypes.c_void_p) -> Any:
        """Report what an open session runs, as a `structs.SessionInfo`."""
        info = structs.sized(structs.SessionInfo)
        self.check(self.functions.resemote_session_get_info(session, info))
        return info


def engine_library(backend: str) -> str | None:
    """Folder of this Python environment that holds an engine's shared library; None leaves the search to the loader.

    The package is found, not imported. An environment variable that names the library goes first, as everywhere.

    Args:
        backend: Name of the backend.
    """
    if backend not in _ENGINE_FOLDERS or os.environ.get(f"RESEMOTE_{backend.upper()}_LIBRARY"):
        return None
    package, folder = _ENGINE_FOLDERS[backend]
    spec = None
    with where_installed(package):
        spec = util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / folder).is_dir():
            return str(Path(place) / folder)
    return None


def load_library() -> NativeLibrary:
    """Load libresemote: the file in the environment variable, else a wheel's, a checkout's, or the system's.

    Raises:
        MissingDependencyError: The library is not found, or cannot be loaded.
        NativeError: The library has another ABI version.
    """
    chosen = os.environ.get(LIBRARY_VARIABLE)
    if chosen:
        return NativeLibrary(chosen)
    package = Path(__file__).parents[2]
    for place in (package / _CARRIED, package / _BUILT):
        if place.is_file():
            return NativeLibrary(str(place.resolve()))
    return NativeLibrary("libresemote.so")
