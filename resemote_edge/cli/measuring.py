"""Options that commands which measure share, and their meaning."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resemote_edge.cli.output import data_option, device_option, precision_hint_option
from resemote_edge.runtimes.session import PrecisionHint

if TYPE_CHECKING:
    from resemote_edge.measuring.case import MeasureOptions

__all__ = ["chosen_options", "measuring_options"]

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
        "--reference",
        type=click.Path(path_type=Path),
        help="Artifact that accuracy is compared with, image by image.",
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


def measuring_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command every option that `chosen_options` takes, except the folder."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_options(
    *,
    preset: str,
    device: str,
    precision_hint: PrecisionHint | None,
    data: Path | None,
    split: str,
    reference: Path | None,
    crop_side: int,
    fps: float,
    queue: int,
    min_seconds: float | None,
    min_runs: int | None,
    warmup: int | None,
    slow_to_ms: float,
    timeout: float,
    folder: Path | None,
) -> "MeasureOptions":
    """Turn the options of `measuring_options` into `MeasureOptions`."""
    import msgspec

    from resemote_edge.measuring.case import MeasureOptions
    from resemote_edge.measuring.scenarios import preset as preset_settings

    changes: dict[str, Any] = {"fps": fps, "queue_frames": queue}
    changes |= {} if min_seconds is None else {"min_seconds": min_seconds}
    changes |= {} if min_runs is None else {"min_runs": min_runs}
    changes |= {} if warmup is None else {"warmup_runs": warmup, "warmup_seconds": 0.0}
    return MeasureOptions(
        settings=msgspec.structs.replace(preset_settings(preset), **changes),
        device=device,
        data=data,
        split=split,
        reference=reference,
        crop_side=crop_side,
        precision_hint=precision_hint,
        slow_to_ms=slow_to_ms,
        timeout_s=timeout,
        folder=folder,
    )
