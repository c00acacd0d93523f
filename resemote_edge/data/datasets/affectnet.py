"""AffectNet with seven classes: Mollahosseini, Hasani and Mahoor (IEEE Transactions on Affective Computing, 2017).

It exists in two layouts. The first one holds whole images and lists of boxes::

    Manually_Annotated_file_lists/training.csv      subDirectory_filePath,face_x,face_y,face_width,face_height,
    Manually_Annotated_file_lists/validation.csv        facial_landmarks,expression,valence,arousal
    Manually_Annotated_Images/689/737d...cb4.jpg    (as subDirectory_filePath says; faces are cut out by their boxes)

(the lists, and the images' numbered folders, may also lie directly in the folder). The later one holds crops of faces,
eight classes, and one file per annotation::

    train_set/images/0.jpg      train_set/annotations/0_exp.npy
    val_set/images/0.jpg        val_set/annotations/0_exp.npy

Labels are 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt, 8 none, 9 uncertain, 10 no
face. The first seven are taken; the others are counted in `Dataset.left_out`. The published test set was never
released. As in the literature, the published validation set is ``test`` here. A tenth of the training images
(`WITH_VALIDATION`), drawn by pixels, class by class, equal faces together, is ``validation``.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Box, Progress
from resemote_edge.data.listing import Face, Listing, check_splits, file_member
from resemote_edge.data.splitting import WITH_VALIDATION
from resemote_edge.data.table import open_text, rows_of
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.vision.image import read_file
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

__all__ = ["LABELS", "LAYOUT", "load_affectnet", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "a folder with training.csv or validation.csv, or with train_set/annotations/ or val_set/annotations/"

#: Order of the labels 0 to 6, in canonical names.
LABELS: tuple[str, ...] = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")

#: Labels 7 to 10, which are left out.
_OTHERS = ("contempt", "none", "uncertain", "no face")

_LISTS = {"train": "training.csv", "test": "validation.csv"}
_LIST_FOLDERS = ("Manually_Annotated_file_lists", ".")
_IMAGE_FOLDERS = ("Manually_Annotated_Images", "Manually_Annotated_compressed/Manually_Annotated_Images", ".")
_SETS = {"train": "train_set", "test": "val_set"}
_ANNOTATION_BYTES = 1 << 16
_COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "expression")


def recognises(path: Path) -> bool:
    """Whether this looks like AffectNet, by the lists or by the folders of annotations."""
    return bool(_lists(path) or _sets(path))


def load_affectnet(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
) -> dict[str, Dataset]:
    """Read splits of AffectNet, seven classes, from a folder with either layout; otherwise as `load_dataset`.

    ``test`` is the published validation set; ``validation`` is drawn from the training set.

    Returns:
        One dataset per split; images 64x64.

    Raises:
        DatasetError: There is neither layout, or both, a line or annotation is malformed, or an image is missing or
            unreadable; the message names the file, and the line where there is one.
    """
    check_splits(splits)
    root = Path(path)
    lists, sets = _lists(root), _sets(root)
    if bool(lists) == bool(sets):
        found = "both" if lists else "neither"
        raise DatasetError(
            f"{root}: expected {LAYOUT}, found {found}", hint="pass a folder with one of the two layouts"
        )
    listing = Listing("affectnet", root, LABELS, {"train": WITH_VALIDATION})
    for pool in listing.pools_for(splits):
        if pool in lists:
            _read_list(lists[pool], pool, listing)
        elif pool in sets:
            _read_set(sets[pool], pool, listing)
    return listing.datasets(splits, progress, optional)


def _lists(root: Path) -> dict[str, Path]:
    """The lists that exist, by pool."""
    found: dict[str, Path] = {}
    for pool, name in _LISTS.items():
        for folder in _LIST_FOLDERS:
            if (root / folder / name).is_file():
                found.setdefault(pool, root / folder / name)
    return found


def _sets(root: Path) -> dict[str, Path]:
    """The folders of the later layout that exist, by pool."""
    return {pool: root / name for pool, name in _SETS.items() if (root / name / "annotations").is_dir()}


def _taken(label: str, pool: str, listing: Listing, where: str) -> bool:
    """Whether a label is one of the seven; if not, it is counted.

    Raises:
        DatasetError: The label is not 0 to 10.
    """
    last = len(LABELS) + len(_OTHERS) - 1
    if label not in {str(index) for index in range(last + 1)}:
        raise DatasetError(f"{where}: expression must be 0 to {last}, found {label[:20]!r}")
    if int(label) < len(LABELS):
        return True
    listing.leave_out(pool, _OTHERS[int(label) - len(LABELS)])
    return False


# --- lists of boxes ---------------------------------------------------------------------------------------------------


def _read_list(path: Path, pool: str, listing: Listing) -> None:
    folder: Path | None = None
    for where, row in _rows(path):
        label = row["expression"].strip()
        if not _taken(label, pool, listing, where):
            continue
        name = row["subDirectory_filePath"].strip()
        box = _box(row, where)
        if min(box[2] - box[0], box[3] - box[1]) < MIN_CROP_SIDE:
            listing.leave_out(pool, f"box with a side below {MIN_CROP_SIDE} pixels")
            continue
        # The first image shows where all of them lie.
        folder = folder or _image_folder(listing.source, name, where)
        listing.add(pool, Face(file_member(folder / name, listing.source), int(label), box))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row of a list, with the file and line it comes from."""
    with open_text(path) as stream:
        rows = rows_of(stream, str(path))
        header = [name.strip() for name in next(rows, (0, []))[1]]
        lacking = [name for name in _COLUMNS if name not in header]
        if lacking:
            cure = f"{lacking[0]} is missing"
            raise DatasetError(f"{path}:1: expected a header with {', '.join(_COLUMNS)}", hint=cure)
        for line, row in rows:
            if len(row) != len(header):
                raise DatasetError(f"{path}:{line}: expected {len(header)} columns as in the header, found {len(row)}")
            yield f"{path}:{line}", dict(zip(header, row, strict=True))


def _box(row: dict[str, str], where: str) -> Box:
    texts = [row[f"face_{name}"] for name in ("x", "y", "width", "height")]
    try:
        left, top, width, height = map(int, texts)
    except ValueError:
        raise DatasetError(f"{where}: the box of the face must be 4 whole numbers, found {texts}") from None
    return left, top, left + width, top + height


def _image_folder(root: Path, name: str, where: str) -> Path:
    for folder in _IMAGE_FOLDERS:
        if (root / folder / name).is_file():
            return root / folder
    raise DatasetError(
        f"{where}: {name} is in none of {', '.join(_IMAGE_FOLDERS)} in {root}", hint="unpack the images there"
    )


# --- one file per annotation ------------------------------------------------------------------------------------------


def _read_set(folder: Path, pool: str, listing: Listing) -> None:
    images = {path.stem: path for path in sorted((folder / "images").glob("*.jpg"))}
    annotated = {path.name.removesuffix("_exp.npy"): path for path in (folder / "annotations").glob("*_exp.npy")}
    alone = sorted(images.keys() ^ annotated.keys())
    if alone:
        what = "an annotation <id>_exp.npy" if alone[0] in images else "an image <id>.jpg"
        raise DatasetError(
            f"{folder}: {len(alone)} ids have an image or an annotation, not both",
            hint=f"{alone[0]} lacks {what}. Unpack the archive again",
        )
    for name in sorted(images):
        label = _annotation(annotated[name])
        if _taken(label, pool, listing, str(annotated[name])):
            listing.add(pool, Face(file_member(images[name], listing.source), int(label)))


def _annotation(path: Path) -> str:
    """The label in an annotation file: one number, which some copies store as text."""
    try:
        value = np.load(io.BytesIO(read_file(path, _ANNOTATION_BYTES)), allow_pickle=False)
        return str(int(value.item()))
    except (ValueError, OverflowError, EOFError, OSError, AttributeError, InputError) as error:
        raise DatasetError(f"{path}: not an annotation, one number as .npy ({error})", hint="fetch it again") from None
