"""Holding the C library to Python and to the engines' own APIs: what is measured, and what is refused."""

from pathlib import Path

import msgspec
import pytest
from typed import exit_code

from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import InputError
from resemote_edge.experiments.native_check import check as native_validity
from resemote_edge.experiments.native_check.check import FACES
from resemote_edge.experiments.native_check.command import native_check
from resemote_edge.experiments.native_check.report import native_validity_table, read_native_validity
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.runtimes.registry import get_runtime

COMMITTED = Path(__file__).parent.parent.parent / "benchmarks" / "results" / "amd-epyc-zen1-2-cores"

REAL_PROGRAM = Path(__file__).parents[2] / "build" / "native-release" / "runtimes" / "benchmarks" / "session_overhead"

#: Prints the same output as `session_overhead`, with known times.
PROGRAM = """#!/bin/sh
echo '{"session_ns": [1004000, 1005000, 1006000], "bare_ns": [1000000, 1001000, 1002000]}'
"""


@pytest.fixture
def program(tmp_path):
    found = get_runtime("native").probe()
    if not found.available:
        pytest.skip(f"runtime native: {found.reason}; {found.hint}")
    path = tmp_path / "session_overhead"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path


def start(artifact, output, program, *more):
    return exit_code(native_check, artifact.path, "-o", output, "--program", program, "--rounds", 2, *more)


def test_a_session_a_frame_and_the_library_are_measured(artifacts, program, tmp_path, capsys):
    output = tmp_path / "found.json"
    assert start(artifacts("cpu-onnxruntime-fp32"), output, program, "--threads", 1) == 0
    found = read_native_validity(output)
    (subject,) = found.subjects
    assert subject.session_overhead_us == pytest.approx(4.0)
    assert subject.session_overhead_interval_us[0] <= 4.0 <= subject.session_overhead_interval_us[1]
    assert subject.backend.startswith("onnxruntime ")
    assert subject.native_frame_ms > 0
    assert subject.python_over_native > 0
    assert subject.parity is None
    assert (found.faces, found.threads) == (FACES, 1)
    assert found.library_bytes > 100_000
    table = capsys.readouterr().out
    assert table == native_validity_table(found)
    assert table.count("not measured") == 3


@pytest.mark.parametrize("recipe", ["cpu-openvino-fp32", "cpu-onnxruntime-fp32"])
def test_the_program_times_both_sides(artifacts, recipe, tmp_path):
    if not REAL_PROGRAM.is_file():
        pytest.skip("session_overhead is not built; run: make native")
    assert start(artifacts(recipe), tmp_path / "found.json", REAL_PROGRAM, "--threads", 1) == 0
    (subject,) = read_native_validity(tmp_path / "found.json").subjects
    low, high = subject.session_overhead_interval_us
    assert low <= subject.session_overhead_us <= high


def test_every_image_is_compared(artifacts, program, tmp_path, drawn_fer2013):
    output = tmp_path / "found.json"
    artifact = artifacts("cpu-onnxruntime-fp32")
    assert start(artifact, output, program, "--threads", 1, "--data", drawn_fer2013) == 0
    parity = read_native_validity(output).subjects[0].parity
    assert parity.images == len(load_dataset(drawn_fer2013, splits=("test",))["test"])
    assert parity.other_top_class == 0
    assert parity.max_probability_difference <= 1e-5


def test_a_difference_ends_in_exit_code_3(artifacts, program, tmp_path, drawn_fer2013, monkeypatch):
    monkeypatch.setattr(native_validity, "LIMIT", -1.0)
    artifact = artifacts("cpu-onnxruntime-fp32")
    assert start(artifact, tmp_path / "found.json", program, "--data", drawn_fer2013) == 3


def test_what_cannot_be_done_is_said(artifacts, program, tmp_path, capsys):
    artifact, output = artifacts("cpu-onnxruntime-fp32"), tmp_path / "found.json"
    assert start(artifact, output, tmp_path / "nowhere") == 1
    assert "make native" in capsys.readouterr().err
    program.write_text("#!/bin/sh\necho it broke >&2; exit 1\n")
    assert start(artifact, output, program) == 1
    assert "it broke" in capsys.readouterr().err
    assert not output.exists()
    output.write_text("mine")
    assert start(artifact, output, program) == 1
    assert "--force" in capsys.readouterr().err
    assert output.read_text() == "mine"


def test_the_committed_results_hold_what_the_library_promises():
    found = read_native_validity(COMMITTED / "native" / "validity.json")
    assert found.library_bytes <= 400_000
    for subject in found.subjects:
        assert subject.parity is not None
        assert subject.parity.images == 3589
        assert subject.parity.other_top_class == 0
        assert subject.parity.max_probability_difference <= 1e-5


def test_documents_take_its_table_by_one_name(tmp_path):
    found = read_native_validity(COMMITTED / "native" / "validity.json")
    (tmp_path / "found.json").write_bytes(found.to_json())
    document = tmp_path / "page.md"
    document.write_text("<!-- table: found.json -->\nold\n<!-- end of table -->\n")
    assert native_validity_table(found) in regenerate(document)
    document.write_text("<!-- table: found.json#other -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="has one table"):
        regenerate(document)
    (tmp_path / "found.json").write_bytes(msgspec.structs.replace(found, schema=99).to_json())
    with pytest.raises(InputError, match="schema 99"):
        read_native_validity(tmp_path / "found.json")
