import dataclasses
import json

import pytest

from resemote_edge.data.calibration import choose_calibration, drawn_calibration
from resemote_edge.errors import CheckpointError, TooFewImagesError
from resemote_edge.export.context import ExportContext
from resemote_edge.export.quantize.quantization import calibrate, plan_quantization
from resemote_edge.export.quantize.recorded import read_recorded, recorded_path, write_recorded
from resemote_edge.export.recipe import QuantizeOptions
from resemote_edge.labels import RESEMOTENET
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.weights import EMBEDDED, default_checkpoint, embedded_checkpoint


@pytest.fixture
def copied(checkpoint, tmp_path):
    path = tmp_path / "copy.pt"
    path.write_bytes(checkpoint.path.read_bytes())
    return load_checkpoint(path, RESEMOTENET)


def test_ranges_come_back_as_they_were(copied):
    chosen = drawn_calibration(32)
    ranges = calibrate(copied, chosen)
    assert read_recorded(copied) is None
    write_recorded(copied, ranges, chosen.manifest, recorded_path(copied.path))
    recorded = read_recorded(copied)
    assert recorded.ranges == ranges
    assert recorded.calibration == chosen.manifest


def test_ranges_cover_what_was_seen(copied):
    few, many = (calibrate(copied, drawn_calibration(count)) for count in (16, 64))
    assert few.keys() == many.keys()
    assert few["conv1.relu"][0] == 0.0  # a ReLU's smallest value
    assert few["input"][0] == pytest.approx((0 - 0.485) / 0.229, abs=0.5)
    assert {"conv2.pool", "se", "res_block2", "pool", "fc3.relu", "logits"} <= few.keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[:-40], "not valid activation ranges"),
        (lambda text: text.replace('"schema": 1', '"schema": 9'), "ranges of schema 9, this version reads schema 1"),
        (lambda text: text.replace('"ranges"', '"rangs"'), "unknown field `rangs`"),
    ],
)
def test_a_spoilt_record_is_refused(copied, change, says):
    chosen = drawn_calibration(16)
    path = recorded_path(copied.path)
    write_recorded(copied, calibrate(copied, chosen), chosen.manifest, path)
    path.write_text(change(path.read_text()))
    with pytest.raises(CheckpointError, match=says):
        read_recorded(copied)


def test_ranges_of_other_weights_are_refused(copied):
    chosen = drawn_calibration(16)
    write_recorded(copied, calibrate(copied, chosen), chosen.manifest, recorded_path(copied.path))
    with pytest.raises(CheckpointError, match="recorded for other weights"):
        read_recorded(dataclasses.replace(copied, sha256="0" * 64))


@pytest.mark.parametrize("variant", EMBEDDED)
def test_the_embedded_weights_carry_ranges_of_training_images(variant):
    recorded = read_recorded(load_checkpoint(embedded_checkpoint(variant)))
    assert recorded.calibration.split == "train"
    assert recorded.calibration.dataset == "fer2013 train"
    assert recorded.calibration.count == len(recorded.calibration.image_sha256) == 512
    assert sorted(recorded.calibration.counts.values()) == [73] * 6 + [74]


@pytest.mark.slow
def test_the_embedded_ranges_can_be_observed_again(fer2013):
    from resemote_edge.data.calibration import choose_calibration

    checkpoint = load_checkpoint(default_checkpoint())
    recorded = read_recorded(checkpoint)
    chosen = choose_calibration(fer2013, 512, recorded.calibration.seed)
    assert chosen.manifest == recorded.calibration
    again = calibrate(checkpoint, chosen)
    assert again.keys() == recorded.ranges.keys()
    for name, (low, high) in again.items():
        assert (low, high) == pytest.approx(recorded.ranges[name], rel=1e-3, abs=1e-3), name
    assert json.loads(recorded_path(checkpoint.path).read_text())["schema"] == 1


def test_data_with_too_few_images_leaves_the_record_to_be_used(copied, drawn_fer2013):
    """What calibrate observed on few images serves export, which asks for more and still judges on the data."""
    options = QuantizeOptions(scheme="unsigned", calibration_images=10_000)
    with pytest.raises(
        TooFewImagesError, match=r"10000 calibration images wanted.*calibrate --images \d+; export then"
    ):
        plan_quantization(copied, options, drawn_fer2013, ExportContext())
    chosen = choose_calibration(drawn_fer2013, 16, labels=copied.labels)
    ranges = calibrate(copied, chosen)
    write_recorded(copied, ranges, chosen.manifest, recorded_path(copied.path))
    plan = plan_quantization(copied, options, drawn_fer2013, ExportContext())
    assert plan.ranges == ranges
    assert plan.calibration.count == 16
