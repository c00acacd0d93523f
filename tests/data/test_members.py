import io
import os
import stat
import struct
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from face_files import face_image, save_face

from resemote_edge.data import members as members_module
from resemote_edge.data.datasets.folder import load_folder
from resemote_edge.data.members import image_members, open_members
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DatasetError

ALL = ("train", "validation", "test")


def tree(root, classes=("x", "y"), per_class=10):
    for number, name in enumerate(classes):
        for index in range(per_class):
            save_face(root / name / f"{index}.png", number * per_class + index)
    return root


def pack(folder, path, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def both(folder):
    """The folder, and a zip of it."""
    return [folder, pack(folder, folder.with_suffix(".zip"))]


def total(path):
    return sum(map(len, load_dataset(path, optional=ALL).values()))


def not_read(path):
    counted = {}
    for data in load_dataset(path, optional=ALL).values():
        for reason, count in data.left_out.items():
            counted[reason] = counted.get(reason, 0) + count
    return counted


def refused(path, words):
    with pytest.raises(DatasetError, match=words) as caught:
        load_dataset(path, optional=ALL)
    return str(caught.value)


SAVED_AS = [
    ("a.JPG", "JPEG"), ("a.jfif", "JPEG"), ("a.jpe", "JPEG"), ("a.tif", "TIFF"), ("a.TIFF", "TIFF"), ("a.gif", "GIF"),
    ("a.pgm", "PPM"), ("a.WebP", "WEBP"), ("a", "PNG"), ("a.", "BMP"), ("a.dat", "JPEG"), ("a.txt", "PNG"),
    ("a.png.1", "WEBP"), ("a.jpg", "PNG"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), SAVED_AS)
def test_the_content_decides_what_is_an_image(name, kind, tmp_path):
    root = tree(tmp_path / "set")
    stream = io.BytesIO()
    face_image(30).save(stream, kind, **({"lossless": True} if kind == "WEBP" else {}))
    (root / "x" / name).write_bytes(stream.getvalue())
    for path in both(root):
        assert total(path) == 21
        assert not_read(path) == {}


NO_IMAGES = {
    "notes.txt": (b"hello", "not an image (.txt)"),
    "README": (b"# Set\n", "not an image (no suffix)"),
    "empty": (b"", "an empty file, not read"),
    "film.mp4": (b"\0\0\0\x18ftypisom", "a film, not read"),
    "phone.heic": (b"\0\0\0\x18ftypheic", "a HEIC image, not read"),
    "drawing.eps": (b"%!PS-Adobe-3.0\n", "PostScript, not read"),
    "labels.csv": (b"a.png,1\n", "not an image (.csv)"),
    "model.pt": (b"PK\x03\x04", "a zip archive, not read"),
    "BMW.txt": (b"BMW is a car maker, not a bitmap.", "not an image (.txt)"),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_not_read_is_counted_with_the_reason(name, tmp_path):
    content, reason = NO_IMAGES[name]
    root = tree(tmp_path / "set")
    (root / "x" / name).write_bytes(content)
    (root / name).write_bytes(content)
    for path in both(root):
        assert total(path) == 20
        assert not_read(path) == {reason: 2}


LITTER = [
    ".git/objects/00/abc", ".ipynb_checkpoints/0-checkpoint.png", ".idea/x/icon.png", ".vscode/y/icon.png",
    ".thumbnails/0.png", ".DS_Store", "._0.png", "x/._0.png", "x/.ipynb_checkpoints/0.png", "__MACOSX/x/._0.png",
    ".AppleDouble/0.png", "x/Thumbs.db", "x/desktop.ini", "@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "x/@eaDir/0.png",
    "$RECYCLE.BIN/S-1/0.png", "System Volume Information/x/0.png", "lost+found/0.png", "#recycle/x/0.png",
    "__pycache__/a.pyc", ".Trash-1000/files/0.png", ".svn/pristine/0.png", "CVS/Root", "x/0.png~", "x/#0.png#",
    "x/~$notes.docx", ".hg/store/0.png", ".venv/lib/0.png", "node_modules/a/0.png",
]  # fmt: skip


@pytest.mark.parametrize("name", LITTER)
def test_what_systems_leave_is_no_class_and_is_counted(name, tmp_path):
    root = tree(tmp_path / "set")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    face_image(0).save(root / name, "PNG")
    for path in both(root):
        data = load_dataset(path, optional=ALL)
        assert next(iter(data.values())).labels == ("x", "y")
        assert sum(map(len, data.values())) == 20
        assert not_read(path) == {"left by a system or program": 1}


def test_links_are_followed(tmp_path):
    root, elsewhere = tree(tmp_path / "set", ["x"]), tree(tmp_path / "elsewhere", ["near", "far"])
    (root / "y").symlink_to(elsewhere / "far")
    save_face(tmp_path / "one.png", 60)
    (root / "x" / "linked.png").symlink_to(tmp_path / "one.png")
    assert total(root) == 21
    (tmp_path / "set2").symlink_to(root)
    assert total(tmp_path / "set2") == 21


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_that_is_a_link_is_followed(split, tmp_path):
    for name in ("train", "test"):
        tree(tmp_path / "set" / name, per_class=10)
    (tmp_path / "set" / split).rename(tmp_path / "away")
    (tmp_path / "set" / split).symlink_to(tmp_path / "away")
    assert len(load_folder(tmp_path / "set", splits=("test",))["test"]) == 20


@pytest.mark.parametrize("place", ["loop", "x/loop", "x/deep/loop"])
def test_links_in_a_circle_are_refused(place, tmp_path):
    root = tree(tmp_path / "set")
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(root)
    refused(root, "loop: a link to a folder that it lies in; remove the link")


@pytest.mark.parametrize("place", ["z", "x/1000.png"])
def test_links_to_nothing_are_refused(place, tmp_path):
    root = tree(tmp_path / "set")
    (root / place).symlink_to(tmp_path / "gone")
    refused(root, "a link to .*gone, which is not there; mend or remove it")
    (root / place).unlink()
    (root / place).symlink_to(root / place)
    refused(root, "Too many levels of symbolic links|which is not there")


@contextmanager
def nobody():
    """Give up the rights of root, before which nothing is unreadable."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("place", ["x", "x/0.png", ""])
def test_what_cannot_be_read_is_refused(place):
    with tempfile.TemporaryDirectory() as name:
        root = tree(Path(name) / "set")
        for folder in (Path(name), root, root / "x", root / "y"):
            folder.chmod(0o755)
        (root / place).chmod(0)
        with nobody():
            assert str(root / place) in refused(root, r"cannot be read \(Permission denied\)").replace(": x/", "/x/")
        (root / place).chmod(0o755)


@pytest.mark.parametrize("place", ["pipe", "x/pipe", "x/pipe.png"])
def test_pipes_in_a_folder_are_counted_and_not_opened(place, tmp_path):
    root = tree(tmp_path / "set")
    os.mkfifo(root / place)
    assert not_read(root) == {"neither a file nor a folder": 1}


def test_pipes_and_devices_as_data_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "fer2013.csv")
    for path, words in {
        tmp_path / "pipe": "a pipe rather than a file",
        tmp_path / "fer2013.csv": "a pipe rather than a file",
        Path("/dev/zero"): "a device rather than a file",
    }.items():
        for kind in ("auto", "fer2013", "folder", "ferplus"):
            with pytest.raises(DatasetError, match=words):
                load_dataset(path, kind)
        with pytest.raises(DatasetError, match=words):
            load_folder(path)


# --- zips -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x\\30.png", "./x/30.png", "/x/30.png", "x//30.png", "a\\..\\x\\30.png"])
def test_names_that_other_programs_write_into_zips(name, tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip")
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, save_face(tmp_path / "face.png", 30).read_bytes())
    if ".." in name:
        refused(path, "do not lie in the same tree")
    else:
        assert total(path) == 21


def test_a_name_that_is_twice_in_a_zip_is_refused(tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x/0.png", b"other")
    refused(path, "set.zip: x/0.png is in it twice; pack it again")


def test_links_in_a_zip_are_refused(tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip")
    link = zipfile.ZipInfo("z")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "x")
    refused(path, "z is a symbolic link; pack what it leads to in its place")


def headers(raw, name, offset, value):
    """Change two bytes of a member's local header (at ``offset``) and of its row in the directory (2 further on)."""
    changed = bytearray(raw)
    for mark, size, shift in ((b"PK\x03\x04", 30, 0), (b"PK\x01\x02", 46, 2)):
        place = -1
        while (place := raw.find(mark, place + 1)) >= 0:
            if raw[place + size : place + size + len(name)] == name:
                struct.pack_into("<H", changed, place + offset + shift, value)
    return bytes(changed)


DAMAGED = {
    "method": lambda raw: headers(raw, b"x/0.png", 8, 77),
    "encrypted": lambda raw: headers(raw, b"x/0.png", 6, 1),
    "patched": lambda raw: headers(raw, b"x/0.png", 6, 1 << 5),
    "bzip2": lambda raw: headers(raw, b"x/0.png", 8, zipfile.ZIP_BZIP2),
    "lzma": lambda raw: headers(raw, b"x/0.png", 8, zipfile.ZIP_LZMA),
    "body": lambda raw: raw[:50] + bytes(200) + raw[250:],
    "no header": lambda raw: b"XX" + raw[2:],
}


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_members_are_named(case, method, tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip", compression=method)
    path.write_bytes(DAMAGED[case](path.read_bytes()))
    refused(path, r"set.zip: x/0.png: not readable in the zip \(.+\); fetch the image again")


@pytest.mark.parametrize("version", [0, 46, 63, 200])
def test_versions_that_are_unknown_are_read_or_refused(version, tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip")
    path.write_bytes(headers(path.read_bytes(), b"x/0.png", 4, version))
    try:
        assert total(path) == 20
    except DatasetError as error:
        assert "set.zip: not a whole zip (zip file version" in str(error)  # noqa: PT017 - either is right


def test_flipped_bytes_end_in_data_or_a_dataset_s_error(tmp_path):
    whole = pack(tree(tmp_path / "set", per_class=3), tmp_path / "set.zip").read_bytes()
    rng = np.random.default_rng(0)
    ends = 0
    for number in range(150):
        raw = bytearray(whole)
        for place in rng.integers(len(raw) - 700 if number % 2 else 0, len(raw), 3):
            raw[place] = rng.integers(256)
        path = tmp_path / f"{number}.zip"
        path.write_bytes(raw)
        try:
            load_dataset(path, optional=ALL)
        except DatasetError:
            ends += 1
        path.unlink()
    assert ends


def huge_member(path, size):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x/huge.png", b"\x89PNG\r\n\x1a\n")
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        struct.pack_into("<I", raw, raw.rfind(mark) + offset + 4, size)
    path.write_bytes(raw)


def test_members_and_files_of_absurd_size_are_refused_before_they_are_read(tmp_path):
    path = pack(tree(tmp_path / "set"), tmp_path / "set.zip")
    huge_member(path, 4_000_000_000)
    refused(path, "x/huge.png: 4,000 MB; files of up to 268 MB are read")
    with (tmp_path / "set" / "x" / "huge.png").open("wb") as stream:
        stream.truncate(20_000_000_000)
    refused(tmp_path / "set", "x/huge.png: 20,000 MB; files of up to 268 MB are read")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    root = tree(tmp_path / "set")
    monkeypatch.setattr(members_module, "MAX_MEMBERS", 19)
    refused(root, "it holds more than 19 files, 19 are read; pass a part of it")
    refused(pack(root, tmp_path / "set.zip"), "it holds 20 files, 19 are read; pass a part of it")


@pytest.mark.parametrize("count", [600_000, 2**40])
def test_a_zip_that_states_too_many_files_is_refused_unread(count, tmp_path):
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    wide = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, 46 * count, 0)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    (tmp_path / "set.zip").write_bytes(wide + locator + end)
    refused(tmp_path / "set.zip", f"it holds {count:,} files, 500,000 are read")


def test_many_classes_are_refused_quickly(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for number in range(1500):
            archive.writestr(f"class {number}/0.png", b"")
    refused(tmp_path / "set.zip", "images in over 1,000 folders, each of which would be a class")


# --- what people pass instead -----------------------------------------------------------------------------------------

PACKED = {
    "pointer.csv": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "a Git LFS pointer; run: git",
    ),
    "pointer.zip": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "a Git LFS pointer; run: git",
    ),
    "annex.zip": (b"../.git/annex/objects/ab/cd/SHA256-s9--0", "a git-annex pointer; run: git annex get"),
    "fer2013.tar.gz": (b"\x1f\x8b\x08\0", "a gzip archive; unpack it"),
    "fer2013.csv": (b"\x1f\x8b\x08\0", "a gzip archive; unpack it"),
    "fer2013.tar": (b"fer2013/".ljust(257, b"\0") + b"ustar\x0000", "a tar archive; unpack it"),
    "fer2013.7z": (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
    "fer2013.rar": (b"Rar!\x1a\x07\0", "a RAR archive; unpack it"),
    "fer2013.zip": (b"<!doctype html><title>Sign in</title>", "a web page; the download failed or needs a login"),
    "error.csv": (b"<?xml version='1.0'?><Error/>", "an XML file; the download failed"),
    "cut.zip": (b"PK\x03\x04" + bytes(100), "not a whole zip; fetch it again"),
    "empty.csv": (b"", "an empty file; fetch it again"),
    "fer2013.parquet": (b"PAR1", "a Parquet file; convert it"),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("kind", ["auto", "fer2013", "folder"])
def test_what_people_pass_instead_is_named(name, kind, tmp_path):
    content, words = PACKED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=f"{name}: {words}"):
        load_dataset(tmp_path / name, kind)


def test_what_is_packed_once_more_is_named(tmp_path):
    (tmp_path / "fer" / "fer2013").mkdir(parents=True)
    (tmp_path / "fer" / "fer2013" / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    refused(tmp_path / "fer", r"fer2013/fer2013.csv is in it; pass .*/fer/fer2013/fer2013.csv")
    refused(
        pack(tmp_path / "fer", tmp_path / "kaggle.zip"), "fer2013/fer2013.csv is in it; unpack it and pass that file"
    )


def test_members_tell_images_from_the_rest(tmp_path):
    root = tree(tmp_path / "set", per_class=1)
    (root / "notes.txt").write_text("hello")
    with open_members(root) as listed:
        images, others = image_members(listed)
    assert [member.name for member in images] == ["x/0.png", "y/0.png"]
    assert [(member.name, reason) for member, reason in others] == [("notes.txt", "not an image (.txt)")]
