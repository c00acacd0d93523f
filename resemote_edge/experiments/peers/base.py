"""Peer, PeerSession and OwnNetwork: what a contest asks of another tool."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.experiments.peers.home import Home

__all__ = ["OwnNetwork", "Peer", "PeerSession"]


class PeerSession(Protocol):
    """The network opened in a peer's runtime.

    Attributes:
        runtime: Runtime and version, for people.
    """

    runtime: str

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits (or what an `OwnNetwork` says it gives); blocks until they are on the host.

        Args:
            images: float32 (N, 3, 64, 64), normalised, contiguous (or what `OwnNetwork.tensors` made); not modified.

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


class OwnNetwork(ABC):
    """A peer with a network of its own, trained by others; it lives in an environment of its own, too.

    Nothing but the packages of that environment, numpy and msgspec can be imported where `prepare`, `open`, `tensors`
    and `versions` run; they may raise MissingDependencyError. The attributes are for the parent, which lives elsewhere.

    Attributes:
        home: Where it lives.
        labels: Class names in the order of its output, in any spelling that `resemote_edge.labels` knows.
        output: What it gives.
        takes: What `tensors` makes, in words.
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
        """As `Peer.open`."""

    @abstractmethod
    def tensors(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What its session takes, made of face crops the way its tool does.

        Args:
            crops: uint8 (N, H, W), gray, aligned.

        Returns:
            float32, caller-owned, contiguous.
        """

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the packages it goes through, by name."""
