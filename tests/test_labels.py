import pytest
from hypothesis import given
from hypothesis import strategies as st

from resemote_edge.errors import InputError
from resemote_edge.labels import CANONICAL, FER2013, RESEMOTENET, canonical_name, index_mapping


@given(st.permutations(CANONICAL), st.permutations(CANONICAL))
def test_mapping_is_by_name(source, target):
    mapping = index_mapping(source, target)
    assert [target[index] for index in mapping] == list(source)


def test_the_two_published_orders():
    # FER2013: angry disgust fear happy sad surprise neutral; ResEmoteNet: happy surprise sad anger disgust fear neutral
    assert index_mapping(FER2013, RESEMOTENET) == (3, 4, 5, 0, 2, 1, 6)


@pytest.mark.parametrize(("spelling", "name"), [("Angry", "anger"), ("happiness", "happy"), (" FEAR ", "fear")])
def test_spellings(spelling, name):
    assert canonical_name(spelling) == name


@pytest.mark.parametrize(
    ("source", "target"),
    [(["joy"], RESEMOTENET), (["happy", "happy"], RESEMOTENET), (["happy", "sad"], ["happy"])],
)
def test_orders_that_cannot_be_mapped(source, target):
    with pytest.raises(InputError):
        index_mapping(source, target)
