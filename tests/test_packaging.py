"""What a wheel carries: the package, its weights, recipes and prebuilt artifact; and that it works on its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from face_files import save_face
from PIL import Image
from portrait_frames import PLACES, crowd

from resemote_edge.artifacts.prebuilt import PREBUILT_NAME
from resemote_edge.deploy.sources import source_files
from resemote_edge.labels import RESEMOTENET

ROOT = Path(__file__).resolve().parents[1]

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")


def build_wheel(folder, **environment):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})


def carried(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = build_wheel(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def native_wheel(tmp_path_factory):
    """The wheel of `make native-wheel`: built with the library, then given the tag of the oldest glibc it runs with."""
    folder = tmp_path_factory.mktemp("native")
    done = build_wheel(folder, RESEMOTE_EDGE_NATIVE="1", CMAKE_ARGS="-DCMAKE_CXX_FLAGS=-Werror")
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*-py3-none-linux_*.whl")
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    command = [tools / "auditwheel", "repair", "--wheel-dir", folder / "repaired", built]
    repaired = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert repaired.returncode == 0, repaired.stderr
    (path,) = (folder / "repaired").glob("*.whl")
    return path


def test_the_wheel_is_pure_and_carries_exactly_the_package(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    names = carried(wheel)
    checkout = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "resemote_edge").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "experiments" not in path.parts
    }
    recipes = {
        f"resemote_edge/export/recipes/{path.relative_to(ROOT / 'export')}"
        for path in (ROOT / "export").rglob("*.toml")
    }
    assert "resemote_edge/export/recipes/boards/jetson-nano.toml" in recipes
    # What 'resemote-edge bundle' compiles, and carries to boards.
    sources = {
        f"resemote_edge/deploy/native_sources/{name}" for name in source_files() if name != "resemote_edge/__init__.py"
    }
    assert "resemote_edge/deploy/native_sources/runtimes/tools/main.cpp" in sources
    assert names == checkout | recipes | sources


def test_recipes_are_found_in_an_installed_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from resemote_edge.export.recipe import available_recipes, find_recipe\n"
        "import resemote_edge; print(resemote_edge.__file__)\n"
        "print(*[find_recipe(name).name for name in available_recipes()])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    origin, recipes = done.stdout.splitlines()
    assert origin.startswith(str(tmp_path))
    assert recipes.split() == sorted(path.stem for path in (ROOT / "export").glob("*.toml"))


@pytest.fixture(scope="module")
def device(wheel, tmp_path_factory):
    """The Python of a fresh environment with the wheel and what a device installs to classify images: no torch."""
    folder = tmp_path_factory.mktemp("device")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--constraint", ROOT / "constraints.txt", f"{wheel}[onnxruntime,images]"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a fresh environment cannot be had: {done.stderr.strip()[-200:]}")
    return folder / "bin" / "python"


def run_on(device, *arguments, cwd):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "RESEMOTE_"))}
    done = subprocess.run([device, *arguments], cwd=cwd, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def test_a_device_without_torch_classifies_a_face(device, tmp_path):
    save_face(tmp_path / "face.png", 0, side=96, mode="RGB")
    done = run_on(device, "-m", "resemote_edge", "predict", "--crop", "face.png", "--json", cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    assert (row["artifact"], row["runtime"], row["device"]) == (PREBUILT_NAME, "onnxruntime", "cpu")
    assert row["label"] in RESEMOTENET
    assert done.stderr == f"using the prebuilt artifact {PREBUILT_NAME}\n"


def test_a_device_without_torch_and_opencv_finds_faces(device, tmp_path):
    Image.fromarray(crowd()).save(tmp_path / "photo.png")
    done = run_on(device, "-m", "resemote_edge", "predict", "photo.png", "--draw", "drawn.png", "--json", cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    assert row["detector"] == "yunet"
    assert len(row["faces"]) == len(PLACES)
    assert (tmp_path / "drawn.png").is_file()
    assert (
        run_on(device, "-c", "import importlib.util as u; print(u.find_spec('cv2'))", cwd=tmp_path).stdout == "None\n"
    )


def test_a_device_without_torch_loads_the_prebuilt_artifact(device, tmp_path):
    code = (
        "import importlib.util, sys\n"
        "assert importlib.util.find_spec('torch') is None\n"
        "import numpy as np, resemote_edge\n"
        "assert resemote_edge.__file__.startswith(sys.prefix)\n"
        "with resemote_edge.load() as classifier:\n"
        "    print(classifier.passport.name, len(classifier(np.zeros((64, 64), np.uint8), color='gray')))"
    )
    assert run_on(device, "-c", code, cwd=tmp_path).stdout.split() == [PREBUILT_NAME, "1"]


@pytest.mark.slow
@needs_cmake
def test_a_native_wheel_is_the_pure_one_and_the_library(wheel, native_wheel):
    # It is for any Python 3, and for machines with a glibc at least as new as the library's.
    assert re.search(r"-py3-none-manylinux_2_\d+_\w+\.whl$", native_wheel.name)
    assert carried(native_wheel) - carried(wheel) == {"resemote_edge/runtimes/native/libresemote.so"}
    assert carried(wheel) <= carried(native_wheel)


@needs_cmake
@pytest.mark.slow
def test_an_installed_native_wheel_runs_its_own_library(native_wheel, artifacts, tmp_path):
    with zipfile.ZipFile(native_wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np\n"
        "from resemote_edge.vision.frame import Box, Frame\n"
        "from resemote_edge.runtimes.native.classifier import NativeClassifier\n"
        "from resemote_edge.runtimes.native.library import load_library\n"
        "print(load_library().path)\n"
        "print(*load_library().backends())\n"
        f"with NativeClassifier({str(artifacts('cpu-openvino-fp32').path)!r}) as classifier:\n"
        "    frame = Frame(np.zeros((80, 80, 3), np.uint8), 'bgr')\n"
        "    print(len(classifier.classify(frame, [Box(0, 0, 64, 64)] * 2)))"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RESEMOTE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    path, backends, faces = done.stdout.splitlines()
    assert path == str(tmp_path / "resemote_edge" / "runtimes" / "native" / "libresemote.so")
    assert backends.split() == ["tensorrt", "onnxruntime", "openvino"]
    assert faces == "2"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RESEMOTE_EDGE_NATIVE": "yes"}, "RESEMOTE_EDGE_NATIVE is 'yes'; set it to 1"),
        pytest.param(
            {
                "RESEMOTE_EDGE_NATIVE": "1",
                "CMAKE_ARGS": "-DOpenVINOHeaders_INCLUDE_DIR=NOTFOUND -DRESEMOTE_PYTHON=false",
            },
            "backend openvino: its headers were not found",
            marks=needs_cmake,
        ),
    ],
    ids=["unknown value", "no headers"],
)
def test_a_native_wheel_that_cannot_be_built_says_why(environment, message, tmp_path):
    done = build_wheel(tmp_path, **environment)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert list(tmp_path.glob("*.whl")) == []
