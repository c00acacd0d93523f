"""Openers: how rows of a contest are prepared, opened and judged, each in a process of its own (see `Contestant`)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.child import pin
from resemote_edge.benchmarks.contestant import Opened
from resemote_edge.benchmarks.peers import get_peer, own_network
from resemote_edge.benchmarks.slowed_session import SlowedSession
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.data.drawn import drawn_faces
from resemote_edge.errors import InputError
from resemote_edge.output_format import PROBABILITIES, log_probabilities
from resemote_edge.preprocessing import PreprocessSpec, to_gray
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import PrecisionHint, Session, SessionOptions

__all__ = ["INPUTS", "open_artifact", "open_peer", "predict_artifact", "predict_peer", "prepare_peer"]

#: What is fed, in words.
INPUTS = "drawn faces, normalised to float32 (N, 3, 64, 64)"

_SEED = 1

#: Images per call where predictions are wanted and not times.
_PREDICT_BATCH = 32


def prepare_peer(peer: str, checkpoint: str | None, folder: str) -> Opened:
    """Build a peer's model files.

    Args:
        peer: Name in `PEERS`.
        checkpoint: None for a peer with a network of its own.
        folder: An empty folder.

    Returns:
        With the facts ``model_size_bytes`` and, for a network of its own, ``versions`` of what it goes through.
    """
    own = own_network(peer)
    if own is not None:
        files, versions = own.prepare(None, Path(folder)), own.versions()
    elif checkpoint is not None:
        files, versions = get_peer(peer).prepare(Path(checkpoint), Path(folder)), {}
    else:
        raise InputError(f"peer {peer} brings no network of its own; name a checkpoint")
    return Opened(facts={"model_size_bytes": sum(path.stat().st_size for path in files), "versions": versions})


def open_peer(peer: str, folder: str, threads: int, batch: int) -> Opened:
    """Open what a peer prepared; a call is one batch of faces. The facts hold ``runtime``."""
    session = get_peer(peer).open(Path(folder), threads)
    faces = list(drawn_faces(batch, seed=_SEED))
    own = own_network(peer)
    if own is None:
        images = PreprocessSpec()(faces, "rgb")
    else:
        images = own.tensors(np.stack([to_gray(face, "rgb") for face in faces]))
    return Opened(call=lambda: session.run(images), facts={"runtime": session.runtime})


def open_artifact(
    artifact: str,
    runtime: str,
    hint: PrecisionHint | None,
    threads: int,
    batch: int,
    *,
    device: str = "cpu",
    cores: Sequence[int] = (),
    whole: bool = False,
    slowed_by: float = 1.0,
) -> Opened:
    """Open an artifact; a call is one batch of faces.

    Args:
        artifact: Folder.
        runtime: Name.
        hint: As in `SessionOptions`.
        threads: CPU threads.
        batch: Faces per call.
        device: As in `SessionOptions`.
        cores: To pin the process to; none leaves it alone.
        whole: From crops to decisions; otherwise the session alone, on input that is ready.
        slowed_by: Every inference takes this many times as long; 1 for no delay.

    Returns:
        With the facts ``runtime``, ``device``, ``file_sha256`` and ``model_size_bytes``.
    """
    pin(cores)
    loaded, session = _session(artifact, runtime, hint, threads, device)
    if slowed_by != 1.0:
        session = SlowedSession(session, factor=slowed_by)
    version = get_runtime(runtime).probe().version or "unknown"
    read = [session.file]
    if session.file.role == "model":
        read += [entry for entry in loaded.passport.files if entry.role == "weights"]
    facts = {
        "runtime": f"{runtime} {version}",
        "device": session.device,
        "file_sha256": session.file.sha256,
        "model_size_bytes": sum(entry.size_bytes for entry in read),
    }
    faces = list(drawn_faces(batch, seed=_SEED))
    if whole:
        classifier = EmotionClassifier(session, loaded.passport)
        return Opened(call=lambda: classifier(faces, color="rgb"), facts=facts)
    feeds = {session.inputs[0].name: loaded.passport.preprocessing(faces, "rgb")}
    return Opened(call=lambda: session.run(feeds), facts=facts)


def predict_peer(peer: str, folder: str, threads: int, images: str, outputs: str) -> Opened:
    """Logits of a peer with a network of its own, for every image.

    Args:
        peer: Name in `PEERS`.
        folder: As it prepared it.
        threads: CPU threads.
        images: An ``.npy`` file, uint8 (N, H, W), gray.
        outputs: The ``.npy`` file to write, float32 (N, classes): logits, or logarithms of its probabilities.

    Returns:
        With the fact ``labels``, the order of the classes.

    Raises:
        InputError: The peer brings no network of its own, so that its predictions are those of random weights.
    """
    own = own_network(peer)
    if own is None:
        raise InputError(f"peer {peer} brings no trained network; only rows that do can be judged")
    session = own.open(Path(folder), threads)

    def predict(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        given = session.run(own.tensors(crops))
        return log_probabilities(given) if own.output == PROBABILITIES else given

    _predict(predict, Path(images), Path(outputs))
    return Opened(facts={"labels": list(own.labels)})


def predict_artifact(
    artifact: str, runtime: str, hint: PrecisionHint | None, *, threads: int, images: str, outputs: str
) -> Opened:
    """Logits of an artifact on the CPU; arguments and facts as for `predict_peer`."""
    loaded, session = _session(artifact, runtime, hint, threads, "cpu")
    with EmotionClassifier(session, loaded.passport) as classifier:
        _predict(lambda crops: classifier.logits(crops, color="gray"), Path(images), Path(outputs))
        return Opened(facts={"labels": list(classifier.labels)})


def _session(
    artifact: str, runtime: str, hint: PrecisionHint | None, threads: int, device: str
) -> tuple[Artifact, Session]:
    loaded = Artifact.load(artifact)
    return loaded, open_session(loaded, runtime, SessionOptions(device=device, threads=threads, precision_hint=hint))


def _predict(predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]], images: Path, outputs: Path) -> None:
    crops = np.load(images)
    parts = [predict(crops[start : start + _PREDICT_BATCH]) for start in range(0, len(crops), _PREDICT_BATCH)]
    np.save(outputs, np.concatenate(parts))
