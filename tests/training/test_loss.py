import pytest
import torch
import torch.nn.functional as F

from resemote_edge.training.config import load_config
from resemote_edge.training.loss import Loss, class_priors

PRIORS = torch.tensor([0.7, 0.2, 0.1])
LOGITS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
INDICES = torch.tensor([0, 1, 2, 0, 0, 1, 0, 2])
TARGETS = F.one_hot(INDICES, 3).float()


def loss(**changes) -> Loss:
    return Loss(load_config("xs", None, **{"label_smoothing": 0.0, **changes}), PRIORS)


def test_it_is_cross_entropy_with_label_smoothing():
    for smoothing in (0.0, 0.1):
        expected = F.cross_entropy(LOGITS, INDICES, label_smoothing=smoothing)
        assert float(loss(label_smoothing=smoothing)(LOGITS, TARGETS)) == pytest.approx(float(expected), rel=1e-5)


def test_weights_are_those_of_cross_entropy_up_to_their_mean():
    weights = PRIORS**-0.5
    weights = weights / (weights * PRIORS).sum()
    expected = (F.cross_entropy(LOGITS, INDICES, reduction="none") * weights[INDICES]).mean()
    found = loss(imbalance="weights", imbalance_strength=0.5)(LOGITS, TARGETS)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert float((weights * PRIORS).sum()) == pytest.approx(1.0)


def test_logit_adjustment_adds_the_log_priors():
    expected = F.cross_entropy(LOGITS + PRIORS.log(), INDICES)
    found = loss(imbalance="logits", imbalance_strength=1.0)(LOGITS, TARGETS)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_strength_zero_changes_nothing():
    plain = float(loss()(LOGITS, TARGETS))
    for kind in ("weights", "logits"):
        assert float(loss(imbalance=kind, imbalance_strength=0.0)(LOGITS, TARGETS)) == pytest.approx(plain, rel=1e-6)


def test_a_teacher_that_agrees_costs_nothing_and_another_pulls():
    settings = {"distillation": {"weight": 1.0, "temperature": 2.0}}
    assert float(loss(**settings)(LOGITS, TARGETS, LOGITS)) == pytest.approx(0.0, abs=1e-6)
    teacher = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    pupil = LOGITS.clone().requires_grad_()
    value = loss(**settings)(pupil, TARGETS, teacher)
    (gradient,) = torch.autograd.grad(value, pupil)
    # d/dz of T^2 KL(p || q(z / T)) is T (q - p), per image.
    expected = 2.0 * (torch.softmax(LOGITS / 2.0, 1) - torch.softmax(teacher / 2.0, 1)) / 8
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)


def test_priors_are_shares():
    torch.testing.assert_close(class_priors(TARGETS), torch.tensor([0.5, 0.25, 0.25]))
