"""The command line: one file per command, no logic in it.

A command's module imports click alone; what it needs beyond that is imported when it runs, so that ``--help`` of every
command works with the base dependencies.
"""

import os
import signal
import sys
from collections.abc import Sequence

import click

from resemote_edge import __version__
from resemote_edge.cli.lazy_group import LazyGroup
from resemote_edge.cli.terminal import escaped_streams
from resemote_edge.errors import ResEmoteEdgeError

__all__ = ["COMMANDS", "cli", "main", "run"]

#: Command to ``module:function``, in the order ``--help`` lists them.
COMMANDS: dict[str, str] = {
    "demo": "resemote_edge.cli.demo:demo",
    "train": "resemote_edge.cli.train:train",
    "export": "resemote_edge.cli.export:export",
    "calibrate": "resemote_edge.cli.calibrate:calibrate",
    "sensitivity": "resemote_edge.cli.sensitivity:sensitivity",
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


#: Libraries have no type of their own for want of memory or threads; their words alone say so.
_OUT_OF_MEMORY = ("can't allocate memory", "std::bad_alloc", "Cannot allocate memory", "can't start new thread")

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
    except ResEmoteEdgeError as error:
        click.echo(f"Error: {_one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        _out_of_memory()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else "reading or writing failed: "
        click.echo(f"Error: {where}{error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        if any(words in str(error) for words in _OUT_OF_MEMORY):
            _out_of_memory()
        click.echo(
            f"Error: {type(error).__name__}: {_one_line(error)} (this is a bug in resemote-edge; "
            f"set {DEBUG_VARIABLE}=1 to see where, and report it)",
            err=True,
        )
        sys.exit(70)


def _out_of_memory() -> None:
    click.echo("Error: too little memory; close other programs, or pass smaller batches or images", err=True)
    sys.exit(1)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
