"""Places where a dataset is looked for when none is named."""

import os
from pathlib import Path

from resemote_edge.errors import DatasetError

__all__ = ["FER2013_VARIABLE", "find_fer2013"]

#: Environment variable that names FER2013 (csv, folder or zip).
FER2013_VARIABLE = "RESEMOTE_EDGE_FER2013"

_CHECKOUT = Path(__file__).resolve().parents[2]


def find_fer2013() -> Path | None:
    """Look for FER2013: the environment variable first, then a ``shared/data`` folder beside the checkout.

    Returns:
        Path of the dataset, or None if there is none.

    Raises:
        DatasetError: The variable is set, and its path does not exist.
    """
    named = os.environ.get(FER2013_VARIABLE)
    if named:
        path = Path(named)
        if not path.exists():
            raise DatasetError(
                f"{FER2013_VARIABLE}={named}: no such file or folder", hint="correct or unset the variable"
            )
        return path
    beside = _CHECKOUT.parent / "shared" / "data" / "fer2013.zip"
    return beside if beside.is_file() else None
