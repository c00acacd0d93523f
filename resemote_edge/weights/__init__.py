"""Embedded weights: trained checkpoints that come with the package, each with its model card (JSON and Markdown)."""

from pathlib import Path

__all__ = ["DEFAULT_NAME", "default_checkpoint"]

#: Used wherever no checkpoint is named.
DEFAULT_NAME = "resemotenet-s-fer2013"


def default_checkpoint() -> Path:
    """Path of the embedded default checkpoint, a safetensors file with its model card beside it."""
    return Path(__file__).parent / f"{DEFAULT_NAME}.safetensors"
