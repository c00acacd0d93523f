import pytest
import torch
import torch.nn.functional as F

from resemote_edge.models.compact import expand
from resemote_edge.models.random_network import random_network
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.training.images.augment import resized
from resemote_edge.training.images.randomness import RowDraws, generator_at
from resemote_edge.training.networks.network import TrainingNetwork, patch_linear
from resemote_edge.training.teaching.teacher import as_teacher


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"), [(8, 3, 2, 1), (4, 3, 1, 1), (8, 1, 2, 0), (2, 2, 1, 0), (1, 1, 1, 0)]
)
def test_patch_linear_is_the_convolution_and_its_gradient(side, kernel, stride, padding):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 5, side, side, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(6, 5, kernel, kernel, generator=generator, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(6, generator=generator, dtype=torch.float64, requires_grad=True)
    ours = patch_linear(x, weight, bias, stride, padding)
    theirs = F.conv2d(x, weight, bias, stride, padding)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    upstream = torch.randn(theirs.shape, generator=generator, dtype=torch.float64)
    for mine, reference in zip(
        torch.autograd.grad(ours, (x, weight, bias), upstream),
        torch.autograd.grad(theirs, (x, weight, bias), upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-12, atol=1e-12)


def trained(form: str, seed: int = 0) -> TrainingNetwork:
    network = TrainingNetwork(4, 7, form).double()
    network.initialize(torch.Generator().manual_seed(seed))
    return network


@pytest.mark.parametrize("side", [40, 48, 56, 64])  # image sizes that a recipe may train on
def test_all_forms_compute_the_published_network(side):
    patches = trained("patches")
    x = torch.randn(6, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    patches.train()(x)  # running statistics that are not the defaults
    state = patches.net.state_dict()
    published = ResEmoteNet(4).double()
    published.load_state_dict(expand(state))
    compact = trained("compact")
    compact.net.load_state_dict(state)
    expected = published.eval()(x)
    torch.testing.assert_close(patches.eval()(x), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(compact.eval()(x), expected, rtol=1e-10, atol=1e-12)


def test_forms_get_the_same_gradient_and_the_reference_none_where_nothing_reaches():
    patches, reference = trained("patches").train(), TrainingNetwork(4, 7, "reference").double().train()
    reference.net.load_state_dict(expand(patches.net.state_dict()))
    x = torch.randn(5, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for network in (patches, reference):
        network(x).square().sum().backward()
    dropped = reference.net.res_block3.conv1.weight.grad
    torch.testing.assert_close(dropped[:, :, 1:, 1:], patches.net.res_block3.conv1.weight.grad, rtol=1e-8, atol=1e-10)
    assert dropped[:, :, 0].abs().max() == 0.0
    assert dropped[:, :, :, 0].abs().max() == 0.0
    torch.testing.assert_close(patches.net.conv2.weight.grad, reference.net.conv2.weight.grad, rtol=1e-8, atol=1e-10)


def test_dropout_drops_whole_channels_and_keeps_the_mean():
    network = trained("patches").eval()
    draws = RowDraws(generator_at(0, "dropout"), 4, slice(0, 4), torch.device("cpu"))
    x = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    assert not torch.equal(network(x, draws, (0.5, 0.5)), network(x))
    torch.testing.assert_close(network(x, draws, (0.0, 0.0)), network(x))


def test_a_teacher_answers_in_the_order_of_the_pupil():
    network = random_network()
    columns = torch.tensor([6, 0, 1, 2, 3, 4, 5])
    teacher = as_teacher(network, torch.device("cpu"), columns)
    x = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        torch.testing.assert_close(teacher(x), network(x)[:, columns], rtol=1e-3, atol=1e-4)
        # The teacher sees images at the size it was trained for, even if its student is trained on small ones.
        small = resized(x, 48)
        torch.testing.assert_close(teacher(small), network(resized(small, 64))[:, columns], rtol=1e-3, atol=1e-4)
