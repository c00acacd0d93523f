"""`predict` and `data inspect` on what strangers have: photographs, names in any encoding, terminals in another."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from face_files import save_face
from PIL import Image

#: Runs a command and prints the high-water mark of its memory, in bytes.
PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(code)
"""

ENCODINGS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "utf-16"},
    {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LANG": "C.UTF-8"},
]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "resemote_edge", *map(os.fspath, arguments)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def photograph(path, width, height, orientation=1):
    small = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(small).resize((width, height)).save(path, quality=80, exif=exif)
    return path


def peak_bytes(*arguments):
    command = [sys.executable, "-c", PEAK, sys.executable, "-m", "resemote_edge", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.slow
def test_many_photographs_take_the_memory_of_one(tmp_path):
    photographs = [photograph(tmp_path / f"{at}.jpg", 4000, 3000, at) for at in (1, 6)]
    one, forty = peak_bytes("predict", photographs[0]), peak_bytes("predict", *photographs * 20)
    print(f"peak: one {one / 1e6:.0f} MB, forty {forty / 1e6:.0f} MB")
    assert forty < min(600e6, 1.3 * one)


@pytest.mark.slow
def test_a_photograph_of_108_megapixels(tmp_path):
    peak = peak_bytes("predict", photograph(tmp_path / "a.jpg", 12000, 9000, 6))
    print(f"peak: {peak / 1e6:.0f} MB")
    assert peak < 1e9


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: next(iter(encoding.values())))
def test_names_and_encodings_of_streams(encoding, tmp_path):
    names = ["gesicht.png", "g\u00e4hn.png", "\u7b11.png", "caf\udce9.png", "a\nb.png"]
    paths = [save_face(tmp_path / name, number) for number, name in enumerate(names)]
    assert run("predict", *paths, **encoding)
    text = run("predict", *paths, "--json", **encoding)
    found = json.loads(text.decode("utf-16" if encoding.get("PYTHONIOENCODING") == "utf-16" else "ascii"))
    assert [row["image"].encode(errors="surrogateescape") for row in found] == [os.fsencode(path) for path in paths]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_classes_and_encodings_of_streams(encoding, tmp_path):
    root = tmp_path / "caf\udce9"
    for number, label in enumerate(("m\u00fcde", "\u7b11")):
        for index in range(3):
            save_face(root / "test" / label / f"{index}.png", 3 * number + index)
    assert run("data", "inspect", root, LC_ALL="C", PYTHONIOENCODING=encoding)
    report = json.loads(run("data", "inspect", root, "--json", LC_ALL="C", PYTHONIOENCODING=encoding))
    assert report["labels"] == ["m\u00fcde", "\u7b11"]
    assert report["path"].encode(errors="surrogateescape") == os.fsencode(root)
