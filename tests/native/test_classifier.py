"""NativeClassifier against EmotionClassifier: the same pixels to the bit, the same probabilities to 1e-5."""

import ctypes
import os
import threading
import time

import numpy as np
import pytest
from apart import in_threads, run_python

from resemote_edge.classifier import EmotionClassifier
from resemote_edge.errors import (
    ArtifactMismatchError,
    InputError,
    MissingDependencyError,
    NativeError,
    SessionClosedError,
)
from resemote_edge.runtimes.native import library as native_library
from resemote_edge.runtimes.native.classifier import NativeClassifier
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.vision.frame import Box, Frame, crops

BOXES = [Box(0, 0, 64, 64), Box(100, 50, 80, 90), Box(-10, -10, 60, 60), Box(300, 220, 100, 100), Box(7, 9, 301, 33)]


@pytest.fixture(autouse=True)
def _available():
    found = get_runtime("native").probe()
    if not found.available:
        pytest.skip(f"runtime native: {found.reason}; {found.hint}")


def frames():
    rng = np.random.default_rng(3)
    shapes = {"gray": (240, 320), "rgb": (240, 320, 3), "bgr": (240, 320, 3), "nv12": (360, 320), "yuyv": (240, 320, 2)}
    for name, shape in shapes.items():
        yield Frame(rng.integers(0, 256, shape, dtype=np.uint8), name)
    # Gaps between rows, and gaps between samples; for the latter, the library gets a copy.
    wide = rng.integers(0, 256, (240, 700, 3), dtype=np.uint8)
    yield Frame(wide[:, 40:360], "bgr")
    yield Frame(wide[:, 0:640:2, ::-1], "rgb")
    yield Frame(wide[::-1, 40:360, 1], "gray")


@pytest.mark.parametrize("graph", [{}, {"input": "gray-u8"}, {"input": "bgr-u8"}, {"output": "probabilities"}])
@pytest.mark.parametrize("recipe", ["cpu-openvino-fp32", "cpu-onnxruntime-fp32"])
def test_pixels_are_equal_and_probabilities_nearly(artifacts, recipe, graph):
    artifact = artifacts(recipe, **graph)
    with (
        NativeClassifier(artifact.path, threads=1, max_faces=5) as native,
        EmotionClassifier(
            open_session(artifact, native.backend, SessionOptions(threads=1)), artifact.passport
        ) as python,
    ):
        for frame in frames():
            faces, color = crops(frame, BOXES, color=artifact.passport.preprocessing.takes_color)
            assert np.array_equal(native.preprocess(frame, BOXES), python.preprocess(faces, color=color))
            got, want = native.classify(frame, BOXES), python.classify_frame(frame, BOXES)
            assert [emotion.label for emotion in got] == [emotion.label for emotion in want]
            for mine, theirs in zip(got, want, strict=True):
                assert list(mine.probabilities) == list(theirs.probabilities)
                np.testing.assert_allclose(
                    list(mine.probabilities.values()), list(theirs.probabilities.values()), rtol=0, atol=1e-5
                )
                assert mine.score == max(mine.probabilities.values())


def test_edges_are_replicated_as_in_python(artifacts):
    artifact = artifacts("cpu-onnxruntime-fp32")
    boxes = [Box(-30, -20, 90, 90), Box(280, 200, 70, 70), Box(-50, 40, 420, 420), Box(100, 50, 80, 80)]
    with (
        NativeClassifier(artifact.path, threads=1, edges="replicated") as native,
        EmotionClassifier(
            open_session(artifact, native.backend, SessionOptions(threads=1)), artifact.passport
        ) as python,
    ):
        for frame in frames():
            faces, color = crops(frame, boxes, color=False, edges="replicated")
            assert np.array_equal(native.preprocess(frame, boxes), python.preprocess(faces, color=color))
            want = python.classify_frame(frame, boxes, edges="replicated")
            assert [emotion.label for emotion in native.classify(frame, boxes)] == [one.label for one in want]
    with pytest.raises(InputError, match="unknown edges 'torn'"):
        NativeClassifier(artifact.path, edges="torn")


def test_what_is_submitted_comes_back_by_its_tag(artifacts):
    with NativeClassifier(artifacts("cpu-onnxruntime-fp32").path, max_faces=5) as native:
        assert native.poll() is None
        for frame in frames():
            want = native.classify(frame, BOXES)
            native.submit(frame, BOXES, tag=2**63, timestamp_ns=2**63 + 5)
            result = native.poll(None)
            assert (result.tag, result.timestamp_ns, result.dropped, result.pending) == (2**63, 2**63 + 5, 0, 0)
            assert result.emotions == want


def test_a_poll_waits_for_what_is_not_there_yet(artifacts):
    with NativeClassifier(artifacts("cpu-onnxruntime-fp32").path, max_faces=5) as native:
        began = time.monotonic()
        assert native.poll(0.2) is None
        assert time.monotonic() - began > 0.19
        later = threading.Timer(0.1, native.submit, (next(frames()), BOXES, 7))
        later.start()
        assert native.poll(None).tag == 7
        later.join()


def test_no_queue_means_no_submission(artifacts):
    with NativeClassifier(artifacts("cpu-onnxruntime-fp32").path, max_faces=5, queue_depth=0) as native:
        assert len(native.classify(next(frames()), BOXES)) == len(BOXES)
        with pytest.raises(InputError, match="queue_depth"):
            native.submit(next(frames()), BOXES)
        with pytest.raises(InputError, match="queue_depth"):
            native.poll()


@pytest.mark.parametrize(
    ("boxes", "words"),
    [([Box(0, 0, 64, 64)] * 6, "6 boxes"), ([Box(400, 0, 50, 50)], "box 0"), ([Box(2**40, 0, 50, 50)], "32 bits")],
)
def test_bad_boxes_are_refused(artifacts, boxes, words):
    with NativeClassifier(artifacts("cpu-onnxruntime-fp32").path, max_faces=5) as native:
        with pytest.raises(InputError, match=words):
            native.classify(next(frames()), boxes)
        assert len(native.classify(next(frames()), [])) == 0


def test_closed_means_closed(artifacts):
    native = NativeClassifier(artifacts("cpu-onnxruntime-fp32").path)
    native.close()
    native.close()
    with pytest.raises(SessionClosedError, match="open a new one"):
        native.classify(next(frames()), BOXES)
    with pytest.raises(SessionClosedError):
        native.submit(next(frames()), BOXES)


def test_another_abi_version_is_refused_with_both(monkeypatch):
    path = native_library.load_library().path
    monkeypatch.setattr(native_library, "ABI_VERSION", 99)
    with pytest.raises(NativeError, match="has ABI version 1, this package needs 99"):
        native_library.NativeLibrary(path)


def test_a_library_that_is_not_ours_is_refused(tmp_path, monkeypatch):
    (tmp_path / "libresemote.so").write_bytes(b"not a library")
    monkeypatch.setenv(native_library.LIBRARY_VARIABLE, str(tmp_path / "libresemote.so"))
    with pytest.raises(MissingDependencyError, match="make native"):
        native_library.load_library()
    assert "make native" in get_runtime("native").probe().hint


def test_an_engine_library_that_is_not_there_is_a_reason(artifacts, tmp_path, monkeypatch):
    monkeypatch.setenv("RESEMOTE_ONNXRUNTIME_LIBRARY", str(tmp_path))
    info = native_library.load_library().probe("onnxruntime")
    assert not info.available
    assert "a folder without libonnxruntime.so" in info.reason.decode()
    assert "RESEMOTE_ONNXRUNTIME_LIBRARY" in info.reason.decode()


def test_openvino_keeps_what_it_compiled_in_the_cache_folder(artifacts, tmp_path):
    library = native_library.load_library()
    artifact, cache = artifacts("cpu-openvino-fp32"), tmp_path / "cache"
    for _ in range(2):
        options = library.session_options("cpu", 1)
        options.cache_dir = os.fsencode(cache)
        session = ctypes.c_void_p()
        library.check(library.functions.resemote_session_create(os.fsencode(artifact.path), options, session))
        library.check(library.functions.resemote_session_self_test(session, None))
        library.check(library.functions.resemote_session_destroy(session))
        assert len(list(cache.iterdir())) == 1


def test_a_truncated_model_is_refused(artifacts, tmp_path):
    import shutil

    copy = shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "copy")
    model = copy / "model.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(ArtifactMismatchError, match="1000 bytes"):
        NativeClassifier(copy)


def test_threads_that_share_a_classifier_each_get_their_own_answer(artifacts):
    rng = np.random.default_rng(5)
    pictures = [Frame(rng.integers(0, 256, (64, 64), dtype=np.uint8), "gray") for _ in range(4)]
    box = [Box(0, 0, 64, 64)]
    wrong: list[object] = []
    with NativeClassifier(artifacts("cpu-onnxruntime-fp32").path, threads=1) as native:
        want = [native.classify(picture, box) for picture in pictures]

        def call(mine: int) -> None:
            for _ in range(150):
                if native.classify(pictures[mine], box) != want[mine]:
                    wrong.append(mine)

        in_threads(call, 4)
    assert wrong == []


def test_nan_is_no_answer(with_nan):
    """In C as in Python."""
    artifact = with_nan("cpu-onnxruntime-fp32")
    frame, box = Frame(np.zeros((64, 64), np.uint8), "gray"), [Box(0, 0, 64, 64)]
    with NativeClassifier(artifact.path) as native, pytest.raises(ArtifactMismatchError, match="NaN or Inf"):
        native.classify(frame, box)


def test_a_forked_process_is_told_to_open_its_own(artifacts):
    """In a process of its own: pytest's must not be forked with threads."""
    code = """
        import os, sys
        import numpy as np
        from resemote_edge import Box, Frame, NativeClassifier
        from resemote_edge.errors import SessionClosedError
        frame, box = Frame(np.zeros((64, 64), np.uint8), "gray"), [Box(0, 0, 64, 64)]
        native = NativeClassifier(sys.argv[1])
        native.classify(frame, box)
        child = os.fork()
        if child == 0:
            try:
                native.classify(frame, box)
            except SessionClosedError as error:
                native.close()
                print(error)
                sys.exit(7)
            sys.exit(8)
        status = os.waitpid(child, 0)[1]
        native.classify(frame, box)
        sys.exit(os.waitstatus_to_exitcode(status))
    """
    ended = run_python(code, str(artifacts("cpu-onnxruntime-fp32").path))
    assert ended.returncode == 7, ended.stderr
    assert "was opened before this process was forked; open a new one" in ended.stdout
