"""Sessions that are opened and closed, and calls, take no more memory and descriptors the longer they go on."""

import gc
import os

import numpy as np
import pytest

from resemote_edge.classifier import EmotionClassifier
from resemote_edge.machine.memory import resident_bytes
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import SessionOptions

RECIPES = {
    "onnxruntime": "cpu-onnxruntime-fp32",
    "openvino": "cpu-openvino-fp32",
    "pytorch": "any-pytorch-fp32",
    "native": "cpu-onnxruntime-fp32",
}

#: Growth that the second half may show: allocators keep some of what is freed.
SLACK_BYTES = 16 << 20


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_neither_cycles_nor_calls_grow(name, request, artifacts):
    found = get_runtime(name).probe()
    if not found.available:
        pytest.skip(found.reason)
    artifact, options = artifacts(RECIPES[name]), SessionOptions(threads=1)
    cycles = request.config.getoption("--load-cycles")
    crop = np.zeros((64, 64, 3), np.uint8)

    def cycle():
        with EmotionClassifier(open_session(artifact, name, options), artifact.passport) as classifier:
            classifier(crop, color="rgb")

    grown = {"cycles": growth(cycle, cycles)}
    with EmotionClassifier(open_session(artifact, name, options), artifact.passport) as classifier:
        grown["calls"] = growth(lambda: classifier(crop, color="rgb"), 100 * cycles)
    print(f"{name}: {cycles} cycles and {100 * cycles} calls; second halves grew by {grown} (bytes, descriptors)")
    for memory, files in grown.values():
        assert memory < SLACK_BYTES
        assert files <= 0


def growth(work, count):
    """Growth of memory and number of descriptors over the second half of so many calls."""
    for _ in range(count // 2):
        work()
    gc.collect()
    before = resident_bytes(), descriptors()
    for _ in range(count - count // 2):
        work()
    gc.collect()
    return resident_bytes() - before[0], descriptors() - before[1]
