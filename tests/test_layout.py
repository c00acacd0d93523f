"""The house plan, as far as a program can check it."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "resemote_edge"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return names


def touches(path: Path, *packages: str) -> set[str]:
    return {name for name in imported(path) for package in packages if f"{name}.".startswith(f"{package}.")}


@pytest.mark.parametrize("folder", ["export", "runtimes", "benchmarks"])
def test_top_level_folders_hold_no_python(folder):
    # An editable install puts the root on sys.path; Python here would be importable as a package of its own.
    assert list((ROOT / folder).rglob("*.py")) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


DEVICE_ROOMS = [
    *(PACKAGE / "runtimes").glob("*.py"),
    PACKAGE / "artifact.py",
    PACKAGE / "passport.py",
    PACKAGE / "preprocessing.py",
    PACKAGE / "classifier.py",
    PACKAGE / "cuda_memory.py",
    PACKAGE / "self_test.py",
]


@pytest.mark.parametrize("module", DEVICE_ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_runs_on_a_device_knows_nothing_of_training_and_export(module):
    forbidden = ["onnx", "nncf", "resemote_edge.models", "resemote_edge.training", "resemote_edge.export"]
    if module.name != "pytorch.py":
        forbidden.append("torch")
    assert touches(module, *forbidden) == set()


@pytest.mark.parametrize("module", sorted((PACKAGE / "export").rglob("*.py")), ids=lambda path: path.name)
def test_export_uses_runtimes_in_its_verify_stage_only(module):
    if module.name != "verify.py":
        assert touches(module, "resemote_edge.runtimes") == set()


@pytest.mark.parametrize("module", sorted((PACKAGE / "benchmarks").rglob("*.py")), ids=lambda path: path.name)
def test_benchmarks_use_artifacts_never_exporters(module):
    forbidden = ["resemote_edge.export"]
    if module == PACKAGE / "benchmarks" / "probes" / "pytorch.py":  # a probe times what its engine can do at best
        forbidden += ["resemote_edge.models"]
    elif module.parent.name != "peers":  # peers go through other people's exporters: docs/decisions/0006-peers.md
        forbidden += ["resemote_edge.models", "torch", "onnx", "onnxscript", "nncf"]
    assert touches(module, *forbidden) == set()


def test_no_image_and_no_large_file_is_tracked():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    assert [path.name for path in files if path.suffix.lower() in {".jpg", ".jpeg", ".bmp", ".csv", ".zip"}] == []
    assert [path.name for path in files if path.is_file() and path.stat().st_size > 45_000_000] == []


def test_readme_table_of_folders_matches_the_repository():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in ("resemote_edge", "export", "runtimes", "benchmarks", "tests", "cmake", "docs"):
        assert f"`{folder}/`" in readme
        assert (ROOT / folder).is_dir()
