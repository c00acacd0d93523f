import msgspec
import pytest
import torch
from training.drawn_sets import drawn_dataset

from resemote_edge.errors import InputError, TrainingError
from resemote_edge.models.random_network import random_network
from resemote_edge.training.config import TrainingConfig, load_config
from resemote_edge.training.images.batches import TrainingImages
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.run.hardware import autocast_dtype, network_form
from resemote_edge.training.run.interruption import Interruption
from resemote_edge.training.run.processes import Processes, choose_device
from resemote_edge.training.run.state import load_state, save_state
from resemote_edge.training.teaching.answers import asked
from resemote_edge.training.teaching.teacher import as_teacher
from resemote_edge.training.trainer import Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec

CPU = torch.device("cpu")
ALONE = Processes(0, 1, CPU)


def config(**changes) -> TrainingConfig:
    return load_config("xs", None, **{"width": 4, "batch_size": 16, "epochs": 4, **changes})


def trainer(recipe: TrainingConfig, teacher=None) -> Trainer:
    train, validation = drawn_dataset("train"), drawn_dataset("validation")
    spec = PreprocessSpec()
    images = TrainingImages(train, train.labels, recipe, spec, ALONE)
    return Trainer(
        recipe, images, HeldOut(validation, train.labels, spec, ALONE), ALONE, context={}, answers=asked(teacher)
    )


def run(subject: Trainer, epochs: int) -> None:
    for _ in range(epochs):
        assert subject.run_epoch(lambda report: None, Interruption())


def same(one: Trainer, other: Trainer) -> None:
    left, right = one.state(), other.state()
    for name in ("weights", "averaged", "best"):
        first, second = getattr(left, name), getattr(right, name)
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first), name
    timed = ("images_per_second", "seconds", "memory_mb")
    for past, present in zip(left.history, right.history, strict=True):
        zeroed = dict.fromkeys(timed, 0.0)
        assert msgspec.structs.replace(past, **zeroed) == msgspec.structs.replace(present, **zeroed)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adamw", "precision": "fp32"},
        {"optimizer": "adamw", "precision": "bf16"},
        {"optimizer": "sgd", "precision": "fp32"},
        {"optimizer": "sgd", "precision": "bf16"},
        {"first_side": 48, "full_side_from": 0.75},  # resumed before the images grow
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_k_epochs_and_a_resume_are_2k_epochs_bit_for_bit(tmp_path, changes):
    half = 2 if "full_side_from" in changes else 1
    recipe = config(learning_rate=0.01, epochs=2 * half, **changes)
    whole = trainer(recipe)
    run(whole, 2 * half)
    first = trainer(recipe)
    run(first, half)
    save_state(first.state(), tmp_path)
    second = trainer(recipe)
    second.restore(load_state(tmp_path))
    run(second, half)
    assert second.finished
    same(whole, second)


def test_an_interruption_within_an_epoch_loses_nothing(tmp_path):
    recipe = config(epochs=2)
    whole = trainer(recipe)
    run(whole, 2)
    first = trainer(recipe)
    interruption = Interruption()

    def stop_at_three(report):
        interruption.signal = 15 if report.step == 3 else None

    assert not first.run_epoch(stop_at_three, interruption)
    save_state(first.state(), tmp_path)
    second = trainer(recipe)
    second.restore(load_state(tmp_path))
    assert second.state().step == 3
    run(second, 2)
    same(whole, second)


@pytest.mark.slow
def test_it_learns_drawn_faces():
    # The drawn expressions vary, so the test requires an accuracy far above chance (1/7), not perfection.
    still = dict.fromkeys(
        ("rotation", "scale", "translation", "shear", "brightness", "contrast", "erasing", "mixup"), 0.0
    )
    recipe = config(width=8, epochs=14, learning_rate=3e-3, label_smoothing=0.0, head_dropout=0.0, augmentation=still)
    subject = trainer(recipe)
    run(subject, 14)
    assert subject.history[-1].loss < 0.8 * subject.history[0].loss
    assert max(record.validation_accuracy for record in subject.history) > 0.3


def test_the_best_epoch_is_the_one_validation_prefers():
    subject = trainer(config())
    run(subject, 4)
    accuracies = [record.validation_accuracy for record in subject.history]
    weights, epoch = subject.best
    assert accuracies[epoch - 1] == max(accuracies)
    assert epoch == max(index for index, value in enumerate(accuracies, 1) if value == max(accuracies))
    network = subject.averaged_network()
    network.net.load_state_dict(weights)
    train = drawn_dataset("train")
    scores = HeldOut(drawn_dataset("validation"), train.labels, PreprocessSpec(), ALONE).score(
        network, autocast_dtype("auto", CPU)
    )
    assert scores.accuracy == accuracies[epoch - 1]


def test_an_epoch_on_small_images_cannot_be_the_best():
    subject = trainer(config(first_side=48, full_side_from=0.75))
    run(subject, 3)
    assert subject.best == ({}, 0)
    run(subject, 1)
    weights, epoch = subject.best
    assert epoch == 4
    assert weights.keys() == subject.averaged_network().net.state_dict().keys()
    # Until then, it is evaluated on images of the size it was trained on.
    train = drawn_dataset("train")
    again = trainer(config(first_side=48, full_side_from=0.75))
    run(again, 1)
    held_out = HeldOut(drawn_dataset("validation"), train.labels, PreprocessSpec(), ALONE)
    precision = autocast_dtype("auto", CPU)
    assert held_out.score(again.averaged_network(), precision, 48).loss == again.history[0].validation_loss
    assert held_out.score(again.averaged_network(), precision).loss != again.history[0].validation_loss


def test_a_loss_that_is_no_number_ends_the_run_with_advice():
    subject = trainer(config())
    with torch.no_grad():
        subject._network.net.fc4.bias.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"epoch 1, at step 1 .*learning_rate"):
        run(subject, 1)


def test_a_teacher_changes_what_is_learned():
    recipe = config(epochs=1, distillation={"weight": 0.9, "temperature": 2.0})
    plain, taught = trainer(recipe), trainer(recipe, as_teacher(random_network(), CPU, torch.arange(7)))
    run(plain, 1)
    run(taught, 1)
    assert not torch.equal(plain.state().weights["fc4.weight"], taught.state().weights["fc4.weight"])


def test_batches_must_fit_data_and_processes():
    train = drawn_dataset("train")
    with pytest.raises(InputError, match="fewer than one batch of 128"):
        TrainingImages(train, train.labels, config(batch_size=128), PreprocessSpec(), ALONE)
    with pytest.raises(InputError, match="multiple of 3"):
        TrainingImages(train, train.labels, config(), PreprocessSpec(), Processes(0, 3, CPU))


def test_devices_are_never_guessed():
    assert choose_device("cpu") == CPU
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        from resemote_edge.errors import DeviceUnavailableError

        assert choose_device("auto") == CPU
        with pytest.raises(DeviceUnavailableError, match="--device cpu"):
            choose_device("cuda")


def test_the_form_follows_the_device():
    assert network_form(CPU) == "patches"
    assert network_form(torch.device("cuda")) == "compact"
    assert autocast_dtype("fp32", CPU) is None
    assert autocast_dtype("bf16", CPU) is torch.bfloat16
