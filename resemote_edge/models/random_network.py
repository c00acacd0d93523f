"""random_network: random weights for tests and timing, with logits that depend on the input."""

import torch

from resemote_edge.models.resemotenet import ResEmoteNet

__all__ = ["random_network"]


def random_network(width: int = 4, seed: int = 0, num_classes: int = 7) -> ResEmoteNet:
    """Build a network of random weights, BatchNorm statistics and biases.

    It can replace a trained one where only shapes and arithmetic matter, as for parity and latency. Weights are scaled
    by their fan-in, so that activations stay finite.

    Args:
        width: Channels of the first convolution, a multiple of 4.
        seed: Seed of the weights; the same seed gives the same weights.
        num_classes: Number of logits.

    Returns:
        The network on the CPU, float32, in eval mode.
    """
    generator = torch.Generator().manual_seed(seed)
    model = ResEmoteNet(width, num_classes).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
            elif name.endswith(("running_mean", "bias")):
                value.copy_(0.1 * torch.randn(value.shape, generator=generator))
            elif value.ndim > 1:
                value.copy_(torch.randn(value.shape, generator=generator) * (2.0 / value[0].numel()) ** 0.5)
            elif value.is_floating_point():
                value.copy_(1.0 + 0.1 * torch.randn(value.shape, generator=generator))
    return model
