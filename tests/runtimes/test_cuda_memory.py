"""The CUDA seam on a GPU: memory, copies, streams, and what can be recorded on a stream. Skipped without one."""

import threading

import numpy as np
import pytest

from resemote_edge.errors import DeviceUnavailableError, ResEmoteEdgeError
from resemote_edge.runtimes.cuda_memory import compute_capability, find_provider, gpu_count


@pytest.fixture
def provider():
    try:
        return find_provider()
    except ResEmoteEdgeError as error:
        pytest.skip(f"needs a GPU: {error}")


@pytest.fixture
def stream(provider):
    with provider.current():
        made = provider.stream_create()
        yield made
        provider.stream_destroy(made)


@pytest.mark.parametrize("count", [1, 1000, 16 * 2**20])
def test_bytes_come_back_as_they_went(provider, stream, count):
    sent = np.random.default_rng(0).integers(0, 2**32, count, dtype=np.uint32)
    got = np.zeros_like(sent)
    pointer = provider.allocate(sent.nbytes)
    provider.copy_to_device(pointer, sent, stream)
    provider.copy_to_host(got, pointer, stream)
    provider.stream_synchronize(stream)
    provider.free(pointer)
    assert np.array_equal(got, sent)


def test_blocks_and_streams_do_not_mix(provider, stream):
    other = provider.stream_create()
    sent = [np.full(100_000, number, dtype=np.int64) for number in range(4)]
    got = [np.zeros_like(array) for array in sent]
    pointers = [provider.allocate(array.nbytes) for array in sent]
    assert len(set(pointers)) == len(pointers)
    for at, array in enumerate(sent):
        provider.copy_to_device(pointers[at], array, (stream, other)[at % 2])
    for at, array in enumerate(got):
        provider.copy_to_host(array, pointers[at], (stream, other)[at % 2])
    for one in (stream, other):
        provider.stream_synchronize(one)
    for pointer in pointers:
        provider.free(pointer)
    provider.stream_destroy(other)
    assert all(map(np.array_equal, got, sent))


def test_more_memory_than_there_is_is_a_sentence(provider):
    with provider.current(), pytest.raises(DeviceUnavailableError, match="cudaMalloc failed: out of memory") as caught:
        provider.allocate(2**50)
    assert "nvidia-smi" in str(caught.value)
    with provider.current():  # a failed allocation has no side effect
        provider.free(provider.allocate(1024))


def test_another_thread_can_use_it(provider):
    sent, got = np.arange(1000.0), np.zeros(1000)

    def work():
        with provider.current():
            stream, pointer = provider.stream_create(), provider.allocate(sent.nbytes)
            provider.copy_to_device(pointer, sent, stream)
            provider.copy_to_host(got, pointer, stream)
            provider.stream_synchronize(stream)
            provider.free(pointer)
            provider.stream_destroy(stream)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert np.array_equal(got, sent)


def test_copies_on_its_streams_can_be_recorded_as_a_graph(provider, stream):
    if provider.name != "cuda-python":
        pytest.skip("recorded through cuda-python")
    from cuda.bindings import runtime as cudart

    def call(function, *arguments):
        status, *results = getattr(cudart, function)(*arguments)
        assert int(status) == 0, (function, status)
        return results[0] if results else None

    sent, got = np.arange(1000, dtype=np.int32), np.zeros(1000, dtype=np.int32)
    source, target = provider.allocate(sent.nbytes), provider.allocate(sent.nbytes)
    call("cudaStreamBeginCapture", stream, cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
    kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToDevice
    call("cudaMemcpyAsync", target, source, sent.nbytes, kind, stream)
    graph = call("cudaStreamEndCapture", stream)
    executable = call("cudaGraphInstantiate", graph, 0)
    for number in range(3):
        sent[:] = np.arange(1000) + number
        provider.copy_to_device(source, sent, stream)
        call("cudaGraphLaunch", executable, stream)
        provider.copy_to_host(got, target, stream)
        provider.stream_synchronize(stream)
        assert np.array_equal(got, sent)
    call("cudaGraphExecDestroy", executable)
    call("cudaGraphDestroy", graph)
    for pointer in (source, target):
        provider.free(pointer)


def test_its_pointers_are_those_of_pytorch(provider, stream):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    tensor = torch.zeros(1000, device="cuda:0")
    torch.cuda.synchronize()
    provider.copy_to_device(tensor.data_ptr(), np.arange(1000, dtype=np.float32), stream)
    provider.stream_synchronize(stream)
    assert torch.equal(tensor.cpu(), torch.arange(1000.0))


def test_the_driver_and_pytorch_agree_on_what_is_there(provider):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    assert gpu_count() == torch.cuda.device_count()
    for index in range(gpu_count()):
        assert compute_capability(index) == ".".join(map(str, torch.cuda.get_device_capability(index)))
    with pytest.raises(DeviceUnavailableError, match=f"cuda:{gpu_count()} was not found"):
        find_provider(gpu_count())
