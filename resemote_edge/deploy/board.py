"""Board: what a kind of machine is and needs, in one TOML file named after it."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from resemote_edge.artifacts.record import Name, Strict, read_toml
from resemote_edge.errors import InputError

__all__ = ["Board", "Engine", "Version", "available_boards", "find_board", "load_board", "version_numbers"]

BOARD_SCHEMA = 1

#: A version number, such as ``2.27``.
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)*$")]

#: Memory or disk space, in MiB.
MiB = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


class Engine(Strict, frozen=True, kw_only=True):
    """An engine that a board can run artifacts with.

    Attributes:
        backend: Backend of the native runtime.
        device: Device that the engine uses, as the option ``device`` takes it.
        precisions: Precisions of artifacts that the engine runs on this board.
        formats: Formats of model files that the engine loads on this board.
        versions: Oldest version that will do, and the first that will not; None where the version does not matter.
        cuda: CUDA version that the board's system has with this engine; empty if the engine needs none.
        recipe: Name of a recipe whose artifacts fit.
        largest_opset: Newest ONNX opset that the engine reads; 0 if it reads all that this package exports.
        takes_bytes: Whether the engine takes inputs of type uint8.
        memory_mib: Free memory, swap included, that opening an artifact needs; for TensorRT, building its engine.
        compiled: Whether the library is compiled on the board, against the headers of the board's own engine.
    """

    backend: Literal["tensorrt", "onnxruntime", "openvino"]
    device: str
    precisions: tuple[Literal["fp32", "fp16", "int8", "w8"], ...]
    formats: tuple[str, ...]
    versions: tuple[Version, Version] | None = None
    cuda: str = ""
    recipe: Name
    largest_opset: Annotated[int, msgspec.Meta(ge=0)] = 0
    takes_bytes: bool = True
    memory_mib: MiB
    compiled: bool = False

    @property
    def keeps_engines(self) -> bool:
        """Whether it keeps what it builds in a folder; ONNX Runtime builds nothing, and refuses a folder."""
        return self.backend != "onnxruntime"


class Board(Strict, frozen=True, kw_only=True):
    """A kind of machine.

    Attributes:
        schema: Schema of the file, `BOARD_SCHEMA`.
        name: Name, which is the file's stem.
        description: Board and system in one line.
        machine: Kind of processor, as ``uname -m`` says it.
        glibc: Version of the system's C library; prebuilt files need no newer one.
        l4t: Oldest release of NVIDIA's Linux for Tegra that will do, and the first that will not; None for
            other boards.
        engines: Engines, the default first.
        disk_mib: Free disk space that an installation needs.
        compile_memory_mib: Free memory, swap included, that one compiler process needs.
        packages: Debian packages with the tools and headers for compiling on the board.
        camera: Address of the camera that the service reads.
        power: What to do for full speed, as the page and the preflight say it; empty if nothing.
        swap: How to get more memory, as the page and the preflight say it.
        notes: Sentences for the page: what is special, and what was never run.
    """

    schema: int
    name: Name
    description: str
    machine: Literal["aarch64", "x86_64"]
    glibc: Version
    l4t: tuple[Version, Version] | None = None
    engines: Annotated[tuple[Engine, ...], msgspec.Meta(min_length=1)]
    disk_mib: MiB
    compile_memory_mib: MiB = 700
    packages: tuple[str, ...]
    camera: str
    power: str = ""
    swap: str
    notes: tuple[str, ...] = ()

    def engine(self, backend: str | None) -> Engine:
        """Return the engine of a backend; None for the default.

        Raises:
            InputError: The board has no such engine.
        """
        for engine in self.engines:
            if backend in (None, engine.backend):
                return engine
        raise InputError(
            f"board {self.name} has no engine {backend!r}",
            hint=f"choose one of {', '.join(engine.backend for engine in self.engines)}",
        )


def version_numbers(text: str) -> tuple[int, ...]:
    """Numbers of a version, for comparing: ``"2.27"`` becomes (2, 27)."""
    return tuple(int(part) for part in text.split("."))


def _board_folder() -> Path:
    """Folder of the boards: packaged ones in an installed wheel, the top-level ``export/boards/`` in a checkout."""
    packaged = Path(__file__).parents[1] / "export" / "recipes"
    return (packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "export") / "boards"


def available_boards() -> list[str]:
    """Names of the boards that come with the package, sorted."""
    return sorted(path.stem for path in _board_folder().glob("*.toml"))


def load_board(path: Path) -> Board:
    """Read and validate the file of a board.

    Raises:
        InputError: There is no such file, it is not TOML, a key is missing, unknown or of the wrong type, or an engine
            is listed twice.
    """
    hint = f"the ones that come with the package are: {', '.join(available_boards())}"
    board = read_toml(path, Board, what="board", schema=BOARD_SCHEMA, hint=hint)
    backends = [engine.backend for engine in board.engines]
    if len(set(backends)) != len(backends):
        raise InputError(f"{path}: an engine twice ({', '.join(backends)})", hint="list each engine once")
    return board


def find_board(name: str) -> Board:
    """Load a board by name (one that comes with the package) or by path.

    Raises:
        InputError: Neither names a board, or its file is not valid.
    """
    packaged = _board_folder() / f"{name}.toml"
    if packaged.is_file() and "/" not in name:
        return load_board(packaged)
    if not name.endswith(".toml"):
        raise InputError(f"unknown board {name!r}", hint=f"choose one of {', '.join(available_boards())}")
    return load_board(Path(name))
