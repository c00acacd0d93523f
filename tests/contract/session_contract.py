"""SessionContract: what every runtime promises. A runtime's test module subclasses it in five lines."""

import threading

import numpy as np
import pytest
from apart import in_threads, run_python

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.output_format import softmax
from resemote_edge.artifacts.self_test import self_test
from resemote_edge.errors import ArtifactMismatchError, DeviceUnavailableError, InputError, SessionClosedError
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions


class SessionContract:
    runtime: str
    #: Recipes whose artifacts the runtime runs, and one whose artifact it refuses.
    recipes: tuple[str, ...]
    foreign: str
    #: Options that sessions are opened with.
    options = SessionOptions()

    @pytest.fixture(autouse=True)
    def _available(self, request):
        found = get_runtime(self.runtime).probe()
        if not found.available:
            message = f"runtime {self.runtime}: {found.reason}; {found.hint}"
            if self.runtime in request.config.getoption("--require-runtime"):
                pytest.fail(message)
            pytest.skip(message)
        if self.options.device not in ("auto", *found.devices):
            pytest.skip(f"runtime {self.runtime}: no {self.options.device} here")

    @pytest.fixture
    def recipe(self):
        return self.recipes[0]

    @pytest.fixture
    def artifact(self, artifacts, recipe) -> Artifact:
        return artifacts(recipe)

    @pytest.fixture
    def session(self, artifact):
        with get_runtime(self.runtime).create_session(artifact, self.options) as session:
            yield session

    def feed(self, session, batch=3, seed=0):
        x = np.random.default_rng(seed).standard_normal((batch, 3, 64, 64)).astype(np.float32)
        return {session.inputs[0].name: x}

    def test_golden_crops_pass(self, artifacts):
        for recipe in self.recipes:
            artifact = artifacts(recipe)
            with get_runtime(self.runtime).create_session(artifact, self.options) as session:
                result = self_test(artifact, session)
            assert result.passed, (recipe, result)
            assert result.top1_agreement == 1.0

    def test_probabilities_are_those_of_the_logits(self, artifacts):
        for recipe in self.recipes:
            artifact = artifacts(recipe, output="probabilities")
            with get_runtime(self.runtime).create_session(artifact, self.options) as session:
                assert [spec.name for spec in session.outputs] == ["probabilities"]
                assert self_test(artifact, session).passed, recipe
                got = session.run(self.feed(session))["probabilities"]
            with get_runtime(self.runtime).create_session(artifacts(recipe), self.options) as session:
                want = softmax(session.run(self.feed(session))["logits"])
            assert (got.shape, got.dtype) == ((3, 7), np.float32)
            # An engine may be tuned differently for the longer graph, which is visible in fp16.
            atol = 1e-6 if artifact.passport.precision == "fp32" else 2.5e-2
            np.testing.assert_allclose(got, want, rtol=0, atol=atol)
            np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=0, atol=1e-6)

    def test_it_says_what_it_is(self, session, artifact):
        assert session.runtime == self.runtime
        assert session.device in get_runtime(self.runtime).probe().devices
        assert [spec.name for spec in session.inputs] == ["input"]
        assert [spec.name for spec in session.outputs] == ["logits"]
        assert session.file in artifact.passport.files

    @pytest.mark.parametrize("batch", [1, 3, 16])
    def test_any_batch_in_the_range(self, session, batch):
        outputs = session.run(self.feed(session, batch))
        assert list(outputs) == ["logits"]
        assert outputs["logits"].shape == (batch, 7)
        assert outputs["logits"].dtype == np.float32

    def test_rows_of_a_batch_are_independent(self, session):
        feed = self.feed(session, 5)
        together = session.run(feed)["logits"]
        alone = np.concatenate([session.run({"input": feed["input"][i : i + 1]})["logits"] for i in range(5)])
        # Another batch size may select another kernel, which adds in another order.
        atol = 2e-4 if session.artifact.passport.precision == "fp32" else 5e-2
        np.testing.assert_allclose(together, alone, atol=atol)

    def test_outputs_belong_to_the_caller(self, session):
        first = session.run(self.feed(session, seed=1))["logits"]
        kept = first.copy()
        session.run(self.feed(session, seed=2))
        assert np.array_equal(first, kept)
        first[...] = 0.0  # writable, and writing does not reach the session
        assert np.array_equal(session.run(self.feed(session, seed=1))["logits"], kept)

    def test_outputs_outlive_the_session(self, artifact):
        with get_runtime(self.runtime).create_session(artifact, self.options) as session:
            outputs = session.run(self.feed(session))["logits"]
            kept = outputs.copy()
        assert np.array_equal(outputs, kept)

    def test_feeds_are_not_modified_and_may_be_strided(self, session):
        wide = np.random.default_rng(0).standard_normal((3, 3, 64, 128)).astype(np.float32)
        view = wide[..., ::2]
        before = wide.copy()
        strided = session.run({"input": view})["logits"]
        assert np.array_equal(wide, before)
        assert np.array_equal(strided, session.run({"input": view.copy()})["logits"])

    def test_a_read_only_feed_is_fine(self, session):
        feed = self.feed(session)
        feed["input"].setflags(write=False)
        assert session.run(feed)["logits"].shape == (3, 7)

    @pytest.mark.parametrize(
        ("feeds", "words"),
        [
            ({}, "got none"),
            ({"image": np.zeros((1, 3, 64, 64), np.float32)}, "must be named input"),
            ({"input": np.zeros((1, 3, 64, 64), np.float64)}, "must be float32"),
            ({"input": np.zeros((1, 64, 64, 3), np.float32)}, r"\(batch, 3, 64, 64\)"),
            ({"input": np.zeros((1, 3, 48, 48), np.float32)}, r"\(batch, 3, 64, 64\)"),
            ({"input": np.zeros((3, 64, 64), np.float32)}, r"\(batch, 3, 64, 64\)"),
            ({"input": np.zeros((0, 3, 64, 64), np.float32)}, "batch size 0"),
            ({"input": [[1.0]]}, "numpy array"),
        ],
    )
    def test_bad_feeds_are_refused(self, session, feeds, words):
        with pytest.raises(InputError, match=words):
            session.run(feeds)

    def test_closed_means_closed(self, artifact):
        session = get_runtime(self.runtime).create_session(artifact, self.options)
        session.close()
        session.close()
        with pytest.raises(SessionClosedError):
            session.run(self.feed(session))

    def test_two_sessions_do_not_disturb_each_other(self, session, artifact):
        want = session.run(self.feed(session))["logits"]
        with get_runtime(self.runtime).create_session(artifact, self.options) as other:
            other.run(self.feed(session, seed=9))
        assert np.array_equal(session.run(self.feed(session))["logits"], want)

    def test_threads_take_turns_and_each_gets_its_own_answer(self, session):
        feeds = [self.feed(session, batch=1, seed=seed) for seed in range(4)]
        want = [session.run(feed)["logits"] for feed in feeds]
        wrong: list[object] = []

        def call(mine: int) -> None:
            for _ in range(100):
                try:
                    if not np.array_equal(session.run(feeds[mine])["logits"], want[mine]):
                        wrong.append(mine)
                except Exception as error:
                    wrong.append(error)

        in_threads(call, 4)
        assert wrong == []

    def test_closing_waits_for_the_call_of_another_thread(self, artifact):
        session = get_runtime(self.runtime).create_session(artifact, self.options)
        feed = self.feed(session, batch=16)
        errors: list[Exception] = []
        started = threading.Event()

        def call() -> None:
            try:
                while True:
                    session.run(feed)
                    started.set()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        started.wait(60)
        session.close()
        thread.join(60)
        assert [type(error) for error in errors] == [SessionClosedError]

    def test_a_forked_process_is_told_to_open_its_own(self, session):
        """In a process of its own: pytest's must not be forked with threads."""
        code = """
            import os, sys
            from resemote_edge.artifacts.artifact import Artifact
            from resemote_edge.artifacts.self_test import self_test
            from resemote_edge.errors import SessionClosedError
            from resemote_edge.runtimes.registry import get_runtime
            from resemote_edge.runtimes.session import SessionOptions
            artifact = Artifact.load(sys.argv[1])
            session = get_runtime(sys.argv[2]).create_session(artifact, SessionOptions(device=sys.argv[3]))
            self_test(artifact, session)
            child = os.fork()
            if child == 0:
                try:
                    self_test(artifact, session)
                except SessionClosedError as error:
                    session.close()
                    print(error)
                    sys.exit(7)
                sys.exit(8)
            status = os.waitpid(child, 0)[1]
            assert self_test(artifact, session).passed
            sys.exit(os.waitstatus_to_exitcode(status))
        """
        ended = run_python(code, str(session.artifact.path), self.runtime, session.device)
        assert ended.returncode == 7, ended.stderr
        assert "from which this one was forked; open a new one" in ended.stdout

    def test_another_device_is_refused_not_replaced(self, artifact):
        with pytest.raises(DeviceUnavailableError, match="--device"):
            get_runtime(self.runtime).create_session(artifact, SessionOptions(device="tpu"))

    @pytest.mark.parametrize("threads", [-1, 0, 1000, 100_000])
    def test_threads_that_no_machine_has_are_refused(self, threads):
        with pytest.raises(InputError, match=rf"threads must be from 1 to \d+, 4 for each core .*, got {threads}"):
            SessionOptions(threads=threads)

    def test_a_format_it_cannot_load_is_refused(self, artifacts):
        with pytest.raises(ArtifactMismatchError, match="this artifact holds"):
            get_runtime(self.runtime).create_session(artifacts(self.foreign), self.options)
