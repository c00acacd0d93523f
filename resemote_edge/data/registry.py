"""Datasets by name. A new dataset is a module and a row here.

A module holds its loader, ``recognises(path) -> bool`` and ``LAYOUT``, a description of what that looks for.
"""

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.findings import Tell, findings
from resemote_edge.data.image_stack import Progress
from resemote_edge.data.members import check_source, packed_in
from resemote_edge.errors import DatasetError, InputError

__all__ = ["AUTO", "DATASETS", "DatasetReader", "load_dataset", "recognise"]

#: Kind that is recognised by the files themselves.
AUTO = "auto"

#: Kind to ``module:function``. The last one reads data of no published dataset.
DATASETS: dict[str, str] = {
    "fer2013": "resemote_edge.data.datasets.fer2013:load_fer2013",
    "ferplus": "resemote_edge.data.datasets.ferplus:load_ferplus",
    "rafdb": "resemote_edge.data.datasets.rafdb:load_rafdb",
    "affectnet": "resemote_edge.data.datasets.affectnet:load_affectnet",
    "expw": "resemote_edge.data.datasets.expw:load_expw",
    "folder": "resemote_edge.data.datasets.folder:load_folder",
}

_GENERAL = "folder"


def load_dataset(
    path: str | Path,
    kind: str = AUTO,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
    labels_file: str | Path | None = None,
) -> dict[str, Dataset]:
    """Read splits of a dataset.

    Args:
        path: Folder or file; docs/guides/datasets.md and each loader's docstring say what is expected in it.
        kind: Kind, one of `DATASETS`, or ``auto``: recognised by the files at the path.
        splits: Splits to read, out of ``train``, ``validation``, ``test``.
        progress: Function called with the number of images (of a CSV: bytes) done.
        optional: Splits, out of those, that the data may lack altogether.
        labels_file: File with labels that lie elsewhere, for the kinds that take such a file (``ferplus``).

    Returns:
        One dataset per split asked for, except optional ones without an image.

    Raises:
        DatasetError: There is no such path, none or several kinds were recognised, or data is malformed; the message
            names file and line or member.
        InputError: A kind or split is unknown, or a kind that takes no labels file was given one.
    """
    source = Path(path)
    if kind not in (AUTO, *DATASETS):
        raise InputError(f"unknown kind of dataset {kind!r}", hint=f"choose from {AUTO}, {', '.join(DATASETS)}")
    check_source(source)
    with_labels = [name for name in DATASETS if "labels_file" in signature(_loader(name)).parameters]
    if labels_file is not None and kind not in (AUTO, *with_labels):
        raise InputError(f"a dataset of kind {kind} takes no labels file", hint=f"only {', '.join(with_labels)} does")
    if kind == AUTO:
        kind = recognise(source) if labels_file is None else with_labels[0]
    labels = {} if labels_file is None else {"labels_file": labels_file}
    return _loader(kind)(source, splits, progress, optional=optional, **labels)


class DatasetReader:
    """Reads splits as `load_dataset` does, and keeps those of the file that was read last.

    An export reads the same file for calibration, verification and the gate, and decoding it takes longer than any of
    them. A folder is always read again, because its files may change unnoticed.

    Args:
        tell: Function called once with each of the `findings`.
    """

    def __init__(self, tell: Tell = lambda sentence: None) -> None:
        self._tell = tell
        self._told: set[str] = set()
        self._file: tuple[str, int, int] | None = None
        self._kind = AUTO
        self._splits: dict[str, Dataset] = {}

    def load(
        self, path: str | Path, splits: tuple[str, ...] = SPLITS, *, optional: tuple[str, ...] = ()
    ) -> dict[str, Dataset]:
        """Read the splits that are not kept; see `load_dataset`."""
        source = Path(path)
        check_source(source)
        file = _file_state(source)
        if file is None:
            return self._telling(load_dataset(source, splits=splits, optional=optional))
        if file != self._file:
            kind = recognise(source)
            self._file, self._kind, self._splits = file, kind, {}
        missing = tuple(split for split in splits if split not in self._splits)
        if missing:
            allowed = tuple(set(optional) & set(missing))
            self._splits |= self._telling(load_dataset(source, self._kind, missing, optional=allowed))
        return {split: self._splits[split] for split in splits if split in self._splits}

    def _telling(self, read: dict[str, Dataset]) -> dict[str, Dataset]:
        for sentence in findings(read.values()):
            if sentence not in self._told:
                self._told.add(sentence)
                self._tell(sentence)
        return read


def _file_state(path: Path) -> tuple[str, int, int] | None:
    """Path, time and size, which identify a version of a file; None for a folder."""
    if not path.is_file():
        return None
    facts = path.stat()
    return str(path.resolve()), facts.st_mtime_ns, facts.st_size


def recognise(path: Path) -> str:
    """Tell the kind of a dataset from the files at its path.

    Returns:
        Kind, one of `DATASETS`.

    Raises:
        DatasetError: There is no such path, no kind is recognised, or several are.
    """
    check_source(path)
    published = [name for name in DATASETS if name != _GENERAL and _module(name).recognises(path)]
    if len(published) > 1:
        raise DatasetError(
            f"{path}: looks like {' and like '.join(published)}",
            hint=f"pass the kind (--kind), one of {', '.join(published)}",
        )
    if published:
        return published[0]
    if _module(_GENERAL).recognises(path):
        return _GENERAL
    if inside := packed_in(path):
        cure = f"pass {path / inside}" if path.is_dir() else "unpack it and pass that file"
        raise DatasetError(f"{path}: no images in folders, but {inside} is in it", hint=cure)
    looked_for = "; ".join(f"{name}: {_module(name).LAYOUT}" for name in DATASETS)
    raise DatasetError(f"{path}: cannot tell what dataset this is", hint=f"looked for {looked_for}")


def _module(name: str) -> Any:
    return import_module(DATASETS[name].partition(":")[0])


def _loader(name: str) -> Callable[..., dict[str, Dataset]]:
    loader: Callable[..., dict[str, Dataset]] = resolve_name(DATASETS[name])
    return loader
