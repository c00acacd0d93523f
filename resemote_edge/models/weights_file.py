"""Files of weights: finds the network's tensors in every form that training frameworks write.

A file may hold several sets of weights, or those of other modules. The notes say what was taken and what was not; a
file in which that cannot be decided is refused.
"""

import codecs
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from resemote_edge.errors import CheckpointError, needs
from resemote_edge.vision.signatures import HEAD_BYTES, foreign, is_image

__all__ = ["WeightsFile", "is_counter", "read_weights"]

#: Keys under which files keep a moving average of the weights, and the weights themselves. An average is preferred,
#: because training was judged by it.
_AVERAGED = (
    *("state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema", "params_ema", "ema_weights"),
    *("averaged_model", "average_model", "averaging_state", "swa_state_dict", "swa_model"),
)
_PLAIN = (
    *("model_state_dict", "state_dict", "model_state", "model", "net", "network", "module", "weights", "params"),
    *("student", "encoder", "generator", "best_model", "best_state_dict"),
)
#: Parts that wrappers insert anywhere in a name.
_WRAPPED = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
_LABEL_KEYS = ("labels", "classes", "class_to_idx")
# BatchNorm's step counter, which inference does not use; some checkpoints lack it.
_COUNTER = ".num_batches_tracked"
_PICKLE = b"\x80"  # first byte of torch.save's older formats, which are no archives
_LARGEST_INDEX = 1 << 20
_FIRST = "conv1.weight"  # two names that show what prefix the network's names have
_FIRST_NEIGHBOUR = "fc4.weight"
_TAKES = 1 << 29  # most values in one tensor: over six times the paper's whole network


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """Weights as they are stored.

    Attributes:
        state: Tensors by name, without prefixes of wrappers and BatchNorm's step counters.
        metadata: Texts beside them; ``labels`` is a JSON list.
        notes: Sentences on what was chosen.
    """

    state: dict[str, Tensor]
    metadata: dict[str, str]
    notes: tuple[str, ...]


def is_counter(key: str) -> bool:
    """Whether a tensor counts BatchNorm's steps."""
    return key.endswith(_COUNTER)


def read_weights(path: Path, *, with_labels: bool) -> WeightsFile:
    """Read a file of weights.

    Args:
        path: A regular file, safetensors or any format of ``torch.save``.
        with_labels: Whether to read a label order beside the weights, which may fail.

    Returns:
        The weights of the network in it.

    Raises:
        CheckpointError: It is something else, damaged, holds code, or nothing that looks like weights.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    notes: list[str] = []
    try:
        if _is_safetensors(head):
            raw, metadata = _read_safetensors(path)
        else:
            _refuse_foreign(head, path)
            raw, metadata, notes = _read_torch(path, with_labels)
    except MemoryError:
        raise CheckpointError(f"{path}: too little memory to read it") from None
    state = {key: value for key, value in _without_prefix(raw, path, notes).items() if not is_counter(key)}
    return WeightsFile(state=dict(_checked(state, path)), metadata=metadata, notes=tuple(notes))


def _checked(state: Mapping[str, Tensor], path: Path) -> Iterator[tuple[str, Tensor]]:
    """Make all tensors dense and of plain numbers; others are refused before they take memory."""
    for key, value in state.items():
        if value.is_meta:
            raise CheckpointError(f"{path}: {key} has a shape and no values (it was saved from the device meta)")
        if value.is_quantized or value.numel() > _TAKES:
            what = "quantized by PyTorch" if value.is_quantized else f"of shape {tuple(value.shape)}"
            raise CheckpointError(f"{path}: {key} is {what}, and a ResEmoteNet has no such weight")
        dense = value if value.layout == torch.strided else value.to_dense()
        # Nothing computes in float8, which has one byte a value.
        yield key, dense.float() if dense.is_floating_point() and dense.element_size() == 1 else dense


def _is_safetensors(head: bytes) -> bool:
    # A safetensors file starts with the length of its JSON header, then "{"; torch's formats start otherwise.
    return head[8:9] == b"{" and head[:2] != b"PK" and not _is_text(head)


def _refuse_foreign(head: bytes, path: Path) -> None:
    """Refuse, by its first bytes, what people may have downloaded instead of weights."""
    if head.startswith(b"PK"):
        if not zipfile.is_zipfile(path):
            raise CheckpointError(f"{path}: a zip archive that is cut short or damaged", hint="fetch or copy it again")
        return  # torch.save writes zip archives.
    what = foreign(head.removeprefix(codecs.BOM_UTF8), otherwise="only PyTorch's weights and safetensors are read")
    if is_image(head):
        what = "an image", "pass the weights"
    elif what is None and _is_text(head):
        first = head.decode("utf-8-sig", "replace").strip().splitlines()[0][:60]
        what = f"text that begins with {first!r}", "pass the file that it names or describes"
        if b'"weight_map"' in path.read_bytes()[:_LARGEST_INDEX]:
            what = "an index of weights in several files", "join them into one with safetensors.torch.save_file"
    elif what is None and head[:1] != _PICKLE:
        what = f"of no kind that is known (it begins with the bytes {head[:4].hex(' ')})", "pass the weights"
    if what is not None:
        raise CheckpointError(f"{path}: {what[0]}, not weights", hint=what[1])


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8-sig", "replace")
    certain = text[:-4] if len(head) == HEAD_BYTES else text  # The last character may be cut.
    return bool(text.strip()) and not any(
        (ord(char) < 32 and char not in "\r\n\t") or char == "\ufffd" for char in certain
    )


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with needs("export", f"reading {path.name}"):
        from safetensors import SafetensorError, safe_open
    try:
        with safe_open(path, framework="pt") as stream:
            return {key: stream.get_tensor(key) for key in stream.keys()}, stream.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({_first_line(error)})", hint="fetch or copy it again"
        ) from None


def _read_torch(path: Path, with_labels: bool) -> tuple[dict[str, Tensor], dict[str, str], list[str]]:
    if zipfile.is_zipfile(path):
        _check_archive(path)
    loaded = _load(path)
    wrapper = loaded if isinstance(loaded, dict) else {}
    if isinstance(wrapper.get("architecture"), str) and wrapper["architecture"] != "resemotenet":
        raise CheckpointError(
            f"{path}: weights of a {wrapper['architecture']}, which was trained to teach",
            hint=f"export a ResEmoteNet; this one is for train --teacher {path}",
        )
    state, notes = _state_in(loaded, path)
    return state, _stated_labels(wrapper, path) if with_labels else {}, notes


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # In a damaged file, the unpickler may raise any type.
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CheckpointError(
                f"{path}: holds Python objects besides tensors, and loading them would run code from the file",
                hint="save model.state_dict() alone, or as safetensors",
            ) from None
        if "can't allocate memory" in str(error):
            raise MemoryError from None
        raise CheckpointError(
            f"{path}: truncated or not a PyTorch checkpoint ({_first_line(error)})", hint="fetch or copy it again"
        ) from None


def _check_archive(path: Path) -> None:
    """Refuse an archive that is not of ``torch.save``, claims more than it holds, or has a wrong checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), path)
            damaged = archive.testzip()
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many types for a damaged directory.
        raise CheckpointError(
            f"{path}: a damaged archive ({_first_line(error)})", hint="fetch or copy it again"
        ) from None
    if damaged is not None:
        raise CheckpointError(f"{path}: damaged: the checksum of {damaged} is wrong", hint="fetch or copy it again")


def _check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    names = [member.filename for member in members]
    if any(name.endswith(("constants.pkl", ".data.pkl.py")) or "/code/" in name for name in names):
        raise CheckpointError(
            f"{path}: a TorchScript archive, which holds code", hint="save model.state_dict() instead"
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError(
            f"{path}: a zip archive of {', '.join(names[:3]) or 'nothing'}, not weights",
            hint="unpack it, and pass what was in it",
        )
    claimed = sum(member.file_size for member in members)
    if claimed > 2 * path.stat().st_size + (1 << 20):
        raise CheckpointError(f"{path}: claims to hold {claimed} bytes, and has {path.stat().st_size}")


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(key, str) and isinstance(one, Tensor) for key, one in value.items())
    )


def _state_in(loaded: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The state dict in what was loaded, and what was chosen."""
    if _is_state(loaded):
        return loaded, []
    places = dict(_places(loaded))
    chosen = next((name for names in (_AVERAGED, _PLAIN) for name in names for place in places if place == name), None)
    if chosen is None:
        chosen = next(iter(places), None) if len(places) == 1 else None
    if chosen is None:
        keys = ", ".join(map(str, list(loaded)[:5])) if isinstance(loaded, dict) else type(loaded).__name__
        raise CheckpointError(
            f"{path}: expected a state dict or {{'model_state_dict': state dict}}, found {keys or 'an empty dict'}"
        )
    others = [name for name in places if name != chosen]
    return places[chosen], [f"{path.name}: '{chosen}' was taken, not {', '.join(others)}"] if others else []


def _places(loaded: Any) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """State dicts in a dictionary, or one level deeper (a framework's ``{'ema': {'module': ...}}``)."""
    if not isinstance(loaded, dict):
        return
    for key, value in loaded.items():
        if _is_state(value):
            yield str(key), value
        elif isinstance(value, dict) and str(key) in (*_AVERAGED, *_PLAIN):
            inner = [one for name, one in value.items() if str(name) in _PLAIN and _is_state(one)]
            if len(inner) == 1:
                yield str(key), inner[0]


def _without_prefix(state: dict[str, Tensor], path: Path, notes: list[str]) -> dict[str, Tensor]:
    """Remove all prefixes of wrappers from names: ``module.``, ``_orig_mod.``, ``model.`` and so on."""
    plain = {_unwrapped(key): value for key, value in state.items()}
    if len(plain) == len(state):  # Otherwise, two names would become one.
        state = plain
    ends = [key.removesuffix(_FIRST) for key in state if key.endswith(_FIRST)]
    prefixes = [prefix for prefix in ends if prefix + _FIRST_NEIGHBOUR in state and (not prefix or prefix[-1] == ".")]
    if not prefixes or prefixes == [""]:
        return state
    prefix = next((one for one in prefixes if any(name in one for name in _AVERAGED)), prefixes[0])
    if len(prefixes) > 1:
        others = ", ".join(repr(one) for one in prefixes if one != prefix)
        notes.append(f"{path.name}: the weights under {prefix!r} were taken, not those under {others}")
    kept = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    left = [key for key in state if not key.startswith(tuple(prefixes)) and key != "n_averaged"]
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        notes.append(f"{path.name}: left out what is not under {prefix!r}: {', '.join(left[:3])}{more}")
    return kept


def _unwrapped(key: str) -> str:
    for part in _WRAPPED:
        key = key.replace(part, "")
    return key


def _stated_labels(wrapper: dict[Any, Any], path: Path) -> dict[str, str]:
    """The label order beside the state dict, under the names that training scripts give it."""
    for key in _LABEL_KEYS:
        value = wrapper.get(key)
        if isinstance(value, dict):  # torchvision's class_to_idx: name to index
            if {type(index) for index in value.values()} != {int} or sorted(value.values()) != [*range(len(value))]:
                raise CheckpointError(
                    f"{path}: its '{key}' does not number the classes from 0 up", hint="pass --labels"
                )
            value = sorted(value, key=value.__getitem__)
        if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
            return {"labels": json.dumps(list(value))}
        if value is not None:
            raise CheckpointError(f"{path}: its '{key}' is not a list of names", hint="pass --labels")
    return {}


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
