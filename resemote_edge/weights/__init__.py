"""Embedded weights: trained checkpoints that come with the package, each with its model card (JSON and Markdown)."""

from pathlib import Path

from resemote_edge.errors import InputError

__all__ = [
    "DEFAULT_NAME",
    "EMBEDDED",
    "choose_checkpoint",
    "default_checkpoint",
    "embedded_checkpoint",
    "named_checkpoint",
]

#: Variant (a width, as `resemote_edge.models.resemotenet.WIDTHS` names it) to the stem of its files.
EMBEDDED: dict[str, str] = {
    "base": "resemotenet-base-fer2013",
    "s": "resemotenet-s-fer2013",
    "xs": "resemotenet-xs-fer2013",
    "nano": "resemotenet-nano-fer2013",
}

#: Stem of the checkpoint that is used wherever none is named.
DEFAULT_NAME = EMBEDDED["base"]


def default_checkpoint() -> Path:
    """Path of the embedded default checkpoint, a safetensors file with its model card beside it."""
    return _path(DEFAULT_NAME)


def embedded_checkpoint(variant: str) -> Path:
    """Path of the embedded checkpoint of a variant.

    Raises:
        InputError: No weights of that variant are embedded; the message lists those that are.
    """
    if variant not in EMBEDDED:
        known = ", ".join(f"{name} ({stem})" for name, stem in EMBEDDED.items())
        raise InputError(f"no weights of variant {variant!r} are embedded", hint=f"choose among {known}")
    return _path(EMBEDDED[variant])


def choose_checkpoint(checkpoint: Path | None, variant: str | None) -> Path:
    """The weights that a command's CHECKPOINT and ``--variant`` name.

    Args:
        checkpoint: File with weights, or None.
        variant: Variant of the embedded weights, or None.

    Returns:
        The file, the embedded weights of the variant, or the embedded default where neither is given.

    Raises:
        InputError: Both are given, or the variant is not embedded.
    """
    if checkpoint is not None and variant is not None:
        raise InputError(f"{checkpoint} and --variant {variant} both name weights", hint="pass one of them")
    if variant is not None:
        return embedded_checkpoint(variant)
    return default_checkpoint() if checkpoint is None else checkpoint


def named_checkpoint(name: str) -> Path:
    """The file that a name stands for: a variant of the embedded weights, or a path. ``./s`` is a path in any case."""
    return embedded_checkpoint(name) if name in EMBEDDED else Path(name)


def _path(stem: str) -> Path:
    return Path(__file__).parent / f"{stem}.safetensors"
