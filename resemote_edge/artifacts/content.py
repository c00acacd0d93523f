"""Content of a file that is not what it was taken for: what people download in its place, and what to do about it."""

from pathlib import Path

__all__ = ["foreign_content"]

#: What a file begins with, what it then is, and the cure.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer in place of the file", "run: git lfs pull"),
    (b"\x1f\x8b", "a gzip archive", "unpack it (tar xzf, or gunzip), and pass what was in it"),
    (b"BZh", "a bzip2 archive", "unpack it, and pass what was in it"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it, and pass what was in it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it, and pass what was in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and pass what was in it"),
    (b"Rar!\x1a\x07", "a rar archive", "unpack it, and pass what was in it"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes", "only PyTorch's weights and safetensors are read"),
    (b"\x93NUMPY", "a NumPy array", "only PyTorch's weights and safetensors are read"),
    (b"\x7fELF", "a program or library", "pass the weights"),
    (b"%PDF-", "a PDF document", "pass the file that it describes"),
    (b"\x89PNG", "a PNG picture", "pass the weights"),
    (b"\xff\xd8\xff", "a JPEG picture", "pass the weights"),
)
_TAR, _TAR_AT = b"ustar", 257
_TFLITE, _TFLITE_AT = b"TFL3", 4
_HEAD = 512


def foreign_content(path: Path) -> tuple[str, str] | None:
    """Say what a file is, where its first bytes tell that it is none of ours.

    Args:
        path: A regular file.

    Returns:
        What it is ("a gzip archive") and what to do about it; None where nothing is known.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        return "an empty file", "fetch or copy it again"
    for signature, what, cure in _SIGNATURES:
        if head.startswith(signature):
            return what, cure
    if head[_TAR_AT:].startswith(_TAR):
        return "a tar archive", "unpack it, and pass what was in it"
    if head[_TFLITE_AT:].startswith(_TFLITE):
        return "a TensorFlow Lite model", "only PyTorch's weights and safetensors are read"
    return _text(head)


def _text(head: bytes) -> tuple[str, str] | None:
    try:
        text = head.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        if error.end < len(head):  # Not only a character that was cut off.
            return None
        text = head[: error.start].decode("utf-8-sig").lstrip()
    if any(ord(char) < 32 and char not in "\r\n\t" for char in text):
        return None
    if text[:15].lower().startswith(("<!doctype html", "<html")):
        return "a web page in place of the file", "download the file itself (often a link named raw or download)"
    first = text.splitlines()[0][:60] if text else ""
    return f"text that begins with {first!r}", "pass the file that it names or describes"
