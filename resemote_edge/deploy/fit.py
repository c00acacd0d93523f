"""Whether artifacts fit a board: its engine reads their files, and computes in their precision."""

import re
from collections.abc import Sequence
from pathlib import Path

from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact, load_artifact
from resemote_edge.artifacts.onnx_file import onnx_opset
from resemote_edge.artifacts.record import refuse_repeated
from resemote_edge.deploy.board import Board, Engine
from resemote_edge.errors import ArtifactMismatchError, InputError

__all__ = ["load_fitting"]

#: Names that a shell, a unit of systemd and every file system take as they are.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def load_fitting(paths: Sequence[Path], board: Board, engine: Engine) -> tuple[list[Artifact], list[DetectorArtifact]]:
    """Load artifacts that are to run on a board.

    Args:
        paths: Folders of the artifacts.
        board: The board.
        engine: Engine of the board that is to run them.

    Returns:
        Classifiers and detectors, in the order given.

    Raises:
        InputError: There is no classifier, two artifacts have the same name, or a name cannot be a folder's on a board.
        ArtifactMismatchError: The engine cannot run an artifact on this board.
        ArtifactError: An artifact cannot be loaded.
    """
    classifiers: list[Artifact] = []
    detectors: list[DetectorArtifact] = []
    for path in paths:
        artifact = load_artifact(path)
        _check_name(artifact)
        _check(artifact, board, engine)
        if isinstance(artifact, Artifact):
            classifiers.append(artifact)
        else:
            detectors.append(artifact)
    refuse_repeated("artifact", [artifact.passport.name for artifact in (*classifiers, *detectors)])
    if not classifiers:
        found = ", ".join(each.passport.name for each in detectors) or "nothing"
        raise InputError(
            f"a bundle needs a classifier, and found {found}",
            hint="name the artifact of a classifier as well; 'resemote-edge export' makes one",
        )
    return classifiers, detectors


def _check_name(artifact: Artifact | DetectorArtifact) -> None:
    name = artifact.passport.name
    if not _PLAIN.match(name):
        raise InputError(
            f"{artifact.path}: the name {name!r} cannot be that of a folder on every board",
            hint="export it under a name of letters, digits, dots, dashes and underscores",
        )


def _check(artifact: Artifact | DetectorArtifact, board: Board, engine: Engine) -> None:
    """Refuse what the engine cannot run on the board."""
    passport = artifact.passport
    found = f"{artifact.path}: {engine.backend} on the board {board.name} cannot run it"
    model = artifact.find(engine.formats)
    if model is None:
        held = sorted({entry.format for entry in passport.files if entry.role == "model"})
        raise ArtifactMismatchError(
            f"{found}: its model is in the format {', '.join(held)}, and the engine takes {', '.join(engine.formats)}",
            hint=_elsewhere(artifact, board, engine),
        )
    if passport.precision not in engine.precisions:
        raise ArtifactMismatchError(
            f"{found}: it is {passport.precision}, and the engine computes {', '.join(engine.precisions)} there",
            hint=_elsewhere(artifact, board, engine),
        )
    if not engine.takes_bytes and any(spec.dtype == "uint8" for spec in passport.inputs):
        raise ArtifactMismatchError(
            f"{found}: it takes pixels of type uint8, and the engine takes float32 alone there",
            hint=_elsewhere(artifact, board, engine),
        )
    opset = onnx_opset(artifact.file(model)) if model.format == "onnx" else 0
    if engine.largest_opset and opset > engine.largest_opset:
        raise ArtifactMismatchError(
            f"{found}: its model uses ONNX opset {opset}, and the engine reads {engine.largest_opset} and below",
            hint=_elsewhere(artifact, board, engine),
        )


def _elsewhere(artifact: Artifact | DetectorArtifact, board: Board, engine: Engine) -> str:
    others = [each.backend for each in board.engines if each.backend != engine.backend]
    words = f"export it again with --recipe {engine.recipe}"
    if isinstance(artifact, DetectorArtifact):
        words = "leave the detector out: the camera then takes each frame for a face"
    return words + (f", or pass --engine {' or '.join(others)}" if others else "")
