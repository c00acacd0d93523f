"""Code that a test runs apart: in a process of its own, or in several threads at once."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh Python, for what pytest's own process must not do, such as a fork with threads."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def in_threads(call: Callable[[int], None], count: int) -> None:
    """Call a function with 0, 1, ... in as many threads at once, and wait for all."""
    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
