"""ELF files, as readelf reads them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resemote_edge.deploy.elf import read_elf
from resemote_edge.errors import InputError

needs_readelf = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed (binutils)")


def readelf(*words: object) -> str:
    return subprocess.run(["readelf", *map(str, words)], capture_output=True, text=True, check=True).stdout


@needs_readelf
def test_facts_are_those_of_readelf():
    path = Path(sys.executable).resolve()
    found = read_elf(path)
    needed = [line.split("[")[1].rstrip("]") for line in readelf("-dW", path).splitlines() if "(NEEDED)" in line]
    assert list(found.libraries) == needed
    versions = {
        word.partition("Name: ")[2].split()[0] for word in readelf("-VW", path).splitlines() if "Name: GLIBC_" in word
    }
    assert {name for name in found.versions if name.startswith("GLIBC_")} == versions
    assert f"GLIBC_{found.glibc}" in versions


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: b"text", "not a program or library"),
        (lambda data: data[:18] + b"\x08\x00" + data[20:], "for ELF machine 8"),
        (lambda data: data[:40] + b"\xff" * 7 + b"\x00" + data[48:], "a damaged program or library"),
    ],
    ids=["text", "mips", "damaged"],
)
def test_other_files_are_one_clear_error(tmp_path, change, says):
    data = Path(sys.executable).resolve().read_bytes()
    (tmp_path / "file").write_bytes(change(data))
    with pytest.raises(InputError, match=says):
        read_elf(tmp_path / "file")


def test_no_damage_is_a_crash(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (tmp_path / "one.c").write_text("#include <math.h>\ndouble one(double x) { return pow(x, 2.5); }\n")
    file = tmp_path / "file"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", file, tmp_path / "one.c", "-lm"], check=True)
    data = file.read_bytes()
    assert "libm.so.6" in read_elf(file).libraries
    start = int.from_bytes(data[40:48], "little")
    size, count = (int.from_bytes(data[place : place + 2], "little") for place in (58, 60))
    fields = [40, *(start + number * size + place for number in range(count) for place in (24, 32, 40, 44))]
    changes = [(place, b"\xff" * 8) for place in fields]
    changes += [(place, bytes([data[place] ^ 0xFF])) for place in range(16, len(data), max(1, len(data) // 500))]
    refused = 0
    for place, new in changes:
        file.write_bytes(data[:place] + new + data[place + len(new) :])
        try:
            read_elf(file)
        except InputError:
            refused += 1
    assert 0 < refused < len(changes)
