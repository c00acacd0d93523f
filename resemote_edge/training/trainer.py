"""Trainer: the training loop."""

import math
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from resemote_edge.errors import TrainingError
from resemote_edge.training.config import TrainingConfig
from resemote_edge.training.images.batches import Batch, TrainingImages
from resemote_edge.training.images.randomness import generator_at, without_waiting
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.loss import Loss, class_priors
from resemote_edge.training.networks.architectures import build_network
from resemote_edge.training.networks.average import AveragedWeights
from resemote_edge.training.networks.captured import Captured
from resemote_edge.training.networks.network import Trainable
from resemote_edge.training.run.hardware import autocast_dtype, network_form, prepare
from resemote_edge.training.run.interruption import Interruption
from resemote_edge.training.run.processes import Processes
from resemote_edge.training.run.state import EpochRecord, RunState
from resemote_edge.training.schedule import dropout_at, learning_rate_at, side_at
from resemote_edge.training.tally import Tally
from resemote_edge.training.teaching.answers import Answers
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["StepReport", "Trainer", "new_optimizer"]

#: Rows and columns of the network's input, except in the first epochs of some recipes.
FULL_SIDE = PreprocessSpec().height

# Steps between reports, checks of the loss and of signals, because each of these waits for a card.
_LOOK_EVERY = {"cuda": 20}


@dataclass(frozen=True)
class StepReport:
    """Progress of the run, for a progress bar.

    Attributes:
        epoch: Number of the epoch, from 1.
        step: Number of the step in the epoch, from 1.
        steps: Steps of one epoch.
        epochs: Epochs in all.
        loss: Mean loss of the epoch so far.
        accuracy: Accuracy of the epoch so far, on augmented images.
        images_per_second: Images a second in the epoch so far, over all processes.
    """

    epoch: int
    step: int
    steps: int
    epochs: int
    loss: float
    accuracy: float
    images_per_second: float


def new_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Make the optimizer of a recipe; BatchNorm and biases are not decayed."""
    matrices = [value for value in network.parameters() if value.ndim > 1]
    vectors = [value for value in network.parameters() if value.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


class Trainer:
    """One run; `restore` continues an earlier one.

    Args:
        config: Recipe of the run.
        images: Images of the training split.
        validation: Split that chooses the best epoch.
        processes: Processes that train together.
        context: Facts for `RunState.context`.
        initial: Weights to start from, from `initial_weights`; missing ones are drawn.
        answers: Logits of a teacher for each batch, in the order of the targets; None without a teacher.
    """

    def __init__(
        self,
        config: TrainingConfig,
        images: TrainingImages,
        validation: HeldOut,
        processes: Processes,
        *,
        context: dict[str, Any],
        initial: Mapping[str, Tensor] | None = None,
        answers: Answers | None = None,
    ) -> None:
        self._config, self._images, self._validation = config, images, validation
        self._processes, self._context, self._answers = processes, context, answers
        device = processes.device
        self._dtype = autocast_dtype(config.precision, device)
        prepare(device)
        network = build_network(config.architecture, config.width, images.targets.shape[1], network_form(device))
        network.initialize(generator_at(config.seed, "weights"))
        network.net.load_state_dict({**network.net.state_dict(), **(initial or {})})
        self._network = network.placed(device)
        self._optimizer = new_optimizer(self._network, config)
        self._average = AveragedWeights(self._network.net, config.ema_decay)
        self._loss = Loss(config, class_priors(images.targets))
        self._shared: nn.Module = self._network
        if processes.world > 1:
            cards = [device] if device.type == "cuda" else None
            self._shared = DistributedDataParallel(self._network, device_ids=cards)
        #: Source of dropout's masks; seeded anew for every step.
        self._dropout = torch.Generator(device)
        self._differentiate = self._step_for(device)
        self._best: dict[str, Tensor] = {}
        self._best_epoch = 0
        self._epoch, self._step = 0, 0
        self._tally, self._seconds = Tally(device), 0.0
        self.history: tuple[EpochRecord, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self._epoch >= self._config.epochs

    @property
    def best(self) -> tuple[dict[str, Tensor], int]:
        """Averaged weights of the best epoch by validation accuracy, compact layout, and the number of that epoch."""
        return self._best, self._best_epoch

    def state(self) -> RunState:
        """The progress of the run; it shares the tensors, so save it before the next step."""
        return RunState(
            recipe=self._config.to_dict(),
            context=self._context,
            weights=self._network.net.state_dict(),
            averaged=self._average.state,
            optimizer=self._optimizer.state_dict(),
            best=self._best,
            best_epoch=self._best_epoch,
            epoch=self._epoch,
            step=self._step,
            sums=(*self._tally.sums, self._seconds),
            history=self.history,
        )

    def restore(self, state: RunState) -> None:
        """Continue from a saved state, whose tensors are then the trainer's."""
        self._network.net.load_state_dict(state.weights)
        self._optimizer.load_state_dict(state.optimizer)
        for key, value in self._average.state.items():
            value.copy_(state.averaged[key])
        self._best, self._best_epoch = state.best, state.best_epoch
        self._epoch, self._step = state.epoch, state.step
        self._tally, self._seconds = Tally(self._processes.device, state.sums[:3]), state.sums[3]
        self.history = state.history

    def run_epoch(self, report: Callable[[StepReport], None], interruption: Interruption) -> bool:
        """Train to the end of the present epoch and validate.

        Args:
            report: Function called after every step on a CPU, now and then on a card.
            interruption: Interruption, checked as often.

        Returns:
            False if the epoch was interrupted, after which `state` can be saved.

        Raises:
            TrainingError: The loss is not a finite number.
        """
        self._network.train()
        before, began = self._seconds, time.perf_counter()
        for batch in self._images.epoch(self._epoch, self._step):
            loss, right = self._take_step(batch)
            self._tally.add(loss, right, len(batch.targets))
            self._step = batch.step + 1
            self._seconds = before + time.perf_counter() - began
            if self._looks():
                report(self._report())
                if any(self._processes.total(float(interruption.signal is not None))):
                    return False
        self._finish_epoch()
        return True

    def _take_step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Take one step; return the mean loss and the number of images right, as tensors on the device."""
        config = self._config
        at = self._epoch + batch.step / self._images.steps
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate_at(config, at)
        with self._autocast():
            teacher = () if self._answers is None else (self._answers(self._epoch, batch),)
        self._dropout.manual_seed(batch.dropout)
        probabilities = self._probabilities(dropout_at(config, at))
        loss, right = self._differentiate(batch.images, batch.targets, *probabilities, *teacher)
        if config.gradient_clip > 0.0:
            nn.utils.clip_grad_norm_(self._network.parameters(), config.gradient_clip)
        self._optimizer.step()
        self._average.update(self._network.net, self._epoch * self._images.steps + batch.step)
        return loss, right

    def _step_for(self, device: torch.device) -> Callable[..., tuple[Tensor, ...]]:
        """Forward and backward pass; recorded if one process has a card and images have one size, plain otherwise."""
        if device.type == "cuda" and self._processes.world == 1 and self._config.first_side == FULL_SIDE:
            return Captured(self._gradients, (self._dropout,), self._optimizer.zero_grad)

        def plain(*inputs: Tensor) -> tuple[Tensor, ...]:
            self._optimizer.zero_grad()
            return self._gradients(*inputs)

        return plain

    def _probabilities(self, dropout: tuple[float, float]) -> tuple[Tensor, Tensor]:
        device = self._processes.device
        return without_waiting(torch.tensor(dropout[0]), device), without_waiting(torch.tensor(dropout[1]), device)

    def _gradients(
        self, images: Tensor, targets: Tensor, map_dropout: Tensor, head_dropout: Tensor, teacher: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Compute gradients, which replace the old ones; return the mean loss and the number right."""
        dropout = (
            map_dropout if self._config.map_dropout > 0.0 else 0.0,
            head_dropout if self._config.head_dropout > 0.0 else 0.0,
        )
        with self._autocast():
            logits = self._shared(images, self._images.draws(self._dropout), dropout)
        loss = self._loss(logits, targets, teacher)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), (logits.argmax(dim=1) == targets.argmax(dim=1)).sum()

    def _looks(self) -> bool:
        """Whether this step is reported; the same on every process."""
        return self._step % _LOOK_EVERY.get(self._processes.device.type, 1) == 0 or self._step == self._images.steps

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._processes.device.type, self._dtype) if self._dtype is not None else nullcontext()

    def _report(self) -> StepReport:
        loss, right, images = self._tally.sums
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {self._epoch + 1}, at step {self._step} or shortly before, and the "
                "state saved last is from before it",
                hint="lower learning_rate, set gradient_clip, or train with precision = 'fp32'",
            )
        speed = images * self._processes.world / max(self._seconds, 1e-9)
        steps, epochs = self._images.steps, self._config.epochs
        return StepReport(self._epoch + 1, self._step, steps, epochs, loss / images, right / images, speed)

    def _finish_epoch(self) -> None:
        loss, right, images = self._processes.total(*self._tally.sums)
        began = time.perf_counter()
        side = side_at(self._config, self._epoch, FULL_SIDE)
        scores = self._validation.score(self.averaged_network(), self._dtype, side)
        at = float(self._epoch + 1)
        record = EpochRecord(
            epoch=self._epoch + 1,
            learning_rate=learning_rate_at(self._config, at),
            dropout=dropout_at(self._config, at),
            loss=loss / images,
            train_accuracy=right / images,
            validation_loss=scores.loss,
            validation_accuracy=scores.accuracy,
            images_per_second=images / self._seconds,
            seconds=self._seconds + time.perf_counter() - began,
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        )
        # Scores on smaller images are not comparable with those at full size.
        full = [past for past in self.history if side_at(self._config, past.epoch - 1, FULL_SIDE) == FULL_SIDE]
        earlier = max((past.validation_accuracy for past in full), default=-1.0)
        if side == FULL_SIDE and record.validation_accuracy >= earlier:
            self._best = {key: value.clone() for key, value in self._average.state.items()}
            self._best_epoch = record.epoch
        self.history = (*self.history, record)
        self._epoch, self._step = self._epoch + 1, 0
        self._tally, self._seconds = Tally(self._processes.device), 0.0

    def averaged_network(self) -> Trainable:
        """A network with the averaged weights, whose memory it shares, in eval mode."""
        with torch.device("meta"):
            network = build_network(
                self._config.architecture, self._config.width, self._images.targets.shape[1], self._network.form
            )
        network.net.load_state_dict(self._average.state, assign=True)
        return network.eval()
