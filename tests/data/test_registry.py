import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from face_files import save_face

from resemote_edge.cli import cli
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.inspect import inspect_splits
from resemote_edge.data.registry import DATASETS, DatasetReader, load_dataset, recognise
from resemote_edge.errors import DatasetError, InputError

VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
MARKS = {
    "ferplus": {"fer2013new.csv": VOTES},
    "rafdb": {"EmoLabel/list_patition_label.txt": ""},
    "affectnet": {"Manually_Annotated_file_lists/training.csv": ""},
    "expw": {"label/label.lst": ""},
    "fer2013": {},
}


def lay(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize("kind", [kind for kind in MARKS if MARKS[kind]])
def test_published_layouts_are_recognised_by_what_lies_there(kind, tmp_path):
    assert recognise(lay(tmp_path, MARKS[kind])) == kind


def test_the_later_affectnet_is_recognised(tmp_path):
    (tmp_path / "val_set" / "annotations").mkdir(parents=True)
    assert recognise(tmp_path) == "affectnet"


def test_fer2013_is_told_from_folders_of_ones_own(tiny_fer2013, tmp_path):
    assert recognise(tiny_fer2013) == "fer2013"
    (tmp_path / "x.csv").write_text("\ufeffUsage,emotion,pixels\n", encoding="utf-8")
    assert recognise(tmp_path / "x.csv") == "fer2013"
    (tiny_fer2013 / "test" / "happy").rename(tiny_fer2013 / "test" / "bored")
    assert recognise(tiny_fer2013) == "folder"
    for split in ("train", "test"):
        for label in ("happy", "sad"):
            save_face(tmp_path / "large" / split / label / "0.png", 0, 100)
    assert recognise(tmp_path / "large") == "folder"


def test_two_layouts_in_one_folder_are_not_guessed(tmp_path):
    lay(tmp_path, {**MARKS["rafdb"], **MARKS["expw"]})
    with pytest.raises(DatasetError, match=r"looks like rafdb and like expw; pass the kind"):
        load_dataset(tmp_path)


def test_what_is_not_recognised_says_what_was_looked_for(tmp_path):
    with pytest.raises(DatasetError, match="cannot tell what dataset this is") as caught:
        load_dataset(tmp_path)
    assert all(f"{kind}: " in str(caught.value) for kind in DATASETS)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DatasetError, match="cannot tell"):
        load_dataset(tmp_path / "notes.txt")


def test_wrong_use(tmp_path):
    with pytest.raises(DatasetError, match="no such dataset"):
        load_dataset(tmp_path / "gone")
    with pytest.raises(InputError, match="unknown kind of dataset 'ckplus'; choose from auto, fer2013, ferplus"):
        load_dataset(tmp_path, "ckplus")
    with pytest.raises(InputError, match="kind rafdb takes no labels file; only ferplus does"):
        load_dataset(tmp_path, "rafdb", labels_file="x.csv")


def test_a_damaged_zip_is_named(tmp_path):
    # The record at the end of an empty zip, saying that there are 1,000 files.
    (tmp_path / "x.zip").write_bytes(b"PK\x05\x06\0\0\0\0\xe8\x03\xe8\x03\0\x10\0\0\0\0\0\0\0\0")
    with pytest.raises(DatasetError, match=r"x.zip: not a whole zip"):
        load_dataset(tmp_path / "x.zip")


def test_the_registry_imports_no_package_that_is_optional():
    code = "import sys, resemote_edge.data.registry as r; "
    code += "[r._module(kind) for kind in r.DATASETS]; print([m for m in ('PIL', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_registry_loads_as_the_loader_does(tiny_fer2013):
    seen = []
    data = load_dataset(tiny_fer2013, splits=("test",), progress=lambda done, total: seen.append(total))
    assert data["test"].name == "fer2013 test"
    assert seen == [14]


def test_a_reader_keeps_a_file_as_long_as_it_stays_the_same(tiny_fer2013, tmp_path):
    def pack(name, left_out=()):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path in sorted(tiny_fer2013.rglob("*.png")):
                if path.name not in left_out:
                    archive.write(path, path.relative_to(tiny_fer2013))
        return tmp_path / name

    path, reader = pack("a.zip"), DatasetReader()
    first = reader.load(path, ("test",))["test"]
    both = reader.load(path, ("test", "validation"))
    assert both["test"] is first
    assert reader.load(path, ("validation",))["validation"] is both["validation"]
    assert DatasetReader().load(path, ("test",))["test"] is not first
    pack("a.zip", left_out=("1.png",))
    assert len(reader.load(path, ("test",))["test"]) == len(first) // 2
    assert reader.load(tiny_fer2013, ("test",))["test"] is not reader.load(tiny_fer2013, ("test",))["test"]
    with pytest.raises(DatasetError, match="no such dataset"):
        reader.load(tmp_path / "gone")


def dataset(soft=None, targets=(0, 1, 1)):
    images = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    return Dataset("x", "train", images, np.array(targets), ("b", "a"), ("0", "1", "2"), soft)


SOFT = np.array([[1.0, 0.0], [0.25, 0.75], [0.4, 0.6]], dtype=np.float32)


def test_soft_targets_go_where_their_images_go():
    data = dataset(SOFT)
    part = data.subset(np.array([2, 0]))
    assert np.array_equal(part.soft_targets, SOFT[[2, 0]])
    assert part.targets.tolist() == [1, 0]
    assert part.members == ("2", "0")


def test_soft_targets_are_part_of_the_hash():
    other = SOFT.copy()
    other[1] = [0.3, 0.7]
    hashes = {dataset().sha256(), dataset(SOFT).sha256(), dataset(other).sha256()}
    assert len(hashes) == 3
    assert dataset(SOFT).subset(np.array([2, 1, 0])).sha256() == dataset(SOFT).sha256()
    # The order of the classes is not a property of the data.
    turned = Dataset(
        "x", "train", dataset().images, 1 - dataset().targets, ("a", "b"), ("0", "1", "2"), SOFT[:, ::-1].copy()
    )
    assert turned.sha256() == dataset(SOFT).sha256()


@pytest.mark.parametrize(
    ("soft", "words"),
    [
        (SOFT[:2], r"must be float32 \(3, 2\)"),
        (SOFT.astype(np.float64), "must be float32"),
        (SOFT * np.float32(0.5), "sum to 1"),
        (SOFT[:, ::-1].copy(), "argmax"),
    ],
)
def test_soft_targets_that_contradict_the_images_are_refused(soft, words):
    with pytest.raises(DatasetError, match=words):
        dataset(soft)


def run(*arguments):
    done = CliRunner().invoke(cli, ["data", "inspect", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_inspect_prints_labels_and_copies_across_splits(tmp_path):
    for split in ("train", "test"):
        for number, label in enumerate(("[b]awake", "tired")):
            for index in range(12):
                save_face(tmp_path / split / label / f"{index}.png", 12 * number + index)
    shown = run(tmp_path)
    assert "labels" in shown
    assert "[b]awake, tired" in shown
    report = json.loads(run(tmp_path, "--kind", "folder", "--json"))
    assert report["labels"] == ["[b]awake", "tired"]
    assert report["duplicates_across"]["train -> validation"] == 0
    assert report["duplicates_across"]["train -> test"] + report["duplicates_across"]["validation -> test"] == 24


def test_inspect_takes_a_folder_with_one_split(tiny_fer2013):
    for split in ("train", "validation"):
        (tiny_fer2013 / split).rename(tiny_fer2013.parent / split)
    report = json.loads(run(tiny_fer2013, "--json"))
    assert list(report["counts"]) == ["test"]
    assert report["totals"] == {"test": 14}


def test_nothing_to_inspect(tmp_path):
    with pytest.raises(DatasetError, match="no images in any split"):
        inspect_splits(tmp_path, {})
