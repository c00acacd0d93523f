import copy
import gzip
import json
import os
import re
import warnings
import zipfile

import numpy as np
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
    "float8": lambda state, path: torch.save(
        {k: v.to(torch.float8_e5m2) if k == "fc4.bias" else v for k, v in state.items()}, path
    ),
    **{
        f"under {name}": lambda state, path, name=name: torch.save(
            {name: state, "epoch": 3, "optimizer": {"lr": 1}}, path
        )
        for name in ("state_dict", "model", "net", "network", "weights", "params", "model_state", "my_own_name")
    },
    **{
        f"prefix {prefix}": lambda state, path, prefix=prefix: torch.save(
            {"state_dict": {prefix + k: v for k, v in state.items()}}, path
        )
        for prefix in (
            "_orig_mod.",
            "module._orig_mod.",
            "_orig_mod.module.",
            "model.",
            "net.backbone.",
            "model._orig_mod.",
        )
    },
    "every module wrapped": lambda state, path: torch.save(
        {key.replace(".", "._checkpoint_wrapped_module.", 1): value for key, value in state.items()}, path
    ),
    "modules compiled one by one": lambda state, path: torch.save(
        {f"net.{key.replace('.', '._orig_mod.', 1)}": value for key, value in state.items()}, path
    ),
    "AveragedModel": lambda state, path: torch.save(
        {"n_averaged": torch.tensor(7), **{f"module.{k}": v for k, v in state.items()}}, path
    ),
    "safetensors with a prefix": lambda state, path: save_file({f"model.{k}": v for k, v in state.items()}, path),
    "old format": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_circulation_loads(form, network, tmp_path):
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    FORMS[form](network.state_dict(), path)
    loaded = load_checkpoint(path)
    assert loaded.notes == ()
    assert loaded.width == 4
    assert loaded.labels == RESEMOTENET
    assert loaded.labels_source == "assumed"
    want = copy.deepcopy(network).half().float() if form == "fp16" else copy.deepcopy(network)
    if form == "float8":
        want.fc4.bias.data = want.fc4.bias.data.to(torch.float8_e5m2).float()
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
    "one class": (change("fc4.weight", lambda v: v[:1]), r"fc4.weight has shape \(1, 16\), and a classifier has two"),
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


def doubled(state):
    return {key: value * 2 if value.is_floating_point() else value for key, value in state.items()}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda s: {"state_dict": s, "state_dict_ema": doubled(s)}, "'state_dict_ema' was taken, not state_dict"),
        (lambda s: {"model": s, "ema": {"module": doubled(s), "updates": 7}}, "'ema' was taken, not model"),
        (lambda s: {"model": s, "averaging_state": doubled(s)}, "'averaging_state' was taken, not model"),
        (lambda s: {"weights": s, "ema_weights": doubled(s)}, "'ema_weights' was taken, not weights"),
        (
            lambda s: {
                "state_dict": s,
                "swa_state_dict": {"n_averaged": torch.tensor(7), **{f"module.{k}": v for k, v in doubled(s).items()}},
            },
            "'swa_state_dict' was taken, not state_dict",
        ),
        (lambda s: {"params": s, "params_ema": doubled(s)}, "'params_ema' was taken, not params"),
        (lambda s: {"state_dict": doubled(s), "swa_start": s}, "'state_dict' was taken, not swa_start"),
        (
            lambda s: {**{f"model.{k}": v for k, v in s.items()}, **{f"ema.{k}": v for k, v in doubled(s).items()}},
            "the weights under 'ema.' were taken, not those under 'model.'",
        ),
        (
            lambda s: {"state_dict": {**{f"net.{k}": v for k, v in doubled(s).items()}, "loss.weight": torch.ones(7)}},
            "left out what is not under 'net.': loss.weight",
        ),
    ],
)
def test_of_several_weights_one_is_taken_and_it_is_told_which(content, words, network, tmp_path):
    torch.save(content(network.state_dict()), tmp_path / "several.pt")
    loaded = load_checkpoint(tmp_path / "several.pt")
    torch.testing.assert_close(loaded.state["fc4.bias"], network.fc4.bias.data * 2)
    (note,) = loaded.notes
    assert words in note


def test_weights_between_which_nothing_decides_are_refused(network, tmp_path):
    torch.save({"first": network.state_dict(), "second": network.state_dict()}, tmp_path / "two.pt")
    with pytest.raises(CheckpointError, match="found first, second"):
        load_checkpoint(tmp_path / "two.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n",
            "a Git LFS pointer, not weights; run: git lfs pull",
        ),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "a web page, not weights; the download failed"),
        (b"\n  <html lang=en>", "a web page"),
        (gzip.compress(b"x", mtime=0), "a gzip archive, not weights; unpack it"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (bytes(257) + b"ustar", "a tar archive"),
        (b'{"error": "not found"}', 'text that begins with \'{"error"'),
        (b"\xef\xbb\xbfhttps://example.com/weights.pt\n", "text that begins with 'https"),
        (b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
        (b"\x08\x0a\x12\x0dresemote-edge", "an ONNX model, not weights; only PyTorch's weights"),
        (b"\x08\x01\x12\xa1\x03", "a TensorFlow SavedModel"),
        (b"GGUF\x03\0\0\0", "a GGUF model"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"MZ\x90\0\x03", "a program"),
        (b"ftrt\0\0\0\0", r"of no kind that is known \(it begins with the bytes 66 74 72 74\), not weights"),
        (bytes(100), r"of no kind that is known \(it begins with the bytes 00 00 00 00\)"),
        (b"PK\x03\x04" + bytes(100), "a zip archive that is cut short or damaged; fetch"),
        (b"\x80", "truncated or not a PyTorch checkpoint"),
        (b'{"weight_map": {"conv1.weight": "a.safetensors"}}', "an index of weights in several files, not weights"),
        (b"Entry not found", "text that begins with 'Entry not found'"),
    ],
)
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights"])
def test_what_people_download_in_place_of_weights(content, words, name, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path / name)


def test_a_zip_around_weights(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as archive:
        archive.write(tmp_path / "weights.pt", "weights.pt")
    with pytest.raises(CheckpointError, match=r"a zip archive of weights\.pt, not weights; unpack it"):
        load_checkpoint(tmp_path / "weights.zip")


def test_flipped_bytes_are_found(network, tmp_path):
    path = tmp_path / "flipped.pt"
    torch.save(network.state_dict(), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in (*rng.integers(0, len(whole), 40), *(len(whole) - 1 - np.arange(0, 400, 10))):
        raw = bytearray(whole)
        raw[place] ^= 0x41
        path.write_bytes(raw)
        try:
            loaded = load_checkpoint(path)
        except CheckpointError:
            refused += 1
        else:  # A byte that nothing reads: padding, a date.
            for key, value in loaded.state.items():
                assert torch.equal(value, network.state_dict()[key]), key
    assert refused > 40


def test_an_archive_that_claims_more_than_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 26))
    with pytest.raises(CheckpointError, match="claims to hold 67108864 bytes"):
        load_checkpoint(tmp_path / "bomb.pt")


@pytest.mark.parametrize(
    ("change_", "words"),
    [
        (lambda s: {**s, "fc1.bias": torch.empty(64, device="meta")}, "fc1.bias has a shape and no values"),
        (lambda s: {**s, "fc1.bias": torch.sparse_coo_tensor([[0], [0]], [1.0], (1 << 20, 1 << 20))}, "no such weight"),
        (lambda s: {**s, "fc1.bias": torch.zeros(64, dtype=torch.complex64)}, "complex64"),
        (lambda s: {**s, "fc1.bias": torch.zeros(64, dtype=torch.bool)}, "bool"),
        (
            lambda s: {**s, "fc1.bias": torch.quantize_per_tensor(torch.zeros(64), 1.0, 0, torch.qint8)},
            "quantized by PyTorch|not a PyTorch checkpoint|run code",
        ),
    ],
)
def test_tensors_of_odd_kinds_name_the_key(change_, words, network, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(change_(dict(network.state_dict())), tmp_path / "odd.pt")
        with pytest.raises(CheckpointError, match=words):
            load_checkpoint(tmp_path / "odd.pt")


def test_a_sparse_tensor_of_the_right_shape_is_taken(network, tmp_path):
    state = dict(network.state_dict())
    torch.save({**state, "fc1.bias": state["fc1.bias"].to_sparse()}, tmp_path / "sparse.pt")
    assert torch.equal(load_checkpoint(tmp_path / "sparse.pt").state["fc1.bias"], state["fc1.bias"])


@pytest.mark.parametrize("content", [b"[1, 2]", b'{"accuracy": 0.7}', b"{", b"\xff\xfe{", b"[" * 100_000])
def test_a_json_beside_the_weights_that_is_no_card(content, network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    (tmp_path / "weights.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.json: it has the name of a model card .*; move it elsewhere"):
        load_checkpoint(tmp_path / "weights.pt")


def test_a_card_with_a_byte_order_mark_is_read(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    (tmp_path / "weights.json").write_bytes(b'\xef\xbb\xbf{"training_data": "faces of mine"}')
    assert load_checkpoint(tmp_path / "weights.pt").card.training_data == "faces of mine"


def test_a_pipe_in_place_of_weights_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="found something else"):
        load_checkpoint(tmp_path / "weights.pt")
