"""Plans: where ranges come from, and that the same ones are not observed twice."""

import msgspec
import pytest
import torch

from resemote_edge.export.context import ExportContext
from resemote_edge.export.quantize.quantization import plan_quantization
from resemote_edge.export.recipe import QuantizeOptions
from resemote_edge.labels import RESEMOTENET
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.models.random_network import random_network

OPTIONS = QuantizeOptions(scheme="unsigned", calibration_images=64)


@pytest.fixture
def context():
    return ExportContext()


def plan(checkpoint, data, options, context):
    """The plan, and the number of progress reports while it observed."""
    told = []
    return plan_quantization(checkpoint, options, data, context, lambda done, total: told.append(done)), len(told)


def test_the_same_images_are_observed_once_in_a_run(checkpoint, drawn_fer2013, context):
    first, observed = plan(checkpoint, drawn_fer2013, OPTIONS, context)
    again, observed_again = plan(checkpoint, drawn_fer2013, OPTIONS, context)
    assert observed > 0
    assert observed_again == 0
    assert again.ranges == first.ranges
    assert plan(checkpoint, drawn_fer2013, OPTIONS, ExportContext())[1] == observed


def test_other_images_or_weights_are_observed(checkpoint, drawn_fer2013, tmp_path, context):
    torch.save({"model_state_dict": random_network(seed=1).state_dict()}, tmp_path / "other.pt")
    other_checkpoint = load_checkpoint(tmp_path / "other.pt", RESEMOTENET)
    first, _ = plan(checkpoint, drawn_fer2013, OPTIONS, context)
    few = msgspec.structs.replace(OPTIONS, calibration_images=32)
    fewer, observed = plan(checkpoint, drawn_fer2013, few, context)
    assert observed > 0
    assert fewer.ranges != first.ranges
    others, observed = plan(other_checkpoint, drawn_fer2013, few, context)
    assert observed > 0
    assert others.ranges != fewer.ranges
