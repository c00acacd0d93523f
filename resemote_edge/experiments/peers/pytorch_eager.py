"""Peer ``pytorch-eager``: the network as its authors run it, in PyTorch, without any export.

It runs in eval mode under `torch.inference_mode`, as PyTorch's documentation recommends, in float32 and the default
memory format. `torch.compile` is not used, because it needs a C++ compiler on the device.
"""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import needs

__all__ = ["PyTorchEager"]


class PyTorchEager:
    """PyTorch, eager mode, float32."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Copy the checkpoint: it is the model file."""
        copied = folder / f"model{checkpoint.suffix}"
        shutil.copyfile(checkpoint, copied)
        return (copied,)

    def open(self, folder: Path, threads: int) -> "_Session":
        """Load the weights; PyTorch's thread count is that of the process."""
        return _Session(next(folder.glob("model.*")), threads)


class _Session:
    def __init__(self, checkpoint: Path, threads: int) -> None:
        with needs("peers", "peer pytorch-eager"):
            import torch

            from resemote_edge.models.checkpoint import load_checkpoint
        torch.set_num_threads(threads)
        self._torch = torch
        self._network = load_checkpoint(checkpoint).build()
        self.runtime = f"pytorch {torch.__version__}"

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._torch.inference_mode():
            logits: NDArray[np.float32] = self._network(self._torch.from_numpy(images)).numpy()
            return logits
