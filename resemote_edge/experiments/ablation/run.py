"""run_ablation: trains every arm of an ablation with every seed, one after the other, and reports the results.

Each finished trial is a file; a run that was stopped continues with what is missing. The test split is never read.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.record import Strict, utc_now
from resemote_edge.benchmarks.suite.rows import decision_key
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.registry import AUTO, load_dataset
from resemote_edge.errors import InputError
from resemote_edge.experiments.ablation.file import Ablation, Arm, arm_config
from resemote_edge.experiments.ablation.report import AblationReport, ArmResult, Trial, judge_trial, measured_gain
from resemote_edge.machine.environment import capture_environment
from resemote_edge.training.config import TrainingConfig
from resemote_edge.training.images.batches import TrainingImages, label_order
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.run.hardware import keep_freed_memory
from resemote_edge.training.run.interruption import Interruption
from resemote_edge.training.run.processes import Processes, choose_device
from resemote_edge.training.teaching.answers import asked
from resemote_edge.training.teaching.teacher import checkpoint_facts, load_teacher
from resemote_edge.training.trainer import Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec
from resemote_edge.weights import named_checkpoint

__all__ = ["TRIALS", "AblationOutcome", "run_ablation"]

#: Folder of the finished trials, inside that of the ablation.
TRIALS = "trials"


@dataclass(frozen=True)
class AblationOutcome:
    """Result of a run of an ablation.

    Attributes:
        report: Report of all trials; None if the run was interrupted.
        interrupted: Number of the signal that stopped it; None if it is finished.
    """

    report: AblationReport | None
    interrupted: int | None


class _Finished(Strict, frozen=True, kw_only=True):
    """A finished trial as it is kept: its settings, its result, and which images were right."""

    key: str
    trial: Trial
    right: tuple[bool, ...]


@dataclass(frozen=True)
class _Bench:
    """Settings and data that all trials share."""

    train: Dataset
    validation: Dataset
    labels: tuple[str, ...]
    processes: Processes
    truth: Any


def run_ablation(
    ablation: Ablation,
    folder: Path,
    *,
    data: Path,
    dataset: str = AUTO,
    device: str = "auto",
    notice: Callable[[str], None] = lambda text: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> AblationOutcome:
    """Train the missing trials and compare all.

    Args:
        ablation: Ablation to run; see `load_ablation`.
        folder: Folder in which the finished trials are kept.
        data: Dataset to train on.
        dataset: Kind of the dataset, or ``auto``.
        device: Device to train on: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        notice: Function called with what happens, one line at a time.
        progress: Function called with the number of epochs done, out of all.

    Returns:
        The report, or the signal that stopped it; finished trials are kept.

    Raises:
        InputError: The folder holds another trial of the same name.
        TrainingError: A loss is no longer a number.
    """
    keep_freed_memory()
    processes = Processes(0, 1, choose_device(device))
    splits = load_dataset(data, dataset, ("train", "validation"))
    labels = label_order(splits["train"])
    truth = splits["validation"].targets_in(labels)
    bench = _Bench(splits["train"], splits["validation"], labels, processes, truth)
    finished: dict[tuple[str, int], _Finished] = {}
    total = sum(arm_config(ablation, arm, seed).epochs for arm in ablation.arms for seed in ablation.seeds)
    done = 0
    with Interruption().caught() as interruption:
        # Seed by seed, so that a run that is stopped has compared all arms as early as possible.
        for seed in ablation.seeds:
            for arm in ablation.arms:
                config = arm_config(ablation, arm, seed)
                facts = None if arm.teacher is None else checkpoint_facts(named_checkpoint(arm.teacher), "teacher")
                path = folder / TRIALS / f"{arm.name}-{seed}.json"
                trial = _kept(path, _key(config, facts, bench))
                if trial is None:
                    trial = _train(config, facts, bench, interruption, _epochs(progress, done, total))
                    if trial is None:
                        return AblationOutcome(None, interruption.signal or 0)
                    write_file(path, msgspec.json.encode(trial))
                done += config.epochs
                progress(done, total)
                notice(f"{arm.name}, seed {seed}: {trial.trial.accuracy * 100:.2f} %, {trial.trial.seconds:.0f} s")
                finished[arm.name, seed] = trial
    return AblationOutcome(_report(ablation, bench, finished), None)


def _epochs(progress: Callable[[int, int], None], before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(before + done, total)


def _key(config: TrainingConfig, teacher: dict[str, str] | None, bench: _Bench) -> str:
    """Key of everything that a trial depends on, which does not include the teacher's path."""
    deciding = {
        "recipe": config.to_dict(),
        "teacher": None if teacher is None else teacher["sha256"],
        "train": bench.train.sha256(),
        "validation": bench.validation.sha256(),
    }
    return decision_key(deciding)


def _kept(path: Path, key: str) -> _Finished | None:
    """Read a finished trial; None if there is none."""
    try:
        finished = msgspec.json.decode(path.read_bytes(), type=_Finished)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a finished trial ({error})", hint="delete it, or pass another -o") from None
    if finished.key != key:
        raise InputError(
            f"{path}: was trained with another recipe, teacher or data", hint="delete it, or pass another -o"
        )
    return finished


def _train(
    config: TrainingConfig,
    teacher: dict[str, str] | None,
    bench: _Bench,
    interruption: Interruption,
    progress: Callable[[int], None],
) -> _Finished | None:
    """Train and judge; None if interrupted."""
    spec, processes = PreprocessSpec(), bench.processes
    teachers = [] if teacher is None else [teacher]
    held_out = HeldOut(bench.validation, bench.labels, spec, processes)
    trainer = Trainer(
        config,
        TrainingImages(bench.train, bench.labels, config, spec, processes),
        held_out,
        processes,
        context={},
        answers=asked(load_teacher(teachers, bench.labels, processes.device, mirror=config.distillation.mirror)),
    )
    began = time.monotonic()
    while not trainer.finished:
        if not trainer.run_epoch(lambda report: None, interruption):
            return None
        progress(len(trainer.history))
    seconds = time.monotonic() - began
    logits = held_out.logits(trainer.averaged_network()).cpu().numpy()
    trial = judge_trial(
        logits,
        bench.truth,
        bench.labels,
        seed=config.seed,
        curve=tuple(record.validation_accuracy for record in trainer.history),
        seconds=round(seconds, 1),
    )
    right = tuple((logits.argmax(axis=1) == bench.truth).tolist())
    return _Finished(key=_key(config, teacher, bench), trial=trial, right=right)


def _report(ablation: Ablation, bench: _Bench, finished: dict[tuple[str, int], _Finished]) -> AblationReport:
    return AblationReport(
        created_utc=utc_now(),
        environment=capture_environment().to_dict() | {"torch_threads": torch.get_num_threads()},
        name=ablation.name,
        description=ablation.description,
        recipe=arm_config(ablation, ablation.arms[0], ablation.seeds[0]).to_dict(),
        dataset=bench.validation.name,
        dataset_sha256=bench.validation.sha256(),
        train_sha256=bench.train.sha256(),
        samples=len(bench.validation),
        arms=tuple(_arm(ablation, arm, bench, finished) for arm in ablation.arms),
    )


def _arm(ablation: Ablation, arm: Arm, bench: _Bench, finished: dict[tuple[str, int], _Finished]) -> ArmResult:
    def right(name: str) -> list[Any]:
        return [np.array(finished[name, seed].right) for seed in ablation.seeds]

    facts = None if arm.teacher is None else checkpoint_facts(named_checkpoint(arm.teacher), "teacher")
    first = ablation.arms[0]
    compared = arm is not first
    return ArmResult(
        name=arm.name,
        label=arm.label,
        recipe=arm.recipe,
        teacher=None if facts is None else {"name": facts["name"], "sha256": facts["sha256"]},
        trials=tuple(finished[arm.name, seed].trial for seed in ablation.seeds),
        accuracy_gain=measured_gain(right(first.name), right(arm.name)) if compared else None,
        recall_gain=measured_gain(right(first.name), right(arm.name), bench.truth) if compared else None,
    )
