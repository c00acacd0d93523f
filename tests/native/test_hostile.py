"""Hostile artifacts in the C library: damaged files whose hashes are right, and files that are none."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resemote_edge.errors import ArtifactError
from resemote_edge.runtimes.native import structs
from resemote_edge.runtimes.native.library import load_library

DAMAGE = Path(__file__).with_name("open_damaged.py")
BUILD = Path(__file__).parent.parent.parent / "build" / "native-release" / "runtimes" / "libresemote.so"
pytestmark = pytest.mark.skipif(not BUILD.is_file(), reason="libresemote is not built; run: make native")

#: Recipe of the artifact, file that is damaged, backend that opens it.
KINDS = {
    "passport": ("cpu-onnxruntime-fp32", "passport.json", "onnxruntime"),
    "passport with IR": ("cpu-openvino-fp32", "passport.json", "openvino"),
    "ONNX in ONNX Runtime": ("cpu-onnxruntime-fp32", "model.onnx", "onnxruntime"),
    "ONNX in OpenVINO": ("cpu-onnxruntime-fp32", "model.onnx", "openvino"),
    "IR": ("cpu-openvino-fp32", "model.xml", "openvino"),
    "IR's weights": ("cpu-openvino-fp32", "model.bin", "openvino"),
    "golden crops": ("cpu-onnxruntime-fp32", "golden_crops.npy", "onnxruntime"),
    "golden logits": ("cpu-onnxruntime-fp32", "golden_logits.npy", "onnxruntime"),
}
LIMIT_S = 20
LIMIT_MIB = 3000
INTERNAL = "ff"


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_artifacts_end_in_a_status_and_nothing_else(kind, request, artifacts, tmp_path):
    recipe, file, backend = KINDS[kind]
    source = artifacts(recipe).path
    # A copy takes milliseconds, so there are more of them than of those that whole commands open.
    wanted = 4 * request.config.getoption("--fuzz-rounds")
    ends: list[list[str]] = []
    died, peaks = [], []
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    while len(ends) + len(died) < wanted:
        first = len(ends) + len(died)
        child = subprocess.run(
            [sys.executable, DAMAGE, source, file, backend, tmp_path / "copy", str(first),
             str(wanted - first)],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths},
            timeout=60 + LIMIT_S * wanted,
        )  # fmt: skip
        lines = [line.split(maxsplit=3) for line in child.stdout.splitlines()]
        peaks += [int(line[1]) for line in lines if line[0] == "peak"]
        ends += [line for line in lines if len(line) > 2]
        if child.returncode:
            died.append(f"{lines[-1][0] if lines else first}: {child.returncode} {child.stderr[-300:]}")
    assert died == []
    assert [end for end in ends if INTERNAL in end[1].split(",")] == []
    assert [end for end in ends if float(end[2]) > LIMIT_S] == []
    assert all(len(end) == 4 for end in ends)  # each says something
    assert max(peaks) < LIMIT_MIB
    right = sum(end[3] == "right" for end in ends)
    print(f"{kind}: {len(ends)} copies, {right} right, {len(ends) - right} refused, peak {max(peaks)} MiB")


@pytest.fixture
def copy(artifacts, tmp_path) -> Path:
    return Path(shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "copy"))


def open_native(path: Path) -> None:
    library = load_library()
    handle = structs.ctypes.c_void_p()
    options = library.session_options("auto", 1)
    library.check(library.functions.resemote_session_create(os.fsencode(path), options, handle))
    library.check(library.functions.resemote_session_destroy(handle))


def listed(copy: Path) -> list[str]:
    return ["passport.json", *(entry["path"] for entry in json.loads((copy / "passport.json").read_text())["files"])]


@pytest.mark.parametrize(
    "thing", ["fifo", "folder", "device", "link out", "link to nothing", "no permission", "socket"]
)
@pytest.mark.parametrize("name", ["passport.json", "model.onnx", "golden_crops.npy", "golden_logits.npy"])
def test_what_is_no_regular_file_of_the_folder_is_refused_at_once(thing, name, copy, tmp_path, monkeypatch):
    assert name in listed(copy)
    open_native(copy)
    path = copy / name
    kept = tmp_path / "kept"
    path.rename(kept)
    if thing == "fifo":
        os.mkfifo(path)
    elif thing == "folder":
        path.mkdir()
    elif thing == "device":
        path.symlink_to("/dev/zero")
    elif thing == "link out" and name != "passport.json":
        path.symlink_to(kept)
    elif thing == "link to nothing":
        path.symlink_to("nothing")
    elif thing == "no permission" and os.geteuid() != 0:
        shutil.copy(kept, path)
        path.chmod(0)
    elif thing == "socket":
        monkeypatch.chdir(copy)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(name)
    else:
        pytest.skip("a passport may be a link, and root may read everything")
    with pytest.raises(ArtifactError):
        open_native(copy)


def test_a_link_within_the_folder_is_followed(copy):
    (copy / "model.onnx").rename(copy / "real.onnx")
    (copy / "model.onnx").symlink_to("real.onnx")
    open_native(copy)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a/b", "", "model.onnx\0", "/dev/zero"])
@pytest.mark.parametrize("field", ["files", "crops", "logits"])
def test_names_that_leave_the_folder_are_refused(field, name, copy):
    passport = json.loads((copy / "passport.json").read_text())
    if field == "files":
        passport["files"][-1]["path"] = name
    else:
        passport["golden"][field] = name
    (copy / "passport.json").write_text(json.dumps(passport))
    with pytest.raises(ArtifactError, match="not a valid passport"):
        open_native(copy)
