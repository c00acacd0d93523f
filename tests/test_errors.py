import ast
import importlib
import pickle
import re
from pathlib import Path

import pytest

import resemote_edge.errors as errors

PACKAGE = Path(errors.__file__).parent


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    for cls in classes:
        assert cls.__name__ in errors.__doc__
        assert issubclass(cls, errors.ResEmoteEdgeError)
        assert cls.__name__ in errors.__all__


def test_a_gate_has_an_exit_code_of_its_own():
    assert errors.GateError.exit_code == 3
    assert errors.ExportError.exit_code == 1


def test_missing_dependency_names_the_extra():
    message = str(errors.missing_dependency("onnx", "export", "exporting"))
    assert "pip install 'resemote-edge[export]'" in message


def test_an_error_carries_its_reason_and_its_hint():
    error = errors.InputError("a.png is missing", hint="pass another path")
    assert (error.reason, error.hint) == ("a.png is missing", "pass another path")
    assert str(error) == "a.png is missing; pass another path"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.reason, again.hint) == (errors.InputError, error.reason, error.hint)
    assert str(errors.InputError("a.png is missing")) == "a.png is missing"
    missing = errors.missing_dependency("torch", "export", "exporting")
    assert missing.reason == "exporting needs the package 'torch', which is not installed"
    assert missing.hint == "run: pip install 'resemote-edge[export]'"


#: torch.load has one error for a file that is not a checkpoint and for one that would run code; only its text differs.
#: (`errors.lack_of_memory` reads the texts of libraries' errors, in one place for all.)
READS_A_MESSAGE = {"models/weights_file.py"}

_TAKING_APART = {"partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith", "find"}


def reads_a_message(source: str) -> bool:
    """Whether a module takes the text of an exception apart, or looks for words in it."""

    def is_text(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str" and bool(names & _names(node))

    tree = ast.parse(source)
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _TAKING_APART and is_text(node.value):
            return True
        if isinstance(node, ast.Compare) and any(map(is_text, node.comparators)):
            return True
        of_a_pattern = isinstance(node, ast.Call) and getattr(getattr(node.func, "value", None), "id", "") == "re"
        if of_a_pattern and any(map(is_text, node.args)):
            return True
    return False


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def test_nobody_reads_the_message_of_an_error():
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if reads_a_message(path.read_text(encoding="utf-8"))
    }
    assert found == READS_A_MESSAGE


def test_the_test_finds_who_reads_a_message():
    assert reads_a_message("try:\n    f()\nexcept E as error:\n    a, _, b = str(error).rpartition('; ')")
    assert reads_a_message("try:\n    f()\nexcept E as error:\n    if 'x' in str(error): pass")
    assert not reads_a_message("try:\n    f()\nexcept E as error:\n    print(str(error), error.hint)")


_CURE = re.compile(r"; |\. [A-Z]|\bpass (-|another)|\bpip install\b|\brun: |\bmake native\b")


def literal(node: ast.AST) -> str:
    """What a string says whatever its values are."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(value) for value in node.values if isinstance(value, ast.Constant))
    return literal(node.left) + literal(node.right) if isinstance(node, ast.BinOp) else ""


def cures_in_reasons(source: str) -> list[int]:
    """Lines of errors of ours whose reason says what to do, which is for the hint to say."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in errors.__all__ and node.args
        if _CURE.search(literal(node.args[0]))
    ]


@pytest.mark.parametrize("module", [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))])
def test_what_to_do_is_in_the_hint(module):
    assert cures_in_reasons((PACKAGE / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        ('InputError(f"{path} exists; remove it")', [1]),
        ('InputError(f"{path} exists. Remove it")', [1]),
        ('InputError("no dataset, pass --data")', [1]),
        ('InputError(f"{path} exists", hint="remove it; or pass --force")', []),
        ("InputError(f\"{path}: {'; '.join(differences)}\")", []),
        ('ValueError("a; b")', []),
    ],
)
def test_a_cure_in_a_reason_is_found(call, lines):
    assert cures_in_reasons(f"raise {call}") == lines


def failure(name):
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_missing_optional_package_is_named_with_its_extra():
    with pytest.raises(errors.MissingDependencyError) as raised, errors.needs("export", "exporting"):
        raise failure("torch.fx")
    assert str(raised.value) == str(errors.missing_dependency("torch", "export", "exporting"))
    with pytest.raises(errors.MissingDependencyError, match="'sympy'"), errors.needs("peers", "it", "sympy"):
        raise failure("sympy")
    with errors.where_installed("matplotlib", "jinja2"):
        raise failure("jinja2")
    with errors.where_installed("matplotlib"):
        raise failure("matplotlib.figure")


def test_a_package_that_cannot_be_loaded_is_not_called_absent(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("import ctypes; ctypes.CDLL('/nowhere/libbroken.so')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.DeviceUnavailableError) as raised, errors.needs("train", "training"):
        importlib.import_module("broken")
    assert raised.value.reason.startswith(
        "training needs a package that is installed and cannot be loaded (/nowhere/lib"
    )
    assert raised.value.hint == "install it again: pip install --force-reinstall 'resemote-edge[train]'"
    with pytest.raises(OSError, match="libbroken"), errors.where_installed("broken"):
        importlib.import_module("broken")


@pytest.mark.parametrize(
    "fault",
    [
        failure("resemote_edge.modles"),
        failure("nunpy"),
        failure(None),
        ImportError("cannot import name 'x' from 'resemote_edge'", name="resemote_edge.errors"),
        FileNotFoundError("a file of ours"),
        ValueError("anything else"),
    ],
    ids=repr,
)
def test_a_fault_of_ours_is_not_taken_for_a_missing_package(fault):
    for context in (errors.needs("export", "exporting"), errors.where_installed("matplotlib")):
        with pytest.raises(type(fault)) as raised, context:
            raise fault
        assert raised.value is fault


def handles_imports(source: str) -> list[int]:
    """Lines of handlers that name an import error, or that name nothing."""
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    of_imports = {"ImportError", "ModuleNotFoundError"}
    return [one.lineno for one in handlers if one.type is None or _names(one.type) & of_imports]


def test_only_the_helpers_handle_import_errors():
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [name for name, source in sources.items() if handles_imports(source)] == ["errors.py"]
    assert handles_imports("try:\n    import x\nexcept (OSError, ImportError):\n    y = 1") == [3]
    assert handles_imports("try:\n    import x\nexcept:\n    y = 1") == [3]


def test_the_optional_packages_are_those_of_the_extras():
    text = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("[project.optional-dependencies]") : text.index("\ndev = [")]
    imported = {
        "pillow": "PIL",
        "cuda-python": "cuda",
        "nvidia-ml-py": "pynvml",
        "opencv-python-headless": "cv2",
        "paho-mqtt": "paho",
        "prometheus-client": "prometheus_client",
        "tensorrt-rtx": "tensorrt_rtx",
    }
    packages = {imported.get(name, name) for name in re.findall(r'"([\w-]+)>=', listed)}
    assert packages | {"markupsafe"} == errors.OPTIONAL  # jinja2 brings markupsafe
