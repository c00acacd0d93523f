"""Consistency of a passport: what its fields say of one another, which no field's own type can hold."""

import re
from collections.abc import Iterator

from resemote_edge.artifacts.detector_passport import DetectorPassport, feed_spec
from resemote_edge.artifacts.output_format import LOGITS, PROBABILITIES
from resemote_edge.artifacts.passport import Passport
from resemote_edge.artifacts.passport_base import BasePassport

__all__ = ["contradictions"]

#: Formats of files that hold nothing to run by themselves.
_SELF_TEST = ("golden", "npy")

_PLAIN = re.compile(r"[^/\\\x00-\x1f\x7f]+")
_MOST_NAME_BYTES = 200  # File systems take 255, and reports add words to it.


def contradictions(passport: Passport | DetectorPassport) -> Iterator[str]:
    """Say in words what a passport contradicts itself in; nothing for a sound one.

    The native library refuses the same of a classifier (``passport.cpp``).

    Args:
        passport: A passport whose fields are of the right types.

    Yields:
        What is wrong, without the words around it.
    """
    if not _is_file_name(passport.name):
        yield f"the name {passport.name[:80]!r} cannot name a file"
    if isinstance(passport, Passport):
        yield from _labels(passport)
        yield from _tensors(passport)
        golden = passport.golden.crops, passport.golden.logits
    else:
        yield from _detector_tensors(passport)
        golden = passport.golden.frames, passport.golden.outputs
    yield from _files(passport, *golden)


def _labels(passport: Passport) -> Iterator[str]:
    labels = passport.labels
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        yield f"label {twice!r} stands for two classes, and each class has a name of its own"


def _is_file_name(name: str) -> bool:
    """Whether a name stays in the folder it is put into, and prints as one line."""
    return name not in ("", ".", "..") and len(name.encode()) <= _MOST_NAME_BYTES and _PLAIN.fullmatch(name) is not None


def _tensors(passport: Passport) -> Iterator[str]:
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


def _detector_tensors(passport: DetectorPassport) -> Iterator[str]:
    wanted = feed_spec(passport.input, passport.width, passport.height)
    found = [(spec.dtype, spec.shape) for spec in passport.inputs]
    if found != [(wanted.dtype, wanted.shape)]:
        yield f"a frame becomes one input, {wanted.dtype} {wanted.shape}, and the inputs are {found[:4]}"
    for spec in passport.outputs:
        if spec.dtype != "float32" or spec.shape[0] != 1:
            yield f"output {spec.name[:80]!r} is {spec.dtype} {spec.shape}, expected float32 for one frame"
    names = [spec.name for spec in passport.outputs]
    if len(set(names)) != len(names):
        yield "two outputs have one name"
    if (passport.batch.min, passport.batch.max) != (1, 1):
        yield "a detector takes one frame at a time, and the batch says otherwise"
    golden = passport.golden
    if passport.width % golden.repeat or passport.height % golden.repeat:
        yield f"pixels repeated {golden.repeat} times do not fill {passport.width}x{passport.height}"


def _files(passport: BasePassport, fed: str, given: str) -> Iterator[str]:
    """What is wrong with the list of files, and with the two that the self-test reads."""
    paths = [entry.path for entry in passport.files]
    for path in paths:
        if not _is_file_name(path):
            yield f"file entry {path[:80]!r} points outside the artifact's folder"
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        yield f"file {twice[0]!r} is listed twice"
    golden = {entry.path for entry in passport.files if (entry.role, entry.format) == _SELF_TEST}
    for name in (fed, given):
        if name not in golden:
            yield f"the self-test reads {name!r}, which is not listed as a golden file"
    if fed == given:
        yield "the self-test reads its inputs and what they must give from one file"
