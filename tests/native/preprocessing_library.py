"""The native preprocessing, compiled from its sources alone and called through ctypes."""

import ctypes
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from resemote_edge.vision.frame import Frame

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["preprocessing", "frame_view", "crop_reader", "crop_resizer", "triangle_filter"]
FLAGS = "-std=c++14 -O2 -Wall -Wextra -Wpedantic -Werror -ffp-contract=off -fvisibility=hidden -fPIC -shared"

OK, INVALID_ARGUMENT, ARTIFACT_INVALID = 0x00, 0x10, 0x20
FORMATS = ["gray", "rgb", "bgr", "nv12", "yuyv"]
EDGES = ["cut", "replicated"]
INPUTS = ["tensor", "gray-u8", "rgb-u8", "bgr-u8"]


class NativeFrame(ctypes.Structure):
    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("format", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("data", ctypes.c_void_p),
        ("stride_bytes", ctypes.c_int64),
        ("uv", ctypes.c_void_p),
        ("uv_stride_bytes", ctypes.c_int64),
        ("full_range", ctypes.c_int32),
    )


class NativeBox(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "width", "height"))


def compile_library(folder: Path) -> ctypes.CDLL:
    """Compile the sources; CXX and CXXFLAGS are heard, so that a sanitizer can be added by hand."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here to compile the native preprocessing with")
    found = subprocess.run([compiler, "-print-file-name=libstdc++.a"], capture_output=True, text=True, check=False)
    if not Path(found.stdout.strip()).is_absolute():
        pytest.skip(f"{compiler} has no static C++ library here (libstdc++.a)")
    sources = [ROOT / "runtimes" / "src" / f"{name}.cpp" for name in SOURCES]
    library = folder / "libpreprocessing.so"
    command = [compiler, *shlex.split(FLAGS), *shlex.split(os.environ.get("CXXFLAGS", ""))]
    command += [f"-I{ROOT / 'runtimes' / 'include'}", f"-I{ROOT / 'runtimes' / 'src'}"]
    # Linked with its own symbols and its own C++ library, so that its operator new also counts allocations of strings.
    command += ["-Wl,-Bsymbolic", "-static-libstdc++", "-static-libgcc", "-o", str(library)]
    command.append(str(Path(__file__).with_name("preprocessing_shim.cpp")))
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = ctypes.CDLL(str(library))
    loaded.shim_allocations.restype = ctypes.c_uint64
    loaded.shim_feed_bytes.restype = ctypes.c_size_t
    loaded.shim_feed_bytes.argtypes = [ctypes.c_void_p]
    loaded.shim_destroy.argtypes = [ctypes.c_void_p]
    return loaded


def exact_memory(rows: np.ndarray, stride: int) -> np.ndarray:
    """Rows of bytes at a stride. The memory ends with the last byte, so reading one byte more is an error."""
    height, row_bytes = rows.shape
    memory = np.full((height - 1) * stride + row_bytes, 0xA5, dtype=np.uint8)
    np.lib.stride_tricks.as_strided(memory, (height, row_bytes), (stride, 1))[:] = rows
    return memory


class FrameInMemory:
    """A frame as the C structure, with padded rows, and the memory it points into."""

    def __init__(self, frame: Frame, *, padding: int = 0, uv_padding: int | None = None) -> None:
        """`uv_padding`: NV12's second plane in memory of its own, with this padding; None: it follows the first."""
        pixels = np.ascontiguousarray(frame.pixels)
        rows = pixels.reshape(pixels.shape[0], -1)
        stride = rows.shape[1] + padding
        self.struct = NativeFrame(struct_size=ctypes.sizeof(NativeFrame), format=FORMATS.index(frame.format))
        self.struct.width, self.struct.height = frame.width, frame.height
        self.struct.full_range = frame.full_range
        self.struct.stride_bytes = stride if padding else 0
        if uv_padding is not None:
            self.uv = exact_memory(rows[frame.height :], frame.width + uv_padding)
            self.struct.uv, self.struct.uv_stride_bytes = self.uv.ctypes.data, frame.width + uv_padding
            rows = rows[: frame.height]
        self.memory = exact_memory(rows, stride)
        self.struct.data = self.memory.ctypes.data


class NativePreprocessor:
    """The class under test, by its C functions."""

    def __init__(self, library: ctypes.CDLL, spec, edges: str = "cut") -> None:
        self.library, self.spec, self.message = library, spec, ctypes.create_string_buffer(2000)
        self.edges = edges
        self.handle = ctypes.c_void_p()
        triple = ctypes.c_double * 3
        self.status = library.shim_create(
            *(spec.height, spec.width, spec.channels, triple(*spec.mean), triple(*spec.std)),
            *(INPUTS.index(spec.input), EDGES.index(edges)),
            *(self.message, ctypes.c_size_t(2000), ctypes.byref(self.handle)),
        )

    def close(self) -> None:
        self.library.shim_destroy(self.handle)

    @property
    def feed_bytes(self) -> int:
        return self.library.shim_feed_bytes(self.handle)

    def empty_feed(self, count: int) -> np.ndarray:
        shape = (count, *self.spec.feed_spec.shape[1:])
        feed = np.empty(shape, dtype=self.spec.feed_spec.dtype)
        feed.view(np.uint8)[...] = 0x5A
        return feed

    def run(self, struct: NativeFrame, boxes, feed: np.ndarray) -> int:
        """Status; the message is in `words`. `boxes`: rows of x, y, width, height."""
        native = (NativeBox * len(boxes))(*(NativeBox(*box) for box in boxes))
        return self.call(struct, native, len(boxes), ctypes.c_void_p(feed.ctypes.data))

    def call(self, struct: NativeFrame, native, count: int, feed) -> int:
        self.message.value = b""
        return self.library.shim_run(
            *(self.handle, ctypes.byref(struct), native, ctypes.c_size_t(count), feed),
            *(self.message, ctypes.c_size_t(2000)),
        )

    @property
    def words(self) -> str:
        return self.message.value.decode()
