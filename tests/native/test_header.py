"""The public header says of every function what each parameter is, and of every struct how it begins."""

import re
from pathlib import Path

import pytest

HEADER = (Path(__file__).parent.parent.parent / "runtimes" / "include" / "resemote" / "runtime.h").read_text()
FUNCTION = re.compile(r"/\*((?:[^*]|\*(?!/))*)\*/\s*RESEMOTE_API ([^;]+);")
DECLARED = re.findall(r"RESEMOTE_API [^;]*?(resemote_\w+)\(", HEADER)
DOCUMENTED = {re.search(r"(resemote_\w+)\(", declaration)[1]: (comment, declaration)
              for comment, declaration in FUNCTION.findall(HEADER)}  # fmt: skip


def parameters(declaration: str) -> list[str]:
    inside = declaration[declaration.index("(") + 1 : declaration.rindex(")")]
    return [re.search(r"(\w+)\s*$", part)[1] for part in inside.split(",") if part.strip() != "void"]


def test_every_function_has_a_comment():
    assert len(DECLARED) > 20
    assert sorted(DOCUMENTED) == sorted(DECLARED)


@pytest.mark.parametrize("function", DECLARED)
def test_every_parameter_is_documented(function):
    comment, declaration = DOCUMENTED[function]
    lines = re.findall(r"^\s+((?:\w+, )*\w+): ", comment, re.MULTILINE)
    assert {name for line in lines for name in line.split(", ")} == set(parameters(declaration))


def test_every_struct_that_carries_its_size_has_a_macro():
    structs = re.findall(r"typedef struct (resemote_\w+) \{\s*size_t struct_size;", HEADER)
    structs.remove("resemote_progress")  # the library fills it in and passes it
    assert len(structs) >= 9
    for name in structs:
        assert re.search(rf"#define {name.upper()}_INIT(?: |\s*\\\s*){{sizeof\({name}\)", HEADER), name
