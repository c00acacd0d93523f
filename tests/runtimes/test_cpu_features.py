import pytest

from resemote_edge.runtimes.cpu_features import cpu_flags, int8_sums_saturate, why_no_bf16

X86 = "processor\t: 0\nvendor_id\t: Somebody\nflags\t\t: fpu sse2 ssse3 avx2{}\nbugs\t\t: avx_vnni\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\n"


def machine(tmp_path, cpuinfo):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(cpuinfo)
    return tmp_path


@pytest.mark.parametrize(
    ("cpuinfo", "saturates"),
    [
        (X86.format(""), True),
        (X86.format(" avx512f avx512bw"), True),
        (X86.format(" avx512_vnni"), False),
        (X86.format(" avx_vnni"), False),
        (X86.format(" amx_int8"), False),
        (ARM, False),
        ("", False),
    ],
)
def test_who_clips_sums(cpuinfo, saturates, tmp_path):
    assert int8_sums_saturate(machine(tmp_path, cpuinfo)) is saturates


def test_flags_are_those_of_one_line(tmp_path):
    assert cpu_flags(machine(tmp_path, X86.format(" avx512f"))) == {"fpu", "sse2", "ssse3", "avx2", "avx512f"}


def test_a_system_that_says_nothing(tmp_path):
    assert cpu_flags(tmp_path) == frozenset()
    assert not int8_sums_saturate(tmp_path)


@pytest.mark.parametrize(
    ("cpuinfo", "says"),
    [
        ("flags : avx2 avx512_bf16\n", None),
        ("flags : amx_bf16 amx_tile\n", None),
        ("Features : fp asimd bf16 i8mm\n", None),
        ("flags : avx2 avx512f avx_ne_convert\n", "this CPU has no bf16 arithmetic"),
        ("model name : x\n", "the system does not say"),
    ],
)
def test_bf16_arithmetic(cpuinfo, says, tmp_path):
    found = why_no_bf16(machine(tmp_path, cpuinfo))
    assert found is None if says is None else found.startswith(says)
