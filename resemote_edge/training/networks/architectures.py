"""Architectures: the networks that a recipe can name. ResEmoteNet is deployed; the others are trained to teach it.

An ensemble of networks of different kinds is more accurate than any of them, and a small network that learns its
answers keeps part of the gain (Hinton, Vinyals, Dean, 2015). The teaching networks are never exported.
"""

from collections.abc import Callable
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from resemote_edge.models.resemotenet import SqueezeExcitation
from resemote_edge.training.config import RESEMOTENET
from resemote_edge.training.images.randomness import RowDraws
from resemote_edge.training.networks.batch_norm import batch_norm
from resemote_edge.training.networks.network import Dropout, Trainable, TrainingNetwork, drop

__all__ = ["ARCHITECTURES", "TEACHING", "ResNet", "Vgg", "build_network"]


class _Convolution(nn.Module):
    """A 3x3 (or 1x1) convolution without bias and its BatchNorm."""

    def __init__(self, channels: int, filters: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, x: Tensor) -> Tensor:
        return batch_norm(self.norm, self.conv(x))


class Vgg(nn.Module):
    """Ten convolutions in four stages with pooling between (Simonyan, Zisserman, 2015), and BatchNorm.

    Args:
        width: Channels of the first stage.
        num_classes: Number of logits.
    """

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        channels, stages = 3, []
        for filters, depth in ((width, 2), (3 * width, 2), (6 * width, 3), (12 * width, 3)):
            sizes = [channels, *[filters] * depth]
            stages.append(nn.ModuleList(_Convolution(*pair) for pair in pairwise(sizes)))
            channels = filters
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(channels, num_classes)

    def features(self, x: Tensor, dropped: Callable[[Tensor], Tensor]) -> Tensor:
        """Map (N, 3, S, S) to (N, 12 * width); `dropped` is applied after each stage."""
        for stage in self.stages:
            assert isinstance(stage, nn.ModuleList)
            for convolution in stage:
                x = F.relu(convolution(x), inplace=True)
            x = dropped(F.max_pool2d(x, 2))
        return x.mean(dim=(2, 3))


class _ResidualPair(nn.Module):
    """Two convolutions, channel attention and a shortcut (He et al., 2016; Hu et al., 2018)."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.first = _Convolution(channels, filters, stride)
        self.second = _Convolution(filters, filters)
        self.attention = SqueezeExcitation(filters)
        same = stride == 1 and channels == filters
        self.shortcut: nn.Module = nn.Identity() if same else _Convolution(channels, filters, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(self.attention(hidden) + self.shortcut(x))


class ResNet(nn.Module):
    """Eighteen layers with channel attention, on maps of a quarter of the usual stride.

    Args:
        width: Channels of the first stage; a multiple of 16.
        num_classes: Number of logits.
    """

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.stem = _Convolution(3, width // 2)
        channels, stages = width // 2, []
        for filters, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
            stages.append(nn.Sequential(_ResidualPair(channels, filters, stride), _ResidualPair(filters, filters, 1)))
            channels = filters
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(channels, num_classes)

    def features(self, x: Tensor, dropped: Callable[[Tensor], Tensor]) -> Tensor:
        """Map (N, 3, S, S) to (N, 8 * width); `dropped` is applied after each stage."""
        x = F.max_pool2d(F.relu(self.stem(x), inplace=True), 2)
        for stage in self.stages:
            x = dropped(stage(x))
        return x.mean(dim=(2, 3))


class _TeachingNetwork(Trainable):
    """A teaching network with dropout on its maps and before its last layer."""

    def forward(self, x: Tensor, draws: RowDraws | None = None, dropout: Dropout = (0.0, 0.0)) -> Tensor:
        assert isinstance(self.net, (Vgg, ResNet))
        features = self.net.features(x, lambda maps: drop(maps, dropout[0], draws))
        logits: Tensor = self.net.head(drop(features, dropout[1], draws))
        return logits


#: Architecture to a builder from width, number of classes and form (see `TrainingNetwork`). A new one is a row.
ARCHITECTURES: dict[str, Callable[[int, int, str], Trainable]] = {
    RESEMOTENET: TrainingNetwork,
    "vgg": lambda width, classes, form: _TeachingNetwork(Vgg(width, classes), "plain"),
    "resnet": lambda width, classes, form: _TeachingNetwork(ResNet(width, classes), "plain"),
}

#: Architectures that are never exported.
TEACHING = tuple(name for name in ARCHITECTURES if name != RESEMOTENET)


def build_network(architecture: str, width: int, num_classes: int, form: str) -> Trainable:
    """Make a network that can be trained, its weights not yet drawn.

    Args:
        architecture: Name of the architecture, one of `ARCHITECTURES`.
        width: Channels of the first stage.
        num_classes: Number of logits.
        form: Form of the network, see `TrainingNetwork`; the teaching networks have one form.
    """
    return ARCHITECTURES[architecture](width, num_classes, form)
