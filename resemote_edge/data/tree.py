"""Tree: images sorted into folders ``<split>/<class>/`` or ``<class>/``, in a folder or a zip."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resemote_edge.data.members import Member, image_members
from resemote_edge.errors import DatasetError

__all__ = ["MAX_CLASSES", "SPLIT_FOLDERS", "Placed", "Tree", "left_out", "place"]

#: Names that a split's folder may have, lower case.
SPLIT_FOLDERS: dict[str, str] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "publictest": "validation",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}

#: Most classes that a dataset may have.
MAX_CLASSES = 1000

# "PublicTest_10131363.jpg", "train_00001_aligned.jpg"
_NAMED = re.compile(rf"({'|'.join(sorted(SPLIT_FOLDERS, key=len, reverse=True))})[_-]\d", re.IGNORECASE)

_EXPECTED = "expected <split>/<class>/<image> or <class>/<image>"


class Placed(NamedTuple):
    """An image and the folders it lies in.

    Attributes:
        member: File of the image.
        split: Split by its folders, or else by its name; None if neither states one.
        folder: Innermost folder, which is the class.
    """

    member: Member
    split: str | None
    folder: str


@dataclass(frozen=True)
class Tree:
    """Images in folders.

    Attributes:
        placed: The images; either all of them have a split or none has.
        others: Members that are not read, with the reason.
        notes: Sentences on what was found and how it is read.
    """

    placed: list[Placed]
    others: list[tuple[Member, str]]
    notes: tuple[str, ...] = ()


def place(members: list[Member], where: str) -> Tree:
    """Find split and class of every image by its folders, and check the splits against the files' names.

    Args:
        members: Files of a folder or zip.
        where: Name of the dataset, for messages.

    Raises:
        DatasetError: An image lies outside such folders, they do not all lie equally deep, two folders stand for one
            split, or the names of files contradict the splits; the message names one.
    """
    images, others = image_members(members)
    placed = []
    split_folders: dict[str, str] = {}
    classes: set[str] = set()
    for member in images:
        parts = member.parts
        if len(parts) < 2:
            raise DatasetError(f"{where}: {member.name}: {_EXPECTED}")
        # An enclosing folder ("fer2013/train/...") is common; the last three parts decide.
        split = SPLIT_FOLDERS.get(parts[-3].lower()) if len(parts) >= 3 else None
        if split is None and parts[-2].lower() in SPLIT_FOLDERS:
            raise DatasetError(
                f"{where}: {member.name} lies directly in the folder of a split, where no class is named",
                hint=f"{_EXPECTED}, or the classes listed beside the folder in <split>_labels.csv",
            )
        if split is not None and split_folders.setdefault(split, parts[-3]) != parts[-3]:
            raise DatasetError(
                f"{where}: the folders {split_folders[split]!r} and {parts[-3]!r} both stand for split '{split}'",
                hint="leave one, or put their images together",
            )
        classes.add(parts[-2])
        if len(classes) > MAX_CLASSES:
            raise DatasetError(
                f"{where}: images in over {MAX_CLASSES:,} folders, each of which would be a class", hint=_EXPECTED
            )
        placed.append(Placed(member, split, parts[-2]))
    _refuse_mixed(placed, where)
    return _by_name(Tree(placed, others), where)


def left_out(others: Sequence[tuple[Member, str]], pools: Sequence[str]) -> dict[str, Counter[str]]:
    """Number of members that are not read, by reason, for the pool of their folder, or else for the first.

    Args:
        others: Members that are not read, with the reason.
        pools: Pools of the dataset.
    """
    counted: dict[str, Counter[str]] = {pool: Counter() for pool in pools}
    for member, reason in others:
        stated = (SPLIT_FOLDERS.get(part.lower(), "") for part in member.parts)
        counted[next((split for split in stated if split in counted), pools[0])][reason] += 1
    return counted


def _refuse_mixed(placed: list[Placed], where: str) -> None:
    first = next((entry for entry in placed if entry.split is None), None)
    split_ones = [entry for entry in placed if entry.split is not None]
    if first is not None and split_ones:
        raise DatasetError(
            f"{where}: {split_ones[0].member.name} lies in a split, {first.member.name} in none",
            hint="sort all images into <split>/<class>/ (train, validation, test) or all into <class>/",
        )
    depth = 2 if first is not None else 3
    expected = placed[0].member.parts[:-depth] if placed else ()
    for entry in placed:
        if entry.member.parts[:-depth] != expected:
            raise DatasetError(
                f"{where}: {entry.member.name} and {placed[0].member.name} do not lie in the same tree",
                hint="expected all images as <split>/<class>/<image> or as <class>/<image>",
            )


def _by_name(tree: Tree, where: str) -> Tree:
    """The tree with the splits by the files' names where these are more exact; refuses contradictions."""
    stated = [_split_in_name(entry.member) for entry in tree.placed]
    pairs = Counter(zip((entry.split for entry in tree.placed), stated, strict=True))
    folders = {split for split, _ in pairs}
    if folders == {None}:
        if None in stated or len(set(stated)) < 2:
            return tree
        note = "the splits are those that the files' names state, such as " + tree.placed[0].member.parts[-1]
        placed = [entry._replace(split=name) for entry, name in zip(tree.placed, stated, strict=True)]
        return Tree(placed, tree.others, (note,))
    wrong = {pair for pair in pairs if pair[1] not in (None, pair[0])}
    # Several splits in one folder, as in many copies of FER2013: PublicTest and PrivateTest in test/.
    merged = {(split, name) for split, name in wrong if name not in folders and pairs[split, split]}
    # Held-out training images, as this package draws them itself if there is no validation split.
    held_out = wrong & {("validation", "train")} - merged
    if contradicted := sorted(wrong - merged - held_out, key=str):
        at = next(entry for entry, name in zip(tree.placed, stated, strict=True) if (entry.split, name) in contradicted)
        raise DatasetError(
            f"{where}: {at.member.name} lies in split '{at.split}', and its name says '{_split_in_name(at.member)}',"
            f" as for {sum(pairs[pair] for pair in contradicted):,} files",
            hint="move them, or rename what belongs there",
        )
    notes = [
        f"{pairs[split, name]:,} images in the folder of split '{split}' are read as split '{name}', which their names "
        "state"
        for split, name in sorted(merged, key=str)
    ]
    notes += [f"{pairs[pair]:,} images of split 'validation' are training images by their names" for pair in held_out]
    if not merged:
        return Tree(tree.placed, tree.others, tuple(notes))
    placed = [
        entry._replace(split=name) if (entry.split, name) in merged else entry
        for entry, name in zip(tree.placed, stated, strict=True)
    ]
    return Tree(placed, tree.others, tuple(notes))


def _split_in_name(member: Member) -> str | None:
    found = _NAMED.match(member.name.rpartition("/")[2])
    return None if found is None else SPLIT_FOLDERS[found[1].lower()]
