"""Functions that commands share: progress on stderr, JSON on stdout, options that mean the same everywhere."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from resemote_edge.errors import InputError
from resemote_edge.export.targets import TARGETS
from resemote_edge.faces.detectors import DETECTORS
from resemote_edge.runtimes.registry import RUNTIMES
from resemote_edge.runtimes.session import PrecisionHint
from resemote_edge.weights import EMBEDDED

if TYPE_CHECKING:
    from resemote_edge.benchmarks.suite.runner import SuiteProgress

__all__ = [
    "data_option",
    "detector_option",
    "device_option",
    "echo_json",
    "echo_note",
    "echo_written",
    "gathered_options",
    "given",
    "json_option",
    "labels_option",
    "measuring_progress",
    "min_face_score_option",
    "output_option",
    "parse_batches",
    "parse_names",
    "precision_hint_option",
    "runtime_option",
    "suite_progress",
    "target_option",
    "threads_option",
    "variant_option",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
labels_option = click.option(
    "--labels",
    help="Class names in the order of the logits, separated by commas. They override the names in the checkpoint.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Device to run on: cpu, cuda:0, gpu, npu, or auto to let the runtime choose.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=None,
    help="Number of CPU threads the runtime may use, at most four per core.  [default: all cores]",
)
detector_option = click.option(
    "--detector",
    help=f"Detector that finds faces: {', '.join(DETECTORS)} (a .jsonl file), or the folder of a detector's artifact.  "
    "[default: yunet]",
)
min_face_score_option = click.option(
    "--min-face-score",
    type=click.FloatRange(min=0, max=1),
    help="Lowest score of a face that the detector reports.  [default: the detector's own]",
)
precision_hint_option = click.option(
    "--precision-hint",
    type=click.Choice(get_args(PrecisionHint)),
    default=None,
    help="Let the runtime compute in bf16 (OpenVINO, PyTorch) or tf32 (PyTorch on a GPU). It is an error if the "
    "device has no such arithmetic.",
)
variant_option = click.option(
    "--variant", help=f"Embedded weights to use if no file is named: {', '.join(EMBEDDED)}.  [default: base]"
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=None,
    help="Dataset: FER2013 in any form, a folder or zip of <split>/<class>/ images, or another supported dataset.",
)


def runtime_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option ``--runtime NAME`` with this default."""
    words = f"Runtime to use: {', '.join(RUNTIMES)}, or {default}."
    return click.option("--runtime", default=default, show_default=True, help=words)


def gathered_options(
    argument: str, kind: type, options: Sequence[Callable[..., Any]]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that gives a command many options, whose values reach it as one argument.

    Args:
        argument: Name of the argument.
        kind: Dataclass with a field for each option, of the option's name.
        options: Options in the order of ``--help``.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathering(*args: Any, **values: Any) -> Any:
            gathered = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            return command(*args, **values, **{argument: gathered})

        for option in reversed(options):
            gathering = option(gathering)
        return gathering

    return decorate


def output_option(words: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option ``-o, --output PATH``, with further settings of `click.option`."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=words, **settings)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the user gave; those that are None are left to the defaults of what takes them."""
    return {name: value for name, value in options.items() if value is not None}


def target_option(words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option ``--target NAME``, with every target there is."""
    return click.option("--target", type=click.Choice(list(TARGETS)), help=words)


def parse_batches(text: str) -> tuple[int, ...]:
    """Turn ``"1,8"`` into (1, 8), each once.

    Raises:
        InputError: They are not whole numbers from 1 up.
    """
    parts = parse_names(text)
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"batch sizes are whole numbers from 1 up, separated by commas, got {text!r}")
    return tuple(int(part) for part in parts)


def parse_names(text: str) -> tuple[str, ...]:
    """Turn ``"camera, offline"`` into its parts, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))


def echo_json(value: Any) -> None:
    """Print a value as indented JSON on stdout, in ASCII, since the encoding of the stream may have no more."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def echo_note(text: str) -> None:
    """Say on stderr what the user should know about the data or the weights."""
    click.echo(f"note: {text}", err=True)


#: Packages that some kinds of files need and others do not.
_NEEDS = {"picture": "matplotlib", "page": "matplotlib and jinja2"}


def echo_written(written: Mapping[str, Path], kinds: Iterable[str] = ("picture",)) -> None:
    """Say on stderr which files were written, and which package the missing ones need.

    Args:
        written: Files written, by kind.
        kinds: Kinds in `_NEEDS`, of which there should be one file each.
    """
    for kind, path in written.items():
        click.echo(f"{kind}: {path}", err=True)
    for kind in kinds:
        if kind not in written:
            hint = f"{_NEEDS[kind]}; run: pip install 'resemote-edge[report]'"
            click.echo(f"{kind}: not written, because it needs {hint}", err=True)


@contextmanager
def measuring_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, cleared at the end; yields ``update(done, total)``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from resemote_edge.cli.terminal import open_console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=open_console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def suite_progress() -> Iterator[tuple[Callable[[str], None], Callable[["SuiteProgress"], None]]]:
    """A bar on stderr with what is being measured and the time left, and lines above it; cleared at the end.

    Yields:
        ``notice(text)`` and ``update(progress)``.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from resemote_edge.benchmarks.suite.clock import duration_text
    from resemote_edge.cli.terminal import open_console

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    console = open_console(stderr=True)
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, left="")

        def notice(text: str) -> None:
            bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

        def update(far: "SuiteProgress") -> None:
            left = f"about {duration_text(far.seconds_left)} left"
            bar.update(task, description=far.current, completed=far.done, total=far.total or None, left=left)

        yield notice, update
