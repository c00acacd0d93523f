import pytest
import torch
import torch.nn.functional as F
from training.drawn_sets import drawn_dataset

from resemote_edge.training.config import Augmentation, load_config
from resemote_edge.training.images.augment import augment, mix, normalize, resized
from resemote_edge.training.images.batches import TrainingImages
from resemote_edge.training.images.randomness import RowDraws, generator_at
from resemote_edge.training.run.processes import Processes
from resemote_edge.vision.preprocessing import PreprocessSpec

CPU = torch.device("cpu")
ALONE = Processes(0, 1, CPU)
NONE = Augmentation(
    flip=0.0, rotation=0.0, scale=0.0, translation=0.0, shear=0.0, brightness=0.0, contrast=0.0, erasing=0.0, mixup=0.0
)


def only(**changes) -> Augmentation:
    return Augmentation(**{**{name: getattr(NONE, name) for name in NONE.__struct_fields__}, **changes})


def draws(count: int, seed: int = 0) -> RowDraws:
    return RowDraws(generator_at(seed, "augmentation"), count, slice(0, count), CPU)


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return torch.from_numpy(drawn_dataset("train").images[:64])[:, None].float()


def test_with_nothing_to_vary_it_is_the_resize_evaluation_uses(faces):
    got = augment(faces, draws(64), NONE, 64)
    expected = PreprocessSpec().pixels(faces[:, 0].numpy().astype("uint8"), "gray")
    assert (got[:, 0] - torch.from_numpy(expected)).abs().max() <= 0.51  # evaluation rounds to whole levels


def test_a_flip_mirrors_half_of_the_images(faces):
    plain = augment(faces, draws(64), NONE, 64)
    flipped = augment(faces, draws(64), only(flip=0.5), 64)
    mirrored = (flipped - plain.flip(-1)).abs().amax(dim=(1, 2, 3)) < 0.1
    same = (flipped - plain).abs().amax(dim=(1, 2, 3)) < 0.1
    assert (mirrored | same).all()
    assert 16 < int(mirrored.sum()) < 48
    always = augment(faces, draws(64), only(flip=1.0), 64)
    torch.testing.assert_close(always, plain.flip(-1), rtol=0, atol=0.1)


def test_a_shift_moves_the_picture(faces):
    ramp = torch.arange(48.0).expand(64, 1, 48, 48) * 5.0
    shifted = augment(ramp, draws(64), only(translation=0.1), 64)
    middle = shifted[:, 0, 32, 32] - augment(ramp, draws(64), NONE, 64)[:, 0, 32, 32]
    # A tenth of 48 columns, 5 levels each.
    assert 15.0 < float(middle.abs().max()) <= 24.1
    assert float(middle.min()) < -5.0 < 5.0 < float(middle.max())


@pytest.mark.parametrize("change", [{"rotation": 20.0}, {"scale": 0.3}, {"shear": 15.0}])
def test_geometry_varies_from_image_to_image(change):
    ramp = torch.arange(48.0).expand(16, 1, 48, 48) * 5.0
    moved = augment(ramp, draws(16), only(**change), 64)
    assert float((moved - moved[:1]).abs().amax(dim=(1, 2, 3)).median()) > 2.0


def test_light_changes_levels_not_order(faces):
    lit = augment(faces, draws(64), only(brightness=0.2, contrast=0.3), 64)
    plain = augment(faces, draws(64), NONE, 64)
    assert float(lit.min()) >= 0.0
    assert float(lit.max()) <= 255.0
    for before, after in zip(plain[:8].flatten(1), lit[:8].flatten(1), strict=True):
        assert bool((after[before.argsort()].diff() >= -1e-3).all())


def test_erasing_covers_one_rectangle_of_the_chosen_images(faces):
    erased = augment(faces, draws(64), only(erasing=0.5, erasing_area=0.3), 64)
    changed = (erased - augment(faces, draws(64), NONE, 64)).abs()[:, 0] > 0.01
    shares = changed.float().mean(dim=(1, 2))
    assert 12 < int((shares > 0).sum()) < 50
    assert float(shares.max()) < 0.31
    for mask in changed[shares > 0.05]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert float(box.float().mean()) > 0.9


def test_mixing_keeps_targets_distributions_and_says_how_much_is_whose(faces):
    targets = F.one_hot(torch.arange(64) % 7, 7).float()
    partners = (faces.flip(0), targets.flip(0))
    for settings in (only(mixup=0.5, mixing=1.0), only(cutmix=1.0, mixing=1.0)):
        images, mixed = mix(faces, targets, partners, generator_at(3, "mixing"), settings)
        torch.testing.assert_close(mixed.sum(1), torch.ones(64))
        part = float(mixed[1, 1])
        assert 0.0 < part < 1.0
        if settings.mixup:
            torch.testing.assert_close(images[1], faces[1] * part + faces[62] * (1 - part), rtol=1e-4, atol=1e-2)
        else:
            distinct = faces[1] != faces[62]
            own = ((images[1] == faces[1]) & distinct).sum() / distinct.sum()
            assert abs(float(own) - part) < 0.15
    same = mix(faces, targets, partners, generator_at(3, "mixing"), only(mixup=0.5, mixing=0.0))
    assert same[0] is faces


def test_normalize_is_the_one_definition():
    pixels = (torch.arange(64.0 * 64.0) % 256.0).reshape(1, 1, 64, 64)
    spec = PreprocessSpec()
    expected = torch.from_numpy(spec.normalize(pixels[:, 0].numpy().astype("uint8")))
    torch.testing.assert_close(normalize(pixels, spec), expected)


def test_batches_depend_on_seed_epoch_and_step_alone_and_cover_the_split():
    dataset = drawn_dataset("train")
    config = load_config("xs", None, batch_size=16, seed=5)
    images = TrainingImages(dataset, dataset.labels, config, PreprocessSpec(), ALONE)
    assert images.steps == 7
    whole = list(images.epoch(2))
    again = list(images.epoch(2, first=3))
    for one, other in zip(whole[3:], again, strict=True):
        assert one.step == other.step
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.targets, other.targets)
    assert not torch.equal(whole[0].images, next(images.epoch(3)).images)
    plain = load_config("xs", None, batch_size=16, augmentation={"mixup": 0.0})
    counted = sum(
        batch.targets.sum(0)
        for batch in TrainingImages(dataset, dataset.labels, plain, PreprocessSpec(), ALONE).epoch(0)
    )
    assert counted.tolist() == list(dataset.counts().values())


def test_two_processes_take_the_rows_of_one(faces):
    dataset = drawn_dataset("train")
    config = load_config("xs", None, batch_size=16)
    alone, *shared = (
        TrainingImages(dataset, dataset.labels, config, PreprocessSpec(), processes)
        for processes in (ALONE, *(Processes(rank, 2, CPU) for rank in (0, 1)))
    )
    one, *halves = (next(images.epoch(1)) for images in (alone, *shared))
    assert torch.equal(torch.cat([half.images for half in halves]), one.images)
    assert torch.equal(torch.cat([half.targets for half in halves]), one.targets)
    seed = one.dropout
    assert {half.dropout for half in halves} == {seed}
    whole, *parts = (images.draws(torch.Generator().manual_seed(seed)).uniform((3,)) for images in (alone, *shared))
    assert torch.equal(torch.cat(parts), whole)


def test_small_images_are_the_picture_at_that_size():
    train, still = drawn_dataset("train"), {name: getattr(NONE, name) for name in NONE.__struct_fields__}

    def batches(**changes):
        recipe = load_config("xs", None, batch_size=16, epochs=4, augmentation=still, **changes)
        images = TrainingImages(train, train.labels, recipe, PreprocessSpec(), ALONE)
        return [next(images.epoch(epoch)).images for epoch in range(4)]

    growing, whole = batches(first_side=48, full_side_from=0.5), batches()
    assert [len(images[0, 0]) for images in growing] == [48, 48, 64, 64]
    for small, large in zip(growing, whole, strict=True):
        # The same faces in the same order. A small one loses no more than the resize does.
        assert (resized(large, len(small[0, 0])) - small).abs().mean() < 0.1 * small.std()
        assert small.is_contiguous(memory_format=torch.channels_last)


def test_mixing_stops_when_it_says():
    dataset = drawn_dataset("train")
    settings = {"mixup": 1.0, "mixing": 1.0, "mixing_stop": 0.5}
    config = load_config("xs", None, batch_size=16, epochs=4, augmentation=settings)
    images = TrainingImages(dataset, dataset.labels, config, PreprocessSpec(), ALONE)
    hard = [bool((next(images.epoch(epoch)).targets.amax(dim=1) == 1.0).all()) for epoch in range(4)]
    assert hard == [False, False, True, True]
