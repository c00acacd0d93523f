"""MeasuringChoice: the options of a command that measures, as one argument, and the suite they describe."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from resemote_edge.cli.output import data_option, device_option, gathered_options, precision_hint_option
from resemote_edge.runtimes.session import PrecisionHint

if TYPE_CHECKING:
    from resemote_edge.benchmarks.suite.file import Suite

__all__ = ["MeasuringChoice", "measuring_options"]

_OPTIONS = (
    click.option(
        "--preset",
        type=click.Choice(["quick", "standard", "sustained"]),
        default="standard",
        show_default=True,
        help="Time spent on each row: quick takes about 1 s, standard 5 s, sustained 2 minutes. A row takes twice as "
        "long if the model is also timed alone.",
    ),
    device_option,
    precision_hint_option,
    data_option,
    click.option(
        "--split",
        type=click.Choice(["validation", "test"]),
        default="test",
        show_default=True,
        help="Split of the dataset that accuracy is measured on.",
    ),
    click.option(
        "--reference", type=click.Path(path_type=Path), help="Artifact that accuracy is compared with, image by image."
    ),
    click.option(
        "--crop-side",
        type=click.IntRange(min=8, max=1024),
        default=48,
        show_default=True,
        help="Width and height of the face crops, in pixels.",
    ),
    click.option(
        "--fps",
        type=click.FloatRange(min=0.0, min_open=True),
        default=30.0,
        show_default=True,
        help="Frames per second that arrive in the scenarios camera and multi-stream.",
    ),
    click.option(
        "--queue",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Number of frames that may wait in the scenario camera. When one more arrives, the oldest is dropped.",
    ),
    click.option(
        "--min-seconds",
        type=click.FloatRange(min=0.0),
        default=None,
        help="Shortest time to measure a row, in seconds.  [default: the preset's]",
    ),
    click.option(
        "--min-runs",
        type=click.IntRange(min=1),
        default=None,
        help="Smallest number of timed calls in a row.  [default: the preset's]",
    ),
    click.option(
        "--warmup",
        type=click.IntRange(min=0),
        default=None,
        help="Number of untimed calls before the measurement.  [default: as many as it takes for times to settle]",
    ),
    click.option(
        "--slow-to-ms",
        type=click.FloatRange(min=0.0),
        default=0.0,
        help="Delay every inference until it has taken this many milliseconds, to simulate a slower device.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1.0),
        default=1800.0,
        show_default=True,
        help="Seconds after which the process that measures a row is ended.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class MeasuringChoice:
    """Values of the options below, each named after its option."""

    preset: str
    device: str
    precision_hint: PrecisionHint | None
    data: Path | None
    split: Literal["validation", "test"]
    reference: Path | None
    crop_side: int
    fps: float
    queue: int
    min_seconds: float | None
    min_runs: int | None
    warmup: int | None
    slow_to_ms: float
    timeout: float

    def suite(self, **matrix: Any) -> "Suite":
        """Describe measurements as a suite.

        Args:
            matrix: Fields of `Suite`: runtimes, scenarios, batches, threads, streams.
        """
        import msgspec

        from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, AccuracyOptions, Suite
        from resemote_edge.measuring.scenarios import preset

        changes: dict[str, Any] = {"fps": self.fps, "queue_frames": self.queue}
        changes |= {} if self.min_seconds is None else {"min_seconds": self.min_seconds}
        changes |= {} if self.min_runs is None else {"min_runs": self.min_runs}
        changes |= {} if self.warmup is None else {"warmup_runs": self.warmup, "warmup_seconds": 0.0}
        reference = None if self.reference is None else str(self.reference)
        return Suite(
            schema=SUITE_SCHEMA,
            name="bench",
            description="What the command line asks for.",
            settings=msgspec.structs.replace(preset(self.preset), **changes),
            accuracy=AccuracyOptions(split=self.split, reference=reference),
            device=self.device,
            crop_side=self.crop_side,
            precision_hint=self.precision_hint,
            slow_to_ms=self.slow_to_ms,
            timeout_seconds=self.timeout,
            **matrix,
        )


#: Decorator of commands that measure; the values of its options are the argument `measuring`.
measuring_options = gathered_options("measuring", MeasuringChoice, _OPTIONS)
