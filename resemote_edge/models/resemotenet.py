"""ResEmoteNet in PyTorch, with the parameter names of the authors' checkpoints.

The method comes from Roy, Kathania, Sharma, Dey, Ansari, "ResEmoteNet: Bridging Accuracy and Loss Reduction in Facial
Emotion Recognition", IEEE Signal Processing Letters, 2024. `width` scales every layer; 64 is the paper's network with
80,238,599 parameters.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["WIDTHS", "ResEmoteNet", "ResidualBlock", "SqueezeExcitation"]

#: Widths with a name of their own; any multiple of 4 works.
WIDTHS: dict[str, int] = {"base": 64, "s": 32, "xs": 16, "nano": 8}


class SqueezeExcitation(nn.Module):
    """Channel attention: global mean, two linear layers without bias, sigmoid gate.

    Args:
        channels: Channels of the map.
        reduction: Factor by which the hidden layer is narrower.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Gate float (N, C, H, W) per channel; same shape out."""
        gate: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * gate[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a projected shortcut.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the first convolution and of the shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))

    def projection(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The shortcut's convolution and BatchNorm."""
        conv, norm = self.shortcut
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return conv, norm

    def forward(self, x: Tensor) -> Tensor:
        """Map float (N, in, H, W) to (N, out, H/stride, W/stride)."""
        hidden = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(hidden)) + self.shortcut(x))


class ResEmoteNet(nn.Module):
    """The network: three convolutions with pooling, channel attention, three residual blocks, four linear layers.

    Args:
        width: Channels of the first convolution.
        num_classes: Number of logits.
        dropout: Probability of dropout after each pooled convolution (first value) and each hidden linear layer
            (second).
    """

    def __init__(self, width: int = 64, num_classes: int = 7, dropout: tuple[float, float] = (0.2, 0.5)) -> None:
        super().__init__()
        self.width = width
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(2 * width)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.se = SqueezeExcitation(4 * width)
        self.res_block1 = ResidualBlock(4 * width, 8 * width, 2)
        self.res_block2 = ResidualBlock(8 * width, 16 * width, 2)
        self.res_block3 = ResidualBlock(16 * width, 32 * width, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Linear(32 * width, 16 * width)
        self.fc2 = nn.Linear(16 * width, 8 * width)
        self.fc3 = nn.Linear(8 * width, 4 * width)
        self.fc4 = nn.Linear(4 * width, num_classes)
        self.dropout_map = nn.Dropout(dropout[0])
        self.dropout_head = nn.Dropout(dropout[1])

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits.

        Args:
            x: Input float32 (N, 3, 64, 64), NCHW, normalised as `resemote_edge.vision.preprocessing` does.

        Returns:
            Logits, float32 (N, num_classes).
        """
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = self.dropout_map(F.max_pool2d(F.relu(norm(conv(x))), 2))
        x = self.se(x)
        x = self.res_block3(self.res_block2(self.res_block1(x)))
        x = torch.flatten(self.pool(x), 1)
        for layer in (self.fc1, self.fc2, self.fc3):
            x = self.dropout_head(F.relu(layer(x)))
        logits: Tensor = self.fc4(x)
        return logits
