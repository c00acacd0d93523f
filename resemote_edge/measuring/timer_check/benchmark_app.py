"""OpenVINO's ``benchmark_app``, run through its own ``main`` with telemetry off."""

import io
import sys
from contextlib import redirect_stdout

from resemote_edge.errors import ResEmoteEdgeError, needs
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["run_benchmark_app"]

PURPOSE = "OpenVINO's benchmark_app"


def run_benchmark_app(arguments: list[str]) -> Opened:
    """Run ``benchmark_app``; an opener that does all its work (see `Contestant`).

    Args:
        arguments: Arguments of ``benchmark_app``.

    Returns:
        The fact ``printed``, which is all that it wrote.

    Raises:
        MissingDependencyError: It is not installed.
        ResEmoteEdgeError: It gave up; the message has its last line.
    """
    printed = io.StringIO()
    # Its log keeps the stream that it finds at import.
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
