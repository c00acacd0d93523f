from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resemote_edge.data.splitting import THREE_WAY, WITH_VALIDATION, draw_splits

IMAGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=120)


def draw(images, fractions=THREE_WAY):
    targets = np.array([target for target, _ in images], dtype=np.int64)
    return draw_splits(targets, [b"group %d" % group for _, group in images], fractions)


@settings(max_examples=60, deadline=None)
@given(IMAGES, st.randoms(use_true_random=False))
def test_every_image_lands_once_groups_stay_together_and_order_does_not_matter(images, random):
    found = draw(images)
    assert sorted(index for indices in found.values() for index in indices) == list(range(len(images)))
    home = {}
    for split, indices in found.items():
        for index in indices:
            assert home.setdefault(images[index][1], split) == split
    shuffled = list(range(len(images)))
    random.shuffle(shuffled)
    again = draw([images[index] for index in shuffled])
    for split, indices in again.items():
        assert sorted(shuffled[index] for index in indices) == found[split].tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.sampled_from([THREE_WAY, WITH_VALIDATION]))
def test_each_class_keeps_its_shares(sizes, fractions):
    images = [(target, number) for target, size in enumerate(sizes) for number in range(size)]
    images = [(target, 1000 * target + number) for target, number in images]
    found = draw(images, fractions)
    for target, size in enumerate(sizes):
        counts = Counter({split: sum(images[i][0] == target for i in indices) for split, indices in found.items()})
        for split in list(fractions)[1:]:
            wanted = max(1, round(size * fractions[split]))
            assert abs(counts[split] - size * fractions[split]) <= 1
            if size > len(fractions):
                assert counts[split] >= 1
                assert abs(counts[split] - wanted) <= 1
        assert counts[next(iter(fractions))] >= 1


def test_a_hundred_images_split_exactly():
    found = draw([(index % 2, index) for index in range(100)])
    assert {split: len(indices) for split, indices in found.items()} == {"train": 80, "validation": 10, "test": 10}


def test_a_mixed_group_counts_as_its_rarest_class():
    # Class 1 has three groups, each shared with class 0. As three groups of a rare class, they must reach every split.
    images = [(0, group) for group in range(60)] + [(1, 0), (1, 1), (1, 2)]
    found = draw(images)
    for indices in found.values():
        assert sum(images[index][0] == 1 for index in indices) == 1


def test_the_draw_is_the_same_on_every_machine():
    found = draw([(0, index) for index in range(20)])
    assert found["validation"].tolist() == [14, 17]
    assert found["test"].tolist() == [6, 7]


@pytest.mark.parametrize(("size", "splits"), [(1, ["train"]), (2, ["train", "validation"]), (3, list(THREE_WAY))])
def test_too_few_for_all_splits(size, splits):
    found = draw([(0, index) for index in range(size)])
    assert [split for split, indices in found.items() if len(indices)] == splits
