"""Commands as they are typed, run in this process: a new one takes seconds to import torch."""

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from resemote_edge.cli import cli, run


def exit_code(command, *words):
    """Run a command; return the exit code that the shell would see."""
    on_termination = signal.getsignal(signal.SIGTERM)
    try:
        run(command, command.name, [str(word) for word in words])
    except SystemExit as ended:
        return ended.code
    finally:
        signal.signal(signal.SIGTERM, on_termination)
    return 0


def resemote_edge(*words: object, cwd: Path | None = None) -> CompletedProcess[str]:
    """Run ``resemote-edge`` with these words; return what a process of its own would end in."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), _inside(cwd):
        code = exit_code(cli, *words)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextmanager
def _inside(folder: Path | None) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder or before)
    try:
        yield
    finally:
        os.chdir(before)
