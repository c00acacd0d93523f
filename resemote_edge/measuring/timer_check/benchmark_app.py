"""OpenVINO's ``benchmark_app``: ``python -m resemote_edge.measuring.timer_check.benchmark_app CORES ARGUMENTS``.

It is run by its own ``main``, on the same cores as ours and with its telemetry off; its arguments decide what it does.
"""

import sys

from resemote_edge.errors import DeviceUnavailableError, MissingDependencyError, needs
from resemote_edge.measuring.processes.child import end_with_parent, pin
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["main"]

PURPOSE = "OpenVINO's benchmark_app"


def main(arguments: list[str]) -> int:
    """Run ``benchmark_app``.

    Args:
        arguments: Cores, comma-separated, then the arguments of ``benchmark_app``.
    """
    end_with_parent()
    pin(int(core) for core in arguments[0].split(","))
    try:
        import_openvino(PURPOSE)
        with needs("openvino", PURPOSE):
            from openvino.tools.benchmark.main import main as benchmark_app
    except (DeviceUnavailableError, MissingDependencyError) as error:
        # The parent quotes the last line of a process that failed.
        print(error, file=sys.stderr)
        return 1
    sys.argv = ["benchmark_app", *arguments[1:]]  # benchmark_app reads this itself, wherever it is called from
    benchmark_app()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
