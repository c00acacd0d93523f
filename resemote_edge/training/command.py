"""run_training: the steps of ``resemote-edge train``, from the data to weights with a model card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from resemote_edge.artifacts.files import staged_file
from resemote_edge.artifacts.partial import collect
from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.findings import findings
from resemote_edge.data.registry import AUTO, load_dataset, recognise
from resemote_edge.errors import InputError, TrainingError
from resemote_edge.evaluation.confusion import draw_confusion
from resemote_edge.models.compact import expand
from resemote_edge.training.card import make_card, write_card
from resemote_edge.training.config import RESEMOTENET, TrainingConfig, load_config
from resemote_edge.training.evaluation import FinalEvaluation, evaluate_finally
from resemote_edge.training.images.batches import TrainingImages, label_order
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.networks.architectures import build_network
from resemote_edge.training.networks.initial import initial_weights
from resemote_edge.training.options import TrainingOptions
from resemote_edge.training.run.folder import refuse_taken, written_by_us_alone
from resemote_edge.training.run.hardware import autocast_dtype, keep_freed_memory, network_form
from resemote_edge.training.run.interruption import Interruption
from resemote_edge.training.run.log import CURVES_FILE, RunLog, draw_curves
from resemote_edge.training.run.processes import Processes, joined
from resemote_edge.training.run.state import STATE_FILE, EpochRecord, RunState, StateSaver, load_state
from resemote_edge.training.teaching.answers import Answers, asked, read_recording, recorded, recording_of, replayed
from resemote_edge.training.teaching.teacher import Teacher, checkpoint_facts, load_teacher
from resemote_edge.training.trainer import StepReport, Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["Observer", "TrainingResult", "finish_run", "run_training"]


@dataclass(frozen=True)
class TrainingResult:
    """Result of a run.

    Attributes:
        folder: Folder of the run.
        interrupted: Number of the signal that stopped it; None if it is finished.
        weights: File of the chosen weights, in the published layout; None if it is not finished, or on a rank above 0.
        evaluation: Evaluation of those weights.
        history: Record of the epochs done.
    """

    folder: Path
    interrupted: int | None
    weights: Path | None
    evaluation: FinalEvaluation | None
    history: tuple[EpochRecord, ...]


class Observer(Protocol):
    """Observer of a run; only rank 0 calls it."""

    def notice(self, text: str) -> None:
        """Called with one line for the user."""

    def loading(self, done: int, total: int) -> None:
        """Called with the number of images read."""

    def step(self, report: StepReport) -> None:
        """Called when a step is done."""

    def epoch(self, record: EpochRecord) -> None:
        """Called when an epoch is done and saved."""


def run_training(options: TrainingOptions, observer: Observer) -> TrainingResult:
    """Train, or continue a run.

    Args:
        options: Options of the run.
        observer: Observer of the run.

    Returns:
        The result; an interruption is not an error.

    Raises:
        ResEmoteEdgeError: The data, options or machine do not allow it; what was saved before is kept.
    """
    keep_freed_memory()
    with joined(options.device) as processes:
        earlier = load_state(options.resume) if options.resume is not None else None
        config = _recipe(options, earlier)
        # The test split is only identified here, and is not looked at before the end.
        splits, kind = _load(options, earlier, SPLITS, observer.loading if processes.first else None)
        if processes.first:
            for note in findings(splits.values()):
                observer.notice(f"note: {note}")
        labels = label_order(splits["train"])
        context = _context(options, earlier, splits, kind, processes)
        del splits["test"]
        folder = options.resume or options.out or Path("runs") / context["name"]
        if earlier is None:
            refuse_taken(folder)
        spec = PreprocessSpec()
        images = TrainingImages(splits["train"], labels, config, spec, processes)
        validation = HeldOut(splits["validation"], labels, spec, processes)
        answers = _answers(config, context, images, validation, processes)
        if context["teachers_accuracy"] is not None and processes.first:
            observer.notice(f"teachers: {context['teachers_accuracy'] * 100:.2f} % on the validation split")
        _claim(folder, processes, resumed=earlier is not None)
        trainer = Trainer(
            config,
            images,
            validation,
            processes,
            context=context,
            # A continued run has its own weights.
            initial=initial_weights(options.init, labels, config.width, config.seed),
            answers=answers,
        )
        if earlier is not None:
            trainer.restore(earlier)
            del earlier
        stopped = _loop(trainer, folder, processes, observer)
        if stopped is not None or not processes.first:
            return TrainingResult(folder, stopped, None, None, trainer.history)
        observer.notice("validation has chosen; reading the test split, once")
        splits |= _load(options, trainer.state(), ("test",), observer.loading)[0]
        weights, evaluation = finish_run(trainer.state(), folder, splits, processes.device)
        return TrainingResult(folder, None, weights, evaluation, trainer.history)


def _recipe(options: TrainingOptions, earlier: RunState | None) -> TrainingConfig:
    if earlier is None:
        return options.recipe()
    return load_config(earlier.context["variant"], None, **earlier.recipe)


def _load(
    options: TrainingOptions,
    earlier: RunState | None,
    splits: tuple[str, ...],
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, Dataset], str]:
    path = options.data or (Path(earlier.context["data"]) if earlier is not None else None)
    if path is None:
        raise InputError("no dataset was named", hint="pass --data")
    kind = earlier.context["dataset"] if earlier is not None else options.dataset
    if kind == AUTO and path.exists():
        kind = recognise(path)
    return load_dataset(path, kind, splits, progress), kind


def _context(
    options: TrainingOptions, earlier: RunState | None, splits: dict[str, Dataset], kind: str, processes: Processes
) -> dict[str, Any]:
    found = {f"{split}_sha256": dataset.sha256() for split, dataset in splits.items()}
    if earlier is not None:
        for name, value in found.items():
            before = earlier.context.get(name, value)
            if before != value:
                raise TrainingError(
                    f"{options.resume}: was started on other data ({name} {before[:16]}, now {value[:16]})",
                    hint="pass the --data it was started with",
                )
        return {**earlier.context, "processes": processes.world}
    family = "resemotenet-" if options.recipe().architecture == RESEMOTENET else ""
    return {
        "variant": options.variant,
        "name": f"{family}{options.variant}-{kind}",
        "dataset": kind,
        "data": str((options.data or Path()).resolve()),
        "labels": list(label_order(splits["train"])),
        "train_images": len(splits["train"]),
        "teachers": [checkpoint_facts(path, "teacher") for path in options.teachers],
        "record": None if options.record is None else str(options.record.resolve()),
        "replay": None if options.replay is None else str(options.replay.resolve()),
        "init": None if options.init is None else checkpoint_facts(options.init, "initial"),
        "device": _device_name(processes.device),
        "processes": processes.world,
        **found,
    }


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def _answers(
    config: TrainingConfig, context: dict[str, Any], images: TrainingImages, validation: HeldOut, processes: Processes
) -> Answers | None:
    """The teachers' answers: asked for, recorded or replayed; writes their accuracy into the context."""
    answers: Answers | None
    if context.get("replay") is not None:
        folder = Path(context["replay"])
        found = read_recording(folder)
        context["teachers"], context["teachers_accuracy"] = list(found.teachers), found.accuracy
        answers = replayed(images, folder, recording_of(config, context, found.teachers, found.accuracy))
    else:
        teacher = load_teacher(
            context["teachers"], tuple(context["labels"]), processes.device, mirror=config.distillation.mirror
        )
        if teacher is None:
            context["teachers_accuracy"] = None
            return None
        dtype = autocast_dtype(config.precision, processes.device)
        context["teachers_accuracy"] = validation.score(teacher, dtype).accuracy
        answers = _asked_or_recorded(teacher, config, context, images, processes)
    if context["teachers_accuracy"] < config.distillation.floor:
        raise TrainingError(
            f"the teachers together are right for {context['teachers_accuracy'] * 100:.2f} % of the validation split, "
            f"and the recipe asks for {config.distillation.floor * 100:.2f} % (distillation.floor)",
            hint="train better teachers, or more of them",
        )
    return answers


def _asked_or_recorded(
    teacher: Teacher, config: TrainingConfig, context: dict[str, Any], images: TrainingImages, processes: Processes
) -> Answers | None:
    if context.get("record") is None:
        return asked(teacher)
    if processes.world > 1:
        raise InputError(
            "--record-teacher works with one process", hint="several can --replay-teacher what it recorded"
        )
    recording = recording_of(config, context, tuple(context["teachers"]), context["teachers_accuracy"])
    return recorded(teacher, images, Path(context["record"]), recording)


def _claim(folder: Path, processes: Processes, *, resumed: bool) -> None:
    """Make the folder of a new run, unless another run has taken it while the teachers were asked."""
    if processes.first and not resumed:
        refuse_taken(folder)
        folder.mkdir(parents=True, exist_ok=True)
    processes.wait()


def _loop(trainer: Trainer, folder: Path, processes: Processes, observer: Observer) -> int | None:
    """Run epoch after epoch; return the signal that stopped it, if one did."""
    if not processes.first:
        with Interruption().caught() as interruption:
            while not trainer.finished:
                if not trainer.run_epoch(lambda report: None, interruption):
                    return interruption.signal or 0
                processes.wait()
        return None
    saver = StateSaver(folder)
    with written_by_us_alone(folder), RunLog(folder, trainer.history) as log, Interruption().caught() as interruption:
        collect(folder)  # If the run is done already, no write would remove what a killed one left half-written.
        while not trainer.finished:
            whole = trainer.run_epoch(observer.step, interruption)
            if not whole or trainer.finished or saver.due():
                saver.save(trainer.state())
                log.write(trainer.history)
            if not whole:
                return interruption.signal or 0
            observer.epoch(trainer.history[-1])
            processes.wait()
    return None


def finish_run(
    state: RunState, folder: Path, splits: dict[str, Dataset], device: torch.device
) -> tuple[Path, FinalEvaluation]:
    """Evaluate the chosen weights and write them, their card and their pictures.

    Args:
        state: State of a run whose epochs are done.
        folder: Folder of the run.
        splits: Splits, all three.
        device: Device to evaluate on.

    Returns:
        The weights file, which the authors' own code loads, and the evaluation.
    """
    labels = tuple(state.context["labels"])
    with torch.device("meta"):
        network = build_network(state.recipe["architecture"], state.recipe["width"], len(labels), network_form(device))
    network.net.load_state_dict(state.best, assign=True)
    network = network.placed(device).eval()
    evaluation = evaluate_finally(network, splits, labels, PreprocessSpec(), device)
    published = {key: value.cpu().contiguous() for key, value in expand(state.best).items()}
    weights = folder / f"{state.context['name']}.pt"
    _save_weights(published, labels, weights, state.recipe)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    parameters = sum(value.numel() for key, value in published.items() if not key.endswith(buffers))
    write_card(make_card(state, evaluation, parameters), weights)
    draw_curves(state.history, folder / CURVES_FILE)
    draw_confusion(evaluation.test, folder / "confusion.png")
    return weights, evaluation


def _save_weights(state: dict[str, Tensor], labels: tuple[str, ...], path: Path, recipe: dict[str, Any]) -> None:
    named = {key: recipe[key] for key in ("architecture", "width")}
    try:
        with staged_file(path) as partial:
            torch.save({"model_state_dict": state, "labels": list(labels), **named}, partial)
    except (OSError, RuntimeError) as error:
        raise TrainingError(
            f"{path}: cannot be written ({error})",
            hint=f"{STATE_FILE} is whole: free space, then pass --resume {path.parent}",
        ) from None
