"""Consistency of a passport: what its fields say of one another, which no field's own type can hold."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from resemote_edge.artifacts.output_format import LOGITS, PROBABILITIES

if TYPE_CHECKING:
    from resemote_edge.artifacts.passport import Passport

__all__ = ["contradictions"]

#: Formats of files that hold nothing to run by themselves.
_SELF_TEST = ("golden", "npy")

_PLAIN = re.compile(r"[^/\\\x00-\x1f\x7f]+")
_MOST_NAME_BYTES = 200  # File systems take 255, and reports add words to it.


def contradictions(passport: "Passport") -> Iterator[str]:
    """Say in words what a passport contradicts itself in; nothing for a sound one.

    The native library refuses the same (``passport.cpp``).

    Args:
        passport: A passport whose fields are of the right types.

    Yields:
        What is wrong, without the words around it.
    """
    yield from _names(passport)
    yield from _tensors(passport)
    yield from _files(passport)


def _names(passport: "Passport") -> Iterator[str]:
    if not _is_file_name(passport.name):
        yield f"the name {passport.name[:80]!r} cannot name a file"
    labels = passport.labels
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        yield f"label {twice!r} stands for two classes, and each class has a name of its own"


def _is_file_name(name: str) -> bool:
    """Whether a name stays in the folder it is put into, and prints as one line."""
    return name not in ("", ".", "..") and len(name.encode()) <= _MOST_NAME_BYTES and _PLAIN.fullmatch(name) is not None


def _tensors(passport: "Passport") -> Iterator[str]:
    wanted = passport.preprocessing.feed_spec
    found = [(spec.dtype, spec.shape) for spec in passport.inputs]
    if found != [(wanted.dtype, wanted.shape)]:
        yield f"preprocessing makes one input, {wanted.dtype} {wanted.shape}, and the inputs are {found[:4]}"
    named = [spec.name for spec in passport.outputs]
    if named not in ([LOGITS], [PROBABILITIES]):
        yield f"outputs are named {', '.join(named[:4]) or 'nothing'}, expected {LOGITS} or {PROBABILITIES}"
        return
    output = passport.outputs[0]
    if output.dtype != "float32" or output.shape != ("batch", len(passport.labels)):
        names = ", ".join(passport.labels[:16])
        yield f"{len(passport.labels)} labels ({names}) for an output of {output.dtype} {output.shape}"


def _files(passport: "Passport") -> Iterator[str]:
    paths = [entry.path for entry in passport.files]
    for path in paths:
        if not _is_file_name(path):
            yield f"file entry {path[:80]!r} points outside the artifact's folder"
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        yield f"file {twice[0]!r} is listed twice"
    golden = {entry.path for entry in passport.files if (entry.role, entry.format) == _SELF_TEST}
    for name in (passport.golden.crops, passport.golden.logits):
        if name not in golden:
            yield f"the self-test reads {name!r}, which is not listed as a golden file"
    if passport.golden.crops == passport.golden.logits:
        yield "the self-test reads crops and logits from one file"
