"""Peer, PeerSession and OwnNetwork: the interfaces through which a contest uses another tool."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.experiments.peers.home import Home

__all__ = ["OwnNetwork", "Peer", "PeerSession"]


class PeerSession(Protocol):
    """The network, opened in a peer's runtime.

    Attributes:
        runtime: Name and version of the runtime, for people.
    """

    runtime: str

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits (or the output that an `OwnNetwork` names); blocks until they are on the host.

        Args:
            images: Images, float32 (N, 3, 64, 64), normalised, contiguous (or the result of `OwnNetwork.tensors`); not
                modified.

        Returns:
            Output, float32 (N, classes), caller-owned.
        """
        ...


class Peer(Protocol):
    """Another tool, used in one way, from a checkpoint to a session."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Build the model files, once.

        Args:
            checkpoint: Checkpoint that `load_checkpoint` can read.
            folder: Folder to write into; empty.

        Returns:
            Files that the runtime reads; intermediate files are removed.

        Raises:
            MissingDependencyError: The tool is not installed.
            CheckpointError: The checkpoint cannot be read.
        """
        ...

    def open(self, folder: Path, threads: int) -> PeerSession:
        """Open what `prepare` left in the folder, on the CPU.

        Args:
            folder: Folder that `prepare` wrote.
            threads: Number of CPU threads for one call.

        Raises:
            MissingDependencyError: The runtime is not installed.
            DeviceUnavailableError: This CPU lacks what the peer needs.
        """
        ...


class OwnNetwork(ABC):
    """A peer with a network that others trained, and with a Python environment of its own.

    Its methods run in that environment, which has only its packages, numpy and msgspec; they may raise
    MissingDependencyError. The attributes are for the parent process, which runs in our environment.

    Attributes:
        home: Environment that it lives in.
        labels: Class names in the order of its output, in any spelling that `resemote_edge.labels` knows.
        output: Kind of its output.
        takes: Description of the tensors that `tensors` makes.
    """

    home: Home
    labels: tuple[str, ...]
    output: OutputFormat
    takes: str

    @abstractmethod
    def prepare(self, checkpoint: Path | None, folder: Path) -> tuple[Path, ...]:
        """Put the model files into an empty folder; the checkpoint is not used."""

    @abstractmethod
    def open(self, folder: Path, threads: int) -> PeerSession:
        """Open the peer as `Peer.open` does."""

    @abstractmethod
    def tensors(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Make its session's input from face crops, as its tool does.

        Args:
            crops: Crops, uint8 (N, H, W), gray, aligned.

        Returns:
            Input, float32, caller-owned, contiguous.
        """

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the packages it goes through, by name."""
