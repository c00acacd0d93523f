"""RAF-DB, its basic expressions: the Real-world Affective Faces Database of Li, Deng and Du (CVPR 2017).

The layout is that of its authors::

    EmoLabel/list_patition_label.txt      train_00001.jpg 5
    Image/aligned/train_00001_aligned.jpg

The misspelt name of the list is theirs. The database has 12,271 images to train and 3,068 to test on, and no validation
split. A tenth of the training images (`WITH_VALIDATION`) is drawn for it by pixels, class by class, equal images
together, so ``train`` here is the rest.
"""

from pathlib import Path

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Progress
from resemote_edge.data.listing import Face, Listing, check_splits, file_member
from resemote_edge.data.splitting import WITH_VALIDATION
from resemote_edge.data.table import lines_of, open_text
from resemote_edge.errors import DatasetError

__all__ = ["LABELS", "LAYOUT", "load_rafdb", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "a folder with EmoLabel/list_patition_label.txt and Image/aligned/"

#: Order of the labels 1 to 7, in canonical names.
LABELS: tuple[str, ...] = ("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral")

_LIST = Path("EmoLabel", "list_patition_label.txt")
_IMAGES = Path("Image", "aligned")
_POOLS = ("train", "test")


def recognises(path: Path) -> bool:
    """Whether this looks like RAF-DB, by its list of labels."""
    return (_root(path) / _LIST).is_file()


def load_rafdb(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
) -> dict[str, Dataset]:
    """Read splits of RAF-DB (basic) from a folder that holds ``EmoLabel`` and ``Image``, or whose ``basic`` does.

    ``validation`` is drawn from the published training images. Otherwise as `load_dataset`.

    Returns:
        One dataset per split; images 64x64, resized from the aligned crops.

    Raises:
        DatasetError: There is no such file, a line is malformed, or an image is missing or unreadable; the message
            names file and line.
    """
    check_splits(splits)
    root = _root(Path(path))
    listing = Listing("rafdb", root, LABELS, {"train": WITH_VALIDATION})
    if not (root / _LIST).is_file():
        raise DatasetError(
            f"{root}: expected {LAYOUT}, found no {_LIST.as_posix()}", hint="pass the folder that holds both"
        )
    wanted = listing.pools_for(splits)
    seen: set[str] = set()
    with open_text(root / _LIST) as stream:
        lines = list(lines_of(stream, str(root / _LIST)))
    for number, line in enumerate(lines, start=1):
        if line.strip():
            name, pool, target = _read_line(line.strip(), f"{root / _LIST}:{number}")
            if name in seen:
                raise DatasetError(f"{root / _LIST}:{number}: {name} is listed twice", hint="fetch the list again")
            seen.add(name)
            if pool in wanted:
                image = root / _IMAGES / f"{name.removesuffix('.jpg')}_aligned.jpg"
                listing.add(pool, Face(file_member(image, root), target))
    return listing.datasets(splits, progress, optional)


def _root(path: Path) -> Path:
    """The folder of the basic expressions, which is a subfolder of the whole database."""
    inner = path / "basic"
    return inner if (inner / _LIST).is_file() else path


def _read_line(line: str, where: str) -> tuple[str, str, int]:
    """Image name, pool and target."""
    parts = line.split()
    if len(parts) != 2:
        raise DatasetError(f"{where}: expected '<image> <label>', found {line[:60]!r}")
    name, label = parts
    pool = name.partition("_")[0]
    if pool not in _POOLS or not name.endswith(".jpg"):
        raise DatasetError(f"{where}: expected train_<number>.jpg or test_<number>.jpg, found {name[:60]!r}")
    if label not in {str(index + 1) for index in range(len(LABELS))}:
        raise DatasetError(f"{where}: the label must be 1 to {len(LABELS)}, found {label[:20]!r}")
    return name, pool, int(label) - 1
