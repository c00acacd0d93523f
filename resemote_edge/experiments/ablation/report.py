"""AblationReport: the results of an ablation, as JSON and as a table."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.artifacts.record import Measured, Strict, read_record
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import where_installed
from resemote_edge.evaluation.paired import Z_95, expected_calibration_error

__all__ = [
    "ABLATION_FILES",
    "AblationReport",
    "ArmResult",
    "Gain",
    "Trial",
    "ablation_line",
    "ablation_table",
    "judge_trial",
    "markdown_ablation",
    "measured_gain",
    "read_ablation_report",
    "write_ablation_report",
]

#: Names of the files that `write_ablation_report` writes.
ABLATION_FILES = ("report.json", "report.md", "gains.png")

ABLATION_REPORT_SCHEMA = 1


class Gain(Strict, frozen=True, kw_only=True):
    """Gain of an arm over the first, in percentage points.

    Attributes:
        points: Mean over the seeds.
        interval_95: Interval over the images, each paired with itself, for these seeds.
    """

    points: float
    interval_95: tuple[float, float]


class Trial(Strict, frozen=True, kw_only=True):
    """One arm with one seed, judged after its last epoch, which was not chosen by its score.

    Attributes:
        seed: Seed of the run.
        accuracy: Accuracy as a fraction.
        mean_recall: Mean of the recall over the classes, a fraction.
        recall: Recall per class.
        ece: Expected calibration error, 15 bins, a fraction.
        curve: Accuracy after every epoch.
        seconds: Time of training and validation.
    """

    seed: int
    accuracy: float
    mean_recall: float
    recall: dict[str, float]
    ece: float
    curve: tuple[float, ...]
    seconds: float


class ArmResult(Strict, frozen=True, kw_only=True):
    """One arm over all seeds.

    Attributes:
        name: Name of the arm.
        label: Description of the difference, for people.
        recipe: Fields that differ from those all arms share.
        teacher: Name and sha256 of the teacher's checkpoint; None without one.
        trials: Trials, one per seed.
        accuracy_gain: Gain of accuracy over the first arm; None for that one.
        recall_gain: Gain of the mean recall over the first arm; None for that one.
    """

    name: str
    label: str
    recipe: dict[str, Any]
    teacher: dict[str, str] | None
    trials: tuple[Trial, ...]
    accuracy_gain: Gain | None = None
    recall_gain: Gain | None = None


class AblationReport(Measured, frozen=True, kw_only=True, tag_field="kind", tag="ablation"):
    """All results of an ablation.

    Attributes:
        name: Name of the ablation.
        description: Description in one sentence.
        recipe: Complete recipe of the first arm with the first seed.
        dataset: Name of the split that judges; never the test split.
        dataset_sha256: Hash of that split.
        train_sha256: Hash of the training split.
        samples: Number of images that judge.
        arms: Arms in the file's order.
    """

    schema: int = ABLATION_REPORT_SCHEMA
    name: str
    description: str
    recipe: dict[str, Any]
    dataset: str
    dataset_sha256: str
    train_sha256: str
    samples: int
    arms: tuple[ArmResult, ...]


def judge_trial(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    labels: Sequence[str],
    *,
    seed: int,
    curve: tuple[float, ...],
    seconds: float,
) -> Trial:
    """Judge a trained network by its logits.

    Args:
        logits: Logits, float32 (N, classes), in the order of the labels.
        truth: True classes, int64 (N,).
        labels: Class names.
        seed: Seed of the run.
        curve: Accuracy after every epoch.
        seconds: Length of the run.
    """
    right = logits.argmax(axis=1) == truth
    recall = {
        label: float(right[truth == index].mean()) for index, label in enumerate(labels) if (truth == index).any()
    }
    return Trial(
        seed=seed,
        accuracy=float(right.mean()),
        mean_recall=fmean(recall.values()),
        recall=recall,
        ece=expected_calibration_error(logits, truth),
        curve=curve,
        seconds=seconds,
    )


def measured_gain(
    before: Sequence[NDArray[np.bool_]], after: Sequence[NDArray[np.bool_]], truth: NDArray[np.int64] | None = None
) -> Gain:
    """Compute how many points `after` is above `before`, with an interval over the images.

    Args:
        before: Whether each image was right, (N,) per seed, for the arm compared with.
        after: Whether each image was right, (N,) per seed, for the other arm.
        truth: True classes, int64 (N,), for the gain of mean recall; None for that of accuracy.

    Returns:
        The gain; each image counts once, with its mean difference over the seeds.
    """
    change = np.mean([now.astype(np.float64) - was for was, now in zip(before, after, strict=True)], axis=0)
    groups = [change] if truth is None else [change[truth == index] for index in np.unique(truth)]
    points = fmean(float(group.mean()) for group in groups) * 100.0
    variance = sum(float(group.var()) / len(group) for group in groups) / len(groups) ** 2
    margin = Z_95 * variance**0.5 * 100.0
    return Gain(points=points, interval_95=(points - margin, points + margin))


def ablation_table(report: AblationReport) -> str:
    """Table of every arm in Markdown: means over the seeds, and the gain over the first arm."""
    headers = ["recipe", "accuracy", "gain, points (95 %)", "mean recall", "gain, points (95 %)", "calibration error"]
    rows = []
    for arm in report.arms:
        accuracies = [trial.accuracy for trial in arm.trials]
        recalls = [trial.mean_recall for trial in arm.trials]
        cells = [
            arm.label,
            f"{fmean(accuracies) * 100:.2f} %",
            _gain(arm.accuracy_gain),
            f"{fmean(recalls) * 100:.2f} %",
            _gain(arm.recall_gain),
            f"{fmean(trial.ece for trial in arm.trials):.3f}",
        ]
        rows.append(cells)
    return table_text(headers, rows, words=headers[:1])


def _gain(gain: Gain | None) -> str:
    if gain is None:
        return "-"
    low, high = gain.interval_95
    return f"{gain.points:+.2f} ({low:+.2f} to {high:+.2f})"


def ablation_line(report: AblationReport) -> str:
    """Say in a sentence when, where and on what it was measured."""
    seeds = ", ".join(str(trial.seed) for trial in report.arms[0].trials)
    return (
        f"Measured {report.created_utc[:10]} on {report.environment['cpu_model']}: {report.dataset}, "
        f"{report.samples:,} images; width {report.recipe['width']}, {report.recipe['epochs']} epochs, seeds {seeds}."
    )


def markdown_ablation(report: AblationReport, picture: str | None = None) -> str:
    """Write the whole report in Markdown.

    Args:
        report: Report of the ablation.
        picture: File name of the chart beside it, if there is one.
    """
    lines = [
        f"# Ablation {report.name}",
        "",
        report.description,
        "",
        ablation_line(report),
        "",
        "Every trial is judged after its last epoch; figures are means over the seeds. A gain is over the first row; "
        "its interval is over the images, each paired with itself.",
        "",
        ablation_table(report),
    ]
    if picture:
        lines += [f"![gains with intervals]({picture})", ""]
    for arm in report.arms:
        changes = msgspec.json.encode(arm.recipe).decode() if arm.recipe else "nothing"
        teacher = "" if arm.teacher is None else f"; teacher {arm.teacher['name']}"
        each = ", ".join(f"{trial.accuracy * 100:.2f} %" for trial in arm.trials)
        lines.append(f"- {arm.label}: changes {changes}{teacher}; by seed {each}")
    return "\n".join(lines) + "\n"


def write_ablation_report(report: AblationReport, folder: Path) -> dict[str, Path]:
    """Write ``report.json``, ``report.md`` and, where matplotlib is installed, ``gains.png``.

    Args:
        report: Report of the ablation.
        folder: Folder to write to; created if need be.

    Returns:
        The paths written, by kind (``json``, ``markdown``, ``picture``).
    """
    data, text, picture = (folder / name for name in ABLATION_FILES)
    write_file(data, report.to_json())
    written = {"json": data, "markdown": text}
    picture.unlink(missing_ok=True)  # An old one would show other figures.
    with where_installed("matplotlib"):
        _draw_gains(report, picture)
        written["picture"] = picture
    write_file(text, markdown_ablation(report, picture.name if "picture" in written else None))
    return written


def _draw_gains(report: AblationReport, path: Path) -> None:
    from matplotlib.figure import Figure

    compared = [arm for arm in report.arms if arm.accuracy_gain is not None]
    figure = Figure(figsize=(9.0, 1.4 + 0.4 * len(compared)), layout="constrained")
    axes = figure.subplots()
    for offset, title in ((-0.12, "accuracy"), (0.12, "mean recall")):
        gains = [arm.accuracy_gain if title == "accuracy" else arm.recall_gain for arm in compared]
        points = [gain.points for gain in gains if gain is not None]
        reach = [gain.points - gain.interval_95[0] for gain in gains if gain is not None]
        places = [index + offset for index in range(len(points))]
        axes.errorbar(points, places, xerr=reach, fmt="o", capsize=3, label=title)
    axes.axvline(0.0, color="0.4", linewidth=1)
    axes.set_yticks(range(len(compared)), [arm.label for arm in compared])
    axes.invert_yaxis()
    axes.set_xlabel(f"points above '{report.arms[0].label}'; whisker: 95 % interval over the images")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=2)
    write_picture(figure, path)


#: Reads an ablation's report back; see `read_record`.
read_ablation_report = partial(
    read_record, kind=AblationReport, what="an ablation's report", schema=ABLATION_REPORT_SCHEMA
)
