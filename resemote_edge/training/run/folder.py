"""Folder of a run: checks that it is free, and keeps other runs from writing to it."""

from contextlib import AbstractContextManager
from pathlib import Path

from resemote_edge.artifacts.partial import is_partial, taking_turns
from resemote_edge.errors import InputError, TrainingError
from resemote_edge.training.run.log import EVENTS_FOLDER, LOG_FILE
from resemote_edge.training.run.state import STATE_FILE

__all__ = ["refuse_taken", "written_by_us_alone"]

#: Entries left by a run that ended before its first state was saved; they are not worth keeping.
_BEGINNINGS = {EVENTS_FOLDER, LOG_FILE}


def refuse_taken(folder: Path) -> None:
    """Refuse the folder of a new run where it would overwrite something.

    Args:
        folder: Folder of the new run; it need not exist.

    Raises:
        InputError: Something is there.
    """
    if not folder.exists():
        return
    if (folder / STATE_FILE).is_file():
        raise InputError(f"{folder} exists", hint=f"pass --resume {folder} to go on with it, or another --out")
    names = [path.name for path in folder.iterdir() if not is_partial(path)] if folder.is_dir() else ["a file"]
    found = sorted(set(names) - _BEGINNINGS)
    if found:
        raise InputError(
            f"{folder} exists and holds {found[0]}, which no training run wrote", hint="pass another --out"
        )


def written_by_us_alone(folder: Path) -> AbstractContextManager[None]:
    """Lock the folder of a run while a block runs; the lock is released however the process ends.

    Args:
        folder: Folder of the run; it exists.

    Raises:
        TrainingError: Another process trains there.
    """

    def refuse() -> None:
        raise TrainingError(
            f"{folder}: another process is training there", hint="wait for it, or end it; or pass another --out"
        )

    return taking_turns(folder, refuse)
