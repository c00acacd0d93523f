"""Runs that start from a trained checkpoint."""

import pytest
import torch
from training.drawn_sets import drawn_dataset

from resemote_edge.errors import InputError
from resemote_edge.labels import FER2013, RESEMOTENET
from resemote_edge.models.random_network import random_network
from resemote_edge.training.config import load_config
from resemote_edge.training.images.batches import TrainingImages
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.networks.initial import initial_weights
from resemote_edge.training.run.processes import Processes
from resemote_edge.training.trainer import Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec

ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture
def network():
    return random_network(4, seed=5)


@pytest.fixture
def saved(network, tmp_path):
    torch.save({"model_state_dict": network.state_dict(), "labels": list(RESEMOTENET)}, tmp_path / "first.pt")
    return tmp_path / "first.pt"


def trainer(labels, initial):
    config = load_config("xs", None, width=4, batch_size=16, epochs=1)
    train, validation = (drawn_dataset(split, labels=labels) for split in ("train", "validation"))
    images = TrainingImages(train, labels, config, PreprocessSpec(), ALONE)
    held_out = HeldOut(validation, labels, PreprocessSpec(), ALONE)
    return Trainer(config, images, held_out, ALONE, context={}, initial=initial)


def test_the_run_starts_as_the_checkpoint_answers(network, saved):
    initial = initial_weights(saved, RESEMOTENET, 4)
    started = trainer(drawn_dataset("train").labels, initial).averaged_network()
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(started(images), network(images), rtol=1e-4, atol=1e-5)


def test_logits_follow_the_label_order_of_the_run(network, saved):
    initial = initial_weights(saved, FER2013, 4)
    for row, label in enumerate(FER2013):
        before = RESEMOTENET.index(label)
        assert torch.equal(initial["fc4.weight"][row], network.fc4.weight[before])
        assert torch.equal(initial["fc4.bias"][row], network.fc4.bias[before])


def test_other_classes_get_a_last_layer_of_their_own(network, saved):
    labels = ("blank", "frown", "smile")
    initial = initial_weights(saved, labels, 4)
    assert not any(key.startswith("fc4") for key in initial)
    state = trainer(labels, initial).averaged_network().net.state_dict()
    assert state["fc4.weight"].shape == (3, network.fc3.out_features)
    assert torch.equal(state["fc3.weight"], network.fc3.weight)
    assert torch.equal(state["res_block3.conv1.weight"], network.res_block3.conv1.weight[..., 1:, 1:])
    assert torch.equal(state["bn1.running_var"], network.bn1.running_var)


def test_another_width_is_refused_with_what_to_do(tmp_path):
    torch.save({"model_state_dict": random_network(16).state_dict()}, tmp_path / "xs.pt")
    with pytest.raises(InputError, match=r"width 16, and the run's is 4, no multiple of it; pass --variant xs"):
        initial_weights(tmp_path / "xs.pt", RESEMOTENET, 4)


def test_without_a_checkpoint_everything_is_drawn():
    assert initial_weights(None, RESEMOTENET, 4) == {}
