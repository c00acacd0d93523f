"""Fixtures: a small random network, its artifacts, and FER2013 if it is available."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
import torch

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.data.calibration import drawn_calibration
from resemote_edge.data.locate import FER2013_VARIABLE, find_fer2013
from resemote_edge.export.context import ExportContext
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.quantize.quantization import calibrate
from resemote_edge.export.quantize.recorded import recorded_path, write_recorded
from resemote_edge.export.recipe import Recipe, find_recipe
from resemote_edge.export.targets import TARGETS
from resemote_edge.labels import FER2013, RESEMOTENET
from resemote_edge.models.checkpoint import Checkpoint, load_checkpoint
from resemote_edge.models.random_network import random_network
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.runtimes.cpu_features import int8_sums_saturate
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import to_gray

# The tests share the cores with those of other workers: one thread, and in the processes that they start no thread that
# waits busily for its like.
torch.set_num_threads(1)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-runtime",
        action="append",
        default=[],
        help="fail instead of skipping the contract tests of this runtime where it is not available",
    )
    parser.addoption(
        "--fuzz-rounds",
        type=int,
        default=12,
        help="damaged copies that tests/cli/test_fuzz.py and test_damaged_models.py make of each input "
        "(default: %(default)s)",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=2,
        help="moments at which tests/cli/test_kills.py kills each command (default: %(default)s)",
    )
    parser.addoption(
        "--load-cycles",
        type=int,
        default=30,
        help="times that tests/runtimes/test_growth.py opens and closes a session of each runtime; it makes a hundred "
        "times as many calls (default: %(default)s)",
    )


#: Files that take minutes. One worker runs each, so they start first; a late one would leave the other workers idle.
LONG_FILES = (
    "test_accuracy_contract.py",
    "test_readme.py",
    "test_suite_exports.py",
    "test_trainer.py",
    "test_command.py",
    "test_commands.py",
    "test_build.py",
    "test_demo.py",
    "test_fuzz.py",
    "test_tensorrt_headers.py",
    "test_aarch64.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def skip_unless_it_runs_here(recipe: str) -> None:
    """For recipes whose int8 sums OpenVINO would clip on this CPU, and whose artifacts it therefore refuses."""
    if (
        any(recipe == f"{info.recipes}-{each}" for info in TARGETS.values() for each in info.without_vnni)
        and int8_sums_saturate()
    ):
        pytest.skip(f"{recipe}: this CPU has no VNNI")


#: Package that a target's artifacts need. A machine that is only used for its GPU may lack it.
TARGET_PACKAGES = {"openvino": "openvino", "tensorrt": "tensorrt_rtx"}


def skip_unless_it_is_made_here(recipe: Recipe) -> None:
    package = TARGET_PACKAGES.get(recipe.target)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"{recipe.name}: package {package!r} is not installed")


@pytest.fixture(scope="session")
def network() -> ResEmoteNet:
    return random_network()


@pytest.fixture(scope="session")
def checkpoint_path(network: ResEmoteNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.pt"
    torch.save({"model_state_dict": network.state_dict()}, path)
    saved = load_checkpoint(path, RESEMOTENET)
    chosen = drawn_calibration(64)
    write_recorded(saved, calibrate(saved, chosen), chosen.manifest, recorded_path(path))
    return path


@pytest.fixture(scope="session")
def checkpoint(checkpoint_path: Path) -> Checkpoint:
    return load_checkpoint(checkpoint_path, RESEMOTENET)


@pytest.fixture(scope="session")
def artifacts(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Artifact]:
    """Artifact of the small network by recipe name and changes to the recipe's graph; exported once.

    Not to be changed: copy it first.
    """
    folder = tmp_path_factory.mktemp("artifacts")
    made: dict[str, Artifact] = {}
    context = ExportContext()

    def get(name: str, **graph: Any) -> Artifact:
        skip_unless_it_runs_here(name)
        key = "-".join([name, *map(str, graph.values())])
        if key not in made:
            recipe = find_recipe(name)
            skip_unless_it_is_made_here(recipe)
            recipe = msgspec.structs.replace(recipe, graph=msgspec.structs.replace(recipe.graph, **graph))
            request = ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=folder / key)
            made[key] = export_artifact(request, context=context)
        return made[key]

    return get


@pytest.fixture
def with_nan(artifacts: Callable[..., Artifact], tmp_path: Path) -> Callable[..., Artifact]:
    """A function from a recipe whose artifact holds ONNX to a copy of the artifact in which one weight is NaN."""

    def get(name: str, **graph: Any) -> Artifact:
        folder = tmp_path / f"{name}-nan"
        shutil.copytree(artifacts(name, **graph).path, folder)
        model = onnx.load(folder / "model.onnx")
        tensor = next(tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT)
        values = onnx.numpy_helper.to_array(tensor).copy()
        values.flat[0] = np.nan
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        content = model.SerializeToString()
        (folder / "model.onnx").write_bytes(content)
        passport = json.loads((folder / "passport.json").read_bytes())
        entry = next(entry for entry in passport["files"] if entry["path"] == "model.onnx")
        entry.update(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        (folder / "passport.json").write_text(json.dumps(passport))
        return Artifact.load(folder)

    return get


@pytest.fixture(scope="session")
def fer2013() -> Path:
    path = find_fer2013()
    if path is None:
        pytest.skip(f"FER2013 is not at hand; set {FER2013_VARIABLE} to fer2013.csv, a folder or a zip")
    return path


@pytest.fixture
def tiny_fer2013(tmp_path: Path) -> Path:
    """A dataset in FER2013's folder layout: two noise images per split and class."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for split in ("train", "validation", "test"):
        for label in FER2013:
            folder = tmp_path / "fer" / split / {"anger": "angry"}.get(label, label)
            folder.mkdir(parents=True)
            for index in range(2):
                Image.fromarray(rng.integers(0, 256, (48, 48), dtype=np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "fer"


@pytest.fixture(scope="session")
def drawn_fer2013(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in FER2013's folder layout, of drawn faces: enough to calibrate on and for the accuracy gate."""
    from PIL import Image

    root = tmp_path_factory.mktemp("drawn")
    for seed, (split, count) in enumerate({"train": 525, "validation": 700, "test": 70}.items()):
        for index, face in enumerate(drawn_faces(count, seed=100 + seed)):
            folder = root / split / {"anger": "angry"}.get(FER2013[index % 7], FER2013[index % 7])
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(to_gray(face, "rgb")).save(folder / f"{index}.png")
    return root


@pytest.fixture(autouse=True)
def _no_user_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests do not depend on the terminal and the locale.
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
