"""FERPlus: FER2013's images labelled anew by ten people each (Barsoum, Zhang, Canton Ferrer and Zhang, ICMI 2016).

Microsoft publishes the votes alone, ``fer2013new.csv`` (https://github.com/microsoft/FERPlus)::

    Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF
    Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0

NF is "not a face"; rows that all ten people labelled so have no image name. Images are joined to votes in two ways:

- ``fer2013.csv``, by row: both files have the same rows in the same order. Three things are checked: the number of
  rows, the Usage of every row, and how often the two labels agree, which would drop if rows were shifted.
- Image files, in a folder or zip, by the name in the column ``Image name``, under which the FERPlus repository's own
  script writes them (``FER2013Train/fer0000000.png``). Its number is *not* that of the row, because some rows are not
  counted. Four names occur in two rows each; such an image is taken once, or dropped if the two rows vote differently.

FER2013 as image files under other names (``Training_3908.jpg``) cannot be joined and is refused: those numbers are
arbitrary, up to 99,999,999, and not even all different.

The votes are treated as in the repository's ``src/ferplus.py``. Single votes for an expression are outliers and are
dropped. For ``validation`` and ``test``, one class must hold more than half of the remaining votes (the published
``majority`` mode for evaluation; with seven classes, 3,186 and 3,137 images, the numbers in the literature). For
``train``, which can use divided opinions, it is enough if all expressions together do. Images led by "unknown", "not a
face" or contempt are dropped, because the network has seven expressions; ``contempt=True`` keeps contempt as an eighth.
The votes for the classes that are kept are scaled to a sum of 1.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.datasets.fer2013 import USAGES, load_fer2013
from resemote_edge.data.image_stack import Progress
from resemote_edge.data.listing import Face, Listing, check_splits, require_whole
from resemote_edge.data.members import Member, image_members, open_members
from resemote_edge.data.table import open_text, rows_of
from resemote_edge.data.tree import SPLIT_FOLDERS
from resemote_edge.errors import DatasetError

__all__ = ["LABELS", "LAYOUT", "emotion_shares", "load_ferplus", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "a folder with fer2013new.csv beside fer2013.csv, or beside a zip or folders of fer0000000.png"

#: Order of the first seven columns of votes, in canonical names.
LABELS: tuple[str, ...] = ("neutral", "happy", "surprise", "sad", "anger", "disgust", "fear")

_VOTES_FILE = "fer2013new.csv"
_HEADER = (
    "Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    "unknown", "NF",
)  # fmt: skip
_NOT_EMOTIONS = ("contempt", "unknown", "not a face")
_TAGGERS = 10
_COUNTS = frozenset(map(str, range(_TAGGERS + 1)))
_FOLDERS = {**SPLIT_FOLDERS, "fer2013train": "train", "fer2013valid": "validation", "fer2013test": "test"}
_MAJORITY_SPLITS = ("validation", "test")

# FER2013's label and the leading vote agree for most images; shuffled rows would agree for a fifth (the sum over
# classes of the product of both frequencies is 0.18).
_LEAST_AGREEMENT = 0.4
_ENOUGH_TO_JUDGE = 200


@dataclass(frozen=True)
class _Votes:
    """One row of fer2013new.csv."""

    line: int
    split: str
    name: str
    votes: tuple[int, ...]


def recognises(path: Path) -> bool:
    """Whether this looks like FERPlus: a folder that holds the votes."""
    return (path / _VOTES_FILE).is_file()


def emotion_shares(votes: Sequence[int], classes: int, *, majority: bool) -> tuple[float, ...] | str:
    """Turn ten people's votes into a distribution.

    Args:
        votes: Counts of votes, ten, in the order of fer2013new.csv's columns.
        classes: Number of the first columns that are classes; 7, or 8 with contempt.
        majority: Whether the leading class needs more than half of the votes, rather than all classes together.

    Returns:
        Shares of the classes, summing to 1; or the reason why the image is dropped.
    """
    agreed = [count if count > 1 else 0 for count in votes]
    total = sum(agreed)
    if total == 0:
        return "no two people agree"
    leader = agreed.index(max(agreed))
    if leader >= classes:
        return f"mostly {_NOT_EMOTIONS[leader - len(LABELS)]}"
    emotions = agreed[:classes]
    if 2 * (agreed[leader] if majority else sum(emotions)) <= total:
        return "no majority"
    return tuple(count / sum(emotions) for count in emotions)


def load_ferplus(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
    labels_file: str | Path | None = None,
    contempt: bool = False,
) -> dict[str, Dataset]:
    """Read splits of FERPlus, with soft targets.

    Args:
        path: Folder with ``fer2013new.csv`` and, in this order of preference, ``fer2013.csv``, one zip, or folders of
            the images. With `labels_file`, it is such a folder without the votes, or one of the three itself.
        splits: Splits to read: Training, PublicTest and PrivateTest.
        progress: Function called with the number of images (of a CSV: bytes) done.
        optional: Splits, out of those, that the data may lack altogether.
        labels_file: File ``fer2013new.csv``, if it lies elsewhere.
        contempt: Whether to keep contempt, as an eighth class.

    Returns:
        One dataset per split: 48x48 images, with `Dataset.soft_targets`, and dropped images counted in
        `Dataset.left_out`.

    Raises:
        DatasetError: A row is malformed, or votes and images cannot be joined with certainty; the message names file
            and line or member.
        InputError: A split is unknown.
    """
    check_splits(splits)
    source = Path(path)
    table = Path(labels_file) if labels_file is not None else source / _VOTES_FILE
    rows = _read_votes(table)
    images = _find_images(source)
    labels = (*LABELS, "contempt") if contempt else LABELS
    if images.suffix.lower() == ".csv":
        made = _by_row(rows, table, images, labels, progress)
        wanted = [split for split in splits if len(made[split]) or split not in optional]
        return {split: require_whole(made[split], split, source) for split in wanted}
    with open_members(images) as members:
        listing = Listing("ferplus", source, labels)
        kept, others = image_members(members)
        _by_name(rows, table, kept, splits, listing)
        for member, reason in others:
            if member.parts[-1] != table.name:
                listing.leave_out(splits[0], reason)
        return listing.datasets(splits, progress, optional)


def _find_images(source: Path) -> Path:
    """Find fer2013.csv, the zip, or the folder itself."""
    if not source.is_dir():
        return source
    table = source / "fer2013.csv"
    zips = sorted(source.glob("*.zip"))
    if table.is_file():
        return table
    if len(zips) > 1:
        raise DatasetError(
            f"{source}: found {', '.join(path.name for path in zips)}",
            hint=f"leave the one with FER2013's images, or pass it as the path and {_VOTES_FILE} as the labels file",
        )
    return zips[0] if zips else source


# --- votes ------------------------------------------------------------------------------------------------------------


def _read_votes(table: Path) -> list[_Votes]:
    if not table.is_file():
        raise DatasetError(
            f"{table}: no such file",
            hint=f"put {_VOTES_FILE} of the repository microsoft/FERPlus there, or pass it as the labels file "
            "(--labels-file)",
        )
    with open_text(table) as stream:
        rows = rows_of(stream, str(table))
        header = [name.strip() for name in next(rows, (0, []))[1]]
        if tuple(header) != _HEADER:
            raise DatasetError(f"{table}:1: expected the header {','.join(_HEADER)}, found {','.join(header)[:80]!r}")
        return [_read_row(cells, f"{table}:{line}", line) for line, cells in rows]


def _read_row(cells: list[str], where: str, line: int) -> _Votes:
    if len(cells) != len(_HEADER):
        raise DatasetError(f"{where}: expected {len(_HEADER)} columns, found {len(cells)}")
    usage, name, *counts = (cell.strip() for cell in cells)
    if usage not in USAGES:
        raise DatasetError(f"{where}: unknown Usage {usage!r}", hint=f"expected {', '.join(USAGES)}")
    if not all(count in _COUNTS for count in counts):
        raise DatasetError(f"{where}: votes must be whole numbers of 0 to {_TAGGERS}, found {' '.join(counts)[:60]!r}")
    return _Votes(line, USAGES[usage], name, tuple(map(int, counts)))


def _judge(row: _Votes, classes: int) -> tuple[float, ...] | str:
    if not row.name:
        return "not a face"
    return emotion_shares(row.votes, classes, majority=row.split in _MAJORITY_SPLITS)


# --- images of fer2013.csv, by row ------------------------------------------------------------------------------------


def _by_row(
    rows: list[_Votes], table: Path, images: Path, labels: tuple[str, ...], progress: Progress | None
) -> dict[str, Dataset]:
    # All splits are always read, because only the whole file shows that the rows match.
    pixels = load_fer2013(images, SPLITS, progress)
    total = sum(map(len, pixels.values()))
    if total != len(rows):
        raise _out_of_step(table, images, f"it has {len(rows)} rows, {images.name} has {total}")
    lines = sorted(_line(member) for dataset in pixels.values() for member in dataset.members)
    row_at = dict(zip(lines, rows, strict=True))
    made = {}
    agreeing = judged = 0
    for split, dataset in pixels.items():
        kept: list[int] = []
        soft: list[tuple[float, ...]] = []
        left_out: Counter[str] = Counter()
        for index, member in enumerate(dataset.members):
            row = row_at[_line(member)]
            if row.split != split:
                raise _out_of_step(table, images, f"line {row.line} is {row.split} here and {split} there")
            shares = _judge(row, len(labels))
            if isinstance(shares, str):
                left_out[shares] += 1
                continue
            kept.append(index)
            soft.append(shares)
            judged += 1
            agreeing += labels[shares.index(max(shares))] == dataset.labels[dataset.targets[index]]
        opinions = np.array(soft, dtype=np.float32).reshape(len(kept), len(labels))
        made[split] = replace(
            dataset.subset(np.array(kept, dtype=np.int64)),
            name=f"ferplus {split}",
            labels=labels,
            targets=opinions.argmax(axis=1).astype(np.int64),
            soft_targets=opinions,
            left_out=dict(left_out),
        )
    if judged >= _ENOUGH_TO_JUDGE and agreeing < _LEAST_AGREEMENT * judged:
        raise _out_of_step(
            table, images, f"only {agreeing} of {judged} leading votes are FER2013's label, as if rows were shuffled"
        )
    return made


def _line(member: str) -> int:
    return int(member.removeprefix("line "))


def _out_of_step(table: Path, images: Path, what: str) -> DatasetError:
    return DatasetError(
        f"{table}: does not belong to {images}: {what}", hint="fetch both files again, unsorted and unfiltered"
    )


# --- image files, by name ---------------------------------------------------------------------------------------------


def _by_name(rows: list[_Votes], table: Path, images: list[Member], splits: tuple[str, ...], listing: Listing) -> None:
    by_name, contradicted = _named(rows, table)
    found = _joined(by_name, table, images, listing.source)
    for row in rows:
        if row.split not in splits:
            continue
        shares = _judge(row, len(listing.labels))
        if row.name in contradicted:
            listing.leave_out(row.split, "two rows with different votes")
        elif by_name.get(row.name, row) is not row:
            listing.leave_out(row.split, "named in a row before")
        elif isinstance(shares, str):
            listing.leave_out(row.split, shares)
        elif row.name not in found:
            raise DatasetError(f"{listing.source}: {row.name}, {table.name}:{row.line}, has no image", hint="add it")
        else:
            listing.add(row.split, Face(found[row.name], shares.index(max(shares)), soft=shares))


def _named(rows: list[_Votes], table: Path) -> tuple[dict[str, _Votes], set[str]]:
    """The first row of every name, and the names whose rows vote differently."""
    by_name: dict[str, _Votes] = {}
    contradicted: set[str] = set()
    for row in (row for row in rows if row.name):
        first = by_name.setdefault(row.name, row)
        if first.split != row.split:
            raise DatasetError(
                f"{table}:{row.line}: {row.name} has another Usage in line {first.line}", hint="fetch it again"
            )
        if first.votes != row.votes:
            contradicted.add(row.name)
    return by_name, contradicted


def _joined(by_name: dict[str, _Votes], table: Path, images: list[Member], source: Path) -> dict[str, Member]:
    """The images by name; their votes must be of the split that their folder states."""
    found: dict[str, Member] = {}
    for member in images:
        name = member.parts[-1]
        row = by_name.get(name)
        where = f"{source}: {member.name}"
        if row is None:
            raise DatasetError(
                f"{where}: no image name in {table.name}",
                hint="images must be called as there (fer0000000.png), numbers of other namings are not its rows. Pass "
                "Kaggle's fer2013.csv instead, which joins by row",
            )
        if name in found:
            raise DatasetError(f"{where}: the same name as {found[name].name}", hint="leave one of them")
        stated = {_FOLDERS[part.lower()] for part in member.parts[:-1] if part.lower() in _FOLDERS}
        if stated - {row.split}:
            raise DatasetError(
                f"{where}: {table.name}:{row.line} has it in split '{row.split}'",
                hint="these images are numbered otherwise than the votes. Pass Kaggle's fer2013.csv instead",
            )
        found[name] = member
    return found
