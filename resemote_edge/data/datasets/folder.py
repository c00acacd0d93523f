"""Folder: images of your own, sorted into ``<split>/<class>/`` or ``<class>/``, in a folder or a zip.

Class names and their number, from 2 up, are yours. If every one of them is a known spelling of one of the seven
expressions ("Angry", "happiness"), they become the canonical names; otherwise they stay as they are. Labels are sorted
by name.

If there are no splits, 80, 10 and 10 % are drawn (`THREE_WAY`). If there are only ``train`` and ``test``,
``validation`` is a tenth of the training images (`WITH_VALIDATION`). Both are drawn by pixels, class by class, equal
images together.
"""

import zipfile
from pathlib import Path

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Progress
from resemote_edge.data.listing import Face, Listing, check_splits
from resemote_edge.data.members import open_members
from resemote_edge.data.splitting import THREE_WAY, WITH_VALIDATION
from resemote_edge.data.tree import Placed, place
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import canonical_name

__all__ = ["LAYOUT", "load_folder", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "<split>/<class>/ or <class>/ with images, 2 classes or more, in a folder or zip"

_POOL = "all"


def recognises(path: Path) -> bool:
    """Whether there are images in folders, or in folders of a zip."""
    if not path.is_dir() and not zipfile.is_zipfile(path):
        return False
    with open_members(path) as members:
        # A tree with a fault is still a tree: loading it states the fault.
        try:
            return bool(place(members, str(path)))
        except DatasetError:
            return True


def load_folder(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
) -> dict[str, Dataset]:
    """Read splits of a folder of images.

    Args:
        path: Folder or zip of ``<split>/<class>/`` (train, validation, test, or common spellings of these) or of
            ``<class>/``; one enclosing folder does no harm.
        splits: Splits to return. All images are read whatever is asked for, since their common size depends on all.
        progress: Function called with the number of images done.
        optional: Splits, out of those, that the data may lack altogether.

    Returns:
        One dataset per split. If all images have one size of at most 64x64, they stay as they are; otherwise they are
        64x64.

    Raises:
        DatasetError: Images lie outside such folders, there are fewer than two classes, a split lacks a class, or an
            image is unreadable; the message names it.
        InputError: A split is unknown.
    """
    check_splits(splits)
    source = Path(path)
    with open_members(source) as members:
        placed = place(members, str(source))
        names = _class_names({entry.folder for entry in placed}, source)
        labels = tuple(sorted(set(names.values())))
        found = {entry.split for entry in placed}
        listing = Listing("folder", source, labels, _draw(found), together=True)
        for entry in placed:
            listing.add(entry.split or _POOL, Face(entry.member, labels.index(names[entry.folder])))
        _refuse_gaps(placed, names, source)
        return listing.datasets(splits, progress, optional)


def _draw(found: set[str | None]) -> dict[str, dict[str, float]]:
    """Shares of the splits that must be drawn, given the splits there are."""
    if found == {None}:
        return {_POOL: dict(THREE_WAY)}
    return {"train": dict(WITH_VALIDATION)} if found == {"train", "test"} else {}


def _class_names(folders: set[str], source: Path) -> dict[str, str]:
    """Label of every folder."""
    names = {folder: folder.strip() for folder in folders}
    try:
        names = {folder: canonical_name(folder) for folder in folders}
    except InputError:
        spellings: dict[str, str] = {}
        for folder, name in sorted(names.items()):
            other = spellings.setdefault(name.lower(), folder)
            if other != folder:
                raise DatasetError(
                    f"{source}: the classes {other!r} and {folder!r} differ in nothing but case or spaces; name the "
                    "folders alike"
                ) from None
    if len(set(names.values())) < 2:
        found = ", ".join(sorted(set(names.values()))) or "none"
        raise DatasetError(f"{source}: expected {LAYOUT}; classes found: {found}")
    return names


def _refuse_gaps(placed: list[Placed], names: dict[str, str], source: Path) -> None:
    """Refuse a class that some split lacks, since that is likely a misspelt folder."""
    classes: dict[str | None, set[str]] = {}
    for entry in placed:
        classes.setdefault(entry.split, set()).add(names[entry.folder])
    everywhere = set(names.values())
    for split, present in classes.items():
        if lacking := sorted(everywhere - present):
            raise DatasetError(
                f"{source}: split '{split}' has no images of class {', '.join(lacking)}, others have; every split "
                "needs every class, spelt alike"
            )
