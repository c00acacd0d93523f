"""Tree: images sorted into folders ``<split>/<class>/`` or ``<class>/``, in a folder or a zip."""

from dataclasses import dataclass

from resemote_edge.data.members import Member, image_members
from resemote_edge.errors import DatasetError

__all__ = ["SPLIT_FOLDERS", "Placed", "place"]

#: Names that a split's folder may have, lower case.
SPLIT_FOLDERS: dict[str, str] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "publictest": "validation",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}


@dataclass(frozen=True)
class Placed:
    """An image and the folders it lies in.

    Attributes:
        member: File of the image.
        split: Split that its folders name; None where they name none.
        folder: Innermost folder, which is the class.
    """

    member: Member
    split: str | None
    folder: str


def place(members: list[Member], where: str) -> list[Placed]:
    """Tell split and class of every image from its folders.

    Args:
        members: Files of a folder or zip; files that are no images are passed over.
        where: Name of the dataset, for messages.

    Returns:
        The images; either all of them have a split or none has.

    Raises:
        DatasetError: An image lies outside such folders, or they do not all lie equally deep; the message names it.
    """
    images = image_members(members)
    placed = []
    for member in images:
        parts = member.parts
        if len(parts) < 2:
            raise DatasetError(f"{where}: {member.name}: expected <split>/<class>/<image> or <class>/<image>")
        # An enclosing folder ("fer2013/train/...") is common; the last three parts decide.
        split = SPLIT_FOLDERS.get(parts[-3].lower()) if len(parts) >= 3 else None
        placed.append(Placed(member, split, parts[-2]))
    first = next((entry for entry in placed if entry.split is None), None)
    split_ones = [entry for entry in placed if entry.split is not None]
    if first is not None and split_ones:
        raise DatasetError(
            f"{where}: {split_ones[0].member.name} lies in a split, {first.member.name} in none; sort all images into "
            "<split>/<class>/ (train, validation, test) or all into <class>/"
        )
    depth = 2 if first is not None else 3
    for entry in placed:
        above, expected = entry.member.parts[:-depth], placed[0].member.parts[:-depth]
        if above != expected:
            raise DatasetError(
                f"{where}: {entry.member.name} and {placed[0].member.name} do not lie in the same tree; expected all "
                "images as <split>/<class>/<image> or as <class>/<image>"
            )
    return placed
