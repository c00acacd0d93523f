"""Augmentation: one batch at a time, in memory, on the device that trains.

Flip, rotation, scale, shear, shift and the resize to the network's size are one affine map, so that pixels are
interpolated only once. Without any change, it equals the bilinear resize of evaluation.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from resemote_edge.training.config import Augmentation
from resemote_edge.training.images.randomness import RowDraws, without_waiting
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["augment", "mix", "normalize", "resized"]


def augment(images: Tensor, draws: RowDraws, settings: Augmentation, side: int) -> Tensor:
    """Vary a batch.

    Args:
        images: Gray levels, float32 (N, 1, S, S), values 0 to 255.
        draws: Random draws of this batch.
        settings: Strength of each variation.
        side: Rows and columns wanted.

    Returns:
        float32 (N, 1, side, side), values 0 to 255.
    """
    grid = F.affine_grid(_affine(draws, settings), [len(images), 1, side, side], align_corners=False)
    moved = F.grid_sample(images, grid.to(images.dtype), mode="bilinear", padding_mode="border", align_corners=False)
    gain = 1.0 + settings.contrast * draws.uniform((1, 1, 1), -1.0, 1.0)
    shift = 255.0 * settings.brightness * draws.uniform((1, 1, 1), -1.0, 1.0)
    middle = moved.mean(dim=(2, 3), keepdim=True)
    lit = ((moved - middle) * gain + middle + shift).clamp_(0.0, 255.0)
    return _erase(lit, draws, settings)


def _affine(draws: RowDraws, settings: Augmentation) -> Tensor:
    """Map of output pixels to places in the input, float32 (N, 2, 3), in coordinates of -1 to 1."""
    angle = draws.uniform(low=-1.0, high=1.0) * math.radians(settings.rotation)
    zoom = 1.0 + draws.uniform(low=-1.0, high=1.0) * settings.scale
    slant = torch.tan(draws.uniform(low=-1.0, high=1.0) * math.radians(settings.shear))
    mirror = torch.where(draws.uniform() < settings.flip, -1.0, 1.0)
    # Coordinates span two, so a shift by a fraction of the side is twice that fraction.
    across, down = (draws.uniform(low=-2.0, high=2.0) * settings.translation for _ in range(2))
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    first = torch.stack([mirror * cos, mirror * (slant * cos - sin), across], dim=1)
    second = torch.stack([sin, slant * sin + cos, down], dim=1)
    return torch.stack([first, second], dim=1)


def _erase(images: Tensor, draws: RowDraws, settings: Augmentation) -> Tensor:
    """Cover a rectangle with noise in the images that are drawn for it."""
    count, _, side, _ = images.shape
    area = settings.erasing_area * draws.uniform()
    ratio = torch.exp(draws.uniform(low=-1.0, high=1.0) * math.log(3.0))
    half_height, half_width = torch.sqrt(area * ratio) / 2.0, torch.sqrt(area / ratio) / 2.0
    middle_row, middle_column = draws.uniform(), draws.uniform()
    chosen = draws.uniform() < settings.erasing
    # The batch shares one pattern, because a million draws a step would take a card longer than the network.
    noise = draws.shared((1, side, side), 0.0, 255.0)
    at = (torch.arange(side, device=images.device) + 0.5) / side
    rows = (at[None] - middle_row[:, None]).abs() < half_height[:, None]
    columns = (at[None] - middle_column[:, None]).abs() < half_width[:, None]
    covered = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]).reshape(count, 1, side, side)
    return torch.where(covered, noise, images)


def mix(
    images: Tensor, targets: Tensor, partners: tuple[Tensor, Tensor], generator: torch.Generator, settings: Augmentation
) -> tuple[Tensor, Tensor]:
    """Mix a batch with partners: mixup, CutMix or neither, one choice and one ratio for the whole batch.

    Args:
        images: Images, float32 (N, 1, S, S).
        targets: Targets, float32 (N, classes), rows that sum to 1.
        partners: Images and targets of the same shapes.
        generator: Generator in the same state on every process.
        settings: Settings, of which `mixup`, `cutmix` and `mixing` are used.

    Returns:
        Images and targets, mixed.
    """
    kind, alpha = _choice(generator, settings)
    if alpha == 0.0:
        return images, targets
    part = _beta(alpha, generator)
    if kind == "mixup":
        mixed = torch.lerp(partners[0], images, part)
    else:
        side = images.shape[2]
        cut = math.sqrt(1.0 - part)
        row, column = torch.rand(2, generator=generator).tolist()
        top, bottom = (round(min(max(row + sign * cut / 2.0, 0.0), 1.0) * side) for sign in (-1.0, 1.0))
        left, right = (round(min(max(column + sign * cut / 2.0, 0.0), 1.0) * side) for sign in (-1.0, 1.0))
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = partners[0][:, :, top:bottom, left:right]
        part = 1.0 - (bottom - top) * (right - left) / side**2
    return mixed, torch.lerp(partners[1], targets, part)


def _choice(generator: torch.Generator, settings: Augmentation) -> tuple[str, float]:
    mixed, which = torch.rand(2, generator=generator).tolist()
    if mixed >= settings.mixing:
        return "neither", 0.0
    kinds = [(name, alpha) for name, alpha in (("mixup", settings.mixup), ("cutmix", settings.cutmix)) if alpha > 0.0]
    return kinds[int(which * len(kinds))] if kinds else ("neither", 0.0)


def _beta(alpha: float, generator: torch.Generator) -> float:
    """One draw of Beta(alpha, alpha), as a ratio of Gammas."""
    first, second = torch._standard_gamma(torch.full((2,), alpha, dtype=torch.float64), generator=generator).tolist()
    return float(first / (first + second)) if first + second > 0.0 else 0.5


def normalize(images: Tensor, spec: PreprocessSpec) -> Tensor:
    """Turn gray levels into the network's input.

    Args:
        images: Gray levels, float32 (N, 1, H, W), values 0 to 255.
        spec: Mean and standard deviation of each of the equal channels.

    Returns:
        float32 (N, channels, H, W), channels-last in memory.
    """
    mean, std = (
        without_waiting(torch.tensor(values)[:, None, None], images.device) for values in (spec.mean, spec.std)
    )
    return ((images / 255.0 - mean) / std).contiguous(memory_format=torch.channels_last)


def resized(images: Tensor, side: int) -> Tensor:
    """Resize images; those of that size are returned unchanged.

    Args:
        images: Images, float32 (N, C, S, S), channels-last in memory.
        side: Rows and columns wanted.

    Returns:
        float32 (N, C, side, side), channels-last in memory.
    """
    if images.shape[-1] == side:
        return images
    moved = F.interpolate(images, (side, side), mode="bilinear", align_corners=False, antialias=True)
    return moved.contiguous(memory_format=torch.channels_last)
