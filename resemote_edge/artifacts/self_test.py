"""self_test: rerun an artifact's golden crops on this machine."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.output_format import OutputFormat, in_units_of
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.runtimes.session import Session

__all__ = ["BaseSelfTestResult", "SelfTestResult", "self_test"]


@dataclass(frozen=True, kw_only=True)
class BaseSelfTestResult:
    """The part of a self-test's outcome that all kinds of artifacts have.

    Attributes:
        runtime: Runtime that ran.
        device: Device it ran on.
        file: File that ran.
        max_abs_diff: Largest difference to the reference's output.
        limit: Largest difference allowed.
    """

    runtime: str
    device: str
    file: str
    max_abs_diff: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the limit."""
        return self.max_abs_diff <= self.limit

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, kw_only=True)
class SelfTestResult(BaseSelfTestResult):
    """Outcome of a classifier's self-test.

    Attributes:
        crops: Golden crops compared.
        compared: Output that was compared, ``logits`` or ``probabilities``, whichever the artifact gives.
        top1_agreement: Fraction with the same top class.
    """

    crops: int
    compared: OutputFormat
    top1_agreement: float

    @property
    def line(self) -> str:
        """The comparison in one line."""
        return (
            f"{self.crops} golden crops, {self.runtime} on {self.device} ({self.file}), largest difference of "
            f"{self.compared} {self.max_abs_diff:.3g} (limit {self.limit:.3g}), top-1 agreement "
            f"{self.top1_agreement:.4f}"
        )


def self_test(artifact: Artifact, session: Session) -> SelfTestResult:
    """Compare what the artifact gives on this machine with what was recorded at export, from colour crops to outputs.

    Args:
        artifact: Artifact whose golden crops are used.
        session: Session of that artifact.

    Returns:
        The comparison; look at `passed`.

    Raises:
        ArtifactError: The golden data cannot be read.
        ArtifactMismatchError: The session gives values that are not finite.
    """
    crops, logits = artifact.golden()
    output = artifact.passport.output
    want = in_units_of(output, logits)
    got = EmotionClassifier(session, artifact.passport).outputs(crops, color="rgb")
    return SelfTestResult(
        runtime=session.runtime,
        device=session.device,
        file=session.file.path,
        crops=len(crops),
        compared=output,
        max_abs_diff=float(np.abs(got - want).max()),
        limit=artifact.passport.golden.max_abs_diff,
        top1_agreement=float((got.argmax(axis=1) == want.argmax(axis=1)).mean()),
    )
