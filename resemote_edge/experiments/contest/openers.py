"""Openers of peers (see `Contestant`): they prepare, open and judge rows of other tools."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import PROBABILITIES, log_probabilities
from resemote_edge.errors import InputError
from resemote_edge.experiments.peers import get_peer, own_network
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.measuring.processes.opener import FACES_SEED, write_predictions
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec, to_gray

__all__ = ["open_peer", "predict_peer", "prepare_peer"]


def prepare_peer(peer: str, checkpoint: str | None, folder: str) -> Opened:
    """Build a peer's model files.

    Args:
        peer: Name in `PEERS`.
        checkpoint: Checkpoint; None for a peer with a network of its own.
        folder: Folder to write into; empty.

    Returns:
        The opened peer, with the facts ``model_size_bytes`` and, for a network of its own, ``versions`` of its
        packages.
    """
    own = own_network(peer)
    if own is not None:
        files, versions = own.prepare(None, Path(folder)), own.versions()
    elif checkpoint is not None:
        files, versions = get_peer(peer).prepare(Path(checkpoint), Path(folder)), {}
    else:
        raise InputError(f"peer {peer} brings no network of its own", hint="name a checkpoint")
    return Opened(facts={"model_size_bytes": sum(path.stat().st_size for path in files), "versions": versions})


def open_peer(peer: str, folder: str, threads: int, batch: int) -> Opened:
    """Open what a peer prepared; a call is one batch of faces. The only fact is ``runtime``."""
    session = get_peer(peer).open(Path(folder), threads)
    faces = list(drawn_faces(batch, seed=FACES_SEED))
    own = own_network(peer)
    if own is None:
        images = PreprocessSpec()(faces, "rgb")
    else:
        images = own.tensors(np.stack([to_gray(face, "rgb") for face in faces]))
    return Opened(call=lambda: session.run(images), facts={"runtime": session.runtime})


def predict_peer(peer: str, folder: str, threads: int, images: str, outputs: str) -> Opened:
    """Predict logits of a peer with a network of its own, for every image.

    Args:
        peer: Name in `PEERS`.
        folder: Folder as the peer prepared it.
        threads: Number of CPU threads.
        images: File (``.npy``) of the images, uint8 (N, H, W), gray.
        outputs: File (``.npy``) to write, float32 (N, classes): logits, or logarithms of its probabilities.

    Returns:
        The opened peer, with the fact ``labels``, the order of the classes.

    Raises:
        InputError: The peer brings no network of its own, so that its weights would be random.
    """
    own = own_network(peer)
    if own is None:
        raise InputError(f"peer {peer} brings no trained network, so that it cannot be judged", hint="leave it out")
    session = own.open(Path(folder), threads)

    def predict(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        given = session.run(own.tensors(crops))
        return log_probabilities(given) if own.output == PROBABILITIES else given

    write_predictions(predict, Path(images), Path(outputs))
    return Opened(facts={"labels": list(own.labels)})
