"""ExpW: Expression in-the-Wild, of Zhang, Luo, Loy and Tang (ICCV 2015 and IJCV 2018).

Whole photographs, with a list of the faces in them::

    label/label.lst     actor_amazed_23.jpg 0 28 113 226 141 22.9362 5
    image/origin/actor_amazed_23.jpg

The columns are image_name, face_id_in_image, face_box_top, face_box_left, face_box_right, face_box_bottom,
face_box_cofidence (as it is spelt there) and expression_label; note that *right* comes before *bottom*. The images may
lie in ``origin/`` as well. There are no published splits: 80, 10 and 10 % are drawn by image name, so that faces of one
photograph stay together.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Box, Progress
from resemote_edge.data.listing import Face, Listing, check_splits, file_member
from resemote_edge.data.splitting import THREE_WAY, draw_splits
from resemote_edge.data.table import lines_of, open_text
from resemote_edge.errors import DatasetError
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

__all__ = ["LABELS", "LAYOUT", "MIN_CONFIDENCE", "load_expw", "recognises"]

#: What `recognises` looks for, in words.
LAYOUT = "a folder with label/label.lst and image/origin/ (or origin/)"

#: Order of the labels 0 to 6, in canonical names.
LABELS: tuple[str, ...] = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")

#: Faces are left out if the face detector's confidence, on its own scale, is below this. 0 keeps all faces, because
#: people labelled all of them.
MIN_CONFIDENCE = 0.0

_LISTS = (Path("label", "label.lst"), Path("label.lst"))
_IMAGES = (Path("image", "origin"), Path("origin"))


def recognises(path: Path) -> bool:
    """Whether this looks like ExpW, by its list of faces."""
    return _first(path, _LISTS) is not None


def load_expw(
    path: str | Path,
    splits: tuple[str, ...] = SPLITS,
    progress: Progress | None = None,
    *,
    optional: tuple[str, ...] = (),
    min_confidence: float = MIN_CONFIDENCE,
) -> dict[str, Dataset]:
    """Read splits of ExpW.

    Args:
        path: Folder that holds ``label`` and ``image``.
        splits: Splits to read; all are drawn.
        progress: Function called with the number of faces done.
        optional: Splits, out of those, that the data may lack altogether.
        min_confidence: Lowest confidence taken. Faces below it are left out, and counted in `Dataset.left_out`, as are
            those whose box has a side below 8 pixels and lines that repeat another.

    Returns:
        One dataset per split; faces cut out by their boxes, as far as they lie in the image, and resized to 64x64.

    Raises:
        DatasetError: There is no such file, a line is malformed, an image is missing or unreadable, or a box lies
            outside its image; the message names file and line or the image.
        InputError: A split is unknown.
    """
    check_splits(splits)
    root = Path(path)
    labels, images = _first(root, _LISTS), _first(root, _IMAGES)
    if labels is None or images is None:
        lacking = "label/label.lst" if labels is None else "image/origin/"
        raise DatasetError(f"{root}: expected {LAYOUT}, found no {lacking}", hint="pass the folder that holds both")
    rows = _read(labels)
    listing = Listing("expw", root, LABELS)
    photographs = [row.image.encode(errors="surrogateescape") for row in rows]
    drawn = draw_splits(np.array([row.target for row in rows]), photographs, THREE_WAY)
    for split in splits:
        # Faces of one photograph follow each other, so that it is decoded once.
        for row in sorted((rows[index] for index in drawn[split]), key=lambda row: (row.image, row.line)):
            if row.repeated:
                listing.leave_out(split, "line that repeats another")
            elif min(row.box[2] - row.box[0], row.box[3] - row.box[1]) < MIN_CROP_SIDE:
                listing.leave_out(split, f"box with a side below {MIN_CROP_SIDE} pixels")
            elif row.confidence < min_confidence:
                listing.leave_out(split, f"box with a confidence below {min_confidence:g}")
            else:
                member = file_member(images / row.image, root)
                listing.add(split, Face(member, row.target, row.box, note=f" face {row.face}"))
    return listing.datasets(splits, progress, optional)


@dataclass(frozen=True)
class _Row:
    line: int
    image: str
    face: str
    box: Box
    confidence: float
    target: int
    repeated: bool


def _first(root: Path, candidates: tuple[Path, ...]) -> Path | None:
    return next((root / path for path in candidates if (root / path).exists()), None)


def _read(labels: Path) -> list[_Row]:
    rows = []
    seen: set[str] = set()
    with open_text(labels) as stream:
        for number, line in enumerate(lines_of(stream, str(labels)), start=1):
            text = " ".join(line.split())
            if text:
                rows.append(_read_line(text, number, f"{labels}:{number}", repeated=text in seen))
                seen.add(text)
    return rows


def _read_line(line: str, number: int, where: str, *, repeated: bool) -> _Row:
    parts = line.split()
    if len(parts) != 8:
        raise DatasetError(
            f"{where}: expected 8 columns (image, face, 4 of the box, confidence, label), found {len(parts)}"
        )
    image, face, *box, confidence, label = parts
    try:
        top, left, right, bottom = map(int, box)
        sure = float(confidence)
    except ValueError:
        raise DatasetError(f"{where}: box and confidence must be numbers, found {' '.join(parts[2:7])!r}") from None
    if label not in {str(index) for index in range(len(LABELS))}:
        raise DatasetError(f"{where}: the label must be 0 to {len(LABELS) - 1}, found {label[:20]!r}")
    return _Row(number, image, face, (left, top, right, bottom), sure, int(label), repeated)
