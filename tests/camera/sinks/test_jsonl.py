"""JSON lines: each is whole and fits the schema, no file is overwritten unasked, a full disk leaves no half line."""

import json
import sys
from pathlib import Path

import msgspec
import pytest
from apart import run_python
from sink_parts import face, result, running

from resemote_edge.camera.privacy import retention
from resemote_edge.camera.privacy.aggregate import AggregateResult, Aggregator
from resemote_edge.camera.results import FrameResult, result_schema
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.errors import InputError


def write(address: str, count: int, options: SinkOptions | None = None) -> None:
    with SinkWorkers([open_sink(address, options or SinkOptions())], tell=pytest.fail, every_frame=True) as workers:
        for number in range(count):
            workers.put(result(number, face(1), face(2, None), ended=(3,), dropped={"queue full": 4}), {}.get)


def test_lines_are_read_back_as_the_results_they_were(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    write(f"jsonl:{path}", 100)
    lines = path.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=FrameResult).frame for line in lines] == list(range(100))
    fields = result_schema()["$defs"]["FrameResult"]
    found = json.loads(lines[0])
    assert set(fields["required"]) <= set(found) <= set(fields["properties"])


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    sink = open_sink(f"jsonl:{path}", SinkOptions())
    sink.open()
    sink.write(result(0), None)
    assert path.read_bytes().endswith(b"\n")
    sink.close()


def test_a_file_that_exists_is_refused_replaced_or_added_to(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    write(f"jsonl:{path}", 3)
    with pytest.raises(InputError, match="exists") as caught:
        write(f"jsonl:{path}", 1)
    assert "--force" in caught.value.hint
    assert len(path.read_bytes().splitlines()) == 3
    write(f"jsonl:{path}", 2, SinkOptions(existing="append"))
    assert len(path.read_bytes().splitlines()) == 5
    write(f"jsonl:{path}", 1, SinkOptions(existing="replace"))
    assert len(path.read_bytes().splitlines()) == 1


def test_what_is_no_regular_file_is_written_to() -> None:
    write("jsonl:/dev/null", 3)


def test_counts_are_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    counts = Aggregator(seconds=60, min_group=2)
    counts.add(result(0, face(1), face(2)))
    found = counts.finish()
    assert found is not None
    with SinkWorkers([open_sink(f"jsonl:{path}", SinkOptions(aggregate=True))], tell=pytest.fail) as workers:
        workers.put_aggregate(found)
    assert msgspec.json.decode(path.read_bytes(), type=AggregateResult) == found


_TESTS = str(Path(__file__).resolve().parents[2])

_OUTPUT = """
import sys
sys.path.insert(0, sys.argv[2])
from sink_parts import face, result
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers

with SinkWorkers([open_sink("jsonl:-", SinkOptions())], tell=lambda line: print(line, file=sys.stderr)) as workers:
    number = 0
    while not workers.finished and number < int(sys.argv[1]):
        workers.put(result(number, face(1)), {}.get)
        number += 1
print("ended", workers.finished, sum(workers.facts[0][1].lost.values()), file=sys.stderr)
"""


def test_the_output_gets_lines_and_nothing_else() -> None:
    done = run_python(_OUTPUT, 20, _TESTS)
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == list(range(20))
    assert done.stderr == "ended False 0\n"


def test_a_reader_who_leaves_ends_the_run_quietly() -> None:
    with running(sys.executable, "-c", _OUTPUT, "100000000", _TESTS) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert json.loads(program.stdout.readline())["frame"] >= 0
        program.stdout.close()
        # Nothing waits for a reader here, so results were dropped as well.
        said = [line for line in program.stderr.read().decode().splitlines() if "queue full" not in line]
        assert program.wait(60) == 0
    assert [line.split()[:2] for line in said] == [["ended", "True"]]


def test_a_reader_who_stalls_delays_nobody_and_not_the_end() -> None:
    # Far more lines than a pipe holds, and nobody reads one of them until the program has ended.
    code = _OUTPUT.replace("import sys\n", "import sys\nfrom resemote_edge.camera.sinks import worker as module\n", 1)
    code = code.replace("with Sink", "module.END_SECONDS = 0.5\nwith Sink", 1)
    with running(sys.executable, "-c", code, "5000", _TESTS) as program:
        assert program.wait(60) == 0
        assert program.stdout is not None
        assert program.stderr is not None
        lines = program.stdout.read().splitlines()
        said = program.stderr.read().decode().splitlines()
    whole = [json.loads(line)["frame"] for line in lines[:-1]]
    lost = int(said[-1].split()[-1])
    assert len(whole) < 5000
    # The last line may be cut where the program ended; it was counted as lost.
    assert len(whole) + lost in (5000, 4999), said
    assert sum("queue full" in line for line in said) == 1


def test_a_file_that_may_grow_no_more_keeps_whole_lines_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    done = run_python(
        """
        import resource, sys
        sys.path.insert(0, sys.argv[2])
        from sink_parts import face, result
        from resemote_edge.camera.sinks import open_sink
        from resemote_edge.camera.sinks.base import SinkOptions
        from resemote_edge.camera.sinks.worker import SinkWorkers

        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        said = []
        with SinkWorkers([open_sink(sys.argv[1], SinkOptions())], tell=said.append, every_frame=True) as workers:
            for number in range(200):
                workers.put(result(number, face(1)), {}.get)
        [(_, facts)] = workers.facts
        print(facts.written, facts.lost, len(said))
        """,
        f"jsonl:{path}",
        _TESTS,
    )
    lines = path.read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") and json.loads(line) for line in lines)
    assert 0 < len(lines) < 200
    assert done.stdout.strip() == f"{len(lines)} {{'File too large': {200 - len(lines)}}} 1", done.stderr


def test_with_retention_files_are_named_by_time_and_old_ones_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_800_000_000.0]
    real = retention.Retention
    monkeypatch.setattr(
        "resemote_edge.camera.sinks.jsonl.Retention",
        lambda path, keep_seconds: real(path, keep_seconds=keep_seconds, clock=lambda: now[0]),
    )
    sink = open_sink(f"jsonl:{tmp_path}/faces.jsonl", SinkOptions(keep_seconds=86400.0))
    sink.open()
    for number in range(4):
        sink.write(result(number), None)
        now[0] += 1800.0
    sink.tick()
    files = sorted(tmp_path.glob("faces-*.jsonl"))
    assert [len(path.read_bytes().splitlines()) for path in files] == [2, 2]
    now[0] += 86400.0 - 5400.0
    sink.tick()
    assert sorted(tmp_path.glob("faces-*.jsonl")) == files[1:]
    now[0] += 86400.0
    sink.tick()
    assert list(tmp_path.iterdir()) == []
    sink.close()


def test_a_place_where_nothing_can_be_written_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match=r"/proc/faces\.jsonl: ") as caught:
        write("jsonl:/proc/faces.jsonl", 1)
    assert caught.value.hint
