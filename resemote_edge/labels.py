"""Label sets and the mapping between them.

Two orders are in circulation for the same seven expressions, and mixing them up is the most common way to get a network
that "does not work". Here a label order is always a tuple of names, and one order is turned into another by name only.

A network may have other classes than those expressions, any number of them. If every name of a set is an expression,
its spellings are brought to one form. If one name is not, the whole set is kept as written.
"""

from collections.abc import Sequence

from resemote_edge.errors import InputError

__all__ = ["CANONICAL", "FER2013", "RESEMOTENET", "canonical_labels", "canonical_name", "index_mapping", "split_labels"]

#: Order of the logits in ResEmoteNet checkpoints as its authors publish them.
RESEMOTENET: tuple[str, ...] = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")

#: Order of the ``emotion`` column in Kaggle's ``fer2013.csv`` (0 to 6), in canonical names.
FER2013: tuple[str, ...] = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")

#: The seven expressions, sorted; this is how every part of this package spells them.
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
    """Return the canonical spelling of an expression.

    Args:
        name: Any spelling in circulation, upper or lower case ("Angry", "happiness").

    Returns:
        One of `CANONICAL`.

    Raises:
        InputError: The name is not one of the seven expressions.
    """
    lowered = name.strip().lower()
    known = _ALIASES.get(lowered, lowered)
    if known not in CANONICAL:
        raise InputError(f"unknown emotion label {name!r}", hint=f"use one of {', '.join(CANONICAL)}")
    return known


def canonical_labels(names: Sequence[str]) -> tuple[str, ...]:
    """Check a label set, and spell it as this package does.

    Args:
        names: Class names in the order of the logits.

    Returns:
        The same order: in canonical spelling if every name is an expression, else as written, less surrounding blanks.

    Raises:
        InputError: There is no name, one is empty or unprintable, or the same one occurs twice.
    """
    return _spelled(names, all_emotions=_all_emotions(names))


def split_labels(text: str | None) -> tuple[str, ...] | None:
    """Split the comma-separated names of an option; None if it was not given."""
    return None if text is None else tuple(name.strip() for name in text.split(","))


def index_mapping(source: Sequence[str], target: Sequence[str]) -> tuple[int, ...]:
    """Map class indices of one label order to those of another, by name.

    If both orders are made of expressions, any spelling of one counts as the same name; elsewhere names must be equal.

    Args:
        source: Label order of the indices at hand.
        target: Label order wanted.

    Returns:
        ``mapping`` with ``target[mapping[i]]`` naming the same class as ``source[i]``.

    Raises:
        InputError: A name is empty, repeated, or absent from the target.
    """
    all_emotions = _all_emotions([*source, *target])
    source_names = _spelled(source, all_emotions=all_emotions)
    target_names = _spelled(target, all_emotions=all_emotions)
    missing = [name for name in source_names if name not in target_names]
    if missing:
        raise InputError(f"labels {', '.join(missing)} have no counterpart in the order {', '.join(target_names)}")
    return tuple(target_names.index(name) for name in source_names)


def _all_emotions(names: Sequence[str]) -> bool:
    lowered = [name.strip().lower() for name in names]
    return all(_ALIASES.get(name, name) in CANONICAL for name in lowered)


def _spelled(names: Sequence[str], *, all_emotions: bool) -> tuple[str, ...]:
    spelled = tuple(canonical_name(name) if all_emotions else name.strip() for name in names)
    if not spelled:
        raise InputError("a label order needs names, got none")
    for name in spelled:
        if not name or not name.isprintable():
            raise InputError(f"label {name!r} cannot be shown", hint="give every class a name of printable characters")
        if spelled.count(name) > 1:
            raise InputError(
                f"the label order repeats {name!r}: {', '.join(spelled)}", hint="give every class its own name"
            )
    return spelled
