"""Peer and PeerSession: what a suite asks of another tool."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Peer", "PeerSession"]


class PeerSession(Protocol):
    """The network opened in a peer's runtime.

    Attributes:
        runtime: Runtime and version, for people.
    """

    runtime: str

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits; blocks until they are on the host.

        Args:
            images: float32 (N, 3, 64, 64), normalised, contiguous; not modified.

        Returns:
            float32 (N, classes), caller-owned.
        """
        ...


class Peer(Protocol):
    """One way through another tool, from a checkpoint to a session."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Build the model files, once.

        Args:
            checkpoint: What `load_checkpoint` reads.
            folder: An empty folder to write into.

        Returns:
            The files the runtime reads; others, left from steps on the way, are removed.

        Raises:
            MissingDependencyError: The tool is not installed.
            CheckpointError: The checkpoint cannot be read.
        """
        ...

    def open(self, folder: Path, threads: int) -> PeerSession:
        """Open what `prepare` left in the folder, on the CPU.

        Args:
            folder: As for `prepare`.
            threads: CPU threads for one call.

        Raises:
            MissingDependencyError: The runtime is not installed.
            DeviceUnavailableError: This CPU lacks what the peer is about.
        """
        ...
