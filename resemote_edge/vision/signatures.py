"""Signatures: what a file is by its first bytes, whatever its name says."""

import re

__all__ = ["HEAD_BYTES", "IMAGE_FORMATS", "foreign", "is_image"]

#: Bytes from the start of a file that tell what it is.
HEAD_BYTES = 512

#: Formats of images that are read, by Pillow's names, the most frequent ones first. Others are refused before any of
#: their code runs: Pillow hands PostScript, for one, to a program of its own.
IMAGE_FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")

_IMAGE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|II[*+]\0|MM\0[*+]|P[1-6]\s+[#0-9]"
    rb"|BM....\0\0\0\0..\0\0[\x0c-\x7c]\0\0\0",
    re.DOTALL,
)

_UNPACK = "unpack it and pass what is in it"
_DOWNLOAD = "the download failed or needs a login, fetch the file again"

#: What else people hold for images, data or weights: first bytes, name, and the cure if it is the same for all three.
_FOREIGN: tuple[tuple[re.Pattern[bytes], str, str | None], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name, cure)
    for pattern, name, cure in (
        (rb"version https://(git-lfs|hawser)\.github\.com/spec/", "a Git LFS pointer", "run: git lfs pull"),
        (rb"(\.\./)*(\.git|/annex)/\S*annex/?objects/|/annex/objects/", "a git-annex pointer", "run: git annex get"),
        (rb"\x1f\x8b", "a gzip archive", _UNPACK),
        (rb"BZh[1-9]1AY&SY", "a bzip2 archive", _UNPACK),
        (rb"\xfd7zXZ\0", "an xz archive", _UNPACK),
        (rb"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
        (rb"\x04\x22\x4d\x18", "an LZ4 archive", _UNPACK),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
        (rb"Rar!\x1a\x07", "a RAR archive", _UNPACK),
        (rb".{257}ustar", "a tar archive", _UNPACK),
        (rb"PK(\x03\x04|\x05\x06|\x07\x08)", "a zip archive", _UNPACK),
        (rb"\s*(?i:<(!doctype html|html|head|!--))", "a web page", _DOWNLOAD),
        (rb"\s*<\?xml", "an XML file", _DOWNLOAD),
        (rb"(\xc5\xd0\xd3\xc6|%!PS|\x04%!PS)", "PostScript", None),
        (rb"%PDF-", "a PDF file", None),
        (rb"....ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)", "a HEIC image", None),
        (rb"....ftypavi[fs]", "an AVIF image", None),
        (rb"....ftyp", "a film", None),
        (rb"8BPS", "a Photoshop file", None),
        (rb"(\0\0\0\x0cjP  |\xff\x4f\xff\x51)", "a JPEG 2000 image", None),
        (rb"(\xff\x0a|\0\0\0\x0cJXL )", "a JPEG XL image", None),
        (rb"\0\0[\x01\x02]\0.\0", "an icon", None),
        (rb"PAR1", "a Parquet file", None),
        (rb"\x89HDF", "an HDF5 file", None),
        (rb"....TFL3", "a TensorFlow Lite model", None),
        (rb"\x93NUMPY", "a NumPy file", None),
        (rb"GGUF", "a GGUF model", None),
        (rb"\x08\x01\x12", "a TensorFlow SavedModel", None),
        (rb"\x08[\x03-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]", "an ONNX model", None),
        (rb"MATLAB \d", "a MATLAB file", None),
        (rb"SQLite format 3\0", "an SQLite database", None),
        (rb"\x7fELF|MZ", "a program", None),
        (rb"\Z", "an empty file", "fetch it again"),
    )
)


def is_image(head: bytes) -> bool:
    """Whether a file that starts with these bytes is an image in one of `IMAGE_FORMATS`."""
    return _IMAGE.match(head) is not None


def foreign(head: bytes, otherwise: str) -> tuple[str, str] | None:
    """Name the kind of a file that is neither an image we read nor text, and say what to do about it.

    Args:
        head: First `HEAD_BYTES` of the file.
        otherwise: Cure where the file is whole, and of a kind that the caller does not read.

    Returns:
        Name ("a gzip archive") and cure; None where the bytes are of none of the known kinds.
    """
    return next(((name, cure or otherwise) for pattern, name, cure in _FOREIGN if pattern.match(head)), None)
