import shutil
from pathlib import Path

import numpy as np
import pytest
from session_contract import SessionContract

from resemote_edge.errors import ArtifactMismatchError, MissingDependencyError
from resemote_edge.runtimes.native.library import NativeLibrary, load_library
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions


class TestNative(SessionContract):
    runtime = "native"
    recipes = ("cpu-openvino-fp32", "cpu-openvino-fp16", "cpu-onnxruntime-fp32")
    foreign = "any-pytorch-fp32"

    @pytest.mark.parametrize(
        ("recipe", "engine"), [("cpu-openvino-fp32", "openvino"), ("cpu-onnxruntime-fp32", "onnxruntime")]
    )
    def test_it_gives_what_the_engine_gives_in_python(self, artifacts, recipe, engine):
        artifact, options = artifacts(recipe), SessionOptions(threads=1)
        with (
            get_runtime("native").create_session(artifact, options) as native,
            get_runtime(engine).create_session(artifact, options) as python,
        ):
            assert native.backend == engine
            for batch in (1, 5):
                feed = self.feed(native, batch)
                got, want = native.run(feed)["logits"], python.run(feed)["logits"]
                np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)

    @pytest.mark.parametrize("recipe", recipes)
    def test_the_library_s_choice_is_what_a_session_runs(self, artifacts, recipe):
        artifact, library = artifacts(recipe), load_library()
        choice = library.choose(artifact.path, "auto")
        with get_runtime("native").create_session(artifact, SessionOptions()) as session:
            assert (choice.backend.decode(), choice.device.decode()) == (session.backend, session.device)
            assert choice.file.decode() == session.file.path
        # Everything that the library would have preferred is accounted for.
        before = library.backends()[: library.backends().index(session.backend)]
        assert all(f"backend {name}" in choice.skipped.decode() for name in before)

    def test_a_library_without_the_question_is_refused(self, tmp_path):
        old = shutil.copy(load_library().path, tmp_path / "libold.so")
        content = Path(old).read_bytes()
        Path(old).write_bytes(content.replace(b"resemote_backend_choose", b"resemote_backend_chosen"))
        with pytest.raises(MissingDependencyError, match=r"resemote_backend_choose.*make native"):
            NativeLibrary(old)

    def test_the_library_tests_an_artifact_itself(self, artifact):
        with get_runtime("native").create_session(artifact, SessionOptions()) as session:
            result = session.self_test()
        assert result.crops == artifact.passport.golden.count
        assert result.max_abs_diff <= result.limit == artifact.passport.golden.max_abs_diff
        assert result.top1_agreement == 1.0

    def test_a_file_changed_after_it_was_opened_in_python_is_refused(self, artifact, tmp_path):
        from resemote_edge.artifacts.artifact import Artifact

        copy = Artifact.load(shutil.copytree(artifact.path, tmp_path / "copy"))
        with copy.file(copy.passport.files[-1]).open("ab") as stream:
            stream.write(b"!")
        with pytest.raises(ArtifactMismatchError, match="bytes, the passport says"):
            get_runtime("native").create_session(copy, SessionOptions())
