"""The bundle for a Jetson Nano, compiled by Zig and installed under emulation in a root of Debian's arm64 packages."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typed import resemote_edge

from resemote_edge.deploy.board import find_board, version_numbers
from resemote_edge.deploy.bundle import BundleRequest, make_bundle
from resemote_edge.deploy.elf import read_elf

ROOT = Path(__file__).parents[2]
#: Kept between runs, like everything under build/.
KEPT = ROOT / "build" / "deploy"
#: Later releases crash under emulation, when they are loaded.
ONNXRUNTIME = "onnxruntime==1.23.2"
#: What a shell script needs, and the C++ library for the engine.
PACKAGES = [
    *("libc6", "libc-bin", "libgcc-s1", "libstdc++6", "dash", "coreutils", "grep", "sed", "mawk", "tar", "gzip"),
    *("findutils", "util-linux", "libacl1", "libattr1", "libgmp10", "libselinux1", "libpcre2-8-0", "zlib1g"),
]
APT = """APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Sandbox::User "root";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
"""
RELEASE = "# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, EABI: aarch64, DATE: Sat Feb 19 2022\n"
#: A Cortex-A57, as in the Jetson Nano: engines read this, and would otherwise see the host's.
CORE = """processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd07
CPU revision\t: 1
"""
TOOLS = {
    "cmake": "cmake",
    "proot": "proot",
    "qemu-aarch64-static": "qemu-user-static",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="pip install 'resemote-edge[bundle]'"),
    pytest.mark.skipif(find_spec("jinja2") is None, reason="pip install 'resemote-edge[bundle]'"),
    *(
        pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed (apt install {package})")
        for tool, package in TOOLS.items()
    ),
]


def run(*command: object, **options) -> subprocess.CompletedProcess:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=600, **options)


@pytest.fixture(scope="module")
def wheel() -> Path:
    folder = KEPT / "wheels"
    found = sorted(folder.glob("onnxruntime-*aarch64.whl"))
    if not found:
        platforms = [word for minor in (27, 28) for word in ("--platform", f"manylinux_2_{minor}_aarch64")]
        done = run(
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *platforms,
            "--python-version", "3.11", ONNXRUNTIME, "--dest", folder,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"the aarch64 wheel of {ONNXRUNTIME} cannot be had: {done.stderr.strip()[-200:]}")
        found = sorted(folder.glob("onnxruntime-*aarch64.whl"))
    return found[0]


@pytest.fixture(scope="module")
def board_root(tmp_path_factory) -> Path:
    """A root of its own: Debian's arm64 packages, and the file by which L4T is known."""
    packages = KEPT / "arm64-packages"
    if len(list(packages.glob("*.deb"))) < len(PACKAGES):
        folder = tmp_path_factory.mktemp("apt")
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "apt.conf").write_text(APT.format(folder=folder))
        packages.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
        for words in (("update",), ("download", *PACKAGES)):
            done = run("apt-get", "-q", *words, env=environment, cwd=packages)
            if done.returncode != 0:
                pytest.skip(f"Debian's arm64 packages cannot be had: {done.stderr.strip()[-200:]}")
    root = tmp_path_factory.mktemp("root")
    for package in sorted(packages.glob("*.deb")):
        assert run("dpkg-deb", "-x", package, root).returncode == 0
    for name, target in (("bin/sh", "dash"), ("usr/bin/awk", "mawk")):
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)
    for name in ("etc", "tmp", "proc", "dev"):
        (root / name).mkdir(exist_ok=True)
    (root / "etc" / "nv_tegra_release").write_text(RELEASE)
    return root


@pytest.fixture(scope="module")
def made(artifacts, wheel, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(KEPT / "cache"))
    try:
        return make_bundle(
            BundleRequest(
                artifacts=[artifacts("cpu-onnxruntime-fp32").path],
                board="jetson-nano",
                engine="onnxruntime",
                engine_library=wheel,
                output=tmp_path_factory.mktemp("bundles"),
            )
        )
    finally:
        patch.undo()


def test_prebuilt_files_need_no_newer_glibc_than_the_board_has(made):
    board = find_board("jetson-nano")
    files = [made.folder / "bin" / "resemote", *(made.folder / "lib").glob("*.so*")]
    assert len(files) == 3
    for path in files:
        found = read_elf(path)
        assert found.machine == board.machine
        assert version_numbers(found.glibc) <= version_numbers(board.glibc)
    # What Zig links in must not take the place of the board's own C++ library in engines.
    assert [name for name in read_elf(files[0]).symbols if name.startswith("_Z")] == []
    # Stripped, as the board gets them.
    assert files[0].stat().st_size < 1_000_000


def test_it_installs_in_a_root_of_its_own(made, board_root, tmp_path):
    (tmp_path / "cpuinfo").write_text(CORE)
    shutil.copyfile(made.archive, board_root / "tmp" / "bundle.tar.gz")
    emulated = (
        "proot", "-q", "qemu-aarch64-static -cpu cortex-a57", "-r", board_root, "-b", "/proc", "-b", "/dev",
        "-b", f"{tmp_path / 'cpuinfo'}:/proc/cpuinfo", "-w", "/tmp", "/bin/sh", "-c",
    )  # fmt: skip
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "PROOT_NO_SECCOMP": "1"}
    script = (
        "tar xf bundle.tar.gz && cd resemote-* && ./install.sh --yes --bench short --prefix /opt/board/resemote"
        " && cp /opt/board/resemote/current/bench.json /tmp/bench.json && ./install.sh --yes --bench short --prefix "
        "/opt/board/resemote && /opt/board/resemote/uninstall.sh --yes"
    )
    host = os.environ["PATH"]
    done = run(*emulated, script, env={**environment, "PATH": f"{environment['PATH']}:{host}"})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "ok    L4T 32.7.1" in done.stdout
    assert "passed: 32 golden crops" in done.stdout
    assert "ok    processor: aarch64" in done.stdout
    assert done.stdout.count("done before") == 2
    assert not (board_root / "opt" / "board").exists()
    # The PC reads the board's row, and makes pages of it.
    imported = resemote_edge("bench", "import", board_root / "tmp" / "bench.json", "-o", tmp_path / "report")
    assert imported.returncode == 0, imported.stderr
    assert "single-stream" in (tmp_path / "report" / "bench" / "report.html").read_text()
