"""Self-test of detectors: rerun an artifact's golden pictures on this machine."""

from dataclasses import dataclass

import numpy as np

from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact
from resemote_edge.artifacts.self_test import BaseSelfTestResult, SelfTestResult, self_test
from resemote_edge.errors import ArtifactMismatchError
from resemote_edge.runtimes.session import Session

__all__ = ["DetectorSelfTestResult", "detector_self_test", "run_self_test"]


@dataclass(frozen=True, kw_only=True)
class DetectorSelfTestResult(BaseSelfTestResult):
    """Outcome of a detector's self-test; the difference is the largest of a value of any output.

    Attributes:
        frames: Golden pictures compared.
    """

    frames: int

    @property
    def line(self) -> str:
        """The comparison in one line."""
        return (
            f"{self.frames} golden picture{'s' if self.frames > 1 else ''}, {self.runtime} on {self.device} "
            f"({self.file}), largest difference of any output {self.max_abs_diff:.3g} (limit {self.limit:.3g})"
        )


def run_self_test(artifact: Artifact | DetectorArtifact, session: Session) -> SelfTestResult | DetectorSelfTestResult:
    """Run the self-test of an artifact of any kind; see `self_test` and `detector_self_test`."""
    if isinstance(artifact, DetectorArtifact):
        return detector_self_test(artifact, session)
    return self_test(artifact, session)


def detector_self_test(artifact: DetectorArtifact, session: Session) -> DetectorSelfTestResult:
    """Compare all outputs for the golden pictures with those recorded at export.

    Args:
        artifact: Artifact whose golden pictures are used.
        session: Session of that artifact.

    Returns:
        The comparison; look at `passed`.

    Raises:
        ArtifactError: The golden data cannot be read.
        ArtifactMismatchError: The session gives values that are not finite.
    """
    frames, want = artifact.golden()
    passport = artifact.passport
    name = passport.inputs[0].name
    got = np.stack([passport.flatten(session.run({name: passport.feed(frame)})) for frame in frames])
    if not np.isfinite(got).all():
        raise ArtifactMismatchError(
            f"{artifact.path}: {session.runtime} on {session.device} gives NaN or Inf",
            hint="export the artifact again, or run it on another device or runtime",
        )
    return DetectorSelfTestResult(
        runtime=session.runtime,
        device=session.device,
        file=session.file.path,
        frames=len(frames),
        max_abs_diff=float(np.abs(got - want).max()),
        limit=passport.golden.max_abs_diff,
    )
