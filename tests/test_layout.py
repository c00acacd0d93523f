"""The house plan, as far as a program can check it: who may know whom, how large a folder and a module may be.

`ROOMS` is the table of "Who may know whom" in docs/decisions/0001-layout.md. It is checked on the transitive closure of
imports: what a module imports anywhere in it, and what it names as text to be imported later (``module:attribute`` in
the tables of runtimes, targets, datasets and the like).
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAME = "resemote_edge"
PACKAGE = ROOT / NAME

#: Packages that make artifacts, by the name they are imported by.
MAKERS = {"torch", "onnx", "onnxscript", "nncf", "safetensors", "tensorboardX"}

#: Rooms that run on the device.
DEVICE = {"errors", "labels", "classifier", "vision", "artifacts", "runtimes", "faces", "evaluation.paired"}

#: Parts of `runtimes` that makers may use besides their verify stage: facts and interfaces, no session.
PRIMITIVES = {f"runtimes.{name}" for name in ("cpu_features", "cuda_memory", "graph_operations", "telemetry")}

_MEASURING = DEVICE | {"machine", "evaluation", "data", "camera.queue"}
_MODELS = (DEVICE - {"runtimes", "classifier"}) | PRIMITIVES | {"data", "models", "weights"}

#: Room to the rooms and modules its modules may reach, and whether they may reach `MAKERS`.
ROOMS: dict[str, tuple[set[str], bool]] = {
    "errors": (set(), False),
    "labels": ({"errors"}, False),
    "classifier": (DEVICE, False),
    "vision": (DEVICE, False),
    "artifacts": (DEVICE, False),
    "runtimes": (DEVICE, False),
    "faces": (DEVICE, False),
    "camera": (DEVICE | {"camera", "machine"}, False),
    "machine": (DEVICE, False),
    "evaluation": (_MEASURING, False),
    "measuring": (_MEASURING, False),
    "weights": ({"errors"}, False),
    "data": ((DEVICE - {"runtimes", "classifier"}) | {"data"}, False),
    "models": (_MODELS, True),
    "training": (_MODELS | _MEASURING | {"measuring"}, True),
    "export": (_MODELS | {"evaluation", "machine", "measuring"}, True),
    "deploy": (DEVICE, False),
    "benchmarks": (_MEASURING | {"measuring", "weights"}, False),
    "workflows": (_MODELS | _MEASURING | {"measuring", "export", "benchmarks"}, True),
    "cli": (
        _MODELS | _MEASURING | {"measuring", "training", "export", "benchmarks", "workflows", "camera", "deploy"},
        True,
    ),
    "experiments": (
        _MODELS
        | _MEASURING
        | {"measuring", "training", "export", "benchmarks", "workflows", "camera", "deploy", "cli"},
        True,
    ),
}

#: Module to what it alone may import in addition. The walk stops there, because those rooms are checked separately.
EXCEPTIONS: dict[str, set[str]] = {
    "runtimes.pytorch": MAKERS,  # a runtime like the others, whose engine is PyTorch
    "export.verify": {"runtimes", "classifier"},  # the one stage that runs the export
    "export.detectors.verify": {"runtimes"},  # the same for detectors
    "camera.summary": {"measuring"},  # percentiles of latencies are computed in one place
    "export.repair": {"measuring"},  # compares exports, in processes that run them
}

#: Modules side by side in one folder, `__init__` not counted.
FOLDER_LIMIT = 15

#: Folders that may hold more, and why.
CROWDED = {"cli": "a file for each command"}

#: Lines of one module.
MODULE_LIMIT = 400

#: Share of the wheel's Python lines that `benchmarks` may have.
BENCHMARKS_LIMIT = 0.20

_DOTTED = re.compile(rf"{NAME}(\.\w+)+(:\w+)?")


def name_of(path: Path) -> str:
    """``classifier``, ``runtimes.native.library``, or the name of a package; empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: dict[str, Path] = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def named_in(tree: ast.AST) -> Iterator[str]:
    """Everything that a module imports, or names as text to be imported later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            yield node.value.partition(":")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def references(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """Modules of the package, and top-level packages of others, that a source names."""
    ours, others = set(), set()
    for name in named_in(ast.parse(source)):
        top, _, rest = name.partition(".")
        if top != NAME:
            others.add(top)
            continue
        while rest and rest not in MODULES:  # a name in a module, not a module
            rest = rest.rpartition(".")[0]
        ours.add(rest)
        ours.update(rest[:place] for place in range(len(rest)) if rest[place] == ".")  # its packages run first
    return frozenset(ours - {""}), frozenset(others)


@cache
def known_by(module: str) -> tuple[frozenset[str], frozenset[str]]:
    return references(MODULES[module].read_text(encoding="utf-8"))


def within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def trespasses(module: str, source: str | None = None) -> list[str]:
    """Ways from a module to what it may not reach: ``a -> b -> c``.

    Args:
        module: Its dotted name within the package.
        source: In place of what the file holds.
    """
    room = module.partition(".")[0]
    rooms, may_make = ROOMS[room]
    found = []
    waiting, seen = [(module, module)], {module}
    while waiting:
        here, way = waiting.pop()
        ours, others = known_by(here) if source is None or here != module else references(source)
        excepted = EXCEPTIONS.get(here, set())
        if not may_make:
            found += [f"{way} -> {one}" for one in sorted((others & MAKERS) - excepted)]
        for one in sorted(name for name in ours if not within(name, excepted)):
            if not within(one, rooms | {room}) and not is_package_of(one, rooms):
                found.append(f"{way} -> {one}")
            elif one not in seen:
                seen.add(one)
                waiting.append((one, f"{way} -> {one}"))
    return found


def is_package_of(name: str, allowed: set[str]) -> bool:
    """Whether this is the package of something allowed; its own `__init__` then has to hold no imports."""
    return any(one.startswith(f"{name}.") for one in allowed) and known_by(name) == (frozenset(), frozenset())


def test_every_room_is_in_the_table():
    assert {module.partition(".")[0] for module in MODULES} - {"", "__main__"} == set(ROOMS)
    assert set(EXCEPTIONS) <= set(MODULES)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"", "__main__"}))
def test_nobody_reaches_what_they_may_not_know(module):
    assert trespasses(module) == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("vision.frame", "import torch", "vision.frame -> torch"),
        ("classifier", "def f():\n    from resemote_edge.training import loss", "classifier -> training"),
        ("runtimes.openvino", 'A = "resemote_edge.export.verify:verify"', "runtimes.openvino -> export"),
        ("measuring.latency", "from resemote_edge.benchmarks.report import columns", "measuring.latency -> benchmarks"),
        ("export.gate", "from resemote_edge.runtimes.registry import x", "export.gate -> runtimes.registry"),
        ("benchmarks.suite.plan", "import resemote_edge.export.recipe", "benchmarks.suite.plan -> export"),
        ("workflows.demo", "from resemote_edge.experiments.tables import x", "workflows.demo -> experiments"),
        ("cli.bench", "import resemote_edge.experiments.peers", "cli.bench -> experiments"),
        ("machine.state", "import resemote_edge.measuring.latency", "machine.state -> measuring"),
        # An indirect case: a dataset is no maker, but reading one through the training room would reach makers.
        ("artifacts.files", "import resemote_edge.models.graph", "artifacts.files -> models"),
    ],
)
def test_the_test_finds_what_is_forbidden(module, source, found):
    assert any(f"{way} ".startswith((f"{found} ", f"{found}.")) for way in trespasses(module, source))


def test_the_test_finds_what_is_forbidden_behind_something_allowed(monkeypatch):
    # The classifier may know runtimes. If a runtime knows the recipes, the classifier reaches them too.
    monkeypatch.setitem(ROOMS, "runtimes", ({*DEVICE, "export"}, False))
    real = known_by

    def with_a_recipe(module):
        ours, others = real(module)
        return (ours | {"export.recipe"}, others) if module == "runtimes.openvino" else (ours, others)

    monkeypatch.setitem(globals(), "known_by", with_a_recipe)
    assert any("runtimes.openvino -> export.recipe" in way for way in trespasses("classifier"))


def test_no_folder_holds_more_modules_than_the_eye_takes_in():
    counts: dict[str, int] = {}
    for module, path in MODULES.items():
        if path.name not in {"__init__.py", "__main__.py"}:
            folder = module.rpartition(".")[0]
            counts[folder] = counts.get(folder, 0) + 1
    crowded = {folder: count for folder, count in counts.items() if count > FOLDER_LIMIT}
    assert set(crowded) == set(CROWDED), crowded
    from resemote_edge.cli import COMMANDS
    from resemote_edge.cli.bench import BENCH_COMMANDS

    shared = counts["cli"] - len(COMMANDS) - len(BENCH_COMMANDS)
    assert shared <= FOLDER_LIMIT


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_stay_small(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= MODULE_LIMIT


def test_benchmarks_stay_a_fifth_of_the_wheel():
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    carried = {module: count for module, count in lines.items() if not within(module, {"experiments"})}
    share = sum(count for module, count in carried.items() if within(module, {"benchmarks"})) / sum(carried.values())
    assert share < BENCHMARKS_LIMIT


def test_tests_are_laid_out_as_the_package_is():
    own = {"contract", "native", "native/camera", "native/tensorrt", "native/tools", "browser"}
    folders = {path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("*.py")} - {"."}
    assert {folder for folder in folders - own if not (PACKAGE / folder / "__init__.py").is_file()} == set()


@pytest.mark.parametrize("folder", ["export", "runtimes", "benchmarks"])
def test_top_level_folders_hold_no_python(folder):
    # An editable install puts the root on sys.path; Python here would be importable as a package of its own.
    assert list((ROOT / folder).rglob("*.py")) == []


def test_no_image_and_no_large_file_is_tracked():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    assert [path.name for path in files if path.suffix.lower() in {".jpg", ".jpeg", ".bmp", ".csv", ".zip"}] == []
    assert [path.name for path in files if path.is_file() and path.stat().st_size > 45_000_000] == []


def test_the_table_of_folders_matches_the_repository():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for folder in ("resemote_edge", "export", "runtimes", "benchmarks", "tests", "cmake", "docs"):
        assert f"`{folder}/`" in table
        assert (ROOT / folder).is_dir()
