"""The structs of the binding match those of the library, byte for byte."""

import ctypes
import re
from pathlib import Path

import pytest

from resemote_edge.runtimes.native import structs

LAYOUT = (Path(__file__).parent.parent.parent / "runtimes" / "src" / "abi_layout.cpp").read_text()
SIZES = {name: int(size) for name, size in re.findall(r"sizeof\(resemote_(\w+)\) == (\d+)", LAYOUT)}


def c_name(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS = [getattr(structs, name) for name in structs.__all__ if isinstance(getattr(structs, name), type)]


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the layout is pinned where pointers have eight bytes")
@pytest.mark.parametrize("kind", KINDS, ids=c_name)
def test_a_struct_has_the_pinned_size(kind):
    assert ctypes.sizeof(kind) == SIZES[c_name(kind)]


def test_every_struct_of_the_binding_is_pinned():
    assert len(KINDS) == 11
    assert {c_name(kind) for kind in KINDS} <= set(SIZES)
