"""run_job: one job in a process of its own, pinned, with its thread pools limited, and ended when it takes too long."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from resemote_edge.benchmarks.results import AccuracyJob, Answer, Failure, SpeedJob
from resemote_edge.errors import ResEmoteEdgeError

__all__ = ["run_job"]

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_job(job: SpeedJob | AccuracyJob, *, timeout_s: float) -> Answer:
    """Run a job in a fresh interpreter.

    Args:
        job: What.
        timeout_s: Seconds after which it is ended.

    Returns:
        What it measured; never a `Failure`.

    Raises:
        ResEmoteEdgeError: It failed, died, or took too long. No process is left behind.
    """
    what = f"measuring {job.artifact} in {job.runtime}"
    environment = {**os.environ, **dict.fromkeys(_POOLS, str(job.threads))}
    with tempfile.TemporaryDirectory(prefix="resemote-edge-bench-") as folder:
        job_path, answer_path, log_path = (Path(folder, name) for name in ("job.json", "answer.json", "log.txt"))
        job_path.write_bytes(msgspec.json.encode(job))
        command = [sys.executable, "-m", "resemote_edge.benchmarks.worker", str(job_path), str(answer_path)]
        with log_path.open("wb") as log:
            # A group of its own: what the worker started ends with it.
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                raise ResEmoteEdgeError(
                    f"{what} took longer than {timeout_s:g} s and was ended; allow more with --timeout, or look at "
                    "what else runs on this machine"
                ) from None
            finally:
                _end(process)
        if code != 0 or not answer_path.is_file():
            raise ResEmoteEdgeError(f"{what} {_ending(code)}: {_last_line(log_path)}")
        answer: Answer = msgspec.json.decode(answer_path.read_bytes(), type=Answer)
    if isinstance(answer, Failure):
        raise ResEmoteEdgeError(f"{what} failed: {answer.message}")
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the worker and all that it started, whatever they are doing."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
