"""Two artifacts in turn: what is measured, what is written, and that a planted difference is found."""

import json
import sys

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from resemote_edge.benchmarks.compare.live_report import LIVE_FILES, markdown_live_comparison, write_live_comparison
from resemote_edge.cli.bench_compare import compare as command
from resemote_edge.errors import ArtifactMismatchError, DeviceUnavailableError, InputError
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.recipe import find_recipe
from resemote_edge.labels import RESEMOTENET
from resemote_edge.measuring.comparison.live import LiveRequest, compare_live
from resemote_edge.measuring.comparison.live_results import LiveComparison, read_live_comparison
from resemote_edge.measuring.samples import read_samples
from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
from resemote_edge.models.random_network import random_network

TINY = {"runtime": "onnxruntime", "threads": 1, "seconds": 0.3, "restarts": 6}


@pytest.fixture(scope="module")
def artifact(artifacts):
    return artifacts("cpu-onnxruntime-fp32")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def run(artifact, told):
    """An artifact against itself, three times as slow."""
    return compare_live(LiveRequest(a=artifact, b=artifact, slow_b_by=3.0, **TINY), progress=told.append)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """An artifact that does many times as much arithmetic."""
    folder = tmp_path_factory.mktemp("wide")
    save_checkpoint(random_network(width=24).state_dict(), folder / "wide.pt", RESEMOTENET)
    checkpoint = load_checkpoint(folder / "wide.pt")
    recipe = find_recipe("cpu-onnxruntime-fp32")
    return export_artifact(ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=folder / "artifact"))


def test_a_planted_slow_down_is_found(run):
    comparison = run.comparison
    assert comparison.verdict == "slower"
    assert comparison.slower
    assert not comparison.counting_difference_ruled_out
    assert comparison.interval[0] <= comparison.ratio <= comparison.interval[1]
    assert comparison.interval[0] > 1.5
    assert (comparison.a.slowed_by, comparison.b.slowed_by) == (1.0, 3.0)
    assert comparison.b.latency_p50_ms > comparison.a.latency_p50_ms


def test_every_restart_is_a_pair_with_the_same_rounds(run):
    comparison = run.comparison
    assert len(comparison.restarts) == len(run.a_nanoseconds) == len(run.b_nanoseconds) == 6
    assert [restart.opened_first for restart in comparison.restarts].count("A") == 3
    for restart, a, b in zip(comparison.restarts, run.a_nanoseconds, run.b_nanoseconds, strict=True):
        assert a.shape == b.shape == (restart.rounds, restart.runs_per_turn)
        assert restart.rounds >= 3
        assert a.min() > 0
        assert restart.ratio == pytest.approx(np.exp(np.median(np.log(np.median(b, axis=1) / np.median(a, axis=1)))))
        assert restart.a_latency_p50_ms == pytest.approx(np.median(a) / 1e6)
    assert comparison.ratio == pytest.approx(np.exp(np.median(np.log([one.ratio for one in comparison.restarts]))))
    assert comparison.coverage == 0.96875
    assert comparison.a.runs == sum(table.size for table in run.a_nanoseconds)


def test_it_says_what_was_compared_and_how(run, artifact):
    comparison = run.comparison
    (model,) = [entry for entry in artifact.passport.files if entry.role == "model"]
    for side in (comparison.a, comparison.b):
        assert (side.artifact, side.device, side.precision) == (artifact.passport.name, "cpu", "fp32")
        assert (side.file_sha256, side.model_size_bytes) == (model.sha256, model.size_bytes)
        assert side.runtime.startswith("onnxruntime 1.")
    assert (comparison.threads, len(comparison.cores), comparison.batch) == (1, 1, 1)
    assert (comparison.quantity, comparison.margin, comparison.measuring_seconds) == ("model", 0.03, 0.3)
    assert comparison.total_seconds > 0.3
    assert comparison.environment["cpu_model"]


def test_progress_ends_at_one(run, told):
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_what_is_written_is_whole_and_comes_back(run, tmp_path):
    folder = tmp_path / "deep" / "comparison"
    written = write_live_comparison(run, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(LIVE_FILES)
    assert read_live_comparison(written["json"]).to_json() == run.comparison.to_json()
    assert json.loads(written["json"].read_bytes())["kind"] == "live-comparison"
    samples = read_samples(written["samples"])
    assert samples["a_ns"].tolist() == np.concatenate([table.reshape(-1) for table in run.a_nanoseconds]).tolist()
    lengths = {len(values) for values in samples.values()}
    assert lengths == {run.comparison.a.runs}
    for index, (table, restart) in enumerate(zip(run.b_nanoseconds, run.comparison.restarts, strict=True)):
        mine = samples["restart"] == index
        assert samples["b_ns"][mine].tolist() == table.reshape(-1).tolist()
        assert np.unique(samples["round"][mine]).tolist() == list(range(restart.rounds))
    assert written["picture"].read_bytes().startswith(b"\x89PNG")
    text = written["markdown"].read_text()
    assert text.startswith("# B compared with A\n\n**slower**: B takes ")
    assert "distributions.png" in text
    assert "slowed 3 times" in text
    assert "distributions.png" not in markdown_live_comparison(run.comparison)


def test_without_matplotlib_there_is_no_picture_not_even_an_older_one(run, tmp_path, monkeypatch):
    (tmp_path / "distributions.png").write_bytes(b"of another comparison")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    written = write_live_comparison(run, tmp_path)
    assert set(written) == {"json", "markdown", "samples"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["comparison.json", "comparison.md", "samples.npz"]
    assert "distributions.png" not in written["markdown"].read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found | {"schema": 99}, "comparison schema 99, this version reads schema 1"),
        (lambda found: found | {"extra": 1}, "does not match the schema of a live comparison: .*`extra`"),
        (lambda found: found | {"kind": "report-comparison"}, "not a live comparison"),
        (lambda found: {"schema": 1}, "not a live comparison"),
    ],
)
def test_what_is_no_such_file(run, change, says, tmp_path):
    path = tmp_path / "comparison.json"
    with pytest.raises(InputError, match=r"comparison\.json: cannot be read as a live comparison"):
        read_live_comparison(path)
    path.write_text(json.dumps(change(json.loads(run.comparison.to_json()))))
    with pytest.raises(InputError, match=says):
        read_live_comparison(path)


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"margin": float("nan")}, InputError, "the margin is a fraction"),
        ({"seconds": 0.0}, InputError, "finite number above 0"),
        ({"seconds": float("inf")}, InputError, "finite number above 0"),
        ({"restarts": 5}, InputError, "at least 6 restarts, got 5"),
        ({"threads": -1}, InputError, "start at 1"),
        ({"batch": 0}, InputError, "start at 1"),
        ({"runtime": "tensorflow"}, InputError, "unknown runtime 'tensorflow'"),
        ({"runtime_b": "pytorch"}, ArtifactMismatchError, "runtime pytorch loads graph"),
        ({"device": "npu", "runtime": "auto"}, DeviceUnavailableError, "npu"),
        ({"slow_b_by": 0.5}, InputError, "can only be slowed, by a finite factor from 1, got 0.5"),
        ({"slow_b_by": float("nan")}, InputError, "can only be slowed, by a finite factor from 1, got nan"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(artifact, wrong, error, says):
    request = LiveRequest(**{"a": artifact, "b": artifact} | TINY | wrong)
    with pytest.raises(error, match=says):
        compare_live(request)


def test_a_batch_beyond_the_artifacts(artifacts, artifact):
    with pytest.raises(InputError, match="its largest batch is 16, asked for 17"):
        compare_live(LiveRequest(a=artifact, b=artifacts("rtx-tensorrt-fp16"), batch=17, **TINY))


def test_the_exit_code_is_3_where_b_is_slower(artifact, wide, tmp_path):
    arguments = [
        "--live", artifact.path, wide.path, "--runtime", "onnxruntime", "--threads", 1, "--timed", "decision",
        "--seconds", 0.3, "--restarts", 6, "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(command, list(map(str, arguments)))
    assert done.exit_code == 3, done.output
    found = msgspec.json.decode(done.stdout, type=LiveComparison)
    assert (found.verdict, found.quantity) == ("slower", "crop to decision")
    assert (found.a.passport_sha256 == found.b.passport_sha256) is False
    assert list(tmp_path.iterdir()) == []


def test_it_is_0_where_no_difference_is_shown_and_files_are_not_replaced_unasked(artifact, tmp_path):
    # A margin larger than any difference between turns.
    arguments = [
        "--live", artifact.path, artifact.path, "--runtime", "onnxruntime", "--threads", 1, "--margin", 0.95,
        "--seconds", 0.3, "--restarts", 6, "-o", tmp_path,
    ]  # fmt: skip
    done = CliRunner().invoke(command, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    assert "**no difference shown; ruled out: 95 %**" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(LIVE_FILES)
    before = (tmp_path / "comparison.json").read_bytes()
    again = CliRunner().invoke(command, list(map(str, arguments)))
    assert isinstance(again.exception, InputError)
    assert "comparison.json exists; pass --force" in str(again.exception)
    assert (tmp_path / "comparison.json").read_bytes() == before
