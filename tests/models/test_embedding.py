import numpy as np
import pytest
import torch
from conftest import random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from resemote_edge.errors import ExportError
from resemote_edge.models.compact import compact
from resemote_edge.models.embedding import embed_preprocessing
from resemote_edge.models.graph import build_eval_graph
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import FLOAT64_LIMIT, evaluate_graph
from resemote_edge.vision.preprocessing import PreprocessSpec

FORMATS = ["gray-u8", "rgb-u8", "bgr-u8"]


@settings(max_examples=10, deadline=None)
@given(
    format=st.sampled_from(FORMATS), width=st.sampled_from([4, 8]), seed=st.integers(0, 2**16), lowered=st.booleans()
)
def test_the_fold_is_exact_up_to_the_border(format, width, seed, lowered):
    spec = PreprocessSpec(input=format)
    feed = np.random.default_rng(seed).integers(0, 256, (2, 64, 64, spec.feed_channels), dtype=np.uint8)
    model = random_network(width, seed).double()
    graph = compact(build_eval_graph(model))
    graph = embed_preprocessing(spec)(lower(graph) if lowered else graph)
    with torch.inference_mode():
        want = model(torch.from_numpy(spec.tensor(feed, np.float64))).numpy()
    got = evaluate_graph(graph, feed)
    assert np.abs(got - want).max() <= FLOAT64_LIMIT * max(1.0, np.abs(want).max())


def test_the_constant_must_not_become_a_bias():
    # The second channel exists because, with a bias instead, the border would see the mean and not zero.
    spec = PreprocessSpec(input="gray-u8")
    model = random_network(4).double()
    graph = embed_preprocessing(spec)(build_eval_graph(model))
    conv = next(node for node in graph.nodes if node.name == "conv1")
    assert conv.params["weight"].shape[1] == 2
    feed = np.zeros((1, 64, 64, 1), dtype=np.uint8)
    weight, bias = (torch.from_numpy(conv.params[key]) for key in ("weight", "bias"))
    as_bias = bias + weight[:, 1].sum(dim=(1, 2))
    x = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    wrong = torch.nn.functional.conv2d(x, weight[:, :1], as_bias, padding=1)
    right = torch.nn.functional.conv2d(torch.cat([x, x + 1], dim=1), weight, bias, padding=1)
    torch.testing.assert_close(wrong[..., 1:-1, 1:-1], right[..., 1:-1, 1:-1])
    assert (wrong - right).abs()[..., 0, :].max() > 1e-3
    assert evaluate_graph(graph, feed).shape == (1, 7)


def test_it_wants_a_convolution_to_fold_into():
    graph = build_eval_graph(random_network(4))
    twice = embed_preprocessing(PreprocessSpec(input="gray-u8"))
    with pytest.raises(ExportError, match="starts with from_nhwc"):
        twice(twice(graph))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("color", ["gray", "rgb", "bgr"])
def test_feeds_mean_the_same_faces(format, color):
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (64, 64) if color == "gray" else (64, 64, 3), dtype=np.uint8) for _ in range(3)]
    spec = PreprocessSpec(input=format)
    feed = spec(crops, color)
    assert feed.dtype == np.uint8
    assert spec.feed_spec.check(feed).shape == feed.shape
    # At 64x64, nothing is resized, so every input format gives the same gray levels.
    assert np.array_equal(spec.tensor(feed), PreprocessSpec()(crops, color))


def test_colour_crops_are_resized_channel_by_channel():
    crop = np.random.default_rng(1).integers(0, 256, (90, 41, 3), dtype=np.uint8)
    rgb = PreprocessSpec(input="rgb-u8")([crop], "rgb")
    bgr = PreprocessSpec(input="bgr-u8")([crop], "rgb")
    assert np.array_equal(rgb[..., ::-1], bgr)
    for channel in range(3):
        want = PreprocessSpec().pixels([np.ascontiguousarray(crop[..., channel])], "gray")
        assert np.array_equal(rgb[..., channel], want)
