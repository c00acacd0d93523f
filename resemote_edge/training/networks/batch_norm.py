"""batch_norm: BatchNorm whose statistics are those of the whole batch, however many processes share it."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["batch_norm"]


def batch_norm(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Apply a BatchNorm module.

    With one process, this is PyTorch's own. With several, it computes what PyTorch's SyncBatchNorm does, which exists
    for GPUs only: the loss of a global batch is the same however it is split.

    Args:
        norm: BatchNorm module: its parameters, running statistics and mode.
        x: Values (N, C, H, W), this process's rows.

    Returns:
        Normalised values, of the same shape and dtype.
    """
    if not (norm.training and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        out: Tensor = norm(x)
        return out
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.momentum is not None
    total, mean, variance = _statistics(x.detach())
    with torch.no_grad():
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (total / max(total - 1.0, 1.0)), norm.momentum)
    return _SharedNorm.apply(x, norm.weight, norm.bias, mean, variance, total, norm.eps)  # type: ignore[no-untyped-call,no-any-return]


def _statistics(x: Tensor) -> tuple[float, Tensor, Tensor]:
    """Values per channel over all processes, their mean and (biased) variance, (C,), at least float32."""
    wide = _wide(x)
    count = x.numel() // x.shape[1]
    sums = torch.cat([wide.sum((0, 2, 3)), wide.new_full((1,), float(count))])
    dist.all_reduce(sums)
    total = float(sums[-1])
    mean = sums[:-1] / total
    # Squares are summed around the shared mean, because around zero they would cancel.
    spread = (wide - mean[:, None, None]).square_().sum((0, 2, 3))
    dist.all_reduce(spread)
    return total, mean, spread / total


def _wide(x: Tensor) -> Tensor:
    """Convert to at least float32: sums over a batch lose too much in bf16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class _SharedNorm(torch.autograd.Function):
    """Normalisation by given statistics that depend on the input on every process."""

    @staticmethod
    def forward(  # noqa: PLR0917 - torch passes arguments by position
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, total: float, eps: float
    ) -> Tensor:
        inverse = (variance + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.total = total
        out: Tensor = F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        gradient = _wide(gradients[0])
        normal = (_wide(x) - mean[:, None, None]) * inverse[:, None, None]
        to_bias, to_weight = gradient.sum((0, 2, 3)), (gradient * normal).sum((0, 2, 3))
        shared = torch.stack([to_bias, to_weight])
        dist.all_reduce(shared)
        by_channel = (shared / ctx.total)[:, :, None, None]
        to_x = (gradient - by_channel[0] - normal * by_channel[1]) * (weight * inverse)[:, None, None]
        return to_x.to(x.dtype), to_weight, to_bias, None, None, None, None
