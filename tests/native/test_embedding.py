"""The C library inside other projects: as a part of their build, installed, shared and static."""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROJECTS = Path(__file__).parent / "embedding"
BUILD = ROOT / "build" / "native-release"
HEADERS = {f"include/resemote/{path.name}" for path in (ROOT / "runtimes" / "include" / "resemote").iterdir()}
INVALID = 0x20

pytestmark = [
    pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed"),
    pytest.mark.skipif(not Path("/usr/include/nlohmann/json.hpp").is_file(), reason="nlohmann-json is not installed"),
]
needs_library = pytest.mark.skipif(
    not (BUILD / "runtimes" / "libresemote.so").is_file(), reason="libresemote is not built; run: make native"
)
needs_pkg_config = pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")


def run(*command: object, **options) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def backends(program: Path) -> list[str]:
    return [line.partition(":")[0] for line in run(program).splitlines()]


def answer(plugin: Path, artifact: Path) -> int:
    """Load a plugin in a process of its own, as it carries another copy of the library, and let it open an artifact."""
    code = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).plugin_answer(sys.argv[2].encode()))"
    return int(run(sys.executable, "-c", code, plugin, artifact))


@pytest.fixture(scope="module")
def parent(tmp_path_factory) -> Path:
    """Build folder of a project that has the library as a part, with settings of its own that get in the way."""
    folder = tmp_path_factory.mktemp("parent")
    run("cmake", "-S", PROJECTS, "-B", folder, f"-DRESEMOTE_SOURCE={ROOT}", "-DRESEMOTE_PYTHON=/nonexistent")
    run("cmake", "--build", folder, "--parallel", 2)
    return folder


@pytest.fixture(scope="module")
def static(parent, tmp_path_factory) -> Path:
    """Prefix with the static library, moved after the installation."""
    folder = tmp_path_factory.mktemp("static")
    run("cmake", "--install", parent, "--prefix", folder / "installed")
    return (folder / "installed").rename(folder / "moved")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """Prefix with the shared library that `make native` builds, moved after the installation."""
    folder = tmp_path_factory.mktemp("shared")
    run("cmake", "--install", BUILD, "--prefix", folder / "installed")
    return (folder / "installed").rename(folder / "moved")


@pytest.fixture(params=["static", pytest.param("shared", marks=needs_library)])
def installed(request) -> Path:
    return request.getfixturevalue(request.param)


def test_a_project_above_keeps_its_settings_and_links_a_program_and_a_plugin(parent, tmp_path):
    # The project itself fails to configure if a setting of its own has changed.
    assert backends(parent / "program") == ["tensorrt", "onnxruntime", "openvino"]
    assert answer(next(parent.glob("*plugin.so")), tmp_path) == -INVALID
    assert (parent / "resemote" / "runtimes" / "libresemote.a").is_file()


def test_a_plugin_shows_no_symbol_of_the_librarys_inside(parent):
    lines = run("nm", "--dynamic", "--defined-only", "--demangle", next(parent.glob("*plugin.so"))).splitlines()
    names = [line.split(maxsplit=2)[2] for line in lines]
    assert "plugin_answer" in names
    # Templates of the standard library for our types are visible, as they always are.
    assert [name for name in names if name.startswith(("resemote_internal", "nlohmann"))] == []


def test_an_installed_package_links_a_program_and_a_plugin(installed, tmp_path):
    run("cmake", "-S", PROJECTS / "installed", "-B", tmp_path, f"-DRESEMOTE_SOURCE={ROOT}",
        f"-DCMAKE_PREFIX_PATH={installed}")  # fmt: skip
    run("cmake", "--build", tmp_path)
    assert backends(tmp_path / "program") == ["tensorrt", "onnxruntime", "openvino"]
    assert answer(next(tmp_path.glob("*plugin.so")), tmp_path) == -INVALID


@needs_pkg_config
def test_pkg_config_links_a_program(installed, tmp_path):
    (folder,) = (path.parent for path in installed.rglob("resemote.pc"))
    environment = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
    how = [] if list(installed.rglob("*.so*")) else ["--static"]
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", *how, "resemote", env=environment))
    source = ROOT / "runtimes" / "examples" / "classify_image.c"
    run("cc", "-std=c99", "-Werror", "-Wall", source, *flags, "-o", tmp_path / "program")
    done = subprocess.run(
        [tmp_path / "program"], env={**environment, "LD_LIBRARY_PATH": str(folder.parent)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "usage" in done.stderr.lower()
    version = run("pkg-config", "--modversion", "resemote", env=environment).strip()
    assert f'__version__ = "{version}' in (ROOT / "resemote_edge" / "__init__.py").read_text()


@needs_library
def test_components_split_the_installation(tmp_path):
    for component in ("runtime", "dev"):
        script = BUILD / "cmake_install.cmake"
        run("cmake", f"-DCMAKE_INSTALL_PREFIX={tmp_path / component}", f"-DCMAKE_INSTALL_COMPONENT={component}",
            "-P", script)  # fmt: skip
    runtime = {Path(name).name for name in files_below(tmp_path / "runtime")}
    assert all(re.fullmatch(r"libresemote\.so\.\d+\.\d+(\.\d+)?", name) for name in runtime)
    assert len(runtime) == 2
    dev = files_below(tmp_path / "dev")
    assert dev >= HEADERS
    assert {"libresemote.so", "resemote.pc", "resemoteConfig.cmake"} <= {Path(name).name for name in dev}
    assert not any(re.search(r"\.so\.\d", name) for name in dev)


@needs_pkg_config
def test_an_absolute_library_folder_and_another_prefix(parent, tmp_path):
    libraries, prefix = tmp_path / "anywhere" / "lib64", tmp_path / "prefix"
    run("cmake", "-S", PROJECTS, "-B", parent, f"-DCMAKE_INSTALL_LIBDIR={libraries}")
    try:
        run("cmake", "--install", parent, "--prefix", prefix)
    finally:
        run("cmake", "-S", PROJECTS, "-B", parent, "-DCMAKE_INSTALL_LIBDIR=lib")
    assert (libraries / "libresemote.a").is_file()
    assert files_below(prefix) >= HEADERS
    environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "resemote", env=environment).split()
    assert {f"-I{prefix}/include", f"-L{libraries}"} <= set(flags)
    run("cmake", "-S", PROJECTS / "installed", "-B", tmp_path / "user", f"-DRESEMOTE_SOURCE={ROOT}",
        f"-DCMAKE_PREFIX_PATH={prefix}")  # fmt: skip
    run("cmake", "--build", tmp_path / "user")
    assert backends(tmp_path / "user" / "program") == ["tensorrt", "onnxruntime", "openvino"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("// 2.1.1 has no macros\n", "before 3.0"),
        (
            "#define NLOHMANN_JSON_VERSION_MAJOR 3\n#define NLOHMANN_JSON_VERSION_MINOR 6\n"
            "#define NLOHMANN_JSON_VERSION_PATCH 1\n",
            r"3\.6\.1",
        ),
        (None, "not found"),
    ],
    ids=["2.1.1", "3.6.1", "none"],
)
def test_an_old_json_library_is_refused_with_the_cure(header, found, tmp_path):
    include = tmp_path / "include" / "nlohmann"
    include.mkdir(parents=True)
    if header is not None:
        (include / "json.hpp").write_text(header)
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", tmp_path / "build", f"-DNLOHMANN_JSON_INCLUDE_DIR={include.parent}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    message = " ".join(done.stderr.split())
    assert done.returncode != 0
    assert re.search(found, message)
    assert "3.7.3 or later" in message
    assert "-DNLOHMANN_JSON_INCLUDE_DIR=" in message


@pytest.fixture(scope="module")
def old_cmake(tmp_path_factory) -> Path:
    """CMake 3.10 of JetPack 4.6: a program, or the wheel of it that the package index has."""
    chosen = os.environ.get("RESEMOTE_OLD_CMAKE")
    if not chosen:
        pytest.skip("RESEMOTE_OLD_CMAKE names no CMake 3.10 and no wheel of one (pip download cmake==3.10.3)")
    if not chosen.endswith(".whl"):
        return Path(chosen)
    folder = tmp_path_factory.mktemp("cmake")
    with zipfile.ZipFile(chosen) as wheel:
        wheel.extractall(folder)
    (program,) = folder.rglob("bin/cmake")
    program.chmod(0o755)
    return program


@pytest.mark.slow
def test_the_oldest_cmake_configures_builds_and_installs_everything(old_cmake, tmp_path):
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    build.mkdir()
    assert "cmake version 3.10" in run(old_cmake, "--version")
    run(old_cmake, f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DRESEMOTE_PYTHON={sys.executable}",
        "-DCMAKE_BUILD_TYPE=Debug", ROOT, cwd=build)  # fmt: skip
    run("make", "-j2", cwd=build)
    run("make", "install", cwd=build)
    assert files_below(prefix) >= HEADERS
    (library,) = prefix.rglob("libresemote.so")
    assert ctypes.CDLL(str(library)).resemote_abi_version() == 1
    user = tmp_path / "user"
    user.mkdir()
    run(old_cmake, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DRESEMOTE_SOURCE={ROOT}", PROJECTS / "installed", cwd=user)
    run("make", cwd=user)
    assert backends(user / "program") == ["tensorrt", "onnxruntime", "openvino"]
