"""The networks that are trained to teach: they learn, answer in the pupil's order, and are exported by nothing."""

import pytest
import torch
from training.test_trainer import CPU, config, run, trainer

from resemote_edge.errors import CheckpointError, InputError
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.training.config import load_config
from resemote_edge.training.images.randomness import generator_at
from resemote_edge.training.networks.architectures import TEACHING, build_network
from resemote_edge.training.teaching.teacher import checkpoint_facts, load_teacher

LABELS = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")


@pytest.fixture(params=TEACHING)
def trained(request, tmp_path):
    network = build_network(request.param, 16, 7, "plain")
    network.initialize(generator_at(0, "weights"))
    path = tmp_path / f"{request.param}.pt"
    named = {"architecture": request.param, "width": 16, "labels": list(LABELS)}
    torch.save({**named, "model_state_dict": network.net.state_dict()}, path)
    return network.eval(), path


def test_the_variants_are_networks_of_their_architecture():
    assert [load_config(name).architecture for name in ("base", "nano", *TEACHING)] == ["resemotenet"] * 2 + [*TEACHING]
    for name in TEACHING:
        recipe = load_config(name)
        assert (recipe.optimizer, recipe.weight_decay, recipe.gradient_clip) == ("sgd", 5e-4, 0.0)


def test_sgd_has_defaults_of_its_own_and_a_recipe_goes_before_them():
    assert load_config("s").weight_decay == 0.05
    assert load_config("s", None, optimizer="sgd").weight_decay == 5e-4
    assert load_config("s", None, optimizer="sgd", weight_decay=1e-3, gradient_clip=2.0).weight_decay == 1e-3
    assert load_config("s", None, optimizer="sgd", weight_decay=1e-3, gradient_clip=2.0).gradient_clip == 2.0


@pytest.mark.parametrize("architecture", TEACHING)
def test_a_teaching_network_trains(architecture):
    subject = trainer(config(architecture=architecture, width=16, epochs=3, optimizer="sgd", learning_rate=0.02))
    run(subject, 3)
    assert subject.history[-1].loss < subject.history[0].loss


def test_a_saved_teacher_answers_in_the_pupils_order(trained):
    network, path = trained
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    order = LABELS[::-1]
    with torch.no_grad():
        answers = load_teacher([checkpoint_facts(path, "teacher")], order, CPU)(images)
        torch.testing.assert_close(answers, network(images).flip(1))
    with pytest.raises(InputError, match="the teacher knows"):
        load_teacher([checkpoint_facts(path, "teacher")], ("a", "b"), CPU)


def test_a_teacher_is_not_exported(trained):
    _, path = trained
    with pytest.raises(CheckpointError, match=r"trained to teach; export a ResEmoteNet"):
        load_checkpoint(path)


def test_a_teacher_with_weights_missing_is_refused(trained):
    _, path = trained
    loaded = torch.load(path, weights_only=True)
    loaded["model_state_dict"].pop("head.bias")
    torch.save(loaded, path)
    with pytest.raises(CheckpointError, match=r"not a whole .*head\.bias"):
        load_teacher([checkpoint_facts(path, "teacher")], LABELS, CPU)
