"""External data in ONNX files: found without the onnx package, before an engine opens the file.

An ONNX file may keep its tensors elsewhere: in other files, which the passport then would not vouch for, or at an
address in the reading process's memory (a marker of ONNX Runtime's own), which OpenVINO follows. Our exports keep all
tensors inside. So every form is refused.

The file is walked as protocol buffers (https://protobuf.dev/programming-guides/encoding) along the messages of
onnx.proto that lead to a ``TensorProto``; everything else is skipped unread.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

from resemote_edge.errors import ArtifactError

__all__ = ["BYTES", "onnx_metadata", "onnx_opset", "read_fields", "refuse_external_data"]

# Fields to follow, by message: number -> message there.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a TensorProto
_OPSET_IMPORT, _METADATA = 8, 14  # of a ModelProto
_VARINT, _FIXED64, _FIXED32 = 0, 1, 5

#: Wire type of texts, messages and data.
BYTES = 2

_DEEPEST = 64


def refuse_external_data(path: Path) -> None:
    """Refuse an ONNX file with tensors that it does not hold itself.

    Args:
        path: The file.

    Raises:
        ArtifactError: A tensor's data lies elsewhere, or the file is not ONNX.
    """
    with path.open("rb") as stream:
        if path.stat().st_size == 0:
            raise ArtifactError(f"{path}: an empty file, not ONNX", hint="export the artifact again")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                _walk(content, path)
            except ValueError as error:
                raise ArtifactError(
                    f"{path}: damaged, or not ONNX ({error})", hint="export the artifact again"
                ) from None


def onnx_metadata(path: Path) -> dict[str, str]:
    """Texts that an exporter wrote into an ONNX file, by name.

    Raises:
        ArtifactError: The file is not ONNX.
    """
    content = path.read_bytes()
    found = {}
    try:
        for number, wire, place, after in read_fields(content, 0, len(content)):
            if (number, wire) == (_METADATA, BYTES):
                pair = {field: content[begin:end] for field, _, begin, end in read_fields(content, place, after)}
                found[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
    except ValueError as error:  # UnicodeDecodeError is one.
        raise ArtifactError(f"{path}: damaged, or not ONNX ({error})", hint="export the artifact again") from None
    return found


def onnx_opset(path: Path) -> int:
    """Version of ONNX's own operators that a file uses; 0 if it names none.

    Raises:
        ArtifactError: The file is not ONNX.
    """
    content = path.read_bytes()
    try:
        for number, wire, place, after in read_fields(content, 0, len(content)):
            if (number, wire) == (_OPSET_IMPORT, BYTES):
                fields = {field: (begin, end) for field, _, begin, end in read_fields(content, place, after)}
                domain = content[slice(*fields.get(1, (0, 0)))]
                if domain in (b"", b"ai.onnx") and 2 in fields:
                    return _read_varint(content, *fields[2])[0]
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged, or not ONNX ({error})", hint="export the artifact again") from None
    return 0


def _walk(content: mmap.mmap, path: Path) -> None:
    waiting = [("model", 0, len(content), 0)]
    while waiting:
        message, start, end, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError("graphs within graphs without end")
        for number, wire, place, after in read_fields(content, start, end):
            if message == "tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION):
                if wire == _VARINT and _read_varint(content, place, end)[0] == 0:
                    continue  # data_location: DEFAULT, which is inside
                raise ArtifactError(
                    f"{path}: holds a tensor whose data lies outside the file, which the passport does not vouch for",
                    hint="export the artifact again",
                )
            inner = _FIELDS[message].get(number)
            if inner is not None and wire == BYTES:
                waiting.append((inner, place, after, depth + 1))


def read_fields(content: mmap.mmap | bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Walk over the fields of a message in protocol buffers.

    Args:
        content: Bytes that hold the message.
        start: Where it begins.
        end: Where it ends.

    Yields:
        Number of a field, its wire type (`BYTES` and others), and where the value begins and ends.

    Raises:
        ValueError: The bytes are not such a message; the message says where.
    """
    place = start
    while place < end:
        key, place = _read_varint(content, place, end)
        if key >> 32:
            raise ValueError(f"field {key >> 3} before byte {place}")  # Readers keep 32 bits, and would see another.
        number, wire = key >> 3, key & 7
        begins = place
        if wire == _VARINT:
            _, place = _read_varint(content, place, end)
        elif wire == BYTES:
            length, begins = _read_varint(content, place, end)
            place = begins + length
        elif wire in (_FIXED64, _FIXED32):
            place += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {begins}")
        if place > end:
            raise ValueError(f"cut off at byte {begins}")
        yield number, wire, begins, place


def _read_varint(content: mmap.mmap | bytes, place: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            raise ValueError(f"cut off at byte {place}")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError(f"a number without end at byte {place}")
