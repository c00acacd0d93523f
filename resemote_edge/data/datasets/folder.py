"""Folder: images of your own, sorted into ``<split>/<class>/`` or ``<class>/``, in a folder or a zip.

Class names and their number, from 2 up, are yours. If every one of them is a known spelling of one of the seven
expressions ("Angry", "happiness"), they become the canonical names; otherwise they stay as they are. Labels are sorted
by name.

If there are no splits, 80, 10 and 10 % are drawn (`THREE_WAY`). If there are only ``train`` and ``test``,
``validation`` is a tenth of the training images (`WITH_VALIDATION`). Both are drawn by pixels, class by class, equal
images together.

Images may also lie directly in the folders of splits, with a table of their labels beside (`label_files`).
"""

from contextlib import suppress
from pathlib import Path
from unicodedata import normalize

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Progress
from resemote_edge.data.label_files import listed_tree
from resemote_edge.data.listing import Face, Listing, check_splits
from resemote_edge.data.members import is_zip, open_members
from resemote_edge.data.splitting import THREE_WAY, WITH_VALIDATION
from resemote_edge.data.tree import Placed, left_out, place
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import canonical_labels, canonical_name

__all__ = ["LAYOUT", "load_folder", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "<split>/<class>/ or <class>/ with images, 2 classes or more, in a folder or zip"

_POOL = "all"


def recognises(path: Path) -> bool:
    """Whether there are images in folders, or in folders of a zip."""
    if not path.is_dir() and not is_zip(path):
        return False
    with open_members(path) as members:
        # A tree with a fault counts, so that loading it reports the fault.
        try:
            return bool(place(members, str(path)).placed)
        except DatasetError:
            return True


def load_folder(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
) -> dict[str, Dataset]:
    """Read splits of a folder of images; otherwise as `load_dataset`.

    It is a folder or zip of ``<split>/<class>/`` (train, validation, test, or common spellings of these) or of
    ``<class>/``; or of ``<split>/`` with ``<split>_labels.csv`` beside. There may be one enclosing folder. All images
    are always read, because their common size depends on all of them.

    Returns:
        One dataset per split. If all images have one size of at most 64x64, they stay as they are; otherwise they are
        64x64.

    Raises:
        DatasetError: Images lie outside such folders, there are fewer than two classes or more than `MAX_CLASSES`, a
            split lacks a class, two classes have names or images that do not tell them apart, or an image is
            unreadable; the message names it.
    """
    check_splits(splits)
    source = Path(path)
    with open_members(source) as members:
        tree = listed_tree(members, source) or place(members, str(source))
        names = _class_names(tree.placed, source)
        labels = tuple(sorted(set(names.values())))
        found = {entry.split for entry in tree.placed}
        pools = [split for split in SPLITS if split in found] or [_POOL]
        listing = Listing("folder", source, labels, _draw(found), together=True)
        listing.left_out = left_out(tree.others, pools)
        listing.notes = tree.notes
        if any(name != folder.strip() and normalize("NFC", folder) != folder for folder, name in names.items()):
            listing.notes += ("names of classes are in Unicode form NFC, whatever form the folders' names have",)
        for entry in tree.placed:
            listing.add(entry.split or _POOL, Face(entry.member, labels.index(names[entry.folder])))
        _refuse_gaps(tree.placed, names, source)
        made = listing.datasets(splits, progress, optional)
    _refuse_twins(made, source)
    return made


def _draw(found: set[str | None]) -> dict[str, dict[str, float]]:
    """Shares of the splits that must be drawn, given the splits there are."""
    if found == {None}:
        return {_POOL: dict(THREE_WAY)}
    return {"train": dict(WITH_VALIDATION)} if found == {"train", "test"} else {}


def _class_names(placed: list[Placed], source: Path) -> dict[str, str]:
    """Label of every folder."""
    folders = sorted({(entry.split or "", entry.folder) for entry in placed})
    names = {folder: normalize("NFC", folder.strip()) for _, folder in folders}
    alike = {folder: normalize("NFKC", name).casefold() for folder, name in names.items()}
    with suppress(InputError):  # They stay as they are unless all are expressions.
        names = alike = {folder: canonical_name(folder) for folder in names}
    seen: dict[tuple[str, str], str] = {}
    spelt: dict[str, str] = {}
    for split, folder in folders:
        # Two splits may write a class in two ways; within one split, those would be two folders.
        others = (seen.setdefault((split, alike[folder]), folder), spelt.setdefault(alike[folder], folder))
        if others[0] != folder or names[others[1]] != names[folder]:
            other = others[0] if others[0] != folder else others[1]
            raise DatasetError(
                f"{source}: the classes {other!a} and {folder!a} differ in nothing but case, spaces, Unicode form or "
                "spelling",
                hint="name the folders alike, or put their images together",
            )
    if len(set(names.values())) < 2:
        found = ", ".join(sorted(set(names.values()))) or "none"
        raise DatasetError(f"{source}: expected {LAYOUT}", hint=f"classes found: {found}")
    try:
        canonical_labels(sorted(set(names.values())))
    except InputError as error:
        raise DatasetError(f"{source}: {error}") from None
    return names


def _refuse_twins(made: dict[str, Dataset], source: Path) -> None:
    """Refuse two classes of the same images, as copies of a folder are ("happy - Copy")."""
    labels_of: dict[bytes, set[str]] = {}
    images_of: dict[str, set[bytes]] = {}
    for data in made.values():
        for digest, target in zip(data.pixel_digests(), data.targets, strict=True):
            labels_of.setdefault(digest, set()).add(data.labels[target])
            images_of.setdefault(data.labels[target], set()).add(digest)
    for label, digests in images_of.items():
        twins = set.intersection(*(labels_of[digest] for digest in digests)) - {label}
        if twins and len(digests) > 1:
            raise DatasetError(
                f"{source}: all {len(digests):,} images of class {label!r} are in class {min(twins)!r} as well",
                hint="leave one of the folders",
            )


def _refuse_gaps(placed: list[Placed], names: dict[str, str], source: Path) -> None:
    """Refuse a class that some split lacks, most likely because of a misspelt folder."""
    classes: dict[str | None, set[str]] = {}
    for entry in placed:
        classes.setdefault(entry.split, set()).add(names[entry.folder])
    everywhere = set(names.values())
    for split, present in classes.items():
        if lacking := sorted(everywhere - present):
            raise DatasetError(
                f"{source}: split '{split}' has no images of class {', '.join(lacking)}, others have",
                hint="every split needs every class, spelt alike",
            )
