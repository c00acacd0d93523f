"""Emotion label sets and the mapping between them.

Two orders are in circulation for the same seven emotions, and mixing them up is the most common way to get a network
that "does not work". Here a label order is always a tuple of names, and one order is turned into another by name only.
"""

from collections.abc import Sequence

from resemote_edge.errors import InputError

__all__ = ["CANONICAL", "FER2013", "RESEMOTENET", "canonical_name", "index_mapping"]

#: Order of the logits in ResEmoteNet checkpoints as its authors publish them.
RESEMOTENET: tuple[str, ...] = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")

#: Order of the ``emotion`` column in Kaggle's ``fer2013.csv`` (0 to 6), in canonical names.
FER2013: tuple[str, ...] = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")

#: The seven emotions, sorted; the names every part of this package speaks.
CANONICAL: tuple[str, ...] = tuple(sorted(RESEMOTENET))

# Spellings found in the public datasets and in their folder names.
_ALIASES = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def canonical_name(name: str) -> str:
    """Return the canonical spelling of an emotion.

    Args:
        name: Any spelling in circulation, upper or lower case ("Angry", "happiness").

    Returns:
        One of `CANONICAL`.

    Raises:
        InputError: The name is not one of the seven emotions.
    """
    lowered = name.strip().lower()
    known = _ALIASES.get(lowered, lowered)
    if known not in CANONICAL:
        raise InputError(f"unknown emotion label {name!r}; expected one of {', '.join(CANONICAL)}")
    return known


def index_mapping(source: Sequence[str], target: Sequence[str]) -> tuple[int, ...]:
    """Map class indices of one label order to those of another, by name.

    Args:
        source: Label order of the indices at hand.
        target: Label order wanted.

    Returns:
        ``mapping`` with ``target[mapping[i]]`` naming the same emotion as ``source[i]``.

    Raises:
        InputError: A name is unknown, repeated, or absent from the target.
    """
    target_names = [canonical_name(name) for name in target]
    source_names = [canonical_name(name) for name in source]
    for which, names in (("source", source_names), ("target", target_names)):
        if len(set(names)) != len(names):
            raise InputError(f"the {which} label order repeats a name: {', '.join(names)}")
    missing = [name for name in source_names if name not in target_names]
    if missing:
        raise InputError(f"labels {', '.join(missing)} have no counterpart in the order {', '.join(target_names)}")
    return tuple(target_names.index(name) for name in source_names)
