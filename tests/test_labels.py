import pytest
from hypothesis import given
from hypothesis import strategies as st

from resemote_edge.errors import InputError
from resemote_edge.labels import CANONICAL, FER2013, RESEMOTENET, canonical_labels, canonical_name, index_mapping


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
    [
        (["joy"], RESEMOTENET),
        (["happy", "happy"], RESEMOTENET),
        (["happy", "sad"], ["happy"]),
        (["angry", "anger"], RESEMOTENET),
        (RESEMOTENET, ["smile", "frown", "blank"]),
        (["Smile"], ["smile", "frown"]),  # other names are kept to the letter
        ([], RESEMOTENET),
    ],
)
def test_orders_that_cannot_be_mapped(source, target):
    with pytest.raises(InputError):
        index_mapping(source, target)


def test_an_unknown_emotion_has_no_canonical_name():
    with pytest.raises(InputError, match="unknown emotion label 'smile'"):
        canonical_name("smile")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        (("Angry", " happiness", "FEAR"), ("anger", "happy", "fear")),
        (("smile", " Frown ", "blank"), ("smile", "Frown", "blank")),
        # If one name is not a known emotion, no name of the set is respelled.
        (("Angry", "happiness", "blank"), ("Angry", "happiness", "blank")),
        (("anger", "Angry", "blank"), ("anger", "Angry", "blank")),
        (("微笑", "無表情"), ("微笑", "無表情")),
    ],
)
def test_spellings_are_changed_only_in_sets_of_emotions(written, spelled):
    assert canonical_labels(written) == spelled
    assert canonical_labels(spelled) == spelled


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "needs names, got none"),
        (("smile", " "), "label '' cannot be shown"),
        (("smile", "a\nb"), r"label 'a\\nb' cannot be shown"),
        (("smile", "frown", "smile "), "repeats 'smile'"),
        (("angry", "Anger", "sad"), "repeats 'anger'"),
    ],
)
def test_label_sets_that_are_none(names, words):
    with pytest.raises(InputError, match=words):
        canonical_labels(names)


@given(st.lists(st.text(min_size=1).map(str.strip).filter(str.isprintable).filter(bool), min_size=1, unique=True))
def test_labels_of_any_kind_map_by_name(names):
    order = canonical_labels(names) if len({*names}) == len({name.lower() for name in names}) else tuple(names)
    turned = order[::-1]
    assert [turned[index] for index in index_mapping(order, turned)] == list(order)


def test_part_of_a_network_s_classes_maps_into_the_whole():
    assert index_mapping(["Happy", "blank"], ["blank", "wink", "Happy"]) == (2, 0)
    assert index_mapping(["Happiness"], RESEMOTENET) == (0,)
