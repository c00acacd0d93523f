"""A wider network that computes the same, and does not stay the same network."""

import pytest
import torch

from resemote_edge.errors import InputError
from resemote_edge.labels import RESEMOTENET
from resemote_edge.models.compact import expand
from resemote_edge.models.random_network import random_network
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.training.images.randomness import generator_at
from resemote_edge.training.networks.initial import initial_weights
from resemote_edge.training.networks.widening import widen


def images():
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_logits_stay_what_they_were(factor):
    narrow = random_network(8, seed=3).double().eval()
    wide = ResEmoteNet(8 * factor).double().eval()
    wide.load_state_dict(widen(narrow.state_dict(), factor, generator_at(0, "widening")))
    with torch.inference_mode():
        torch.testing.assert_close(wide(images()), narrow(images()), rtol=1e-9, atol=1e-12)


def test_copies_of_a_channel_get_gradients_of_their_own():
    narrow = random_network(4, seed=3).double().eval()
    wide = ResEmoteNet(8).double().eval()
    wide.load_state_dict(widen(narrow.state_dict(), 2, generator_at(0, "widening")))
    wide(images()).square().sum().backward()
    for key, value in wide.named_parameters():
        if value.ndim == 4:
            first, second = value.grad.chunk(2)
            assert (first - second).norm() > 0.01 * value.grad.norm(), key


def test_a_run_starts_from_a_narrower_checkpoint(tmp_path):
    narrow = random_network(4, seed=5).eval()
    torch.save({"model_state_dict": narrow.state_dict(), "labels": list(RESEMOTENET)}, tmp_path / "narrow.pt")
    wide = ResEmoteNet(8).eval()
    wide.load_state_dict(expand(initial_weights(tmp_path / "narrow.pt", RESEMOTENET, 8)))
    with torch.inference_mode():
        torch.testing.assert_close(wide(images().float()), narrow(images().float()), rtol=1e-4, atol=1e-5)


def test_the_draw_is_the_run_s_own(tmp_path):
    torch.save({"model_state_dict": random_network(4).state_dict(), "labels": list(RESEMOTENET)}, tmp_path / "n.pt")
    first, again, other = (initial_weights(tmp_path / "n.pt", RESEMOTENET, 8, seed) for seed in (1, 1, 2))
    assert torch.equal(first["conv2.weight"], again["conv2.weight"])
    assert not torch.equal(first["conv2.weight"], other["conv2.weight"])


@pytest.mark.parametrize("factor", [0, -1])
def test_no_network_is_made_narrower(factor):
    with pytest.raises(InputError, match="1 or more times as wide"):
        widen(random_network(4).state_dict(), factor, generator_at(0, "widening"))
