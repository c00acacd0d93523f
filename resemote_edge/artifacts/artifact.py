"""Artifacts: folders with model files and the passport that describes them; one class for each kind.

Who needs a classifier loads an `Artifact`, who needs a detector a `DetectorArtifact`, and gets an error for any other
kind. `load_artifact` is for those who take any.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.detector_passport import DetectorPassport
from resemote_edge.artifacts.onnx_file import refuse_external_data
from resemote_edge.artifacts.passport import Passport
from resemote_edge.artifacts.passport_base import PASSPORT_NAME, BasePassport, FileEntry
from resemote_edge.artifacts.passport_codec import decode_passport
from resemote_edge.errors import ArtifactError, ArtifactMismatchError

__all__ = ["Artifact", "BaseArtifact", "DetectorArtifact", "file_sha256", "load_artifact"]

#: A passport with the hashes of its calibration images has some 100 kB.
_MOST_PASSPORT_BYTES = 16 << 20


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


_A = TypeVar("_A", bound="BaseArtifact")


@dataclass(frozen=True)
class BaseArtifact:
    """An exported model as it lies on disk, of whatever kind: what runtimes need to run it.

    Attributes:
        path: Folder that holds the passport.
        passport: The passport's contents.
    """

    path: Path
    passport: BasePassport

    #: What such an artifact is, and what to do where another kind is needed.
    _DESCRIPTION: ClassVar[str] = ""
    _ELSEWHERE: ClassVar[str] = ""

    @classmethod
    def load(cls: type[_A], path: str | Path) -> _A:
        """Open an artifact of this kind and check every file against its passport.

        Args:
            path: Folder of the artifact, or its ``passport.json``.

        Returns:
            The artifact, each file present and with the recorded size and sha256.

        Raises:
            ArtifactError: There is no such folder, it has no passport, a file is missing, or the artifact is of another
                kind.
            PassportVersionError: The passport has another schema.
            ArtifactMismatchError: A file's contents are not those recorded.
        """
        return cls.expected(load_artifact(path))

    @classmethod
    def expected(cls: type[_A], artifact: "BaseArtifact") -> _A:
        """Return an artifact that is of this kind.

        Raises:
            ArtifactError: It is of another kind.
        """
        if not isinstance(artifact, cls):
            raise ArtifactError(
                f"{artifact.path}: the artifact is {artifact._DESCRIPTION}, and {cls._DESCRIPTION} is needed here",
                hint=artifact._ELSEWHERE,
            )
        return artifact

    def find(self, formats: Iterable[str], roles: Iterable[str] = ("model",)) -> FileEntry | None:
        """The first file whose format and role are among those wanted, in the order of the formats."""
        wanted_roles = tuple(roles)
        for wanted in formats:
            for entry in self.passport.files:
                if entry.format == wanted and entry.role in wanted_roles:
                    return entry
        return None

    def file(self, entry: FileEntry) -> Path:
        """Path of one of the artifact's files."""
        return self.path / entry.path

    def check_files(self) -> None:
        """Hold every file against the passport; raises as `load`."""
        for entry in self.passport.files:
            self._check_file(entry)
        for entry in self.passport.files:
            self._check_format(entry)

    def _load_npy(self, name: str) -> NDArray[Any]:
        try:
            # Mapped first, so that a header that claims more than the file holds takes no memory.
            loaded: NDArray[Any] = np.array(np.load(self.path / name, allow_pickle=False, mmap_mode="r"))
        except (ValueError, OSError, EOFError, OverflowError) as error:
            raise ArtifactError(
                f"{self.path / name}: cannot be read ({error})", hint="export the artifact again"
            ) from None
        return loaded

    def _check_file(self, entry: FileEntry) -> None:
        path = self.path / entry.path
        if path.is_symlink() and path.resolve().parent != self.path.resolve():
            raise ArtifactError(f"{path}: a link that leads out of the artifact's folder", hint="copy the file itself")
        if path.exists() and not path.is_file():
            raise ArtifactError(f"{path}: not a regular file", hint="copy or export the artifact again")
        if not path.is_file():
            raise ArtifactError(f"{path}: listed in the passport but missing", hint="copy or export the artifact again")
        size = path.stat().st_size
        if size != entry.size_bytes:
            raise ArtifactMismatchError(
                f"{path}: {size} bytes, the passport says {entry.size_bytes}", hint="copy or export the artifact again"
            )
        found = file_sha256(path)
        if found != entry.sha256:
            raise ArtifactMismatchError(
                f"{path}: sha256 {found[:12]}…, the passport says {entry.sha256[:12]}…: the file was changed",
                hint="copy or export the artifact again",
            )

    def _check_format(self, entry: FileEntry) -> None:
        """Refuse what an engine would read as another format than the passport says, or along with other files."""
        path = self.file(entry)
        suffix = {"onnx": ".onnx", "openvino-ir": ".xml"}.get(entry.format)
        if suffix is None:
            return
        if path.suffix != suffix:
            raise ArtifactError(
                f"{path}: listed as {entry.format}, whose files end in {suffix}", hint="export the artifact again"
            )
        if entry.format == "onnx":
            refuse_external_data(path)
            return
        with path.open("rb") as stream:
            begins = stream.read(5)
        if begins != b"<?xml":
            raise ArtifactError(f"{path}: listed as {entry.format}, but is not XML", hint="export the artifact again")
        if not any((other.role, other.format) == ("weights", "openvino-weights") for other in self.passport.files):
            raise ArtifactError(
                f"{self.path}: {entry.path} has no weights in the passport", hint="export the artifact again"
            )


@dataclass(frozen=True)
class Artifact(BaseArtifact):
    """A classifier: it tells the expression of a face crop."""

    passport: Passport

    _DESCRIPTION = "a classifier of faces"
    _ELSEWHERE = "pass a classifier as --artifact, and a detector as --detector"

    def golden(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Load the self-test data.

        Returns:
            Crops, uint8 (N, H, W, 3) RGB, and the reference's logits, float32 (N, classes).

        Raises:
            ArtifactError: The arrays are not what the passport says.
        """
        info = self.passport.golden
        crops: NDArray[Any] = self._load_npy(info.crops)
        logits: NDArray[Any] = self._load_npy(info.logits)
        sound = (
            crops.dtype == np.uint8
            and crops.ndim == 4
            and logits.dtype == np.float32
            and logits.shape == (info.count, len(self.passport.labels))
            and len(crops) == info.count
        )
        if not sound:
            raise ArtifactError(
                f"{self.path}: golden crops {crops.dtype}{crops.shape} and logits {logits.dtype}{logits.shape} do not "
                f"fit the passport ({info.count} crops)",
                hint="export the artifact again",
            )
        return crops, logits


@dataclass(frozen=True)
class DetectorArtifact(BaseArtifact):
    """A detector: it finds the faces of a frame."""

    passport: DetectorPassport

    _DESCRIPTION = "a face detector"
    _ELSEWHERE = "pass a detector as --detector, and a classifier as --artifact"

    def golden(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Load the self-test data.

        Returns:
            Pictures, uint8 (N, height, width, 3) BGR, and the values of all outputs, float32 (N, values), as
            `DetectorGolden` says.

        Raises:
            ArtifactError: The arrays are not what the passport says.
        """
        passport, info = self.passport, self.passport.golden
        frames: NDArray[Any] = self._load_npy(info.frames)
        outputs: NDArray[Any] = self._load_npy(info.outputs)
        sides = (passport.height // info.repeat, passport.width // info.repeat)
        values = sum(math.prod(spec.sides(1)) for spec in passport.outputs)
        sound = (
            frames.dtype == np.uint8
            and frames.shape == (info.count, *sides, 3)
            and outputs.dtype == np.float32
            and outputs.shape == (info.count, values)
        )
        if not sound:
            raise ArtifactError(
                f"{self.path}: golden frames {frames.dtype}{frames.shape} and outputs {outputs.dtype}{outputs.shape} "
                f"do not fit the passport ({info.count} frames)",
                hint="export the artifact again",
            )
        return frames.repeat(info.repeat, axis=1).repeat(info.repeat, axis=2), outputs


def load_artifact(path: str | Path) -> Artifact | DetectorArtifact:
    """Open an artifact of any kind; otherwise as `BaseArtifact.load`."""
    folder = Path(path)
    if folder.name == PASSPORT_NAME:
        folder = folder.parent
    manifest = folder / PASSPORT_NAME
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing there"
        raise ArtifactError(f"{folder}: an artifact is a folder with a {PASSPORT_NAME}, found {found}")
    if not manifest.is_file():
        raise ArtifactError(
            f"{folder}: no {PASSPORT_NAME} in this folder, so it is not an artifact",
            hint="make one with: resemote-edge export",
        )
    size = manifest.stat().st_size
    if size > _MOST_PASSPORT_BYTES:
        raise ArtifactError(
            f"{manifest}: {size} bytes, where at most {_MOST_PASSPORT_BYTES} make sense",
            hint="export the artifact again",
        )
    passport = decode_passport(manifest.read_bytes(), str(manifest))
    artifact = Artifact(folder, passport) if isinstance(passport, Passport) else DetectorArtifact(folder, passport)
    artifact.check_files()
    return artifact
