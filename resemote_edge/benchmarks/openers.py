"""Openers: how the rows of a suite are prepared and opened, each in a process of its own (see `Contestant`)."""

from pathlib import Path
from typing import Literal

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.contestant import Opened
from resemote_edge.benchmarks.peers import get_peer
from resemote_edge.data.drawn import drawn_faces
from resemote_edge.preprocessing import PreprocessSpec
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import SessionOptions

__all__ = ["INPUTS", "open_artifact", "open_peer", "prepare_peer"]

#: What is fed, in words.
INPUTS = "drawn faces, normalised to float32 (N, 3, 64, 64)"

_SEED = 1


def prepare_peer(peer: str, checkpoint: str, folder: str) -> Opened:
    """Build a peer's model files; the facts hold ``model_size_bytes``."""
    files = get_peer(peer).prepare(Path(checkpoint), Path(folder))
    return Opened(facts={"model_size_bytes": sum(path.stat().st_size for path in files)})


def open_peer(peer: str, folder: str, threads: int, batch: int) -> Opened:
    """Open what a peer prepared; a call is one batch of faces. The facts hold ``runtime``."""
    session = get_peer(peer).open(Path(folder), threads)
    images = PreprocessSpec()(list(drawn_faces(batch, seed=_SEED)), "rgb")
    return Opened(call=lambda: session.run(images), facts={"runtime": session.runtime})


def open_artifact(artifact: str, runtime: str, hint: Literal["bf16"] | None, threads: int, batch: int) -> Opened:
    """Open an artifact on the CPU; a call is one batch of faces. Facts: ``runtime`` and ``model_size_bytes``."""
    loaded = Artifact.load(artifact)
    version = get_runtime(runtime).probe().version or "unknown"
    session = open_session(loaded, runtime, SessionOptions(device="cpu", threads=threads, precision_hint=hint))
    feeds = {session.inputs[0].name: loaded.passport.preprocessing(list(drawn_faces(batch, seed=_SEED)), "rgb")}
    read = [session.file]
    if session.file.role == "model":
        read += [entry for entry in loaded.passport.files if entry.role == "weights"]
    facts = {"runtime": f"{runtime} {version}", "model_size_bytes": sum(entry.size_bytes for entry in read)}
    return Opened(call=lambda: session.run(feeds), facts=facts)
