"""Teachers: one checkpoint, or several that answer together."""

import pytest
import torch
from safetensors.torch import save_file

from resemote_edge.errors import InputError, TrainingError
from resemote_edge.labels import FER2013
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.training.teaching.teacher import checkpoint_facts, load_teacher

CPU = torch.device("cpu")


@pytest.fixture
def checkpoints(tmp_path):
    paths = []
    for seed in range(2):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"teacher-{seed}.pt")
        torch.save({"model_state_dict": ResEmoteNet(4).state_dict(), "labels": list(FER2013)}, paths[-1])
    return paths


def facts_of(*paths):
    return [checkpoint_facts(path, "teacher") for path in paths]


def test_several_teach_by_the_mean_of_their_logits(checkpoints):
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        first, second = (load_teacher(facts_of(path), FER2013, CPU)(images) for path in checkpoints)
        together = load_teacher(facts_of(*checkpoints), FER2013, CPU)(images)
    assert not torch.allclose(first, second)
    torch.testing.assert_close(together, (first + second) / 2)


def test_a_mirrored_teacher_gives_an_image_and_its_mirror_image_one_answer(checkpoints):
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        plain = load_teacher(facts_of(checkpoints[0]), FER2013, CPU)
        mirrored = load_teacher(facts_of(checkpoints[0]), FER2013, CPU, mirror=True)
        answers = mirrored(images)
        torch.testing.assert_close(mirrored(images.flip(3)), answers)
        torch.testing.assert_close(answers, (plain(images) + plain(images.flip(3))) / 2)
        assert not torch.allclose(plain(images), answers)


def test_without_checkpoints_there_is_no_teacher():
    assert load_teacher([], FER2013, CPU) is None


def test_each_must_be_the_file_that_the_run_began_with(checkpoints):
    facts = facts_of(*checkpoints)
    checkpoints[1].write_bytes(checkpoints[0].read_bytes())
    with pytest.raises(TrainingError, match=r"teacher-1\.pt: the teacher has changed"):
        load_teacher(facts, FER2013, CPU)


def test_each_must_know_the_classes(checkpoints, tmp_path):
    moods = {key: value.contiguous() for key, value in ResEmoteNet(4, num_classes=3).state_dict().items()}
    save_file(moods, tmp_path / "moods.safetensors", metadata={"labels": '["calm", "glad", "upset"]'})
    with pytest.raises(InputError, match=r"moods\.safetensors: the teacher knows calm, glad, upset, the data has"):
        load_teacher(facts_of(checkpoints[0], tmp_path / "moods.safetensors"), FER2013, CPU)
