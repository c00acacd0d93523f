"""TrainingNetwork: ResEmoteNet in the form that trains fastest; it computes the same function.

`res_block3` is compact (see `resemote_edge.models.compact`): the taps that it drops would get no gradient. On a CPU,
convolutions on maps of up to 8x8 are matrix products over gathered patches (`patch_linear`). PyTorch's own are several
times slower there, most of all in the gradient of the weights.
"""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resemote_edge.models.compact import COMPACT_TAPS
from resemote_edge.models.resemotenet import ResEmoteNet, ResidualBlock
from resemote_edge.training.images.randomness import RowDraws
from resemote_edge.training.networks.batch_norm import batch_norm

__all__ = ["Dropout", "Trainable", "TrainingNetwork", "drop", "patch_linear"]

#: Probability of dropping a channel of a map, and a feature of the head; tensors may change between replays of a
#: recorded step.
Dropout: TypeAlias = tuple[float | Tensor, float | Tensor]

_Network = TypeVar("_Network", bound="Trainable")


class Trainable(nn.Module, ABC):
    """A network in the form that `Trainer` takes.

    Args:
        net: Network whose state dict is saved; its last linear layer gives the logits.
        form: Form of the network; see `TrainingNetwork`.
    """

    def __init__(self, net: nn.Module, form: str) -> None:
        super().__init__()
        self.net = net
        self.form = form

    def placed(self: _Network, device: torch.device) -> _Network:
        """The network itself, moved to a device, its kernels in channels-last memory."""
        self.to(device)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def initialize(self, generator: torch.Generator) -> None:
        """Draw all weights by He's initialisation (2015)."""
        linear = None
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                with torch.no_grad():
                    module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * (2.0 / fan_in) ** 0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
                linear = module
        assert linear is not None
        with torch.no_grad():
            # Small logits: the run starts near the priors, not with a confident guess.
            linear.weight.mul_(0.1)

    @abstractmethod
    def forward(self, x: Tensor, draws: RowDraws | None = None, dropout: Dropout = (0.0, 0.0)) -> Tensor:
        """Compute logits.

        Args:
            x: Images, float32 (N, 3, S, S), normalised.
            draws: Source of dropout's masks; None for no dropout.
            dropout: Probability of dropping a channel of a map, and a feature of the head.

        Returns:
            Logits, (N, num_classes).
        """


class TrainingNetwork(Trainable):
    """ResEmoteNet with published parameter names and `res_block3` in its compact form.

    Args:
        width: Channels of the first convolution.
        num_classes: Number of logits.
        form: Form of the network: ``reference`` trains the published graph, ``compact`` its compact form with PyTorch's
            convolutions, ``patches`` the compact form with matrix products on small maps.
    """

    net: ResEmoteNet

    def __init__(self, width: int, num_classes: int, form: str = "patches") -> None:
        # Only the parameters are used; dropout is applied here, from draws that all processes share.
        super().__init__(ResEmoteNet(width, num_classes, dropout=(0.0, 0.0)), form)
        if form != "reference":
            for key, (size, _) in COMPACT_TAPS.items():
                conv = self.net.get_submodule(key.removesuffix(".weight"))
                assert isinstance(conv, nn.Conv2d)
                conv.kernel_size, conv.padding = size, (0, 0)
                conv.weight = nn.Parameter(torch.empty(*conv.weight.shape[:2], *size))

    def forward(self, x: Tensor, draws: RowDraws | None = None, dropout: Dropout = (0.0, 0.0)) -> Tensor:
        """Compute logits.

        Args:
            x: Images, float32 (N, 3, S, S), normalised; S from 40 to 64, for which the compact form is exact.
            draws: Source of dropout's masks; None for no dropout.
            dropout: Probability of dropping a channel after each pooled convolution, and a feature of the head.

        Returns:
            Logits, (N, num_classes).
        """
        net = self.net
        for conv, norm in ((net.conv1, net.bn1), (net.conv2, net.bn2), (net.conv3, net.bn3)):
            x = F.max_pool2d(F.relu(batch_norm(norm, conv(x)), inplace=True), 2)
            x = drop(x, dropout[0], draws)
        x = net.se(x)
        for block in (net.res_block1, net.res_block2, net.res_block3):
            x = self._block(block, x)
        x = torch.flatten(net.pool(x) if x.shape[-1] > 1 else x, 1)
        for layer in (net.fc1, net.fc2, net.fc3):
            x = drop(F.relu(layer(x)), dropout[1], draws)
        logits: Tensor = net.fc4(x)
        return logits

    def _block(self, block: ResidualBlock, x: Tensor) -> Tensor:
        conv, norm = block.projection()
        hidden = F.relu(batch_norm(block.bn1, self._conv(block.conv1, x)))
        hidden = batch_norm(block.bn2, self._conv(block.conv2, hidden))
        return F.relu(hidden + batch_norm(norm, self._conv(conv, x)))

    def _conv(self, conv: nn.Conv2d, x: Tensor) -> Tensor:
        if self.form != "patches":
            out: Tensor = conv(x)
            return out
        stride, padding = conv.stride[0], conv.padding[0]
        assert isinstance(padding, int)
        return patch_linear(x, conv.weight, conv.bias, stride, padding)


def drop(x: Tensor, probability: float | Tensor, draws: RowDraws | None) -> Tensor:
    """Drop whole channels of a map, or features of a vector; what stays is scaled up."""
    if draws is None or (isinstance(probability, float) and probability == 0.0):
        return x
    keep = ((draws.uniform(x.shape[1:2]) >= probability) / (1.0 - probability)).to(x.dtype)
    return x * keep.reshape(*keep.shape, *[1] * (x.ndim - 2))


def patch_linear(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """Compute a convolution as one matrix product over gathered patches.

    Args:
        x: Maps (N, C, H, W), best in channels-last memory.
        weight: Kernel (O, C, K, K).
        bias: Bias (O,), or None.
        stride: Stride of the convolution.
        padding: Padding: zeros around the map.

    Returns:
        Maps (N, O, H', W'), channels-last in memory; the result of ``F.conv2d``, rounded in another order.
    """
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
        bias = bias.to(dtype) if bias is not None else None
    out: Tensor = _PatchLinear.apply(x, weight, stride, padding)  # type: ignore[no-untyped-call]
    return out if bias is None else out + bias[:, None, None]


class _PatchLinear(torch.autograd.Function):
    """`patch_linear` without its bias; the gradient is two matrix products and one scatter of patches."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        kernel = weight.shape[2]
        patches = _gather(x, kernel, stride, padding)
        matrix = weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)
        out = patches @ matrix.T
        ctx.save_for_backward(patches, matrix)
        ctx.shape, ctx.kernel, ctx.stride, ctx.padding = x.shape, kernel, stride, padding
        side = (x.shape[2] + 2 * padding - kernel) // stride + 1
        return out.reshape(x.shape[0], side, side, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        patches, matrix = ctx.saved_tensors
        channels, kernel = ctx.shape[1], ctx.kernel
        rows = gradients[0].permute(0, 2, 3, 1).reshape(-1, matrix.shape[0])
        to_weight = to_x = None
        if ctx.needs_input_grad[1]:
            to_weight = (rows.T @ patches).reshape(-1, kernel, kernel, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[0]:
            to_x = _scatter(rows @ matrix, ctx.shape, kernel, ctx.stride, ctx.padding)
        return to_x, to_weight, None, None


def _gather(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """Gather patches: (N, C, H, W) to (N * H' * W', K * K * C)."""
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
    count, side, _, channels = padded.shape
    out = (side - kernel) // stride + 1
    n, row, column, channel = padded.stride()
    windows = padded.as_strided(
        (count, out, out, kernel, kernel, channels), (n, row * stride, column * stride, row, column, channel)
    )
    return windows.reshape(count * out * out, kernel * kernel * channels)


def _scatter(patches: Tensor, shape: tuple[int, int, int, int], kernel: int, stride: int, padding: int) -> Tensor:
    """The transpose of `_gather`."""
    count, channels, side, _ = shape
    out = (side + 2 * padding - kernel) // stride + 1
    windows = patches.reshape(count, out, out, kernel, kernel, channels)
    padded = patches.new_zeros(count, side + 2 * padding, side + 2 * padding, channels)
    reach = stride * (out - 1) + 1
    for row in range(kernel):
        for column in range(kernel):
            padded[:, row : row + reach : stride, column : column + reach : stride] += windows[:, :, :, row, column]
    inner = slice(padding, padding + side)
    return padded[:, inner, inner].permute(0, 3, 1, 2)
