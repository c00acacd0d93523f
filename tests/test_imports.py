"""Import-light, proven: in a subprocess, with everything outside the base dependencies made unimportable."""

import json
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from resemote_edge.cli import COMMANDS
from resemote_edge.cli.bench import BENCH_COMMANDS
from resemote_edge.experiments.__main__ import EXPERIMENTS

HEAVY = ["torch", "onnx", "onnxruntime", "openvino", "tensorrt", "tensorrt_rtx", "cuda", "PIL", "click", "msgspec"]

# Blocks every distribution that is not a base dependency, then runs the command line.
BLOCKED = """
import sys
from importlib import metadata
allowed = set({allowed!r})
owners = metadata.packages_distributions()
class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in owners and not any(d.lower().replace("_", "-") in allowed for d in owners[top]):
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=top)
        return None
sys.meta_path.insert(0, Blocker())
sys.argv = ["resemote-edge", *{arguments!r}]
from {entry} as main
main()
"""


def base_distributions() -> list[str]:
    """The base dependencies and what they need in turn."""
    found: set[str] = set()
    waiting = ["resemote-edge"]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return sorted(found)


def run_with_base_only(
    *arguments: str, entry: str = "resemote_edge.cli import main"
) -> subprocess.CompletedProcess[str]:
    code = BLOCKED.format(allowed=base_distributions(), arguments=list(arguments), entry=entry)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_import_pulls_the_standard_library_and_numpy_only():
    code = f"import sys, resemote_edge; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names():
    import resemote_edge

    assert resemote_edge.__all__ == [
        "Box",
        "Emotion",
        "EmotionClassifier",
        "Face",
        "Frame",
        "NativeClassifier",
        "WatchOptions",
        "__version__",
        "find_and_classify",
        "load",
        "open_detector",
        "watch",
    ]
    assert all(hasattr(resemote_edge, name) for name in resemote_edge.__all__)
    assert resemote_edge.NativeClassifier.__module__ == "resemote_edge.runtimes.native.classifier"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        resemote_edge.Nothing
    assert resemote_edge.__version__ == metadata.version("resemote-edge")


@pytest.mark.parametrize(
    "command",
    [
        [],
        *([name] for name in COMMANDS),
        *(["bench", name] for name in BENCH_COMMANDS),
        ["data", "inspect"],
        ["checkpoint", "inspect"],
        ["checkpoint", "pack"],
        ["checkpoint", "expand"],
    ],
)
def test_help_works_with_base_dependencies_and_shows_an_example(command):
    done = run_with_base_only(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert (
        "\n  Example:\n" in done.stdout
    )  # on a line of its own, so click understood the marker that keeps lines apart


@pytest.mark.parametrize("command", [[], *([name] for name in EXPERIMENTS)])
def test_help_of_the_experiments_works_with_base_dependencies_too(command):
    done = run_with_base_only(*command, "--help", entry="resemote_edge.experiments.__main__ import experiments")
    assert done.returncode == 0, done.stderr
    assert "\n  Example:\n" in done.stdout


def test_base_dependencies_run_the_commands_that_need_no_more():
    done = run_with_base_only("runtimes", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in ("pytorch", "onnxruntime", "openvino", "tensorrt"):
        assert not found[name]["available"]
        assert f"pip install 'resemote-edge[{name}]'" in found[name]["hint"]


@pytest.mark.parametrize("command", ["runtimes", "doctor"])
def test_the_cure_survives_the_way_to_the_screen(command):
    done = run_with_base_only(command)
    assert done.returncode == 0, done.stderr
    for name in ("pytorch", "onnxruntime", "openvino", "tensorrt"):
        assert f"resemote-edge[{name}]" in done.stdout  # brackets are markup to the table's library


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["export", "--target", "onnx"], "export,onnxruntime"),
        (["checkpoint", "inspect"], "export"),
        (["checkpoint", "pack", "a.pt", "-o", "b.safetensors", "--dtype", "int8"], "export"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(arguments, extra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_with_base_only(*arguments)
    assert done.returncode == 1
    assert f"pip install 'resemote-edge[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("package", "module"),
    [("openvino", "resemote_edge.runtimes.telemetry"), ("nncf", "resemote_edge.experiments.peers.nncf_default")],
)
def test_telemetry_stays_off(package, module):
    pytest.importorskip(package)
    code = (
        f"import sys; from {module} import import_{package} as get; get('a test');"
        "print([m for m in sys.modules if m.startswith('openvino_telemetry') and sys.modules[m] is not None])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
