"""Label files: images directly in the folders of splits, and a table beside them that names the class of each.

This is how the authors of ResEmoteNet lay out data (github.com/ArnabKumarRoy02/ResEmoteNet, data_preprocessing/)::

    train/train_1_angry.jpg      train_labels.csv: train_1_angry.jpg,3

Labels are indices into `RESEMOTENET`, or names of expressions. The authors' program writes no header, but their loader
skips the first line as one and loses an image; here, the content decides. Columns may have any names.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from resemote_edge.data.members import Member, image_members
from resemote_edge.data.table import rows_of, text_of
from resemote_edge.data.tree import SPLIT_FOLDERS, Placed, Tree
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import RESEMOTENET, canonical_name

__all__ = ["listed_tree"]

_SPLIT = "|".join(sorted(SPLIT_FOLDERS, key=len, reverse=True))
_TABLE = re.compile(rf"(?:({_SPLIT})[_-]?labels?|labels?[_-]?({_SPLIT}))\.(?:csv|tsv|txt)", re.IGNORECASE)
_LABEL_COLUMNS = frozenset(("label", "labels", "class", "class_id", "emotion", "expression", "target", "category", "y"))
_NUMBERS = tuple(map(str, range(len(RESEMOTENET))))
_MEANING = ", ".join(f"{number} {label}" for number, label in enumerate(RESEMOTENET))


@dataclass(frozen=True)
class _Split:
    """Images of one split, by file name in Unicode form NFC, and the path of their folder."""

    path: tuple[str, ...]
    images: dict[str, Member] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.path[-1]


def listed_tree(members: list[Member], source: Path) -> Tree | None:
    """Read such a layout as a tree with a folder for each class.

    Args:
        members: Files of a folder or zip.
        source: Path of the dataset, for messages.

    Returns:
        The tree, of canonical class names; None if there is no such table, or no image directly in a split's folder.

    Raises:
        DatasetError: A split has no table or no images, or a row is malformed, names an image that is not there or was
            named before, or a label outside 0 to 6 or other than the file's name states; the message names the line.
    """
    images, others = image_members(members)
    splits = _flat_images(images, source)
    tables = _tables(others, source) if splits else {}
    if not tables:
        return None
    placed: list[Placed] = []
    for name in splits.keys() | tables.keys():
        if name not in splits or name not in tables:
            found, absent = ("images", "table") if name in splits else ("a table", "images directly in its folder")
            raise DatasetError(
                f"{source}: split '{name}' has {found} and no {absent}",
                hint="every split needs <split>/<image> and <split>_labels.csv: add what is missing, or take the other "
                "away",
            )
        faces = _read(splits[name], tables[name], f"{source}: {tables[name].name}")
        placed += [Placed(member, name, label) for member, label in faces]
    listed = {entry.member.name for entry in placed} | {member.name for member in tables.values()}
    unlisted = [(member, "image that no table of labels lists") for member in images]
    return Tree(placed, [(member, reason) for member, reason in others + unlisted if member.name not in listed])


def _tables(others: list[tuple[Member, str]], source: Path) -> dict[str, Member]:
    """The table of each split."""
    tables: dict[str, Member] = {}
    for member, _ in others:
        if found := _TABLE.fullmatch(member.parts[-1]):
            first = tables.setdefault(SPLIT_FOLDERS[(found[1] or found[2]).lower()], member)
            if first != member:
                raise DatasetError(
                    f"{source}: {first.name} and {member.name} label one split", hint="leave one of them"
                )
    return tables


def _flat_images(images: list[Member], source: Path) -> dict[str, _Split]:
    """Images that lie directly in a split's folder."""
    splits: dict[str, _Split] = {}
    for member in images:
        *path, file = member.parts
        stated = SPLIT_FOLDERS.get(path[-1].lower()) if path else None
        if stated is None:
            continue
        split = splits.setdefault(stated, _Split(path=tuple(path)))
        if split.path != tuple(path):
            found = f"{'/'.join(split.path)} and {'/'.join(path)}"
            raise DatasetError(
                f"{source}: the folders {found} both stand for split '{stated}'", hint="leave one of them"
            )
        if other := split.images.get(normalize("NFC", file)):
            found = f"{other.name!a} and {member.name!a}"
            raise DatasetError(f"{source}: {found} differ in Unicode form alone", hint="leave one of them")
        split.images[normalize("NFC", file)] = member
    return splits


def _read(split: _Split, table: Member, where: str) -> list[tuple[Member, str]]:
    """Images and labels that the table of a split names."""
    try:
        text = text_of(table.read(), where)
    except (InputError, OSError) as error:
        raise DatasetError(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    faces: list[tuple[Member, str]] = []
    lines: dict[str, int] = {}
    header: list[str] = []
    columns: tuple[int, int] | None = None
    for line, row in rows_of(text, where):
        at = f"{where}:{line}"
        cells = [cell.strip() for cell in row]
        columns = columns or _columns(split, cells, header, at)
        if columns is None:
            header = cells
            continue
        if len(cells) <= max(columns):
            raise DatasetError(f"{at}: found {len(cells)} columns, more are in the rows before")
        member = _image(split, cells[columns[0]])
        if member is None:
            raise DatasetError(f"{at}: there is no image {cells[columns[0]][:80]!r} in {split.folder}/")
        if member.name in lines:
            raise DatasetError(
                f"{at}: {member.name} is in line {lines[member.name]} already", hint="leave one of the rows"
            )
        lines[member.name] = line
        faces.append((member, _label(cells[columns[1]], member, at)))
    return faces


def _columns(split: _Split, cells: list[str], header: list[str], at: str) -> tuple[int, int] | None:
    """Columns of image and label, by a row's content; None if the row is a header."""
    named = [index for index, cell in enumerate(cells) if _image(split, cell)]
    if not named:
        looks_like_data = header or any(cell in _NUMBERS or Path(cell).suffix for cell in cells)
        if looks_like_data:
            raise DatasetError(
                f"{at}: no column names an image in {split.folder}/, found {', '.join(cells)[:80]!r}",
                hint="fetch the images again, or correct the table",
            )
        return None
    labels = [index for index in range(len(cells)) if index != named[0]]
    if len(labels) > 1:
        labels = [index for index in labels if index < len(header) and header[index].lower() in _LABEL_COLUMNS]
    if len(labels) != 1:
        raise DatasetError(
            f"{at}: found {len(cells)} columns and cannot tell which of them is the label",
            hint="call it 'label' in line 1",
        )
    return named[0], labels[0]


def _image(split: _Split, cell: str) -> Member | None:
    """The image that a cell names, with or without its folder."""
    *folders, name = normalize("NFC", cell).replace("\\", "/").split("/")
    stated = [folder for folder in folders if folder not in ("", ".")]
    return split.images.get(name) if not stated or stated[-1] == split.folder else None


def _label(text: str, member: Member, at: str) -> str:
    try:
        label = RESEMOTENET[_NUMBERS.index(text)] if text in _NUMBERS else canonical_name(text)
    except InputError:
        raise DatasetError(f"{at}: the label must be one of {_MEANING}, found {text[:20]!r}") from None
    try:
        stated = canonical_name(Path(member.parts[-1]).stem.rpartition("_")[2])
    except InputError:
        return label
    if stated != label:
        raise DatasetError(
            f"{at}: the label is {text}, {label}, and {member.parts[-1]} names {stated}", hint="correct one of them"
        )
    return label
