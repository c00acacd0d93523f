"""Sample files: every sample of a row, compressed, beside the report."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.files import write_file
from resemote_edge.errors import InputError

__all__ = ["kept_samples", "read_samples", "write_samples"]


def write_samples(path: Path, samples: Mapping[str, NDArray[Any]]) -> str:
    """Write an ``.npz`` file whole or not at all.

    Args:
        path: File to write.
        samples: One-dimensional arrays by name; the unit ends the name (``model_ns``).

    Returns:
        The sha256 of the file.
    """
    stream = io.BytesIO()
    # numpy's own typing of the keyword arguments leaves no room for a mapping of arrays.
    np.savez_compressed(stream, **dict(samples))  # type: ignore[arg-type]
    write_file(path, stream.getvalue())
    return hashlib.sha256(stream.getvalue()).hexdigest()


def read_samples(path: Path) -> dict[str, NDArray[Any]]:
    """Read samples back; nothing in such a file is executed.

    Raises:
        InputError: There is no such file, or it is not one of samples.
    """
    try:
        # It is opened here because numpy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a file of samples: {error}") from None


def kept_samples(folder: Path, name: str, sha256: str | None) -> dict[str, NDArray[Any]] | None:
    """The samples that a report names, if they still lie beside it.

    Args:
        folder: Folder of the report.
        name: Name of the file, relative to the folder.
        sha256: Hash that the report gives; None if it gives none.

    Returns:
        The samples; None if there is no such file.

    Raises:
        InputError: The name leads out of the folder, the hash is another, or it is no file of samples.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{name}: a report's samples lie in its own folder", hint=f"this name leads out of {folder}")
    if not path.is_file():
        return None
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise InputError(
            f"{path}: not the samples that the report is of (sha256 differs)", hint="restore or delete the file"
        )
    return read_samples(path)
