"""`resemote classify` reads pictures as Python does, and decides the same."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image
from resemote_tool import resemote

from resemote_edge.classifier import load
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.image import read_rgb

FACE = drawn_faces(1, side=90, seed=5)[0][:80]


@pytest.fixture(scope="module")
def artifact(artifacts):
    return artifacts("cpu-onnxruntime-fp32")


def readable(kind: str) -> None:
    text = resemote("classify", "--help").stdout
    if kind not in text.partition("reads ")[2].partition(".")[0]:
        pytest.skip(f"resemote was built without the library for {kind}")


def written(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def deep(path):
    """A PNG of 16 bits, gray."""
    Image.fromarray(FACE[..., 0].astype(np.uint16) << 8 | 77).save(path)
    return path


def transparent(path):
    alpha = np.full((*FACE.shape[:2], 1), 40, np.uint8)
    return written(path, np.concatenate([FACE, alpha], axis=2))


def palette(path):
    Image.fromarray(FACE).quantize(64).save(path)
    return path


def one_bit(path):
    Image.fromarray(FACE[..., 0] > 99).save(path)
    return path


PICTURES = {
    "face.ppm": lambda path: written(path, FACE),
    "face.pgm": lambda path: written(path, FACE[..., 1]),
    "face.png": lambda path: written(path, FACE),
    "gray.png": lambda path: written(path, FACE[..., 1]),
    "deep.png": deep,
    "transparent.png": transparent,
    "palette.png": palette,
    "bits.png": one_bit,
    "face.jpg": lambda path: written(path, FACE, quality=90),
    "gray.jpg": lambda path: written(path, FACE[..., 1], quality=90),
    "progressive.jpg": lambda path: written(path, FACE, quality=90, progressive=True),
}


@pytest.mark.parametrize("name", PICTURES)
def test_it_decides_as_python_does(name, artifact, tmp_path):
    readable({"png": "PNG", "jpg": "JPEG"}.get(name[-3:], "PGM"))
    path = PICTURES[name](tmp_path / name)
    done = resemote("classify", artifact.path, path, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    with load(artifact.path, runtime="onnxruntime") as classifier:
        (want,) = classifier([read_rgb(path)], color="rgb")
    assert row["label"] == want.label
    assert (row["image"], row["backend"], row["artifact"]) == (str(path), "onnxruntime", artifact.passport.name)
    # The two libraries for JPEG may round a level differently.
    assert row["probabilities"] == pytest.approx(want.probabilities, abs=1e-3 if name.endswith("jpg") else 1e-5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation, artifact, tmp_path):
    readable("JPEG")
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path / "turned.jpg", FACE, quality=95, exif=exif)
    box = (3, 5, 60, 64)
    done = resemote("classify", artifact.path, path, "--json", "--box", ",".join(map(str, box)))
    assert done.returncode == 0, done.stderr
    pixels = read_rgb(path)[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    with load(artifact.path, runtime="onnxruntime") as classifier:
        (want,) = classifier([pixels], color="rgb")
    assert json.loads(done.stdout)[0]["probabilities"] == pytest.approx(want.probabilities, abs=1e-3)


def test_it_prints_the_three_most_likely_classes(artifact, tmp_path):
    paths = [written(tmp_path / f"{number}.ppm", np.roll(FACE, number, axis=1)) for number in range(2)]
    lines = resemote("classify", artifact.path, *paths).stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(path) for path in paths]
    for line in lines:
        shares = [float(part.split()[-2]) for part in line.partition(": ")[2].split(", ")]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)


def test_json_is_json_whatever_a_file_is_called(artifact, tmp_path):
    path = written(tmp_path / 'face \x85\x1b[2J\u202e"é.ppm', FACE)
    done = resemote("classify", artifact.path, path, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert json.loads(done.stdout)[0]["image"] == str(path)


def bytes_of(**options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(FACE).save(stream, **options)
    return stream.getvalue()


DAMAGED = {
    "empty": (b"", "not a picture"),
    "text": (b"hello", "not a picture"),
    "header": (b"P5", "header ends early"),
    "short": (bytes_of(format="PPM")[:900], "ends early"),
    "vast": (b"P6 999999 999999 255\n", "ends early"),
    "endless": (b"P6 99999999999999999999 1 255\n", "header"),
    "deep": (b"P6 8 8 65535\n" + bytes(384), "save it with 8 bits"),
    "nothing": (b"P5 0 9 255\n", "0x9"),
    "short PNG": (bytes_of(format="PNG")[:900], "ends early"),
    "damaged PNG": (bytes_of(format="PNG").replace(b"IDAT", b"IDBT"), "not a readable picture"),
    "short JPEG": (bytes_of(format="JPEG")[:900], "not a readable picture"),
    "header JPEG": (bytes_of(format="JPEG")[:20], "not a readable picture"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_picture_is_an_error(name, artifact, tmp_path):
    for kind in ("PNG", "JPEG"):
        if kind in name:
            readable(kind)
    content, words = DAMAGED[name]
    (tmp_path / "picture").write_bytes(content)
    done = resemote("classify", artifact.path, tmp_path / "picture")
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith(f"Error: {tmp_path / 'picture'}: ")


def test_what_is_no_file_is_refused(artifact, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe"), ("/dev/zero", "a device")):
        done = resemote("classify", artifact.path, path)
        assert done.returncode == 1
        assert words in done.stderr


def test_a_box_outside_of_the_picture_names_it(artifact, tmp_path):
    path = written(tmp_path / "face.ppm", FACE)
    done = resemote("classify", artifact.path, path, "--box", "500,500,64,64")
    assert done.returncode == 1
    assert str(path) in done.stderr
