"""Commands as they are typed, run in this process."""

import signal

from resemote_edge.cli import run


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
