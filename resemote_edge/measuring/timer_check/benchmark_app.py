"""OpenVINO's ``benchmark_app``, run by its own ``main`` with its telemetry off; its arguments decide what it does."""

import io
import sys
from contextlib import redirect_stdout

from resemote_edge.errors import ResEmoteEdgeError, needs
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["run_benchmark_app"]

PURPOSE = "OpenVINO's benchmark_app"


def run_benchmark_app(arguments: list[str]) -> Opened:
    """Run ``benchmark_app``, as an opener in a process of its own.

    Args:
        arguments: Arguments of ``benchmark_app``.

    Returns:
        The fact ``printed``, which is all that it wrote, and nothing left to call.

    Raises:
        MissingDependencyError: It is not installed.
        ResEmoteEdgeError: It gave up; the message has its last line.
    """
    printed = io.StringIO()
    # its log keeps the stream that it finds when it is imported
    with redirect_stdout(printed), needs("openvino", PURPOSE):
        import_openvino(PURPOSE)
        from openvino.tools.benchmark.main import main as benchmark_app
    sys.argv = ["benchmark_app", *arguments]  # benchmark_app reads this itself, wherever it is called from
    try:
        with redirect_stdout(printed):
            benchmark_app()
    except SystemExit as error:
        lines = printed.getvalue().strip().splitlines() or ["it wrote nothing"]
        raise ResEmoteEdgeError(f"it ended with exit code {error.code}: {lines[-1]}") from None
    return Opened(facts={"printed": printed.getvalue()})
