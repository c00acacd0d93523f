import ast
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
READS_A_MESSAGE = {"models/checkpoint.py"}

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


def failure(name):
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_missing_optional_package_is_named_with_its_extra():
    found = errors.missing_package(failure("torch.fx"), "export", "exporting")
    assert str(found) == str(errors.missing_dependency("torch", "export", "exporting"))
    with errors.where_installed("matplotlib", "jinja2"):
        raise failure("jinja2")
    with errors.where_installed("matplotlib"):
        raise failure("matplotlib.figure")


@pytest.mark.parametrize("name", ["resemote_edge.modles", "nunpy", None])
def test_a_fault_of_ours_is_not_taken_for_a_missing_package(name):
    with pytest.raises(ModuleNotFoundError):
        errors.missing_package(failure(name), "export", "exporting")
    with pytest.raises(ModuleNotFoundError), errors.where_installed("matplotlib"):
        raise failure(name)
    with pytest.raises(ImportError, match="cannot import name"), errors.where_installed("matplotlib"):
        raise ImportError("cannot import name 'x' from 'resemote_edge'", name="resemote_edge")


def hides_our_faults(source: str) -> list[int]:
    """Lines of handlers of import errors that say nothing, or that are around modules of ours and ask no helper."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Try):
            continue
        ours = any(
            isinstance(one, (ast.Import, ast.ImportFrom)) and "resemote_edge" in ast.unparse(one)
            for statement in node.body
            for one in ast.walk(statement)
        )
        for handler in node.handlers:
            if handler.type is None or not _names(handler.type) & {"ImportError", "ModuleNotFoundError"}:
                continue
            silent = all(isinstance(statement, ast.Pass) for statement in handler.body)
            if silent or (ours and "missing_package" not in ast.unparse(handler)):
                found.append(handler.lineno)
    return found


def test_no_handler_hides_a_fault_of_ours():
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, source in sources.items() if (lines := hides_our_faults(source))} == {}
    assert hides_our_faults("try:\n    draw()\nexcept ImportError:\n    pass") == [3]
    assert hides_our_faults("try:\n    import resemote_edge.x\nexcept ImportError:\n    y = 1") == [3]


def test_the_optional_packages_are_those_of_the_extras():
    text = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("[project.optional-dependencies]") : text.index("\ndev = [")]
    imported = {"pillow": "PIL", "cuda-python": "cuda", "tensorrt-rtx": "tensorrt_rtx"}
    packages = {imported.get(name, name) for name in re.findall(r'"([\w-]+)>=', listed)}
    assert packages | {"markupsafe"} == errors.OPTIONAL  # jinja2 brings markupsafe
