import hashlib
import json
import os
import shutil

import pytest

from resemote_edge.artifacts import files
from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_existing, staged_files, staged_folder, write_file
from resemote_edge.artifacts.passport_base import SCHEMA_VERSION
from resemote_edge.artifacts.passport_codec import decode_passport, encode_passport
from resemote_edge.errors import ArtifactError, ArtifactMismatchError, InputError, PassportVersionError


@pytest.fixture
def copy(artifacts, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, folder)
    return folder


def edit(folder, **changes):
    manifest = folder / "passport.json"
    passport = json.loads(manifest.read_text())
    for key, value in changes.items():
        passport[key] = {**passport[key], **value} if key == "preprocessing" else value
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
        ({"outputs": []}, r"length >= 1.*\$\.outputs"),
        ({"labels": ["happy", "sad"]}, r"2 labels \(happy, sad\) for an output of float32 \('batch', 7\)"),
        ({"labels": ["a", "b", "c", "d", "e", "f", "a"]}, "label 'a' stands for two classes"),
        ({"labels": []}, r"\$.labels"),
        ({"labels": ["x" * 5000] * 7}, r"\$.labels"),
        ({"outputs": [{"name": "logits", "dtype": "float32", "shape": []}]}, r"a shape is .* - at `\$.outputs"),
        ({"outputs": [{"name": "logits", "dtype": "float32", "shape": ["batch", 0]}]}, "a shape is"),
        ({"outputs": [{"name": "logits", "dtype": "float32", "shape": ["many", 7]}]}, "'many'|Invalid enum"),
        ({"outputs": [{"name": "logits", "dtype": "float99", "shape": ["batch", 7]}]}, "float99"),
        ({"inputs": []}, r"\$.inputs"),
        (
            {"inputs": [{"name": "input", "dtype": "uint8", "shape": ["batch", 3, 64, 64]}]},
            "preprocessing makes one input",
        ),
        (
            {"inputs": [{"name": "input", "dtype": "float32", "shape": ["batch", 3, 48, 48]}]},
            "preprocessing makes one input",
        ),
        ({"preprocessing": {"height": 0}}, "8 to 4096 rows"),
        ({"preprocessing": {"height": -1}}, "8 to 4096 rows"),
        ({"preprocessing": {"width": 10**9}}, "8 to 4096 rows"),
        ({"preprocessing": {"channels": 0}}, "1 to 3 channels"),
        ({"preprocessing": {"std": [0.229, 0, 0.225]}}, "std above 0"),
        ({"preprocessing": {"std": [0.229, -1, 0.225]}}, "std above 0"),
        ({"preprocessing": {"resize": "nearest"}}, "nearest"),
        ({"name": "../../x"}, "the name '../../x' cannot name a file"),
        ({"name": ".."}, "cannot name a file"),
        ({"name": "x" * 300}, "cannot name a file"),
        ({"name": ""}, "cannot name a file"),
        ({"name": "a\nb"}, "cannot name a file"),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "../logits.npy", "count": 32, "max_abs_diff": 1.0}},
            "which is not listed as a golden file",
        ),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "other.npy", "count": 32, "max_abs_diff": 1.0}},
            "'other.npy', which is not listed",
        ),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "model.onnx", "count": 32, "max_abs_diff": 1.0}},
            "'model.onnx', which is not listed",
        ),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "golden_crops.npy", "count": 32, "max_abs_diff": 1.0}},
            "from one file",
        ),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "golden_logits.npy", "count": 0, "max_abs_diff": 1.0}},
            "golden.count",
        ),
        (
            {"golden": {"crops": "golden_crops.npy", "logits": "golden_logits.npy", "count": 32, "max_abs_diff": -1.0}},
            "max_abs_diff",
        ),
        ({"batch": {"min": 0, "opt": 1, "max": 1}}, "1 <= min"),
    ],
)
def test_a_malformed_passport_names_the_field(copy, change, words):
    edit(copy, **change)
    with pytest.raises(ArtifactError, match=words):
        Artifact.load(copy)


@pytest.mark.parametrize("path", ["../elsewhere", "/etc/hostname", "..", ".", "", "a/b", "a\\b", "a\0b"])
def test_a_file_outside_the_folder_is_refused(copy, path):
    files = json.loads((copy / "passport.json").read_text())["files"]
    files[0]["path"] = path
    edit(copy, files=files)
    with pytest.raises(ArtifactError, match="points outside"):
        Artifact.load(copy)


def test_a_file_that_is_listed_twice_is_refused(copy):
    files = json.loads((copy / "passport.json").read_text())["files"]
    edit(copy, files=[*files, files[0]])
    with pytest.raises(ArtifactError, match=r"'model\.onnx' is listed twice"):
        Artifact.load(copy)


@pytest.mark.parametrize("name", ["model.onnx", "golden_crops.npy"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_a_file_that_is_no_regular_file_of_the_folder_is_refused(copy, tmp_path, name, kind):
    moved = (copy / name).rename(tmp_path / name)
    if kind == "pipe":
        os.mkfifo(copy / name)
    elif kind == "folder":
        (copy / name).mkdir()
    else:
        (copy / name).symlink_to(moved)
    with pytest.raises(ArtifactError, match="leads out" if kind == "link" else "not a regular file"):
        Artifact.load(copy)


def test_a_link_within_the_folder_is_followed(copy):
    (copy / "model.onnx").rename(copy / "kept.onnx")
    (copy / "model.onnx").symlink_to("kept.onnx")
    assert Artifact.load(copy).passport.name == "cpu-onnxruntime-fp32"


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"schema_version": 2, "recipe": ' + '{"a":' * 100_000, "", "\xff", "null"]
)
def test_json_that_is_no_passport_is_refused(copy, text):
    (copy / "passport.json").write_text(text, encoding="latin-1")
    with pytest.raises(ArtifactError, match="not a valid passport"):
        Artifact.load(copy)


def test_a_passport_of_absurd_size_is_refused_before_it_is_read(copy):
    with (copy / "passport.json").open("r+b") as stream:
        stream.truncate(20 << 30)  # sparse: takes no room on the disk
    with pytest.raises(ArtifactError, match="21474836480 bytes"):
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

    monkeypatch.setattr(files, "exchange", lambda one, other: False)  # As on a file system that cannot.
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


def test_a_link_to_an_artifact_is_replaced_by_the_new_one_and_what_it_led_to_stays(copy, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(copy)
    with staged_folder(link, force=True) as folder:
        (folder / "passport.json").write_text('{"files": []}')
    assert not link.is_symlink()
    assert [path.name for path in link.iterdir()] == ["passport.json"]
    assert Artifact.load(copy).passport.name == "cpu-onnxruntime-fp32"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "link"]


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


@pytest.mark.parametrize("shape", ["(1000000000000, 64, 64, 3)", "(32, 64, 64, 4)", "(-1, 64)", "()", "(0, 64, 64, 3)"])
def test_golden_crops_that_claim_another_shape_are_refused(copy, shape):
    """Hash and size are those of the passport: its maker may be anybody."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(1000)
    (copy / "golden_crops.npy").write_bytes(content)
    files = json.loads((copy / "passport.json").read_text())["files"]
    entry = next(entry for entry in files if entry["path"] == "golden_crops.npy")
    entry.update(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    edit(copy, files=files)
    with pytest.raises(ArtifactError, match=r"cannot be read|do not fit the passport"):
        Artifact.load(copy).golden()
