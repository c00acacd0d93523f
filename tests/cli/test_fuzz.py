"""Damaged inputs, on the command line: no input of a user's ends in a bug of ours (exit code 70), or hangs."""

import copy
import json
import random
import shutil
import signal
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_reports import made_up_report, row
from PIL import Image
from typed import exit_code

from resemote_edge.artifacts.prebuilt import prebuilt_path
from resemote_edge.cli import cli
from resemote_edge.models.random_network import random_network

#: Seconds after which a command counts as hanging.
LIMIT_S = 20

ODD_VALUES = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    "",
    "x" * 10_000,
    "\x1b[2J",
    "../../x",
    [],
    {},
    [[]],
    "NaN",
    ["a"],
    {"a": 1},
)

SUITE = """
schema = 1
name = "s"
description = "d"
runtimes = ["onnxruntime"]
batches = [1]
threads = [1]
[[export]]
variant = "nano"
target = "onnx"
precision = "fp32"
"""


def bytes_damaged(raw: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(5)
    place = rng.randrange(len(raw))
    if kind == 0:
        return raw[:place]
    if kind == 1:
        return raw[:place] + bytes([raw[place] ^ 1 << rng.randrange(8)]) + raw[place + 1 :]
    if kind == 2:
        return raw[:place] + bytes(rng.randrange(256) for _ in range(32)) + raw[place + 32 :]
    if kind == 3:
        return raw[:place] + bytes(min(512, len(raw) - place)) + raw[place + 512 :]
    return raw[: place // 2] + raw[place:]


def json_damaged(raw: bytes, rng: random.Random) -> bytes:
    """One value replaced by another, a key left out, or a key too many."""
    root = copy.deepcopy(json.loads(raw))
    places = list(containers(root))
    holder = rng.choice(places)
    key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if isinstance(holder, dict) and rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice(ODD_VALUES)
    return json.dumps(root).encode()


def containers(value: object) -> Iterator[dict | list]:
    if isinstance(value, (dict, list)) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def text_damaged(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.decode().splitlines()
    place = rng.randrange(len(lines))
    odd = rng.choice(
        ["= = =", "threads = [inf]", "batches = [1e400]", "[" * 5000, "\0", "a.b.c = 1", 'name = "\\u0000"', "x = nan"]
    )
    key = lines[place].partition("=")[0].strip() or "name"
    lines[place] = rng.choice([odd, f"{key} = {odd}", f"{key} = -1", f'{key} = ["{odd[:8]}"]', ""])
    return "\n".join(lines).encode()


def make_passport(folder: Path) -> Path:
    shutil.copytree(prebuilt_path(), folder / "artifact")
    return folder / "artifact" / "passport.json"


def make_checkpoint(folder: Path) -> Path:
    torch.save(random_network(4, seed=0).state_dict(), folder / "weights.pt")
    return folder / "weights.pt"


def make_safetensors(folder: Path) -> Path:
    from safetensors.torch import save_file

    save_file(random_network(4, seed=0).state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


def make_image(ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        exif = Image.Exif()
        exif[0x0112] = 6
        exif[0x010E] = "a picture"
        pixels = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"face.{ending}", exif=exif)
        return folder / f"face.{ending}"

    return make


def make_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for split in ("train", "validation", "test"):
            for label in ("happy", "sad"):
                image = Image.fromarray(np.full((48, 48), hash((split, label)) % 200, np.uint8))
                image.save(folder / "one.png")
                archive.write(folder / "one.png", f"{split}/{label}/1.png")
    (folder / "one.png").unlink()
    return folder / "data.zip"


def make_csv(folder: Path) -> Path:
    pixels = " ".join(str(number % 256) for number in range(48 * 48))
    rows = [f"{label},{pixels},{usage}" for usage in ("Training", "PublicTest", "PrivateTest") for label in range(7)]
    (folder / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    return folder / "fer2013.csv"


def make_report(folder: Path) -> Path:
    (folder / "report.json").write_bytes(
        made_up_report(rows=(row("art", "onnxruntime", "single-stream", 1, 2.0),)).to_json()
    )
    return folder / "report.json"


def make_suite(folder: Path) -> Path:
    (folder / "suite.toml").write_text(SUITE)
    return folder / "suite.toml"


CASES = {
    "passport": (
        make_passport,
        json_damaged,
        ["inspect {folder}/artifact", "verify {folder}/artifact --runtime onnxruntime"],
    ),
    "passport bytes": (make_passport, bytes_damaged, ["inspect {folder}/artifact"]),
    "checkpoint": (make_checkpoint, bytes_damaged, ["checkpoint inspect {file}"]),
    "safetensors": (make_safetensors, bytes_damaged, ["checkpoint inspect {file}"]),
    "png": (make_image("png"), bytes_damaged, ["predict {file} --artifact {prebuilt}"]),
    "jpg": (make_image("jpg"), bytes_damaged, ["predict {file} --artifact {prebuilt}"]),
    "webp": (make_image("webp"), bytes_damaged, ["predict {file} --artifact {prebuilt}"]),
    "tif": (make_image("tif"), bytes_damaged, ["predict {file} --artifact {prebuilt}"]),
    "zip": (make_zip, bytes_damaged, ["data inspect {file}"]),
    "csv": (make_csv, bytes_damaged, ["data inspect {file}"]),
    "report": (
        make_report,
        json_damaged,
        ["bench report {file} -o {folder}/out --force", "bench compare {file} {file}"],
    ),
    "suite": (make_suite, text_damaged, ["bench suite {file} -o {folder}/out --dry-run"]),
}


@contextmanager
def ends_in_time(what: str) -> Iterator[None]:
    """Fail if the block takes over `LIMIT_S` seconds, at once if it runs Python, otherwise when it comes back."""

    def hangs(number: int, frame: object) -> None:
        pytest.fail(f"over {LIMIT_S} s: {what}")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", CASES)
def test_damaged_input_is_the_users_not_a_bug_of_ours(name, request, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make, damage, commands = CASES[name]
    file = make(tmp_path)
    whole = file.read_bytes()
    slowest = (0.0, "")
    for number in range(request.config.getoption("--fuzz-rounds")):
        rng = random.Random(f"{name} {number}")
        file.write_bytes(damage(whole, rng))
        for command in commands:
            words = command.format(file=file, folder=tmp_path, prebuilt=prebuilt_path()).split()
            started = time.monotonic()
            with warnings.catch_warnings(), ends_in_time(f"{number}: {command}"):
                warnings.simplefilter("ignore")  # of what an engine thinks of a damaged file
                code = exit_code(cli, *words)
            slowest = max(slowest, (time.monotonic() - started, f"{number}: {command}"))
            said = capsys.readouterr()
            assert code in (0, 1, 2, 3), (number, command, said.err)
            assert "Traceback" not in said.err
            if code:
                assert (said.err or said.out).strip(), (number, command)
    print(f"slowest of {name}: {slowest[0]:.2f} s, {slowest[1]}")
