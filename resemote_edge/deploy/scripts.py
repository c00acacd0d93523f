"""Scripts of a bundle: files of this package that are copied as they are, and the facts that they read."""

import shlex
from importlib.resources import files
from pathlib import Path

from resemote_edge import __version__
from resemote_edge.deploy.board import Board, Engine

__all__ = ["CAMERA_COMMAND", "bundle_facts", "camera_command", "write_scripts"]

#: Names of the programs among the files that are copied.
_PROGRAMS = ("install.sh", "uninstall.sh", "resemote-wrapper")
_UNIT = "resemote-camera.service"

CAMERA_COMMAND = "@CAMERA_COMMAND@"

#: How the loader calls the library of an engine.
_SONAMES = {"onnxruntime": "libonnxruntime.so", "openvino": "libopenvino_c.so", "tensorrt": "libnvinfer.so"}


def camera_command(board: Board, engine: Engine, classifier: str, detector: str | None) -> str:
    """Command that starts the camera program on the board, where ``@PREFIX@`` stands for the prefix."""
    current = "@PREFIX@/current"
    found = f"{current}/artifacts/{detector}" if detector else "none"
    return (
        f"{current}/bin/resemote camera {board.camera} jsonl:- --artifact {current}/artifacts/{classifier} "
        f"--detector {found} --backend {engine.backend} --device {engine.device}"
        f"{' --cache-dir @PREFIX@/cache' if engine.keeps_engines else ''}"
    )


def bundle_facts(
    board: Board,
    engine: Engine,
    *,
    classifiers: list[str],
    detectors: list[str],
    glibc: str,
    abi: str,
    engine_library: str,
    identity: str,
) -> dict[str, str]:
    """Facts that install.sh reads, by the name of the shell variable.

    Args:
        board: The board.
        engine: Engine of the board.
        classifiers: Names of the classifiers, which are folders.
        detectors: Names of the detectors.
        glibc: Oldest glibc that the prebuilt files run with.
        abi: Version of the library's ABI, as in its soname.
        engine_library: Path of the engine's library within the bundle; empty if the bundle carries none.
        identity: Name of this very bundle, which is the folder of the installed version.
    """
    first, beyond = engine.versions or ("", "")
    l4t_first, l4t_beyond = board.l4t or ("", "")
    return {
        "BUNDLE_ID": identity,
        "BUNDLE_VERSION": __version__,
        "BUNDLE_ABI": abi,
        "BOARD_DESCRIPTION": board.description,
        "MACHINE": board.machine,
        "GLIBC": glibc,
        "L4T_FIRST": l4t_first,
        "L4T_BEYOND": l4t_beyond,
        "ENGINE": engine.backend,
        "ENGINE_FIRST": first,
        "ENGINE_BEYOND": beyond,
        "ENGINE_LIBRARY": engine_library,
        "ENGINE_SONAME": _SONAMES[engine.backend],
        "ENGINE_VARIABLE": f"RESEMOTE_{engine.backend.upper()}_LIBRARY",
        "DEVICE": engine.device,
        "CUDA_VERSION": engine.cuda,
        "COMPILED": "yes" if engine.compiled else "no",
        "COMPILE_MEMORY_MIB": str(board.compile_memory_mib),
        "PACKAGES": " ".join(board.packages),
        "MEMORY_MIB": str(engine.memory_mib),
        "DISK_MIB": str(board.disk_mib),
        "CLASSIFIERS": " ".join(classifiers),
        "ARTIFACTS": " ".join([*classifiers, *detectors]),
        "POWER_ADVICE": board.power,
        "SWAP_ADVICE": board.swap,
    }


def write_scripts(folder: Path, facts: dict[str, str], camera: str) -> None:
    """Write install.sh and what belongs to it into a bundle.

    Args:
        folder: Folder of the bundle.
        facts: What `bundle_facts` gives.
        camera: What `camera_command` gives.
    """
    templates = files("resemote_edge.deploy") / "templates"
    for name in _PROGRAMS:
        (folder / name).write_bytes((templates / name).read_bytes())
        (folder / name).chmod(0o755)
    unit = (templates / _UNIT).read_text(encoding="utf-8").replace(CAMERA_COMMAND, camera)
    (folder / _UNIT).write_text(unit, encoding="utf-8")
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in facts.items()]
    lines.append(f"CAMERA_COMMAND={shlex.quote(camera)}\n")
    (folder / "bundle.conf").write_text("".join(lines), encoding="utf-8")
