"""Weights in fewer bits: reading returns what was written, and the error for a bad file names the key."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from resemote_edge.errors import CheckpointError, InputError
from resemote_edge.export.quantize.insert import quantize_weight
from resemote_edge.labels import FER2013
from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
from resemote_edge.models.compact import compact_state, expand
from resemote_edge.models.conversion import expand_checkpoint, pack_checkpoint
from resemote_edge.models.graph import build_eval_graph
from resemote_edge.models.random_network import random_network
from resemote_edge.models.resemotenet import WIDTHS, ResEmoteNet
from resemote_edge.models.stored_weights import pack_weights, unpack_weights


@pytest.fixture(scope="module")
def state():
    """What can reach the output, float32; one channel of a kernel is dead."""
    made = compact_state(random_network(8, seed=3).state_dict())
    made["res_block1.conv2.weight"][3] = 0.0
    return {key: value for key, value in made.items() if "num_batches" not in key}


@pytest.fixture
def source(state, tmp_path):
    save_checkpoint(state, tmp_path / "own.safetensors", FER2013)
    return tmp_path / "own.safetensors"


def logits(model):
    with torch.inference_mode():
        return model(torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(1)))


def test_int8_is_off_by_half_a_step_of_the_channel_at_most(state, tmp_path):
    packed = pack_weights(state, "int8")
    unpacked = unpack_weights(packed, tmp_path)
    assert unpacked.keys() == state.keys()
    for key, value in state.items():
        if f"{key}.scale" not in packed:
            assert torch.equal(unpacked[key].float(), value.to(packed[key].dtype).float()), key
            continue
        step = value.flatten(1).abs().amax(dim=1) / 127
        difference = (unpacked[key] - value).flatten(1).abs().amax(dim=1)
        assert (difference <= 0.5001 * step).all(), key
        assert difference.max() > 0.0, key
    assert not unpacked["res_block1.conv2.weight"][3].any()


def test_what_is_stored_in_eight_bits_and_what_is_not(state):
    packed = pack_weights(state, "int8")
    dtypes = {key: value.dtype for key, value in packed.items()}
    large = {f"res_block{block}.{conv}.weight" for block in (1, 2, 3) for conv in ("conv1", "conv2")}
    large |= {"res_block3.shortcut.0.weight", "fc1.weight"}
    assert {key for key, dtype in dtypes.items() if dtype == torch.int8} == large
    assert dtypes["conv1.weight"] == dtypes["se.fc.0.weight"] == dtypes["fc4.weight"] == torch.float16
    assert {dtypes[key] for key in ("fc1.weight.scale", "conv1.bias", "bn1.weight", "bn1.running_var")} == {
        torch.float32
    }
    assert packed["res_block3.conv1.weight"].shape == (256, 128, 2, 2)
    assert packed["res_block3.conv1.weight.scale"].shape == (256,)


@pytest.mark.parametrize(("dtype", "limit"), [("int8", 0.1), ("float16", 1e-2), ("float32", 0.0)])
def test_packed_weights_load_like_any_other(dtype, limit, source, tmp_path):
    done = pack_checkpoint(source, tmp_path / "packed.safetensors", dtype)
    before, after = load_checkpoint(source), load_checkpoint(done.output)
    assert (after.stored_dtype, after.stored_layout) == (dtype, "compact")
    assert (after.labels, after.labels_source) == (FER2013, "file")
    for key, value in before.state.items():
        assert after.state[key].dtype == torch.float32
        assert after.state[key].shape == value.shape
    errors = {key: float((after.state[key] - value).abs().max()) for key, value in before.state.items()}
    assert done.weight_error.max_abs == max(errors.values())
    assert errors[done.weight_error.key] == max(errors.values())
    assert done.size_bytes == done.output.stat().st_size
    wanted = logits(before.build())
    assert (logits(after.build()) - wanted).abs().max() <= limit * wanted.std()


def test_an_export_to_eight_bits_finds_the_stored_integers(source, tmp_path):
    pack_checkpoint(source, tmp_path / "packed.safetensors", "int8")
    stored = load_file(tmp_path / "packed.safetensors")
    graph = build_eval_graph(load_checkpoint(tmp_path / "packed.safetensors").build())
    layers = [node for node in graph.nodes if node.op in ("conv", "linear")]
    assert len(layers) == 18
    compared = 0
    for node in layers:
        name = "fc4" if node.name == "logits" else node.name
        key = next(key for key in (f"{name}.weight", f"{name}.0.weight") if key in stored)
        if stored[key].dtype != torch.int8:
            continue
        compared += 1
        whole, _ = quantize_weight(node.params["weight"])
        taps = compact_state({key: torch.from_numpy(whole)})[key].numpy().reshape(stored[key].shape)
        # BatchNorm may change the sign of a channel.
        np.testing.assert_array_equal(np.abs(taps), np.abs(stored[key].numpy()), err_msg=node.name)
    assert compared == 8


def test_the_paper_s_network_fits_into_40_mb(tmp_path):
    with torch.device("meta"):
        shapes = compact_state(ResEmoteNet(WIDTHS["base"]).state_dict())
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.rand(value.shape, generator=generator) for key, value in shapes.items()}
    save_checkpoint(pack_weights(state, "int8"), tmp_path / "base.safetensors", FER2013)
    assert 37_000_000 < (tmp_path / "base.safetensors").stat().st_size <= 40_000_000


def change(key, function):
    def apply(packed):
        packed[key] = function(packed[key])

    return apply


def at(index, number):
    def apply(scale):
        scale = scale.clone()
        scale[index] = number
        return scale

    return apply


BAD = {
    "missing": (lambda p: p.pop("fc1.weight.scale"), r"fc1.weight is stored as int8, and its fc1.weight.scale is miss"),
    "too short": (change("fc1.weight.scale", lambda v: v[:-1]), r"fc1.weight.scale .* shape \(127,\).*: \(128,\)"),
    "a matrix": (change("fc1.weight.scale", lambda v: v[:, None]), r"fc1.weight.scale .* shape \(128, 1\)"),
    "a number": (change("fc1.weight.scale", lambda v: v[0]), r"fc1.weight.scale .* shape \(\)"),
    "integers": (change("fc1.weight.scale", lambda v: v.to(torch.int32)), r"fc1.weight.scale is torch.int32"),
    "zero": (change("fc1.weight.scale", at(5, 0.0)), r"fc1.weight.scale holds 0.0 for channel 5"),
    "negative": (change("fc1.weight.scale", at(0, -0.5)), r"fc1.weight.scale holds -0.5 for channel 0"),
    "NaN": (change("fc1.weight.scale", at(1, float("nan"))), r"fc1.weight.scale holds nan for channel 1"),
    "infinite": (change("fc1.weight.scale", at(2, float("inf"))), r"fc1.weight.scale holds inf for channel 2"),
    "too large": (change("fc1.weight.scale", at(2, 3e38)), r"fc1.weight holds NaN or Inf"),
    "floating weight": (change("fc1.weight", lambda v: v.float()), r"fc1.weight.scale is the scale .* torch.float32"),
    "no weight": (lambda p: p.pop("fc1.weight"), r"fc1.weight.scale is the scale .* fc1.weight is not there"),
    "integer bias": (change("fc1.bias", lambda v: v.to(torch.int8)), r"fc1.bias is torch.int8"),
    "wrong shape": (change("fc2.weight", lambda v: v[:, :-1].contiguous()), r"fc2.weight has shape \(64, 127\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_name_the_key(case, state, tmp_path):
    packed = pack_weights(state, "int8")
    spoil, words = BAD[case]
    spoil(packed)
    save_file(packed, tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path / "bad.safetensors")


def test_the_card_goes_along_and_says_how_the_weights_are_stored(source, tmp_path):
    card = {"name": "own", "labels": list(FER2013), "storage": {"dtype": "float32"}, "accuracy": {"mine_test": 0.5}}
    source.with_suffix(".json").write_text(json.dumps(card))
    source.with_suffix(".md").write_text("# own\n\n| Storage | safetensors, float32 |\n| Label order | ä |\n", "utf-8")
    done = pack_checkpoint(source, tmp_path / "small.safetensors", "int8")
    assert done.cards == (tmp_path / "small.json", tmp_path / "small.md")
    wanted = {**card, "storage": {"dtype": "int8", "layout": "compact"}}
    assert json.loads((tmp_path / "small.json").read_text()) == wanted
    assert load_checkpoint(done.output).card.accuracy == {"mine_test": 0.5}
    lines = (tmp_path / "small.md").read_text("utf-8").splitlines()
    assert lines[2].startswith("| Storage | safetensors, int8 with a float32 scale per output channel")
    assert [*lines[:2], *lines[3:]] == ["# own", "", "| Label order | ä |"]


def test_an_assumed_order_is_not_written_as_a_fact(state, tmp_path):
    torch.save(state, tmp_path / "own.pt")
    pack_checkpoint(tmp_path / "own.pt", tmp_path / "a.safetensors", "int8")
    assert load_checkpoint(tmp_path / "a.safetensors").labels_source == "assumed"
    pack_checkpoint(tmp_path / "own.pt", tmp_path / "b.safetensors", "int8", labels=FER2013)
    assert load_checkpoint(tmp_path / "b.safetensors").labels == FER2013


def test_nothing_is_replaced_unasked_and_the_source_never(source, tmp_path):
    source.with_suffix(".json").write_text("{}")
    before = source.read_bytes()
    with pytest.raises(InputError, match="is the checkpoint itself"):
        pack_checkpoint(source, source, "int8", force=True)
    (tmp_path / "out.json").write_text("precious")
    with pytest.raises(InputError, match=r"out.json exists; pass --force"):
        pack_checkpoint(source, tmp_path / "out.safetensors", "int8")
    with pytest.raises(InputError, match=r"pass -o out.safetensors"):
        pack_checkpoint(source, tmp_path / "out.pt", "int8")
    assert (tmp_path / "out.json").read_text() == "precious"
    assert not (tmp_path / "out.safetensors").exists()
    pack_checkpoint(source, tmp_path / "out.safetensors", "int8", force=True)
    assert json.loads((tmp_path / "out.json").read_text()) == {"storage": {"dtype": "int8", "layout": "compact"}}
    assert source.read_bytes() == before


def test_weights_beyond_float16_are_refused_and_nothing_is_left(state, tmp_path):
    large = {**state, "fc2.weight": state["fc2.weight"] * 1e6}
    save_checkpoint(large, tmp_path / "large.safetensors", FER2013)
    with pytest.raises(CheckpointError, match=r"fc2.weight holds weights beyond the range of float16"):
        pack_checkpoint(tmp_path / "large.safetensors", tmp_path / "out" / "half.safetensors", "float16")
    assert [path.name for path in tmp_path.rglob("*")] == ["large.safetensors"]
    done = pack_checkpoint(tmp_path / "large.safetensors", tmp_path / "small.safetensors", "int8")
    assert done.weight_error.key == "fc2.weight"
    assert load_file(done.output)["fc2.weight"].dtype == torch.int8  # eight bits with a scale can store any magnitude


def test_the_authors_layout_loads_strictly(source, tmp_path):
    pack_checkpoint(source, tmp_path / "packed.safetensors", "int8")
    done = expand_checkpoint(tmp_path / "packed.safetensors", tmp_path / "upstream.pt")
    assert (done.dtype, done.layout, done.weight_error.max_abs) == ("float32", "published", 0.0)
    content = torch.load(tmp_path / "upstream.pt", weights_only=True)
    model = ResEmoteNet(8).eval()
    model.load_state_dict(content["model_state_dict"], strict=True)
    assert list(content["model_state_dict"]) == list(model.state_dict())
    assert content["model_state_dict"]["bn1.num_batches_tracked"].dtype == torch.int64
    assert content["model_state_dict"]["res_block3.conv2.weight"].shape == (256, 256, 3, 3)
    assert torch.equal(logits(model), logits(load_checkpoint(tmp_path / "packed.safetensors").build()))
    assert load_checkpoint(tmp_path / "upstream.pt").labels == FER2013
    with pytest.raises(InputError, match=r"upstream.pt exists; pass --force"):
        expand_checkpoint(tmp_path / "packed.safetensors", tmp_path / "upstream.pt")
    with pytest.raises(InputError, match=r"pass -o upstream.pt"):
        expand_checkpoint(source, tmp_path / "upstream.safetensors")


def test_other_classes_are_packed_and_expanded(tmp_path):
    torch.save({"state_dict": random_network(4, num_classes=3).state_dict()}, tmp_path / "own.pt")
    moods = ("smile", "frown", "blank")
    pack_checkpoint(tmp_path / "own.pt", tmp_path / "own.safetensors", "int8", labels=moods)
    expand_checkpoint(tmp_path / "own.safetensors", tmp_path / "up.pt")
    assert load_checkpoint(tmp_path / "up.pt").labels == moods


def test_the_layouts_are_each_other_s_inverse(state):
    for key, value in compact_state(expand(state)).items():
        assert torch.equal(value, state[key]), key
