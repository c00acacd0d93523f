"""Recorded graphs on a card: the same numbers as without, fresh randomness at every replay."""

import pytest
import torch
from training.drawn_sets import drawn_dataset
from training.test_trainer import config, run

from resemote_edge.models.random_network import random_network
from resemote_edge.training.images.batches import TrainingImages
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.networks.captured import Captured
from resemote_edge.training.run.processes import Processes
from resemote_edge.training.teaching.answers import asked
from resemote_edge.training.teaching.teacher import as_teacher
from resemote_edge.training.trainer import Trainer
from resemote_edge.vision.preprocessing import PreprocessSpec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card here")
CARD = Processes(0, 1, torch.device("cuda", 0))


class PlainTrainer(Trainer):
    """Without a recording."""

    def _step_for(self, device):
        def plain(*inputs):
            self._optimizer.zero_grad()
            return self._gradients(*inputs)

        return plain


def test_a_replay_computes_with_the_inputs_of_its_call():
    captured = Captured(lambda x, y: (x @ y, x.sum()))
    for seed in range(8):
        x, y = torch.randn(2, 16, 16, device="cuda", generator=torch.Generator("cuda").manual_seed(seed))
        product, total = captured(x, y)
        torch.testing.assert_close(product, x @ y)
        torch.testing.assert_close(total, x.sum())


def test_a_replay_draws_what_its_seed_says():
    generator = torch.Generator("cuda")
    captured = Captured(lambda x: (x + torch.rand(1000, generator=generator, device="cuda"),), (generator,))
    for seed in (1, 2, 3, 4, 5, 6, 7, 6, 1):
        generator.manual_seed(seed)
        drawn = captured(torch.zeros(1000, device="cuda"))[0].clone()
        assert torch.equal(drawn, torch.rand(1000, device="cuda", generator=torch.Generator("cuda").manual_seed(seed)))


def trained(kind: type[Trainer], recipe, teacher=None) -> Trainer:
    train, validation = drawn_dataset("train"), drawn_dataset("validation")
    spec = PreprocessSpec()
    images = TrainingImages(train, train.labels, recipe, spec, CARD)
    held_out = HeldOut(validation, train.labels, spec, CARD)
    subject = kind(recipe, images, held_out, CARD, context={}, answers=asked(teacher))
    run(subject, recipe.epochs)
    return subject


@pytest.mark.parametrize("changes", [{"optimizer": "sgd", "learning_rate": 0.01}, {"architecture": "vgg", "width": 16}])
def test_a_recorded_step_trains_as_a_plain_one(changes):
    recipe = config(precision="fp32", epochs=2, map_dropout=0.2, head_dropout=0.3, dropout_full=0.3, **changes)
    plain, recorded = trained(PlainTrainer, recipe), trained(Trainer, recipe)
    for one, two in zip(plain.history, recorded.history, strict=True):
        near = 2e-3 if one.epoch == 1 else 1e-2  # atomic sums and rounding differ from run to run on a GPU
        assert two.loss == pytest.approx(one.loss, rel=near)
        assert two.validation_loss == pytest.approx(one.validation_loss, rel=near)


def test_a_recorded_teacher_answers_as_a_plain_one():
    teacher = as_teacher(random_network(), CARD.device, torch.arange(7, device="cuda"))
    for seed in range(8):
        images = torch.randn(16, 3, 64, 64, device="cuda", generator=torch.Generator("cuda").manual_seed(seed))
        with torch.no_grad():
            replayed = teacher(images)
        torch.testing.assert_close(replayed, teacher(images).detach(), rtol=1e-3, atol=1e-3)
