import codecs
import shutil
import zipfile
from unicodedata import normalize

import pytest
from face_files import save_face

from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DatasetError
from resemote_edge.labels import RESEMOTENET

ALL = ("train", "validation", "test")


def table(split, header="", form="{name},{label}"):
    rows = [form.format(name=f"{split}_{number}.png", label=number % 7) for number in range(14)]
    return "\n".join([header, *rows] if header else rows) + "\n"


def lay(root, splits=("train", "val", "test"), **options):
    for at, split in enumerate(splits):
        for number in range(14):
            save_face(root / split / f"{split}_{number}.png", 14 * at + number)
        (root / f"{split}_labels.csv").write_text(table(split, **options))
    return root


def pack(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, f"rafdb/{file.relative_to(folder).as_posix()}")
    return path


def check(path, totals=None):
    data = load_dataset(path, optional=ALL)
    assert {split: len(found) for split, found in data.items()} == (totals or dict.fromkeys(ALL, 14))
    for found in data.values():
        assert sorted(found.labels) == sorted(RESEMOTENET)
        for member, target in zip(found.members, found.targets, strict=True):
            assert found.labels[target] == RESEMOTENET[int(member.rpartition("_")[2].removesuffix(".png")) % 7]
    return data


def refused(path, words):
    with pytest.raises(DatasetError, match=words):
        load_dataset(path, optional=ALL)


FORMS = {
    "as the authors write it": {},
    "README": {"header": "image_name class", "form": "{name} {label}"},
    "ImageName": {"header": "ImageName,Label"},
    "semicolons": {"header": "Bild;Gefühl", "form": "{name};{label}"},
    "tabs": {"header": "file\tlabel", "form": "{name}\t{label}"},
    "bars": {"form": "{name}|{label}"},
    "odd names": {"header": "x,y"},
    "label first": {"header": "label,image", "form": "{label},{name}"},
    "quoted": {"form": '"{name}","{label}"'},
    "blanks": {"form": " {name} , {label} "},
    "index": {"header": ",image,label", "form": "7,{name},{label}"},
    "more columns": {"header": "id,path,emotion,source", "form": "9,{name},{label},web"},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_authors_layout_in_every_form(form, tmp_path):
    root = lay(tmp_path / "set", **FORMS[form])
    check(root)
    check(pack(root))


@pytest.mark.parametrize(
    "folder", ["train/", "./train/", "rafdb/train/", "/home/someone/rafdb/train/", "C:\\data\\train\\"]
)
def test_names_with_their_folder(folder, tmp_path):
    root = lay(tmp_path / "set")
    (root / "train_labels.csv").write_text(table("train", form=folder + "{name},{label}"))
    check(root)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding, end, tmp_path):
    root = lay(tmp_path / "set")
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    text = table("train").replace("\n", end)
    (root / "train_labels.csv").write_bytes(mark + text.encode(encoding))
    check(root)


@pytest.mark.parametrize(
    "name", ["train_labels.csv", "Train_Labels.CSV", "training_labels.csv", "train-labels.csv", "train_labels.tsv",
             "labels_train.csv", "train/train_labels.csv", "trainlabels.txt"],
)  # fmt: skip
def test_names_of_tables(name, tmp_path):
    root = lay(tmp_path / "set")
    (root / "train_labels.csv").rename(root / name)
    check(root)


def test_labels_may_be_names(tmp_path):
    root = lay(tmp_path / "set")
    rows = [f"train_{number}.png,{RESEMOTENET[number % 7].upper()}" for number in range(14)]
    (root / "train_labels.csv").write_text("\n".join(rows))
    check(root)


def test_file_names_in_another_unicode_form_or_encoding(tmp_path):
    root = lay(tmp_path / "set")
    for old, new in (("train_0.png", normalize("NFD", "é_0.png")), ("train_1.png", "caf\udce9_1.png")):
        (root / "train" / old).rename(root / "train" / new)
    text = table("train").replace("train_0.png", normalize("NFC", "é_0.png")).replace("train_1.png", "caf\udce9_1.png")
    (root / "train_labels.csv").write_bytes(text.encode(errors="surrogateescape"))
    check(root)


def test_validation_is_drawn_where_it_alone_is_missing(tmp_path):
    root = lay(tmp_path / "set", ("train", "test"))
    for number in range(14):
        save_face(root / "train" / f"train_{number + 70}.png", 60 + number)
    rows = [f"train_{number}.png,{number % 7}" for number in [*range(14), *range(70, 84)]]
    (root / "train_labels.csv").write_text("\n".join(rows))
    check(root, {"train": 21, "validation": 7, "test": 14})


def test_images_that_no_row_names_are_counted(tmp_path):
    root = lay(tmp_path / "set")
    save_face(root / "train" / "more.png", 60)
    (root / "train" / "notes.txt").write_text("hello")
    want = {"image that no table of labels lists": 1, "not an image (.txt)": 1}
    assert check(root)["train"].left_out == want
    assert check(pack(root))["train"].left_out == want


def changed(old, new):
    return lambda text: text.replace(old, new, 1)


BAD_ROWS = {
    "label of 7": (changed("_3.png,3", "_3.png,7"), r"csv:4: the label must be one of 0 happy, .*6 neutral, found '7'"),
    "negative": (changed("_3.png,3", "_3.png,-1"), r"csv:4: the label must be one of .*found '-1'"),
    "fraction": (changed("_3.png,3", "_3.png,3.0"), r"csv:4: the label must be one of .*found '3.0'"),
    "no label": (changed("_3.png,3", "_3.png,"), r"csv:4: the label must be one of .*found ''"),
    "unknown name": (changed("_3.png,3", "_3.png,bored"), r"csv:4: the label must be one of .*found 'bored'"),
    "short row": (changed("_3.png,3", "_3.png"), r"csv:4: found 1 columns"),
    "missing image": (changed("_3.png", "_99.png"), r"csv:4: there is no image 'train_99.png' in train/"),
    "first image missing": (changed("_0.png", "_99.png"), r"csv:1: no column names an image in train/"),
    "second after header": (
        lambda text: "a,b\n" + text.replace("_0.png", "_99.png"),
        r"csv:2: no column names an image",
    ),
    "other split": (changed("train_3", "test/train_3"), r"csv:4: there is no image 'test/train_3.png' in train/"),
    "twice": (lambda text: text + "train_3.png,3\n", r"csv:15: .*train/train_3.png is in line 4 already"),
    "twice, other label": (lambda text: text + "train_3.png,4\n", r"csv:15: .*train/train_3.png is in line 4 already"),
    "pointer": (
        lambda text: "version https://git-lfs.github.com/spec/v1\noid sha256:0",
        "a Git LFS pointer, not a text",
    ),
    "gzip": (lambda text: "\x1f\x8b\x08\0" + text, "a gzip archive, not a text file; unpack it"),
    "web page": (lambda text: "<!DOCTYPE html><title>", "a web page, not a text file"),
    "many columns": (lambda text: text.replace(".png,", ".png,1,"), r"csv:1: found 3 columns and cannot tell which"),
    "empty": (lambda text: "", "an empty file"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_name_file_and_line(case, tmp_path):
    change, words = BAD_ROWS[case]
    root = lay(tmp_path / "set")
    (root / "train_labels.csv").write_bytes(change(table("train")).encode("latin-1"))
    refused(root, words)
    refused(pack(root), words)


def test_a_label_that_the_file_s_name_contradicts_is_refused(tmp_path):
    root = lay(tmp_path / "set")
    (root / "train" / "train_0.png").rename(root / "train" / "train_0_angry.png")
    (root / "train_labels.csv").write_text(table("train").replace("train_0.png", "train_0_angry.png"))
    refused(root, r"csv:1: the label is 0, happy, and train_0_angry.png names anger; correct one")


def test_tables_and_images_that_do_not_fit_are_refused(tmp_path):
    root = lay(tmp_path / "set")
    (root / "val_labels.csv").rename(tmp_path / "val_labels.csv")
    refused(root, "split 'validation' has images and no table")
    shutil.rmtree(root / "val")
    (tmp_path / "val_labels.csv").rename(root / "val_labels.csv")
    refused(root, "split 'validation' has a table and no images directly in its folder")
    (root / "val_labels.csv").rename(root / "labels_test.csv")
    refused(root, "label one split; leave one of them")
    (root / "labels_test.csv").unlink()
    save_face(root / "Testing" / "0.png", 70)
    refused(root, "both stand for split 'test'")


def test_without_tables_no_class_is_made_up(tmp_path):
    root = lay(tmp_path / "set")
    for path in root.glob("*.csv"):
        path.unlink()
    refused(root, r"lies directly in the folder of a split, where no class is named; .*<split>_labels.csv")
    refused(pack(root), "lies directly in the folder of a split")
