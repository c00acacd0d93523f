"""AveragedWeights: an exponential moving average of a network's weights and BatchNorm statistics."""

import torch
from torch import Tensor, nn

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """The average; with decay 0, a copy of the weights.

    Args:
        network: Network whose weights are averaged.
        decay: Decay of the old average per step, except at the start of the run.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state: dict[str, Tensor] = {key: value.detach().clone() for key, value in network.state_dict().items()}
        self._floating = [key for key, value in self.state.items() if value.is_floating_point()]

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Add the weights after a step.

        Args:
            network: Network whose weights are added.
            step: Number of steps done in the whole run; early on, the average follows the weights faster.
        """
        decay = min(self._decay, (1.0 + step) / (10.0 + step))
        current = network.state_dict()
        torch._foreach_lerp_(
            [self.state[key] for key in self._floating], [current[key] for key in self._floating], 1.0 - decay
        )
