"""Openers that open an artifact to time it or to compute its logits (see `Contestant`)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.measuring.slowed_session import SlowedSession
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import PrecisionHint, Session, SessionOptions
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["FACES_SEED", "INPUTS", "open_artifact", "predict_artifact", "write_predictions"]

#: Description of the inputs.
INPUTS = "drawn faces, normalised to float32 (N, 3, 64, 64)"

#: Seed of the drawn faces that are fed.
FACES_SEED = 1

#: Images per call of `write_predictions`, which times nothing.
_PREDICT_BATCH = 32


def open_artifact(
    artifact: str,
    runtime: str,
    hint: PrecisionHint | None,
    threads: int,
    batch: int,
    *,
    device: str = "cpu",
    whole: bool = False,
    slowed_by: float = 1.0,
) -> Opened:
    """Open an artifact; a call is one batch of faces.

    Args:
        artifact: Folder of the artifact.
        runtime: Name of the runtime.
        hint: Precision hint, as in `SessionOptions`.
        threads: Number of CPU threads.
        batch: Faces per call.
        device: Device, as in `SessionOptions`.
        whole: Whether a call goes from crops to decisions; otherwise it is the session alone, on input that is ready.
        slowed_by: Factor by which every inference is made to take longer; 1 for no delay.

    Returns:
        The opened artifact, with the facts ``runtime``, ``device``, ``file_sha256`` and ``model_size_bytes``.
    """
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
    faces = list(drawn_faces(batch, seed=FACES_SEED))
    if whole:
        classifier = EmotionClassifier(session, loaded.passport)
        return Opened(call=lambda: classifier(faces, color="rgb"), facts=facts)
    feeds = {session.inputs[0].name: loaded.passport.preprocessing(faces, "rgb")}
    return Opened(call=lambda: session.run(feeds), facts=facts)


def predict_artifact(
    artifact: str, runtime: str, hint: PrecisionHint | None, *, threads: int, images: str, outputs: str
) -> Opened:
    """Compute an artifact's logits on the CPU for the gray crops in the file `images`, and write them to `outputs`.

    The only fact, ``labels``, gives their order.
    """
    loaded, session = _session(artifact, runtime, hint, threads, "cpu")
    with EmotionClassifier(session, loaded.passport) as classifier:
        write_predictions(lambda crops: classifier.logits(crops, color="gray"), Path(images), Path(outputs))
        return Opened(facts={"labels": list(classifier.labels)})


def _session(
    artifact: str, runtime: str, hint: PrecisionHint | None, threads: int, device: str
) -> tuple[Artifact, Session]:
    loaded = Artifact.load(artifact)
    return loaded, open_session(loaded, runtime, SessionOptions(device=device, threads=threads, precision_hint=hint))


def write_predictions(predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]], images: Path, outputs: Path) -> None:
    """Read images, uint8 (N, H, W), from one ``.npy`` file, and write the predictions for them to another."""
    crops = np.load(images)
    parts = [predict(crops[start : start + _PREDICT_BATCH]) for start in range(0, len(crops), _PREDICT_BATCH)]
    np.save(outputs, np.concatenate(parts))
