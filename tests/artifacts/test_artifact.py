import json
import shutil

import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_existing, staged_files, staged_folder, write_file
from resemote_edge.artifacts.passport import SCHEMA_VERSION, decode_passport, encode_passport
from resemote_edge.errors import ArtifactError, ArtifactMismatchError, InputError, PassportVersionError


@pytest.fixture
def copy(artifacts, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, folder)
    return folder


def edit(folder, **changes):
    manifest = folder / "passport.json"
    passport = json.loads(manifest.read_text())
    passport.update(changes)
    manifest.write_text(json.dumps(passport))


def test_a_passport_survives_the_round_trip(artifacts):
    passport = artifacts("cpu-openvino-fp16").passport
    encoded = encode_passport(passport)
    assert encode_passport(decode_passport(encoded, "x")) == encoded


def test_folder_and_manifest_both_name_an_artifact(copy):
    assert Artifact.load(copy).passport == Artifact.load(copy / "passport.json").passport


@pytest.mark.parametrize("name", ["model.onnx", "golden_crops.npy", "golden_logits.npy"])
def test_a_changed_byte_is_refused(copy, name):
    raw = bytearray((copy / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / name).write_bytes(raw)
    with pytest.raises(ArtifactMismatchError, match="sha256"):
        Artifact.load(copy)


def test_a_truncated_file_is_refused(copy):
    raw = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(raw[:-1])
    with pytest.raises(ArtifactMismatchError, match="bytes"):
        Artifact.load(copy)


def test_a_missing_file_is_refused(copy):
    (copy / "model.onnx").unlink()
    with pytest.raises(ArtifactError, match="missing"):
        Artifact.load(copy)


def test_another_schema_is_refused_with_both_numbers(copy):
    edit(copy, schema_version=SCHEMA_VERSION + 1)
    with pytest.raises(PassportVersionError, match=f"schema {SCHEMA_VERSION + 1}.*reads schema {SCHEMA_VERSION}"):
        Artifact.load(copy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": 3}, "labels"),
        ({"surprise": 1}, "surprise"),
        ({"files": [{"path": "x"}]}, "role"),
        ({"outputs": [{"name": "scores", "dtype": "float32", "shape": ["batch", 7]}]}, "outputs are named scores"),
        ({"outputs": []}, "outputs are named nothing"),
        ({"labels": ["happy", "sad"]}, r"2 labels \(happy, sad\) for an output of shape \('batch', 7\)"),
        ({"labels": ["a", "b", "c", "d", "e", "f", "a"]}, "each class has one name"),
        (
            {"outputs": [{"name": "logits", "dtype": "float32", "shape": []}]},
            r"7 labels .* for an output of shape \(\)",
        ),
    ],
)
def test_a_malformed_passport_names_the_field(copy, change, words):
    edit(copy, **change)
    with pytest.raises(ArtifactError, match=words):
        Artifact.load(copy)


def test_a_file_outside_the_folder_is_refused(copy):
    files = json.loads((copy / "passport.json").read_text())["files"]
    files[0]["path"] = "../elsewhere"
    edit(copy, files=files)
    with pytest.raises(ArtifactError, match="outside"):
        Artifact.load(copy)


def test_what_is_no_artifact(tmp_path):
    for path, words in ((tmp_path / "none", "nothing there"), (tmp_path, "resemote-edge export")):
        with pytest.raises(ArtifactError, match=words):
            Artifact.load(path)


def test_staging_leaves_the_whole_thing_or_nothing(tmp_path):
    destination = tmp_path / "deep" / "out"
    with pytest.raises(RuntimeError), staged_folder(destination) as folder:
        (folder / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []  # its new parent folders are removed too
    with staged_folder(destination) as folder:
        (folder / "whole").write_text("whole")
    assert [path.name for path in destination.parent.iterdir()] == ["out"]


def test_replacing_keeps_the_old_one_when_the_new_one_fails(copy):
    before = (copy / "passport.json").read_bytes()
    with pytest.raises(RuntimeError), staged_folder(copy, force=True):
        raise RuntimeError
    assert (copy / "passport.json").read_bytes() == before


def test_an_old_artifact_comes_back_when_the_swap_fails(copy, monkeypatch):
    before = (copy / "passport.json").read_bytes()
    rename = type(copy).rename

    def interrupted(self, target):
        if target == copy and "partial" in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(type(copy), "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), staged_folder(copy, force=True) as folder:
        (folder / "new").write_text("new")
    assert (copy / "passport.json").read_bytes() == before
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_whoever_comes_second_does_not_overwrite(tmp_path):
    destination = tmp_path / "out"
    with pytest.raises(InputError, match=r"appeared|exists"), staged_folder(destination) as folder:
        (folder / "mine").write_text("second")
        destination.mkdir()
        (destination / "theirs").write_text("first")
    assert [path.name for path in destination.iterdir()] == ["theirs"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_cannot_be_put_in_place_is_refused_at_once(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="leads nowhere"):
        refuse_existing(tmp_path / "link", force=True)
    monkeypatch.chdir(tmp_path)
    for current in (tmp_path, tmp_path.parent, type(tmp_path)(".")):
        with pytest.raises(InputError, match="current folder"):
            refuse_existing(current, force=True)


def test_force_keeps_files_that_are_not_the_artifact_s(copy):
    (copy / "my-notes.txt").write_text("notes")
    with pytest.raises(InputError, match=r"my-notes\.txt"):
        refuse_existing(copy, force=True)


def test_force_deletes_artifacts_and_nothing_else(copy, tmp_path):
    with pytest.raises(InputError, match="--force"):
        refuse_existing(copy, force=False)
    refuse_existing(copy, force=True)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no artifact"):
        refuse_existing(tmp_path / "precious", force=True)


def test_write_file_replaces_at_once(tmp_path):
    write_file(tmp_path / "a" / "b.txt", "one")
    write_file(tmp_path / "a" / "b.txt", b"two")
    assert (tmp_path / "a" / "b.txt").read_text() == "two"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_staged_files_move_together_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), staged_files(tmp_path / "new" / "deep") as folder:
        (folder / "a").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with staged_files(tmp_path / "new") as folder:
        (folder / "a").write_text("1")
        (folder / "b").write_text("1")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]
    with pytest.raises(InputError, match="b exists"), staged_files(tmp_path / "new") as folder:
        (folder / "a0").write_text("2")
        (folder / "b").write_text("2")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]
    with staged_files(tmp_path / "new", force=True) as folder:
        (folder / "b").write_text("2")
    assert [(tmp_path / "new" / name).read_text() for name in "ab"] == ["1", "2"]
