"""Captured: a function of tensors, recorded as a CUDA graph and replayed.

A training step of a small network is hundreds of kernels of a few microseconds each, which the card runs faster than
the processor launches them one by one. A recorded graph is launched as a whole.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["Captured"]

#: Number of calls before the recording, in which libraries choose their kernels and allocate memory.
_WARM_UP = 4


class Captured:
    """A function whose calls are the same kernels on the same shapes, on a CUDA card.

    The first calls run normally, the next one is recorded, and from then on the recording is replayed. A replay writes
    gradients, running statistics and results to the same places in memory as the recorded call.

    Args:
        function: Function of tensors that returns a tuple of tensors; it neither waits for the card nor looks at a
            value.
        generators: Generators on the card that it draws from; each replay reads their state, so that they can be seeded
            before a call.
        before: Function called before each call that is not a replay, outside of the recording.
    """

    def __init__(
        self,
        function: Callable[..., tuple[Tensor, ...]],
        generators: Sequence[torch.Generator] = (),
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._function, self._generators, self._before = function, generators, before
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._outputs: tuple[Tensor, ...] = ()
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Call the function.

        Args:
            inputs: Tensors on the card, of the same shapes, dtypes and layouts at every call.

        Returns:
            The function's results; the tensors hold them until the next call.
        """
        self._calls += 1
        if self._calls <= _WARM_UP:
            return self._run(inputs)
        if self._graph is None:
            self._record(inputs)
            assert self._graph is not None
        for kept, given in zip(self._inputs, inputs, strict=True):
            kept.copy_(given)
        self._graph.replay()
        return self._outputs

    def _run(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        # Memory belongs to the stream that allocates it, so this uses the stream of the recording.
        present = torch.cuda.current_stream()
        self._stream.wait_stream(present)
        with torch.cuda.stream(self._stream):
            self._before()
            outputs = self._function(*inputs)
        present.wait_stream(self._stream)
        return outputs

    def _record(self, inputs: Sequence[Tensor]) -> None:
        # Every replay reads its inputs from these clones, which keep a channels-last layout.
        self._inputs = [given.clone() for given in inputs]
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        self._before()
        with torch.cuda.graph(graph, stream=self._stream):
            self._outputs = self._function(*self._inputs)
        self._graph = graph
