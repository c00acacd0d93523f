"""Sample files: every sample of a row, compressed, beside the report."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.staging import write_file

__all__ = ["read_samples", "write_samples"]


def write_samples(path: Path, samples: Mapping[str, NDArray[Any]]) -> str:
    """Write an ``.npz`` file whole or not at all.

    Args:
        path: Where.
        samples: One-dimensional arrays by name; the unit ends the name (``model_ns``).

    Returns:
        Its sha256.
    """
    stream = io.BytesIO()
    # numpy's own typing of the keyword arguments leaves no room for a mapping of arrays.
    np.savez_compressed(stream, **dict(samples))  # type: ignore[arg-type]
    write_file(path, stream.getvalue())
    return hashlib.sha256(stream.getvalue()).hexdigest()


def read_samples(path: Path) -> dict[str, NDArray[Any]]:
    """Read them back; nothing in such a file is executed.

    Raises:
        InputError: No such file, or not one of samples.
    """
    try:
        # Opened here: numpy leaves a file that it cannot read open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a file of samples: {error}") from None
