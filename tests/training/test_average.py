import pytest
import torch
from torch import nn

from resemote_edge.training.networks.average import AveragedWeights


def test_it_is_the_moving_average_and_forgets_faster_when_young():
    network = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(0.0)
    average = AveragedWeights(network, 0.9)
    expected = 0.0
    for step, value in enumerate([1.0, 3.0, -2.0, 5.0, 4.0] * 40):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert float(average.state["weight"][0, 0]) == pytest.approx(expected, rel=1e-5)


def test_with_decay_zero_it_is_the_last_weights_and_shares_no_memory():
    network = nn.BatchNorm1d(3)
    average = AveragedWeights(network, 0.0)
    with torch.no_grad():
        network.running_mean.fill_(7.0)
    assert average.state["running_mean"].abs().max() == 0.0
    average.update(network, 5)
    assert average.state["running_mean"].tolist() == [7.0, 7.0, 7.0]
