"""`predict` on photographs: faces, boxes, drawings, and pictures in which there is nobody."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from portrait_frames import PLACES, crowd

from resemote_edge.vision.image import read_rgb


def predict(*arguments, cwd, code=0):
    command = [sys.executable, "-m", "resemote_edge", "predict", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(crowd()).save(path)
    return path


def test_every_face_of_a_photograph_is_judged(photograph, tmp_path):
    done = predict(photograph, "--json", cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    assert (row["image"], row["width"], row["height"]) == (str(photograph), 1280, 720)
    assert (row["detector"], row["artifact"]) == ("yunet", "resemotenet-s-fer2013-onnx-w8")
    assert len(row["faces"]) == len(PLACES)
    for face, (left, top, side) in zip(row["faces"], PLACES, strict=True):  # both from left to right
        assert left < face["x"] < face["x"] + face["width"] < left + side
        assert top < face["y"] < face["y"] + face["height"] < top + side
        assert face["detection_score"] > 0.6
        assert sum(face["probabilities"].values()) == pytest.approx(1.0)
        assert face["probabilities"][face["label"]] == face["score"]
        assert np.shape(face["landmarks"]) == (5, 2)
    assert [face["label"] for face in row["faces"]].count("happy") >= 3


def test_the_table_shows_boxes_and_expressions(photograph, tmp_path):
    shown = predict("photo.png", cwd=tmp_path).stdout
    assert shown.count("photo.png") == 1
    assert shown.count("happy") >= 3
    assert shown.count(" at ") == len(PLACES)


def test_no_face_is_a_result_and_the_way_out_is_told(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (300, 200), "gray").save(tmp_path / name)
    done = predict("a.png", "b.png", "--json", cwd=tmp_path)
    assert [row["faces"] for row in json.loads(done.stdout)] == [[], []]
    assert "no face was found in 2 of 2 pictures; if a picture is a face already, pass --crop" in done.stderr
    done = predict("a.png", cwd=tmp_path)
    assert "no face found" in done.stdout
    assert "no face was found in the picture;" in done.stderr


def test_a_crop_is_judged_as_it_is(tmp_path):
    Image.fromarray(crowd()[60:460, 40:440]).save(tmp_path / "a.png")
    (row,) = json.loads(predict("--crop", "a.png", "--json", cwd=tmp_path).stdout)
    assert set(row) == {"image", "label", "score", "probabilities", "artifact", "runtime", "device"}
    (whole,) = json.loads(predict("a.png", "--detector", "none", "--json", cwd=tmp_path).stdout)
    (face,) = whole["faces"]
    assert (face["width"], face["height"]) == (400, 400)
    assert face["probabilities"] == pytest.approx(row["probabilities"], abs=1e-6)


def test_a_photograph_lying_on_its_side_is_turned_upright(photograph, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.open(photograph).rotate(90, expand=True)
    lying.save(tmp_path / "lying.png", exif=exif)
    rows = [json.loads(predict(name, "--json", cwd=tmp_path).stdout)[0] for name in ("photo.png", "lying.png")]
    assert rows[1]["width"] == 1280
    for one, other in zip(rows[0]["faces"], rows[1]["faces"], strict=True):
        assert one["x"] == pytest.approx(other["x"], abs=1)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_any_mode_will_do(mode, tmp_path):
    Image.fromarray(crowd(640, 360, ((100, 50, 240),))).convert(mode).save(tmp_path / "a.tif")
    (row,) = json.loads(predict("a.tif", "--json", cwd=tmp_path).stdout)
    assert len(row["faces"]) == 1


def test_one_drawing_is_a_file_and_several_go_to_a_folder(photograph, tmp_path):
    predict("photo.png", "--draw", "out/drawn.png", cwd=tmp_path)
    drawn, before = read_rgb(tmp_path / "out" / "drawn.png"), read_rgb(photograph)
    assert drawn.shape == before.shape
    changed = (drawn != before).any(axis=2)
    assert 0.005 < changed.mean() < 0.4
    (tmp_path / "more").mkdir()
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "empty.png")
    predict("photo.png", "empty.png", "--draw", "more", cwd=tmp_path)
    assert sorted(path.name for path in (tmp_path / "more").iterdir()) == ["empty.png", "photo.png"]
    assert np.array_equal(read_rgb(tmp_path / "more" / "photo.png"), drawn)
    assert np.array_equal(read_rgb(tmp_path / "more" / "empty.png"), read_rgb(tmp_path / "empty.png"))


def test_a_drawing_is_replaced_only_on_request(photograph, tmp_path):
    (tmp_path / "drawn.png").write_text("mine")
    done = predict("photo.png", "--draw", "drawn.png", cwd=tmp_path, code=1)
    assert "drawn.png exists; pass --force to replace it" in done.stderr
    assert (tmp_path / "drawn.png").read_text() == "mine"
    predict("photo.png", "--draw", "drawn.png", "--force", cwd=tmp_path)
    assert read_rgb(tmp_path / "drawn.png").shape == (720, 1280, 3)


def test_two_pictures_of_one_name_are_not_drawn_over_each_other(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (64, 64), "gray").save(tmp_path / folder / "x.png")
    done = predict("a/x.png", "b/x.png", "--draw", "out", cwd=tmp_path, code=1)
    assert "two pictures would be drawn in out/x.png" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_higher_score_leaves_faces_out(photograph, tmp_path):
    (row,) = json.loads(predict("photo.png", "--min-face-score", "0.999", "--json", cwd=tmp_path).stdout)
    assert row["faces"] == []
