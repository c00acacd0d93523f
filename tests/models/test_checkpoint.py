import copy
import json
import re

import pytest
import torch
from safetensors.torch import save_file

from resemote_edge.errors import CheckpointError, InputError
from resemote_edge.labels import FER2013, RESEMOTENET
from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
from resemote_edge.models.compact import COMPACT_TAPS
from resemote_edge.models.random_network import random_network
from resemote_edge.models.resemotenet import WIDTHS, ResEmoteNet
from resemote_edge.weights import default_checkpoint


def logits(model):
    with torch.inference_mode():
        return model(torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1)))


def compact(state):
    """Only the taps that can reach the output, as training may store them."""
    state = dict(state)
    for key, (_, taps) in COMPACT_TAPS.items():
        state[key] = state[key][(..., *taps)].contiguous()
    return state


def test_the_paper_s_network_has_its_published_size():
    with torch.device("meta"):
        model = ResEmoteNet(WIDTHS["base"])
    assert sum(p.numel() for p in model.parameters()) == 80_238_599


FORMS = {
    "model_state_dict": lambda state, path: torch.save({"model_state_dict": state, "epoch": 3}, path),
    "bare": torch.save,
    "module": lambda state, path: torch.save({f"module.{k}": v for k, v in state.items()}, path),
    "fp16": lambda state, path: torch.save(
        {k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path
    ),
    "safetensors": save_file,
    "no counters": lambda state, path: torch.save({k: v for k, v in state.items() if "num_batches" not in k}, path),
    "compact": lambda state, path: torch.save(compact(state), path),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_circulation_loads(form, network, tmp_path):
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    FORMS[form](network.state_dict(), path)
    loaded = load_checkpoint(path)
    assert loaded.width == 4
    assert loaded.labels == RESEMOTENET
    assert loaded.labels_source == "assumed"
    want = copy.deepcopy(network).half().float() if form == "fp16" else network
    # The taps a compact file lacks cannot reach the output.
    torch.testing.assert_close(logits(loaded.build()), logits(want), atol=1e-6, rtol=0)


def test_compact_expands_with_the_published_shapes(network, tmp_path):
    torch.save(compact(network.state_dict()), tmp_path / "c.pt")
    loaded = load_checkpoint(tmp_path / "c.pt")
    assert loaded.stored_layout == "compact"
    for key, value in network.state_dict().items():
        if "num_batches" not in key:
            assert loaded.state[key].shape == value.shape


def test_label_order_travels_with_the_file(network, tmp_path):
    save_checkpoint(network.state_dict(), tmp_path / "w.safetensors", FER2013)
    loaded = load_checkpoint(tmp_path / "w.safetensors")
    assert (loaded.labels, loaded.labels_source) == (FER2013, "file")


@pytest.mark.parametrize(
    "stated",
    [
        {"labels": list(FER2013)},
        {"classes": ("Angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")},
        {"class_to_idx": {"happy": 3, "anger": 0, "fear": 2, "disgust": 1, "neutral": 6, "surprise": 5, "sad": 4}},
    ],
    ids=lambda stated: next(iter(stated)),
)
def test_a_label_order_beside_the_weights_is_used(stated, network, tmp_path):
    torch.save({"state_dict": network.state_dict(), **stated}, tmp_path / "w.pt")
    loaded = load_checkpoint(tmp_path / "w.pt")
    assert (loaded.labels, loaded.labels_source) == (FER2013, "file")


def test_a_label_order_that_cannot_be_read_is_not_ignored(network, tmp_path):
    torch.save({"state_dict": network.state_dict(), "labels": 7}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="'labels' is not a list of names; pass --labels"):
        load_checkpoint(tmp_path / "w.pt")


def test_label_order_can_be_passed(checkpoint_path):
    order = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    loaded = load_checkpoint(checkpoint_path, order)
    assert (loaded.labels, loaded.labels_source) == (FER2013, "caller")
    with pytest.raises(InputError, match=r"--labels has 2 names \(happy, sad\), fc4.weight has 7 logits"):
        load_checkpoint(checkpoint_path, ("happy", "sad"))
    with pytest.raises(InputError, match="repeats 'anger'"):
        load_checkpoint(checkpoint_path, ("angry", "anger", *FER2013[2:]))


MOODS = ("smile", "frown", "blank")


@pytest.fixture(scope="module")
def moods():
    return random_network(4, num_classes=3).state_dict()


def test_any_number_of_classes(moods, tmp_path):
    torch.save({"model_state_dict": moods, "classes": MOODS}, tmp_path / "w.pt")
    loaded = load_checkpoint(tmp_path / "w.pt")
    assert (loaded.labels, loaded.labels_source, loaded.num_classes) == (MOODS, "file", 3)
    assert logits(loaded.build()).shape == (3, 3)
    passed = load_checkpoint(tmp_path / "w.pt", ("Angry", "sadness", "neutral"))
    assert (passed.labels, passed.labels_source) == (("anger", "sad", "neutral"), "caller")


def test_labels_are_assumed_for_seven_logits_alone(moods, tmp_path):
    torch.save(moods, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"3 logits, and no label order is stated.*pass --labels with 3 names"):
        load_checkpoint(tmp_path / "w.pt")
    (tmp_path / "w.json").write_text(json.dumps({"labels": MOODS}))
    assert load_checkpoint(tmp_path / "w.pt").labels == MOODS


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"labels": ["smile", "frown"]}, r"the label order it states has 2 names .* 3 logits; pass --labels"),
        ({"labels": ["smile", "frown", "smile"]}, "the label order it states: the label order repeats 'smile'"),
        ({"class_to_idx": {"smile": 0, "frown": 2, "blank": 2}}, "does not number the classes from 0 up"),
        ({"class_to_idx": {"smile": 0, "frown": "1", "blank": 2}}, "does not number the classes from 0 up"),
        ({"class_to_idx": {"smile": 1, "frown": 2, "blank": 3}}, "does not number the classes from 0 up"),
    ],
)
def test_labels_in_a_file_that_do_not_fit_it(stated, words, moods, tmp_path):
    torch.save({"state_dict": moods, **stated}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path / "w.pt")
    assert load_checkpoint(tmp_path / "w.pt", MOODS).labels == MOODS  # the cure the message names


def test_labels_in_metadata_that_are_no_list_of_names(moods, tmp_path):
    save_file(moods, tmp_path / "w.safetensors", metadata={"labels": '"abc"'})
    with pytest.raises(CheckpointError, match="its 'labels' metadata is not a JSON list of names"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_the_embedded_default_says_what_it_is():
    loaded = load_checkpoint(default_checkpoint())
    card = json.loads(default_checkpoint().with_suffix(".json").read_text())
    assert loaded.width == card["width"] == WIDTHS["base"]
    assert loaded.parameters == card["parameters"]
    assert loaded.labels == tuple(card["labels"])
    assert loaded.labels_source == "file"
    # The Markdown card is for people; its figures are those of the JSON.
    markdown = default_checkpoint().with_suffix(".md").read_text()
    for value in card["accuracy"].values():
        assert f"{value * 100:.2f} %" in markdown
    for name, value in card["evaluation"]["test"]["recall"].items():
        assert f"| {name} | {value * 100:.1f} % |" in markdown


def change(key, function):
    def apply(state):
        state[key] = function(state[key])
        return state

    return apply


BAD = {
    "missing key": (lambda s: {k: v for k, v in s.items() if k != "fc2.bias"}, r"missing 1 keys \(fc2.bias \(32,\)\)"),
    "extra key": (lambda s: {**s, "fc9.bias": torch.zeros(2)}, r"1 keys too many \(fc9.bias \(2,\)\)"),
    "wrong shape": (change("fc1.weight", lambda v: v[:-1]), r"fc1.weight has shape \(63, 128\).* has \(64, 128\)"),
    "wrong kernel": (change("res_block1.conv1.weight", lambda v: v[..., :2]), r"\(32, 16, 3, 2\).* \(32, 16, 3, 3\)"),
    "NaN": (change("fc3.weight", lambda v: v * float("nan")), r"fc3.weight holds NaN"),
    "Inf": (change("bn1.running_var", lambda v: v + float("inf")), r"bn1.running_var holds NaN or Inf"),
    "integers": (change("fc1.bias", lambda v: v.to(torch.int32)), r"fc1.bias is torch.int32"),
    "other network": (lambda s: {"features.0.weight": torch.zeros(64, 3, 7, 7)}, r"not a ResEmoteNet: conv1.weight"),
    "other first layer": (change("conv1.weight", lambda v: v[:, :1]), r"must have shape \(width, 3, 3, 3\)"),
    "odd width": (change("conv1.weight", lambda v: v[:3]), r"multiple of 4"),
    "eight classes": (change("fc4.weight", lambda v: torch.cat([v, v[:1]])), r"fc4.bias has shape \(7,\).*8 logits"),
    "one class": (change("fc4.weight", lambda v: v[:1]), r"fc4.weight has shape \(1, 16\); a classifier has two"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_weights_name_the_key(case, network, tmp_path):
    spoil, words = BAD[case]
    torch.save(spoil(dict(network.state_dict())), tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path / "bad.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_truncated_files(network, tmp_path, suffix, keep):
    path = tmp_path / f"cut{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(network.state_dict(), path)
    raw = path.read_bytes()
    path.write_bytes(raw[: keep if isinstance(keep, int) else int(len(raw) * keep)])
    with pytest.raises(CheckpointError, match=re.escape(str(path))):
        load_checkpoint(path)


class Evil:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


def test_code_is_never_unpickled(tmp_path, capsys):
    torch.save({"model_state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="run code"):
        load_checkpoint(tmp_path / "evil.pt")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [[1, 2, 3], {}, {"epoch": 3}, {"model_state_dict": {"a": 1}}])
def test_files_that_hold_something_else(content, tmp_path):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="state dict"):
        load_checkpoint(tmp_path / "other.pt")
