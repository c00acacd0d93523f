"""The public headers say of every function what each parameter is, and of every struct how it begins."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "runtimes" / "include" / "resemote"
HEADER = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.h")))
FUNCTION = re.compile(r"/\*((?:[^*]|\*(?!/))*)\*/\s*RESEMOTE_API ([^;]+);")
DECLARED = re.findall(r"RESEMOTE_API [^;]*?(resemote_\w+)\(", HEADER)
DOCUMENTED = {re.search(r"(resemote_\w+)\(", declaration)[1]: (comment, declaration)
              for comment, declaration in FUNCTION.findall(HEADER)}  # fmt: skip


def parameters(declaration: str) -> list[str]:
    inside = declaration[declaration.index("(") + 1 : declaration.rindex(")")]
    return [re.search(r"(\w+)\s*$", part)[1] for part in inside.split(",") if part.strip() != "void"]


@pytest.mark.parametrize("header", sorted(FOLDER.glob("*.h")), ids=lambda path: path.name)
@pytest.mark.parametrize(("compiler", "standard"), [("gcc", "c99"), ("g++", "c++14")])
def test_each_header_compiles_alone(header, compiler, standard, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source = tmp_path / ("alone.c" if compiler == "gcc" else "alone.cpp")
    source.write_text(f'#include "resemote/{header.name}"\n')
    command = [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", str(source)]
    done = subprocess.run([*command, "-I", str(FOLDER.parent)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_function_has_a_comment():
    assert len(DECLARED) > 20
    assert sorted(DOCUMENTED) == sorted(DECLARED)


@pytest.mark.parametrize("function", DECLARED)
def test_every_parameter_is_documented(function):
    comment, declaration = DOCUMENTED[function]
    lines = re.findall(r"^\s+((?:\w+, )*\w+): ", comment, re.MULTILINE)
    assert {name for line in lines for name in line.split(", ")} == set(parameters(declaration))


def test_every_struct_has_a_pinned_layout():
    layout = (FOLDER.parents[1] / "src" / "abi_layout.cpp").read_text()
    structs = re.findall(r"typedef struct (resemote_\w+) \{", HEADER)
    assert len(structs) > 12
    assert set(structs) == set(re.findall(r"sizeof\((resemote_\w+)\) ==", layout))


def test_every_struct_that_carries_its_size_has_a_macro():
    structs = re.findall(r"typedef struct (resemote_\w+) \{\s*size_t struct_size;", HEADER)
    structs.remove("resemote_progress")  # the library fills it in and passes it
    assert len(structs) >= 9
    for name in structs:
        assert re.search(rf"#define {name.upper()}_INIT(?: |\s*\\\s*){{sizeof\({name}\)", HEADER), name
