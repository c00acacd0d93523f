"""Processes that measure: pinned, with their thread pools limited, and ended when they take too long or we stop."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from resemote_edge.errors import ResEmoteEdgeError
from resemote_edge.measuring.results import AccuracyJob, Answer, Failure, SpeedJob

__all__ = ["run_apart", "run_job"]

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_job(job: SpeedJob | AccuracyJob, *, timeout_s: float) -> Answer:
    """Run a job in a fresh interpreter.

    Args:
        job: Job to run.
        timeout_s: Seconds after which it is ended.

    Returns:
        The job's result; never a `Failure`.

    Raises:
        ResEmoteEdgeError: The job failed, its process died, or it took too long. No process is left behind.
    """
    what = f"measuring {job.artifact} in {job.runtime}"
    with tempfile.TemporaryDirectory(prefix="resemote-edge-bench-") as folder:
        job_path, answer_path = Path(folder, "job.json"), Path(folder, "answer.json")
        job_path.write_bytes(msgspec.json.encode(job))
        module = ["-m", "resemote_edge.measuring.processes.worker", str(job_path), str(answer_path)]
        words = run_apart(module, what=what, threads=job.threads, timeout_s=timeout_s)
        if not answer_path.is_file():
            raise ResEmoteEdgeError(f"{what} ended without an answer: {_last_line(words)}")
        answer: Answer = msgspec.json.decode(answer_path.read_bytes(), type=Answer)
    if isinstance(answer, Failure):
        raise ResEmoteEdgeError(f"{what} failed: {answer.message}")
    return answer


def run_apart(arguments: Sequence[str], *, what: str, threads: int, timeout_s: float) -> str:
    """Run this Python with arguments in a process of its own.

    Args:
        arguments: Arguments of the interpreter: ``-m``, a module, and its arguments.
        what: Work that it does, for messages.
        threads: Number of threads, set for the thread pools that read it from the environment.
        timeout_s: Seconds after which it is ended.

    Returns:
        Text that it wrote to stdout and stderr.

    Raises:
        ResEmoteEdgeError: It died, ended with another exit code than 0, or took too long. No process is left behind.
    """
    environment = {**os.environ, **dict.fromkeys(_POOLS, str(threads))}
    # This is a file because the output is not read along: a pipe would fill up and block the child.
    with tempfile.TemporaryFile() as log:
        # It has a process group of its own: what it started ends with it.
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ResEmoteEdgeError(
                f"{what} took longer than {timeout_s:g} s and was ended; allow more with --timeout (in a "
                "suite: timeout_seconds), or look at what else runs on this machine"
            ) from None
        finally:
            _end(process)
        log.seek(0)
        words = log.read().decode("utf-8", errors="replace")
    if code != 0:
        raise ResEmoteEdgeError(f"{what} {_ending(code)}: {_last_line(words)}")
    return words


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the worker and all that it started, whatever they are doing."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _last_line(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
