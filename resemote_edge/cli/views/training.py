"""Screen: a training run on a terminal."""

import os
import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from resemote_edge.cli.terminal import open_console
from resemote_edge.cli.views.facts import facts_table
from resemote_edge.training.command import TrainingResult
from resemote_edge.training.run.state import EpochRecord
from resemote_edge.training.trainer import StepReport

__all__ = ["Screen", "result_facts", "result_table"]


class Screen:
    """A progress bar for the epoch and one line per epoch, on stderr. A context manager; an observer of the run.

    If several processes train together, only the first has a screen.
    """

    def __init__(self) -> None:
        quiet = os.environ.get("RANK", "0") != "0"
        self.console = open_console(quiet=quiet)
        self._errors = open_console(stderr=True, quiet=quiet)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[run_left]}"),
        )
        self._progress = Progress(*columns, console=self._errors, transient=True)
        self._task = self._progress.add_task("reading images", total=None, figures="", run_left="")
        self._began: tuple[float, int] | None = None

    def __enter__(self) -> "Screen":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def notice(self, text: str) -> None:
        """Show one line."""
        self._errors.print(text, highlight=False, soft_wrap=True)

    def loading(self, done: int, total: int) -> None:
        """Show the number of images read."""
        self._progress.update(self._task, completed=done, total=total)

    def step(self, report: StepReport) -> None:
        """Show that a step is done."""
        done = (report.epoch - 1) * report.steps + report.step
        if self._began is None:
            self._began = (time.monotonic(), done - 1)
            self._progress.reset(self._task)
        seconds = (time.monotonic() - self._began[0]) / (done - self._began[1]) * (report.epochs * report.steps - done)
        self._progress.update(
            self._task,
            description=f"epoch {report.epoch}/{report.epochs}",
            completed=report.step,
            total=report.steps,
            figures=f"loss {report.loss:.3f}  accuracy {report.accuracy * 100:.1f} %  "
            f"{report.images_per_second:.0f} images/s",
            run_left=f"run: {_duration(seconds)} left",
        )

    def epoch(self, record: EpochRecord) -> None:
        """Show that an epoch is done and saved."""
        self.notice(
            f"epoch {record.epoch:3d}  loss {record.loss:.4f}  training {record.train_accuracy * 100:.2f} %  "
            f"validation {record.validation_accuracy * 100:.2f} %  {record.images_per_second:.0f} images/s  "
            f"{record.seconds:.0f} s"
        )
        self._progress.reset(self._task)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def result_facts(result: TrainingResult) -> dict[str, Any]:
    """Facts of a finished run, for programs."""
    assert result.evaluation is not None
    return {
        "folder": str(result.folder),
        "weights": str(result.weights),
        "epochs": len(result.history),
        "validation": result.evaluation.validation.to_dict(),
        "test": result.evaluation.test.to_dict(),
        "test_flip": result.evaluation.test_flip.to_dict(),
    }


def result_table(result: TrainingResult) -> Table:
    """Table of a finished run, for people."""
    assert result.evaluation is not None
    test = result.evaluation.test
    low, high = test.accuracy_interval_95
    facts: dict[str, Any] = {
        "weights": str(result.weights),
        "validation": f"{result.evaluation.validation.accuracy * 100:.2f} %",
        "test": f"{test.accuracy * 100:.2f} %  (95 % interval {low * 100:.2f} to {high * 100:.2f})",
    }
    if test.accuracy_without_train_duplicates is not None:
        facts["without training copies"] = f"{test.accuracy_without_train_duplicates * 100:.2f} %"
    facts["with the mirror image"] = f"{result.evaluation.test_flip.accuracy * 100:.2f} %"
    facts["calibration error"] = f"{test.ece:.3f}"
    facts["recall"] = {label: f"{share * 100:.1f} %" for label, share in test.recall.items()}
    return facts_table("Training", facts)
