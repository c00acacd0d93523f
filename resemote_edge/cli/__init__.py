"""The command line: one file per command, no logic in it.

A command's module imports click alone; what it needs beyond that is imported when it runs, so that ``--help`` of every
command works with the base dependencies.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from resemote_edge import __version__
from resemote_edge.cli.guard import guarded_run, is_guarded, reported_end
from resemote_edge.cli.lazy_group import LazyGroup
from resemote_edge.cli.terminal import escaped_streams
from resemote_edge.errors import ResEmoteEdgeError, lack_of_memory, memory_limit_bytes

__all__ = ["COMMANDS", "cli", "main", "run"]

#: Command to ``module:function``, in the order ``--help`` lists them.
COMMANDS: dict[str, str] = {
    "demo": "resemote_edge.cli.demo:demo",
    "train": "resemote_edge.cli.train:train",
    "export": "resemote_edge.cli.export:export",
    "calibrate": "resemote_edge.cli.calibrate:calibrate",
    "sensitivity": "resemote_edge.cli.sensitivity:sensitivity",
    "bundle": "resemote_edge.cli.bundle:bundle",
    "inspect": "resemote_edge.cli.inspect:inspect",
    "verify": "resemote_edge.cli.verify:verify",
    "predict": "resemote_edge.cli.predict:predict",
    "camera": "resemote_edge.cli.camera:camera",
    "bench": "resemote_edge.cli.bench:bench",
    "eval": "resemote_edge.cli.eval:evaluate",
    "runtimes": "resemote_edge.cli.runtimes:runtimes",
    "doctor": "resemote_edge.cli.doctor:doctor",
    "checkpoint": "resemote_edge.cli.checkpoint:checkpoint",
    "data": "resemote_edge.cli.data:data",
}


_LONGEST_NAME = 300

#: Environment variable that shows the traceback of an unexpected error.
DEBUG_VARIABLE = "RESEMOTE_EDGE_DEBUG"


@click.command(cls=LazyGroup, commands_at=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="resemote-edge")
def cli() -> None:
    """Deploy ResEmoteNet, a facial expression network, on GPUs, Jetson boards and CPUs.

    'export' turns a checkpoint into an artifact: a folder with the model, a description of it and a self-test. The
    other commands check, run and measure artifacts. 'doctor' says what works on this machine; 'COMMAND --help'
    explains a command.

    \b
    Example:
      resemote-edge predict face.png
      resemote-edge export --variant s --target openvino --precision int8
      resemote-edge verify artifacts/resemotenet-s-fer2013-openvino-int8
      resemote-edge bench artifacts/resemotenet-s-fer2013-openvino-int8
    """


def main() -> None:
    """Entry point of ``resemote-edge``."""
    if memory_limit_bytes() is not None and not is_guarded():
        sys.exit(guarded_run())
    with reported_end():
        run(cli, "resemote-edge")


def run(command: click.Command, name: str, arguments: Sequence[str] | None = None) -> None:
    """Run a command line: a user's error becomes one readable line, never a traceback.

    Args:
        command: Command, or a group of commands.
        name: Name under which the user called it.
        arguments: Arguments that the user gave; None for `sys.argv`.

    Raises:
        SystemExit: The command ended with an exit code of its own, or with an error.
    """
    # A termination request unwinds like any error, so that staging folders are removed on the way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with escaped_streams():
        _run(command, name, arguments)


def _run(command: click.Command, name: str, arguments: Sequence[str] | None) -> None:
    try:
        command.main(args=arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Aborted.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except Exception as error:
        _end(error)


def _end(error: Exception) -> NoReturn:
    """Say in one line what went wrong, and end."""
    error = lack_of_memory(error) or error
    if isinstance(error, ResEmoteEdgeError):
        _fail(_one_line(error), error.exit_code)
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        # Python keeps the bytes of a file's name like this. JSON, and most libraries, have no way to.
        name = error.object if len(error.object) < _LONGEST_NAME else error.object[error.start :][:20]
        _fail(f"{name}: a name with bytes that are no UTF-8 cannot be written down; rename the file or folder", 1)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "reading or writing failed: "
        _fail(f"{where}{error.strerror or error}", 1)
    if os.environ.get(DEBUG_VARIABLE):
        raise error
    _fail(
        f"{type(error).__name__}: {_one_line(error)} (this is a bug in resemote-edge; set {DEBUG_VARIABLE}=1 to see "
        "where, and report it)",
        70,
    )


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
