"""The paper's full network, 80 million parameters, goes through the main job within 4 GB of memory."""

import os
import subprocess
import sys

import pytest
import torch

from resemote_edge.models.resemotenet import ResEmoteNet

LIMIT_BYTES = 4_000_000_000

# Runs a command and prints the high-water mark of its largest process.
PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(code)
"""


def peak_bytes(*arguments, cwd):
    command = [sys.executable, "-c", PEAK, sys.executable, "-m", "resemote_edge", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.slow
def test_width_64_exports_and_runs(tmp_path):
    torch.save({"model_state_dict": ResEmoteNet(64).state_dict()}, tmp_path / "full.pt")
    exported = peak_bytes("export", "full.pt", "--target", "openvino", "-o", "full", cwd=tmp_path)
    measured = peak_bytes(
        "bench", "full", "--runtime", "openvino", "--batch", "1", "--min-runs", "3", "--min-seconds", "0", cwd=tmp_path
    )
    print(f"peak: export {exported / 1e9:.2f} GB, bench {measured / 1e9:.2f} GB")
    assert max(exported, measured) < LIMIT_BYTES
