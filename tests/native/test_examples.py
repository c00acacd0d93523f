"""The examples are built with the library and do what they say."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portrait_frames import crowd

from resemote_edge.artifacts.prebuilt import prebuilt_detector_path, prebuilt_path
from resemote_edge.classifier import load
from resemote_edge.faces.analysis import find_and_classify
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.runtimes.native.library import engine_library
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.image import read_rgb
from resemote_edge.vision.preprocessing import to_gray

EXAMPLES = Path(__file__).parent.parent.parent / "build" / "native-release" / "runtimes" / "examples"


def environment() -> dict[str, str]:
    """Where the engines of this Python environment are."""
    places = {name: engine_library(name) for name in ("openvino", "onnxruntime")}
    return {**os.environ, **{f"RESEMOTE_{name.upper()}_LIBRARY": place for name, place in places.items() if place}}


def example(name: str) -> Path:
    if not (EXAMPLES / name).is_file():
        pytest.skip(f"example {name} is not built; run: make native")
    return EXAMPLES / name


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment())


@pytest.fixture
def picture():
    return np.random.default_rng(5).integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["ppm", "pgm"])
@pytest.mark.parametrize("box", [(), (20, 10, 70, 64)])
def test_classify_image_prints_what_python_decides(artifacts, picture, kind, box, tmp_path):
    artifact = artifacts("cpu-onnxruntime-fp32")
    pixels = picture if kind == "ppm" else to_gray(picture, "rgb")
    Image.fromarray(pixels).save(tmp_path / f"face.{kind}")
    done = run(example("classify_image"), artifact.path, tmp_path / f"face.{kind}", *box)
    assert done.returncode == 0, done.stderr
    x, y, width, height = box or (0, 0, 120, 90)
    crop = pixels[y : y + height, x : x + width]
    with load(artifact.path, runtime="onnxruntime") as classifier:
        (want,) = classifier([crop], color="rgb" if kind == "ppm" else "gray")
    got = [(label, float(value)) for label, value in (line.split() for line in done.stdout.splitlines())]
    assert [label for label, _ in got] == sorted(want.probabilities, key=lambda label: -want.probabilities[label])
    for label, value in got:
        assert value == pytest.approx(want.probabilities[label], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "usage"),
        (("{artifact}", "nowhere.ppm"), "cannot be read"),
        (("nowhere", "{picture}"), "nowhere: an artifact is a folder"),
        (("{artifact}", "{picture}", 500, 500, 64, 64), "leave the box out"),
        (("{artifact}", "{cut}"), "cannot be read"),
    ],
)
def test_classify_image_says_what_is_wrong(artifacts, picture, arguments, words, tmp_path):
    Image.fromarray(picture).save(tmp_path / "face.ppm")
    (tmp_path / "cut.ppm").write_bytes((tmp_path / "face.ppm").read_bytes()[:500])
    names = {
        "artifact": artifacts("cpu-onnxruntime-fp32").path,
        "picture": tmp_path / "face.ppm",
        "cut": tmp_path / "cut.ppm",
    }
    done = run(example("classify_image"), *(str(word).format(**names) for word in arguments))
    assert done.returncode == 1
    assert done.stderr.startswith("classify_image: ")
    assert words in done.stderr


def test_camera_names_the_expression_of_the_clearest_face(tmp_path):
    program = example("camera")
    for number in range(3):
        picture = np.roll(crowd(640, 360, places=((200, 40, 240),)), 10 * number, axis=1)
        Image.fromarray(picture).save(tmp_path / f"frame-{number}.png")
    done = run(program, prebuilt_path(), prebuilt_detector_path("yunet", 320, 192), tmp_path / "frame-%d.png")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 3
    with open_detector("yunet", DetectorOptions(size=(320, 192))) as detector, load() as classifier:
        for number, (label, score) in enumerate(lines):
            frame = Frame(read_rgb(tmp_path / f"frame-{number}.png"), "rgb")
            ((_, want),) = find_and_classify(frame, detector, classifier)
            # The example scales and rounds in a simpler way.
            assert label == want.label
            assert float(score) == pytest.approx(want.score, abs=0.1)


def test_camera_says_what_is_wrong(tmp_path):
    detector = prebuilt_detector_path("yunet", 320, 192)
    for words, told in (
        ((), "usage"),
        ((prebuilt_path(), detector, tmp_path / "none.avi"), "cannot be opened"),
        ((detector, detector, tmp_path / "none.avi"), "not a classifier"),
        ((prebuilt_path(), prebuilt_path(), tmp_path / "none.avi"), "cannot be opened"),
    ):
        done = run(example("camera"), *words)
        assert done.returncode == 1
        assert told in done.stderr
