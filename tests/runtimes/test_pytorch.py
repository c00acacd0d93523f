"""The runtime pytorch: its precisions and CUDA graphs, on a GPU if there is one."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.runtimes import pytorch
from resemote_edge.runtimes.cpu_features import why_no_bf16
from resemote_edge.runtimes.pytorch import _check_hint
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


def crops(batch=16, seed=0):
    return {"input": np.random.default_rng(seed).standard_normal((batch, 3, 64, 64)).astype(np.float32)}


def logits(artifact, feeds, **options):
    with open_session(artifact, "pytorch", SessionOptions(**options)) as session:
        return session.run(feeds)["logits"]


def difference(got, want):
    """Relative to the largest logit."""
    return float(np.abs(got - want).max() / np.abs(want).max())


def test_bf16_on_a_cpu_that_has_it(artifacts):
    artifact, feeds = artifacts("any-pytorch-fp32"), crops()
    if why_no_bf16() is not None:
        with pytest.raises(DeviceUnavailableError, match="cpu has no bf16"):
            logits(artifact, feeds, device="cpu", precision_hint="bf16")
        return
    got = logits(artifact, feeds, device="cpu", precision_hint="bf16")
    assert got.dtype == np.float32
    assert 1e-4 < difference(got, logits(artifact, feeds, device="cpu")) < 0.1  # fp32 would be nearer


def test_a_cpu_has_no_tf32_and_records_no_cuda_graph(artifacts):
    with pytest.raises(DeviceUnavailableError, match=r"cpu has no tf32 \(tf32 is a precision of NVIDIA GPUs\)"):
        logits(artifacts("any-pytorch-fp32"), crops(), device="cpu", precision_hint="tf32")
    with pytest.raises(DeviceUnavailableError, match="a CUDA graph needs an NVIDIA GPU, not cpu"):
        logits(artifacts("any-pytorch-fp32"), crops(), device="cpu", cuda_graph=True)


@pytest.mark.parametrize(
    ("recipe", "hint", "words"),
    [
        ("any-pytorch-w8", "bf16", "'bf16' is for artifacts in fp32 or fp16, not w8"),
        ("any-pytorch-fp16", "tf32", "'tf32' is for artifacts in fp32, not fp16"),
    ],
)
def test_a_hint_that_an_artifact_has_no_use_for_is_refused(artifacts, recipe, hint, words):
    with pytest.raises(InputError, match=words):
        logits(artifacts(recipe), crops(), device="cpu", precision_hint=hint)


@pytest.mark.parametrize("hint", ["bf16", "tf32"])
def test_both_came_with_compute_capability_8(artifacts, hint, monkeypatch):
    monkeypatch.setattr(pytorch, "compute_capability", lambda index: {0: "7.5", 1: "12.0"}[index])
    words = rf"cuda:0 has no {hint} \(compute capability 7\.5 is below 8\.0\)"
    with pytest.raises(DeviceUnavailableError, match=words):
        _check_hint(artifacts("any-pytorch-fp32"), "cuda:0", hint)
    _check_hint(artifacts("any-pytorch-fp32"), "cuda:1", hint)


SETTINGS = """
import torch
from resemote_edge.runtimes.pytorch import float32_products
cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
new = hasattr(cudnn, "conv")
if {needs_new} and not new:
    raise SystemExit
{before}
def now():
    if new:
        return cudnn.conv.fp32_precision, matmul.fp32_precision
    return cudnn.allow_tf32, matmul.allow_tf32
kept = now()
for tf32 in (False, True):
    try:
        with float32_products(torch, tf32=tf32):
            assert now() == (("tf32" if tf32 else "ieee",) * 2 if new else (tf32, tf32)), now()
            assert cudnn.enabled
            1 / 0
    except ZeroDivisionError:
        pass
    assert now() == kept, (now(), kept)
{after}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "assert (cudnn.allow_tf32, matmul.allow_tf32) == (True, False)"),
        ("matmul.allow_tf32 = True", "assert matmul.allow_tf32"),
        ("cudnn.allow_tf32 = False", "assert not cudnn.allow_tf32"),
        ("torch.set_float32_matmul_precision('high')", "assert torch.get_float32_matmul_precision() == 'high'"),
        ("matmul.fp32_precision = 'tf32'", ""),
        ("cudnn.conv.fp32_precision = 'ieee'", ""),
        ("torch.backends.fp32_precision = 'tf32'", ""),
    ],
)
def test_settings_hold_for_a_call_and_come_back(before, after):
    # Each has its own process, because PyTorch remembers which of its two ways of setting them was used.
    code = SETTINGS.format(before=before, after=after, needs_new="fp32_precision" in before)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_gpu
@pytest.mark.parametrize(
    ("recipe", "hint", "low", "high"),
    [
        ("any-pytorch-fp32", None, 0.0, 1e-5),
        ("any-pytorch-fp32", "tf32", 1e-5, 5e-3),
        ("any-pytorch-fp16", None, 1e-5, 1e-2),
        ("any-pytorch-fp32", "bf16", 1e-4, 0.1),
    ],
)
@pytest.mark.parametrize("cuda_graph", [False, True])
def test_a_gpu_computes_in_the_precision_asked_for(artifacts, recipe, hint, low, high, cuda_graph):
    feeds = crops()
    want = logits(artifacts("any-pytorch-fp32"), feeds, device="cpu")
    got = logits(artifacts(recipe), feeds, device="cuda:0", precision_hint=hint, cuda_graph=cuda_graph)
    print(f"{recipe} {hint} {cuda_graph}: {difference(got, want):.1e}")
    assert low <= difference(got, want) < high


@needs_gpu
def test_a_cuda_graph_is_recorded_for_each_batch_size_and_dropped_when_there_are_many(artifacts):
    artifact = artifacts("any-pytorch-fp32")
    with (
        open_session(artifact, "pytorch", SessionOptions(device="cuda:0", cuda_graph=True)) as recorded,
        open_session(artifact, "pytorch", SessionOptions(device="cuda:0")) as plain,
    ):
        for batch in [*range(1, 12), 1, 7, 11]:
            feeds = crops(batch, seed=batch)
            np.testing.assert_allclose(recorded.run(feeds)["logits"], plain.run(feeds)["logits"], rtol=0, atol=2e-4)
        assert len(recorded._graphs._recorded) == pytorch._MOST_GRAPHS


@needs_gpu
def test_a_replay_computes_on_the_new_input_and_leaves_earlier_outputs_alone(artifacts):
    artifact = artifacts("any-pytorch-fp32")
    with open_session(artifact, "pytorch", SessionOptions(device="cuda:0", cuda_graph=True)) as session:
        first = session.run(crops(seed=1))["logits"]
        kept = first.copy()
        second = session.run(crops(seed=2))["logits"]
        assert not np.array_equal(second, kept)
        assert np.array_equal(first, kept)
        assert np.array_equal(session.run(crops(seed=1))["logits"], kept)
