"""A bundle for this machine: made, installed, stopped, installed again, and removed, without mocks."""

import fcntl
import os
import platform
import random
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from resemote_edge.deploy.board import _board_folder
from resemote_edge.deploy.bundle import BundleRequest, make_bundle
from resemote_edge.errors import ArtifactMismatchError, InputError

ROOT = Path(__file__).parents[2]
TOOLS = ("cmake", "c++", "flock")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the board linux-x86-64 is not this machine"),
    pytest.mark.skipif(find_spec("onnxruntime") is None, reason="pip install 'resemote-edge[onnxruntime]'"),
    pytest.mark.skipif(find_spec("jinja2") is None, reason="pip install 'resemote-edge[bundle]'"),
    *(pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed") for tool in TOOLS),
]


def run(*command: object, **options) -> subprocess.CompletedProcess:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, **options)


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def engine_library() -> Path:
    (path,) = (Path(find_spec("onnxruntime").submodule_search_locations[0]) / "capi").glob("libonnxruntime.so.*.*")
    return path


@pytest.fixture(scope="module")
def prebuilt(tmp_path_factory) -> Path:
    """The native runtime by this machine's compiler, quickly and not for speed; Zig's is in test_qemu.py."""
    folder = tmp_path_factory.mktemp("prebuilt")
    options = {
        "CMAKE_BUILD_TYPE": "Debug",
        "CMAKE_CXX_FLAGS_DEBUG": "-O0",
        "CMAKE_INSTALL_LIBDIR": "lib",
        "RESEMOTE_BACKEND_OPENVINO": "OFF",
        "RESEMOTE_BACKEND_TENSORRT": "OFF",
        "RESEMOTE_BUILD_BENCHMARKS": "OFF",
        "RESEMOTE_BUILD_CAMERA": "OFF",
        "RESEMOTE_BUILD_EXAMPLES": "OFF",
        "CMAKE_DISABLE_FIND_PACKAGE_PNG": "ON",
        "CMAKE_DISABLE_FIND_PACKAGE_JPEG": "ON",
    }
    for command in (
        ["cmake", "-S", ROOT, "-B", folder / "build", *(f"-D{name}={value}" for name, value in options.items())],
        ["cmake", "--build", folder / "build", "--parallel", "2"],
        ["cmake", "--install", folder / "build", "--prefix", folder / "prefix"],
    ):
        done = run(*command)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder / "prefix"


@pytest.fixture(scope="module")
def board(tmp_path_factory) -> Path:
    """The board linux-x86-64 with this machine's glibc, for which its compiler builds."""
    text = (_board_folder() / "linux-x86-64.toml").read_text()
    glibc = os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    path = tmp_path_factory.mktemp("board") / "linux-x86-64.toml"
    path.write_text(text.replace('glibc = "2.28"', f'glibc = "{glibc}"'))
    return path


@pytest.fixture(scope="module")
def made(artifacts, board, prebuilt, engine_library, tmp_path_factory):
    return make_bundle(
        BundleRequest(
            artifacts=[artifacts("cpu-onnxruntime-fp32").path],
            board=str(board),
            output=tmp_path_factory.mktemp("bundles"),
            prebuilt=prebuilt,
            engine_library=engine_library,
        )
    )


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory) -> Path:
    """The folder in the archive, as a board gets it."""
    folder = tmp_path_factory.mktemp("unpacked")
    assert run("tar", "-xf", made.archive, "-C", folder).returncode == 0
    assert tree(folder / made.folder.name) == tree(made.folder)
    return folder / made.folder.name


def install(unpacked: Path, prefix: Path, *words: object) -> subprocess.CompletedProcess:
    return run(unpacked / "install.sh", "--prefix", prefix, "--yes", "--camera", "no", "--bench", "short", *words)


def check_installed(prefix: Path) -> None:
    current = prefix / "current"
    (artifact,) = [path for path in (current / "artifacts").iterdir() if not path.name.startswith("yunet")]
    done = run(
        current / "bin" / "resemote", "verify", artifact, "--backend", "onnxruntime", env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("passed: ")
    assert (current / "bench.json").is_file()
    assert str(prefix) in (current / "resemote-camera.service").read_text()
    assert "@" not in (current / "resemote-camera.service").read_text()
    assert [name for name in tree(prefix) if name.endswith(".part")] == []


def test_a_bundle_installs_twice_and_is_removed(unpacked, tmp_path):
    prefix = tmp_path / "one" / "two"
    done = install(unpacked, prefix)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert f"undo:       {prefix}/uninstall.sh" in done.stdout
    assert "@" not in done.stdout
    check_installed(prefix)
    again = install(unpacked, prefix)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("done before") == 2
    check_installed(prefix)
    removed = run(prefix / "uninstall.sh", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert tree(tmp_path) == set()


def test_a_file_that_was_damaged_on_the_board_is_mended_by_another_run(unpacked, tmp_path):
    prefix = tmp_path / "prefix"
    assert install(unpacked, prefix).returncode == 0
    (passport,) = [
        path for path in (prefix / "current" / "artifacts").rglob("passport.json") if "yunet" not in str(path)
    ]
    passport.write_text("{}")
    again = install(unpacked, prefix)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "done before" not in again.stdout
    check_installed(prefix)


def test_a_run_that_waits_while_the_prefix_is_removed_makes_it_again(unpacked, tmp_path):
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    with (prefix / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            [unpacked / "install.sh", "--prefix", prefix, "--yes", "--camera", "no", "--bench", "none"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert any("waiting for it" in line for line in waiting.stdout)
        shutil.rmtree(prefix)
    output, errors = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, output + errors
    assert run(prefix / "uninstall.sh", "--yes").returncode == 0
    assert not (prefix / "versions").exists()


def test_it_is_killed_at_random_moments_and_goes_on(unpacked, tmp_path):
    prefix = tmp_path / "prefix"
    chance = random.Random(20)
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        command = [unpacked / "install.sh", "--prefix", prefix, "--yes", "--camera", "no", "--bench", "short"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        time.sleep(chance.uniform(0.05, 1.5))
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, number)
        _, words = process.communicate(timeout=60)
        if not ended and number != signal.SIGKILL and process.returncode in {130, 143}:
            assert "Run ./install.sh again to go on" in words
    done = install(unpacked, prefix)
    assert done.returncode == 0, done.stdout + done.stderr
    check_installed(prefix)
    assert run(prefix / "uninstall.sh", "--yes").returncode == 0
    assert tree(tmp_path) == set()


def test_half_an_installation_can_be_removed(unpacked, tmp_path):
    damaged = tmp_path / "bundle"
    shutil.copytree(unpacked, damaged)
    (damaged / "lib" / "libonnxruntime.so").write_bytes(b"no library")
    prefix = tmp_path / "prefix"
    refused = install(damaged, prefix)
    assert refused.returncode == 1
    assert "a file is damaged or missing" in refused.stdout
    assert not prefix.exists()
    failed = install(damaged, prefix, "--ignore-preflight")
    assert failed.returncode == 1
    assert "the self-test of" in failed.stderr
    assert not (prefix / "current").exists()
    assert run(prefix / "uninstall.sh", "--yes").returncode == 0
    assert not prefix.exists()


def test_a_dry_run_prints_every_step_and_changes_nothing(unpacked, tmp_path):
    done = install(unpacked, tmp_path / "prefix", "--dry-run")
    assert done.returncode == 0, done.stderr
    for step in range(1, 9):
        assert f"[{step}/8]" in done.stdout
    assert tree(tmp_path) == set()


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (["--bench", "long"], "'long' is not one of full, short, none", 2),
        (["--fast"], "there is no option '--fast'", 2),
        (["--prefix", "/tmp/a b"], "characters that the service's unit cannot hold", 2),
        (["--engine-library", "/nowhere.so"], "/nowhere.so does not exist", 2),
        (["--bench"], "--bench needs a value", 2),
    ],
)
def test_bad_options_are_one_clear_error(unpacked, tmp_path, words, says, code):
    done = install(unpacked, tmp_path / "prefix", *words)
    assert done.returncode == code
    assert says in done.stderr
    assert tree(tmp_path) == set()


def test_folders_of_others_are_left_alone(unpacked, tmp_path):
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "mine.txt").write_text("mine")
    done = install(unpacked, tmp_path / "prefix")
    assert done.returncode == 1
    assert "holds files that are not resemote's" in done.stderr
    assert tree(tmp_path / "prefix") == {"mine.txt"}
    refused = run(unpacked / "uninstall.sh", "--prefix", tmp_path / "prefix", "--yes")
    assert refused.returncode == 1
    assert "install.sh did not make it" in refused.stderr


def test_an_archive_can_be_reproduced_and_is_not_replaced_unasked(
    made, artifacts, board, prebuilt, engine_library, tmp_path
):
    request = {
        "artifacts": [artifacts("cpu-onnxruntime-fp32").path],
        "board": str(board),
        "output": tmp_path / "out",
        "prebuilt": prebuilt,
        "engine_library": engine_library,
    }
    again = make_bundle(BundleRequest(**request))
    assert again.archive_sha256 == made.archive_sha256
    with pytest.raises(InputError, match="exists"):
        make_bundle(BundleRequest(**request))
    assert make_bundle(BundleRequest(**request, force=True)).archive_sha256 == made.archive_sha256
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [made.folder.name, made.archive.name]


def test_what_a_board_cannot_run_is_refused(artifacts, prebuilt, tmp_path):
    def bundle(recipe: str, board: str, **options) -> None:
        make_bundle(BundleRequest(artifacts=[artifacts(recipe).path], board=board, output=tmp_path, **options))

    with pytest.raises(ArtifactMismatchError, match="it is int8, and the engine computes fp32, fp16 there"):
        bundle("cpu-onnxruntime-int8", "jetson-nano")
    with pytest.raises(ArtifactMismatchError, match="uses ONNX opset 17, and the engine reads 13 and below"):
        bundle("cpu-onnxruntime-fp32", "jetson-nano")
    with pytest.raises(InputError, match="for x86_64, and the board raspberry-pi-5 is aarch64"):
        bundle("cpu-onnxruntime-fp32", "raspberry-pi-5", prebuilt=prebuilt)
    with pytest.raises(InputError, match=r"needs glibc 2\.3"):
        bundle("cpu-onnxruntime-fp32", "linux-x86-64", prebuilt=prebuilt)
    assert tree(tmp_path) == set()
