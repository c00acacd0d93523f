"""Target: the interface that every module of this folder implements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from resemote_edge.artifacts.passport_base import EngineInfo
from resemote_edge.export.recipe import Recipe

if TYPE_CHECKING:
    from resemote_edge.models.graph import EvalGraph

__all__ = ["Built", "BuiltFile", "Target", "TargetInputs"]


@dataclass(frozen=True, kw_only=True)
class TargetInputs:
    """Inputs that a target builds from.

    Attributes:
        graph: Eval graph; None for a network that came as ONNX.
        onnx: Network as ONNX, a ``ModelProto``.
        recipe: Recipe of the export.
        facts: Facts for metadata inside model files: labels, preprocessing, lineage and so on.
        folder: Folder that the files are written to; empty.
    """

    graph: "EvalGraph | None" = field(repr=False)
    onnx: Any = field(repr=False)
    recipe: Recipe
    facts: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class BuiltFile:
    """A file a target wrote: name, role and format as in the passport."""

    name: str
    role: str
    format: str


@dataclass(frozen=True, kw_only=True)
class Built:
    """Result of a target's build.

    Attributes:
        files: Files in the folder.
        tools: Versions of the tools that took part.
        engine: Build facts of a TensorRT engine; None for other targets.
        notes: Notes for the passport.
    """

    files: tuple[BuiltFile, ...]
    tools: Mapping[str, str]
    engine: EngineInfo | None = None
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """A kind of artifact; the rest that is known of it stands in `resemote_edge.export.targets.TARGETS`."""

    def onnx_precision(self, recipe: Recipe) -> str:
        """Precision of the ONNX that this target starts from."""
        ...

    def build(self, inputs: TargetInputs) -> Built:
        """Write the model files.

        Raises:
            MissingDependencyError: The target's package is not installed.
            ExportError: The target's tool refused the model.
        """
        ...
