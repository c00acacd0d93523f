"""FER2013 in its three common forms, with the official splits.

- Kaggle's ``fer2013.csv``: columns ``emotion,pixels,Usage``, a header line, 48x48 gray pixels as text;
- a folder or a zip of ``<split>/<emotion>/*.jpg|png``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Progress, decode_gray
from resemote_edge.data.listing import check_splits
from resemote_edge.data.members import Member, check_source, is_zip, open_members
from resemote_edge.data.table import open_text, rows_of
from resemote_edge.data.tree import Tree, left_out, place
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import FER2013, canonical_name

__all__ = ["LAYOUT", "USAGES", "load_fer2013", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "a .csv with the columns emotion,pixels,Usage, or <split>/<emotion>/ with 48x48 images, in a folder or zip"

#: Names of the splits in the column ``Usage``.
USAGES: dict[str, str] = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}

_SIDE = 48
_COLUMNS = ("emotion", "pixels", "Usage")


@dataclass
class _Rows:
    """Images of one split while they are being read."""

    images: list[NDArray[np.uint8]] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load_fer2013(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
) -> dict[str, Dataset]:
    """Read splits of FER2013 from the file ``fer2013.csv``, a folder, or a zip; otherwise as `load_dataset`.

    Raises:
        DatasetError: There is no such path, a row is malformed, an image is unreadable, a class is unknown or missing,
            or a split has no images; the message names file and line or member.
    """
    check_splits(splits)
    source = Path(path)
    check_source(source)
    if source.is_dir() or is_zip(source):
        with open_members(source) as members:
            rows = _read_members(members, source, splits, progress)
    elif source.suffix.lower() == ".csv":
        with open_text(source) as stream:
            rows = _read_csv(stream, source, splits, progress)
    else:
        raise DatasetError(f"{source}: neither a folder, a whole zip, nor a .csv file", hint="pass one of these")
    found = [split for split in splits if rows[split].images or split not in optional]
    return {split: _finish(source, split, rows[split]) for split in found}


def recognises(path: Path) -> bool:
    """Whether this looks like FER2013, by the header line, or by folder names and the first image."""
    if path.suffix.lower() == ".csv" and path.is_file():
        try:
            with open_text(path) as stream:
                _, header = next(rows_of(stream, str(path)), (0, []))
        except DatasetError:
            return False
        return sorted(name.strip() for name in header) == sorted(_COLUMNS)
    if not path.is_dir() and not is_zip(path):
        return False
    with open_members(path) as members:
        try:
            placed = _place(members, path).placed
            for folder in {entry.folder for entry in placed}:
                canonical_name(folder)
            return bool(placed) and decode_gray(placed[0].member, str(path)).shape == (_SIDE, _SIDE)
        except (DatasetError, InputError):
            return False


def _finish(source: Path, split: str, rows: _Rows) -> Dataset:
    if not rows.images:
        raise DatasetError(
            f"{source}: no images in split '{split}'", hint="expected <split>/<emotion>/ or Usage rows for it"
        )
    shapes = {image.shape for image in rows.images}
    if len(shapes) > 1:
        odd = next(i for i, image in enumerate(rows.images) if image.shape != rows.images[0].shape)
        raise DatasetError(
            f"{source}: {rows.members[odd]}: image of {rows.images[odd].shape}, the first one has "
            f"{rows.images[0].shape}",
            hint="FER2013 images are all of one size",
        )
    absent = [label for index, label in enumerate(FER2013) if index not in set(rows.targets)]
    if absent:
        raise DatasetError(
            f"{source}: split '{split}' has no images of class {', '.join(absent)}", hint="all seven are needed"
        )
    return Dataset(
        name=f"fer2013 {split}",
        split=split,
        images=np.stack(rows.images),
        targets=np.asarray(rows.targets, dtype=np.int64),
        labels=FER2013,
        members=tuple(rows.members),
        left_out=rows.left_out,
        notes=rows.notes,
    )


# --- the CSV form -----------------------------------------------------------------------------------------------------


def _read_csv(stream: TextIO, source: Path, splits: tuple[str, ...], progress: Progress | None) -> dict[str, _Rows]:
    rows = {split: _Rows() for split in splits}
    size = source.stat().st_size
    read = 0
    table = rows_of(stream, str(source))
    _, names = next(table, (0, []))
    header = [name.strip() for name in names]
    if sorted(header) != sorted(_COLUMNS):
        raise DatasetError(f"{source}:1: expected the header emotion,pixels,Usage, found {','.join(header)[:60]!r}")
    order = [header.index(name) for name in _COLUMNS]
    for line, row in table:
        where = f"{source}:{line}"
        if len(row) != 3:
            raise DatasetError(f"{where}: expected 3 columns (emotion,pixels,Usage), found {len(row)}")
        emotion, text, usage = (row[index] for index in order)
        split = USAGES.get(usage.strip())
        if split is None:
            raise DatasetError(f"{where}: unknown Usage {usage!r}", hint=f"expected {', '.join(USAGES)}")
        read += len(text)
        if split in rows:
            rows[split].targets.append(_csv_target(emotion, where))
            rows[split].images.append(_csv_pixels(text, where))
            rows[split].members.append(f"line {line}")
        if progress and line % 500 == 0:
            progress(read, size)
    return rows


def _csv_target(text: str, where: str) -> int:
    if text.strip() not in {str(index) for index in range(len(FER2013))}:
        raise DatasetError(f"{where}: emotion must be 0 to {len(FER2013) - 1}, found {text[:20]!r}")
    return int(text)


def _csv_pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DatasetError(f"{where}: pixels must be whole numbers separated by spaces, found {text[:30]!r}…") from None
    if values.size != _SIDE * _SIDE:
        raise DatasetError(f"{where}: expected {_SIDE * _SIDE} pixels (48x48), found {values.size}")
    if values.min() < 0 or values.max() > 255:
        raise DatasetError(f"{where}: pixels must be 0 to 255, found {values.min()} to {values.max()}")
    return values.astype(np.uint8).reshape(_SIDE, _SIDE)


# --- folders and zips -------------------------------------------------------------------------------------------------


def _place(members: list[Member], source: Path) -> Tree:
    tree = place(members, str(source))
    if outside := [entry for entry in tree.placed if entry.split is None]:
        raise DatasetError(f"{source}: {outside[0].member.name}: expected <split>/<emotion>/<image>, split one of "
                           "train, validation, test")  # fmt: skip
    return tree


def _read_members(
    members: list[Member], source: Path, splits: tuple[str, ...], progress: Progress | None
) -> dict[str, _Rows]:
    tree = _place(members, source)
    pools = [split for split in SPLITS if any(entry.split == split for entry in tree.placed)]
    not_read = left_out(tree.others, pools or SPLITS)
    rows = {split: _Rows(left_out=dict(not_read.get(split, {})), notes=tree.notes) for split in splits}
    wanted = [entry for entry in tree.placed if entry.split in rows]
    for done, entry in enumerate(wanted):
        try:
            target = FER2013.index(canonical_name(entry.folder))
        except InputError as error:
            raise DatasetError(f"{source}: {entry.member.name}: {error}") from None
        of_split = rows[str(entry.split)]
        of_split.targets.append(target)
        of_split.images.append(decode_gray(entry.member, str(source)))
        of_split.members.append(entry.member.name)
        if progress and done % 500 == 0:
            progress(done, len(wanted))
    return rows
