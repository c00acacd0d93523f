"""Bundle: artifacts, library, tools and scripts for a board, as a folder and as one archive."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resemote_edge import __version__
from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact, file_sha256
from resemote_edge.artifacts.files import refuse_files
from resemote_edge.artifacts.partial import partial_folder, put_in_place, scratch_folder, sync, sync_tree
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path
from resemote_edge.deploy.archive import SUMS_NAME, write_archive, write_sums
from resemote_edge.deploy.board import Board, Engine, find_board
from resemote_edge.deploy.engine_library import EngineLibrary, can_be_carried, carry_engine_library
from resemote_edge.deploy.fit import load_fitting
from resemote_edge.deploy.page import render_page
from resemote_edge.deploy.prebuilt import Prebuilt, build_prebuilt, check_prebuilt
from resemote_edge.deploy.scripts import bundle_facts, camera_command, write_scripts
from resemote_edge.deploy.sources import JsonHeader, copy_sources, find_json_header, source_folder
from resemote_edge.errors import InputError, missing_dependency

__all__ = ["Bundle", "BundleRequest", "make_bundle"]

MANIFEST_NAME = "manifest.json"
MANIFEST_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class BundleRequest:
    """What is to be bundled.

    Attributes:
        artifacts: Folders of the artifacts.
        board: Name of a board, or its TOML file.
        output: Folder in which the bundle appears.
        engine: Backend that runs the artifacts; None for the board's default.
        engine_library: Wheel or file with the engine's library to carry; None to carry none.
        json_headers: Folder that holds ``nlohmann/json.hpp``; None to look where systems install it.
        prebuilt: Prefix of an installation of the native runtime, in place of compiling it; None to compile.
        force: Whether an earlier bundle may be replaced.
    """

    artifacts: Sequence[Path]
    board: str
    output: Path
    engine: str | None = None
    engine_library: Path | None = None
    json_headers: Path | None = None
    prebuilt: Path | None = None
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle as it lies on disk.

    Attributes:
        folder: Folder of the bundle.
        archive: The same as one file.
        board: Name of the board.
        engine: Backend that runs the artifacts.
        artifacts: Names of the artifacts.
        glibc: Oldest glibc that library and tools run with.
        archive_sha256: Hex sha256 of the archive.
        notes: What the user should know.
    """

    folder: Path
    archive: Path
    board: str
    engine: str
    artifacts: tuple[str, ...]
    glibc: str
    archive_sha256: str
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "folder": str(self.folder),
            "archive": str(self.archive),
            "archive_sha256": self.archive_sha256,
            "archive_bytes": self.archive.stat().st_size,
            "board": self.board,
            "engine": self.engine,
            "artifacts": list(self.artifacts),
            "glibc": self.glibc,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What goes into a bundle, all of it checked."""

    board: Board
    engine: Engine
    classifiers: list[Artifact]
    detectors: list[DetectorArtifact]
    prebuilt: Prebuilt
    header: JsonHeader
    engine_library: Path | None

    @property
    def artifacts(self) -> list[Artifact | DetectorArtifact]:
        return [*self.classifiers, *self.detectors]

    @property
    def camera(self) -> str:
        """Command that starts the camera."""
        detector = self.detectors[0].passport.name if self.detectors else None
        return camera_command(self.board, self.engine, self.classifiers[0].passport.name, detector)


def make_bundle(request: BundleRequest, progress: Callable[[str, int], None] = lambda what, percent: None) -> Bundle:
    """Make a bundle; it appears whole or not at all.

    Args:
        request: What is to be bundled.
        progress: Function called with what is being done, and how much of it, in per cent.

    Raises:
        InputError: The board is unknown, the destination exists, or another input is of no use.
        ArtifactError: An artifact cannot be loaded.
        ArtifactMismatchError: An artifact does not run on the board.
        MissingDependencyError: jinja2 is not installed, or nothing to compile with.
        ExportError: The library does not compile.
    """
    board = find_board(request.board)
    engine = board.engine(request.engine)
    name = f"resemote-{__version__}-{board.name}"
    _refuse_existing(request.output, name, force=request.force)
    classifiers, detectors = load_fitting(request.artifacts, board, engine)
    if not detectors:
        detectors = _own_detectors(engine)
    if find_spec("jinja2") is None:
        raise missing_dependency("jinja2", "bundle", "writing the page of a bundle")
    header = find_json_header(request.json_headers)
    if request.engine_library is not None:
        with scratch_folder("bundle") as scratch:  # Before minutes of compiling.
            carry_engine_library(request.engine_library, scratch, board, engine)
    if request.prebuilt is None:
        prebuilt = build_prebuilt(board, engine, header, progress)
    else:
        prebuilt = check_prebuilt(request.prebuilt, board)
    contents = _Contents(
        board=board,
        engine=engine,
        classifiers=classifiers,
        detectors=detectors,
        prebuilt=prebuilt,
        header=header,
        engine_library=request.engine_library,
    )
    progress("packing", 0)
    request.output.mkdir(parents=True, exist_ok=True)
    with partial_folder(request.output, name) as staging:
        folder = staging / name
        folder.mkdir()
        notes = _fill(folder, contents)
        _set_modes(folder)
        archive = staging / f"{name}.tar.gz"
        write_archive(folder, archive)
        sync_tree(folder)
        sync(archive)
        _refuse_existing(request.output, name, force=request.force)
        put_in_place(folder, request.output / name, staging)
        archive.replace(request.output / archive.name)
    progress("packing", 100)
    archive = request.output / f"{name}.tar.gz"
    return Bundle(
        folder=request.output / name,
        archive=archive,
        board=board.name,
        engine=engine.backend,
        artifacts=tuple(each.passport.name for each in (*classifiers, *detectors)),
        glibc=prebuilt.glibc,
        archive_sha256=file_sha256(archive),
        notes=notes,
    )


def _refuse_existing(output: Path, name: str, *, force: bool) -> None:
    """Refuse a destination that is taken, or that is no bundle of ours."""
    refuse_files(output, [name, f"{name}.tar.gz"], force=force)
    folder = output / name
    if folder.exists() and not (folder / MANIFEST_NAME).is_file():
        raise InputError(f"{folder} exists and is no bundle, so --force will not delete it", hint="pass another -o")


def _own_detectors(engine: Engine) -> list[DetectorArtifact]:
    """The detector that comes with the package, for the camera, where the engine can run it."""
    detector = DetectorArtifact.load(prebuilt_detector_path(*PREBUILT_DETECTORS[0]))
    fits = detector.find(engine.formats) is not None and detector.passport.precision in engine.precisions
    return [detector] if fits and engine.takes_bytes else []


def _fill(folder: Path, contents: _Contents) -> tuple[str, ...]:
    """Put everything into the folder of a bundle; return notes for the user."""
    board, engine, prebuilt, header = contents.board, contents.engine, contents.prebuilt, contents.header
    for artifact in contents.artifacts:
        _copy_artifact(artifact, folder / "artifacts" / artifact.passport.name)
    for path in prebuilt.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(prebuilt.folder / path, folder / path)
        (folder / path).chmod(0o755)
    shutil.copytree(prebuilt.folder / "include", folder / "include")
    copy_sources(folder / "source", header)
    (folder / "licences").mkdir()
    shutil.copyfile(source_folder() / "LICENSE", folder / "licences" / "resemote-edge.txt")
    shutil.copyfile(header.licence, folder / "licences" / "nlohmann-json.txt")
    carried = None
    if contents.engine_library is not None:
        carried = carry_engine_library(contents.engine_library, folder, board, engine)
    # Another set of files gets another folder on the board.
    identity = f"{__version__}-{board.name}-{engine.backend}-{write_sums(folder)[:12]}"
    library = next(path for path in prebuilt.files if path.startswith("lib/"))
    facts = bundle_facts(
        board,
        engine,
        classifiers=[each.passport.name for each in contents.classifiers],
        detectors=[each.passport.name for each in contents.detectors],
        glibc=prebuilt.glibc,
        abi=".".join(library.rpartition(".so.")[2].split(".")[:2]),
        engine_library=carried.file if carried else "",
        identity=identity,
    )
    write_scripts(folder, facts, contents.camera)
    _write_page(folder, contents, carried, identity)
    _write_manifest(folder, contents, carried, identity)
    write_sums(folder)
    return _notes(contents)


def _notes(contents: _Contents) -> tuple[str, ...]:
    engine, notes = contents.engine, []
    if contents.engine_library is None and not engine.compiled:
        here = "here, or " if can_be_carried(engine) else ""
        notes.append(f"the bundle carries no {engine.backend}: pass --engine-library {here}to install.sh on the board")
    if not contents.detectors:
        notes.append(
            f"the bundle holds no face detector that {engine.backend} runs there, so the camera takes each frame for a "
            "face; add the artifact of one: resemote-edge export --detector yunet"
        )
    return tuple(notes)


def _copy_artifact(artifact: Artifact | DetectorArtifact, folder: Path) -> None:
    folder.mkdir(parents=True)
    names = [PASSPORT_NAME, *(entry.path for entry in artifact.passport.files)]
    names += [name for name in ("LICENSE",) if (artifact.path / name).is_file() and name not in names]
    for name in names:
        shutil.copyfile(artifact.path / name, folder / name)


def _write_page(folder: Path, contents: _Contents, carried: EngineLibrary | None, identity: str) -> None:
    page = render_page(
        contents.board,
        contents.engine,
        name=folder.name,
        version=__version__,
        identity=identity,
        camera=contents.camera,
        glibc=contents.prebuilt.glibc,
        artifacts=[each.passport for each in contents.artifacts],
        compiler=contents.prebuilt.compiler or "another build, which was checked",
        json_version=contents.header.version,
        engine_library=carried,
    )
    (folder / "README.html").write_text(page, encoding="utf-8")


def _write_manifest(folder: Path, contents: _Contents, carried: EngineLibrary | None, identity: str) -> None:
    """Write what the bundle is, with the hash and the size of every file."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    library = {"file": carried.file, "origin": carried.origin, "glibc": carried.glibc} if carried else None
    manifest = {
        "kind": "bundle",
        "schema": MANIFEST_SCHEMA,
        "name": folder.name,
        "identity": identity,
        "version": __version__,
        "board": contents.board.name,
        "machine": contents.board.machine,
        "engine": contents.engine.backend,
        "engine_library": library,
        "compiler": contents.prebuilt.compiler,
        "glibc": contents.prebuilt.glibc,
        "files": [
            {"path": name, "size_bytes": (folder / name).stat().st_size, "sha256": file_sha256(folder / name)}
            for name in names
            if name not in {SUMS_NAME, MANIFEST_NAME}
        ],
    }
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _set_modes(folder: Path) -> None:
    """Folders and files for everybody to read: temporary folders are private."""
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
        path.chmod(0o755 if runs else 0o644)
