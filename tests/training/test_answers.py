"""Answers of a teacher: asked for, recorded, replayed; a student cannot tell which."""

import numpy as np
import pytest
import torch
from training.drawn_sets import drawn_dataset
from training.test_trainer import ALONE, CPU, config, run, same

from resemote_edge.errors import InputError, TrainingError
from resemote_edge.models.random_network import random_network
from resemote_edge.training.images.batches import TrainingImages
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.run.interruption import Interruption
from resemote_edge.training.run.processes import Processes
from resemote_edge.training.run.state import load_state, save_state
from resemote_edge.training.teaching.answers import asked, read_recording, recorded, recording_of, replayed
from resemote_edge.training.teaching.teacher import as_teacher
from resemote_edge.training.trainer import Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec

CONTEXT = {"train_sha256": "0" * 64, "labels": list(drawn_dataset("train").labels)}
TEACHERS = ({"name": "random", "sha256": "1" * 64, "path": "anywhere"},)
RECIPE = config(epochs=2, augmentation={"mixup": 0.3, "cutmix": 0.5, "mixing": 0.5})


def teacher():
    return as_teacher(random_network(), CPU, torch.arange(7))


def images_of(recipe, processes=ALONE):
    train = drawn_dataset("train")
    return TrainingImages(train, train.labels, recipe, PreprocessSpec(), processes)


def student(recipe, images, answers) -> Trainer:
    train, validation = drawn_dataset("train"), drawn_dataset("validation")
    held_out = HeldOut(validation, train.labels, PreprocessSpec(), ALONE)
    return Trainer(recipe, images, held_out, ALONE, context={}, answers=answers)


def description(recipe=RECIPE, context=CONTEXT, teachers=TEACHERS):
    return recording_of(recipe, context, teachers, 0.5)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers") / "kept"
    images = images_of(RECIPE)
    recorder = student(RECIPE, images, recorded(teacher(), images, folder, description()))
    run(recorder, 2)
    return folder, recorder


def test_asking_recording_and_replaying_teach_the_same_bit_for_bit(recording):
    folder, recorder = recording
    asking = student(RECIPE, images_of(RECIPE), asked(teacher()))
    run(asking, 2)
    same(asking, recorder)
    images = images_of(RECIPE)
    replaying = student(RECIPE, images, replayed(images, folder, description()))
    run(replaying, 2)
    same(asking, replaying)
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-0001.npy", "epoch-0002.npy", "teacher.json"]
    assert np.load(folder / "epoch-0001.npy").dtype == np.float16


def test_another_student_replays_the_same_answers(recording):
    folder, _ = recording
    wider = config(
        epochs=2, width=8, optimizer="sgd", learning_rate=0.01, augmentation=RECIPE.to_dict()["augmentation"]
    )
    images = images_of(wider)
    replaying = student(wider, images, replayed(images, folder, description(wider)))
    asking = student(wider, images_of(wider), asked(teacher()))
    run(replaying, 2)
    run(asking, 2)
    same(asking, replaying)


def test_a_recording_that_was_interrupted_within_an_epoch_is_whole_in_the_end(recording, tmp_path):
    whole, recorder = recording
    images = images_of(RECIPE)
    first = student(RECIPE, images, recorded(teacher(), images, tmp_path / "kept", description()))
    interruption = Interruption()

    def stop_at_three(report):
        interruption.signal = 15 if report.step == 3 else None

    assert not first.run_epoch(stop_at_three, interruption)
    assert not list((tmp_path / "kept").glob("*.npy"))
    save_state(first.state(), tmp_path)
    images = images_of(RECIPE)
    second = student(RECIPE, images, recorded(teacher(), images, tmp_path / "kept", description()))
    second.restore(load_state(tmp_path))
    run(second, 2)
    same(second, recorder)
    for name in ("epoch-0001.npy", "epoch-0002.npy"):
        assert (tmp_path / "kept" / name).read_bytes() == (whole / name).read_bytes()


def test_processes_replay_their_rows(recording):
    folder, _ = recording
    kept = np.load(folder / "epoch-0002.npy")
    for rank in range(2):
        images = images_of(RECIPE, Processes(rank, 2, CPU))
        answers = replayed(images, folder, description())
        batch = next(iter(images.epoch(1, 2)))
        assert torch.equal(answers(1, batch), torch.from_numpy(kept[2, rank * 8 : rank * 8 + 8]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed = 0, this run has 1"),
        ({"batch_size": 8}, "batch_size"),
        ({"epochs": 3}, "epochs"),
        ({"first_side": 48}, "first_side"),
        ({"augmentation": {"rotation": 3.0}}, "augmentation"),
        ({"distillation": {"mirror": True}}, "mirror"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_answers_to_other_images_are_refused_by_name(recording, change, named):
    folder, _ = recording
    augmentation = {**RECIPE.to_dict()["augmentation"], **change.get("augmentation", {})}
    other = config(**{"epochs": 2, **change, "augmentation": augmentation})
    with pytest.raises(InputError, match=named):
        replayed(images_of(other), folder, description(other))


def test_other_data_labels_and_teachers_are_refused(recording):
    folder, _ = recording
    images = images_of(RECIPE)
    with pytest.raises(InputError, match="train_sha256"):
        replayed(images, folder, description(context={**CONTEXT, "train_sha256": "2" * 64}))
    with pytest.raises(InputError, match="labels"):
        replayed(images, folder, description(context={**CONTEXT, "labels": CONTEXT["labels"][::-1]}))
    with pytest.raises(InputError, match="teachers"):
        recorded(teacher(), images, folder, description(teachers=({"name": "else", "sha256": "3" * 64},)))


def test_what_is_missing_or_broken_is_named(recording, tmp_path):
    folder, _ = recording
    images = images_of(RECIPE)
    with pytest.raises(InputError, match="--record-teacher"):
        read_recording(tmp_path)
    (tmp_path / "teacher.json").write_bytes((folder / "teacher.json").read_bytes()[:-20])
    with pytest.raises(InputError, match="record it again"):
        read_recording(tmp_path)
    (tmp_path / "teacher.json").write_bytes((folder / "teacher.json").read_bytes())
    batch = next(iter(images.epoch(0)))
    with pytest.raises(TrainingError, match=r"epoch 1 is not recorded.*--resume"):
        replayed(images, tmp_path, description())(0, batch)
    (tmp_path / "epoch-0001.npy").write_bytes((folder / "epoch-0001.npy").read_bytes()[:-20])
    with pytest.raises(TrainingError, match="not a whole recording"):
        replayed(images, tmp_path, description())(0, batch)
    np.save(tmp_path / "epoch-0001.npy", np.zeros((1, 16, 7), np.float16))
    with pytest.raises(TrainingError, match=r"expected float16 of \("):
        replayed(images, tmp_path, description())(0, batch)
