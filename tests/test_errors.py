import ast
import pickle
from pathlib import Path

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


#: torch.load has one error for a file that is no checkpoint and for one that it will not run; its words alone differ.
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
