"""Default artifacts, for users who name none.

Commands that classify use the prebuilt artifact, which needs no export. Commands that measure export the embedded
weights for each runtime, so that every engine gets a suitable artifact.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.partial import taking_turns
from resemote_edge.artifacts.prebuilt import prebuilt_path
from resemote_edge.errors import InputError
from resemote_edge.export.command import ARTIFACTS_FOLDER, ExportOptions, run_export
from resemote_edge.export.targets import find_target, target_of
from resemote_edge.runtimes.registry import RUNTIMES, get_runtime, runtimes_for
from resemote_edge.weights import choose_checkpoint

__all__ = ["artifact_or_prebuilt", "artifacts_or_default"]


def artifact_or_prebuilt(
    path: Path | None,
    variant: str | None,
    runtime: str,
    device: str = "auto",
    notice: Callable[[str], None] = lambda text: None,
) -> Artifact:
    """The artifact named, or embedded weights of the variant named, or else the prebuilt artifact.

    Args:
        path: Path of an artifact, or None.
        variant: Variant of the embedded weights to export for the runtime, or None.
        runtime: Name of a runtime, or ``auto``.
        device: Device the runtime must have, or ``auto``.
        notice: Function called with what is used if no artifact is named.

    Raises:
        ArtifactError: The artifact is not whole.
        InputError: The runtime or variant is unknown, an artifact and a variant were both given, or the runtime cannot
            load the prebuilt artifact.
        MissingDependencyError: Exporting a variant needs a package that is not installed.
    """
    if path is not None or variant is not None:
        return artifacts_or_default([] if path is None else [path], runtime, device, notice, variant)[0]
    artifact = Artifact.load(prebuilt_path())
    takers = runtimes_for(artifact)
    if runtime != "auto" and get_runtime(runtime).name not in takers:
        raise InputError(
            f"runtime {runtime} cannot load the prebuilt artifact, which is for {', '.join(takers)}",
            hint=f"pass --variant to export embedded weights for {runtime}, or --artifact, or leave --runtime out",
        )
    notice(f"using the prebuilt artifact {artifact.passport.name}")
    return artifact


def artifacts_or_default(
    paths: Sequence[Path],
    runtime: str,
    device: str = "auto",
    notice: Callable[[str], None] = lambda text: None,
    variant: str | None = None,
) -> tuple[Artifact, ...]:
    """Return the artifacts named, or embedded weights exported for the runtime.

    Args:
        paths: Paths of artifacts; may be empty.
        runtime: Name of a runtime; ``auto`` for the first runtime that works here; ``all`` for every one that does.
        device: Device the runtime must have, or ``auto``.
        notice: Function called with what is exported or taken from an earlier export.
        variant: Variant of the embedded weights; None for the default.

    Returns:
        At least one artifact.

    Raises:
        ArtifactError: An artifact is not whole.
        InputError: The runtime or variant is unknown, artifacts and a variant were both given, or a default artifact's
            folder holds something else.
        MissingDependencyError: Exporting needs a package that is not installed.
    """
    checkpoint = choose_checkpoint(paths[0] if paths else None, variant)
    if paths:
        return tuple(Artifact.load(path) for path in paths)
    if runtime in ("auto", "all"):
        names = [name for name in RUNTIMES if _serves(name, device)]
        names = names[:1] if runtime == "auto" else names
        if not names:
            raise InputError(f"no runtime works here on device {device!r}", hint="see: resemote-edge runtimes")
    else:
        names = [get_runtime(runtime).name]
    # One target may serve two runtimes.
    targets = dict.fromkeys(map(target_of, names))
    return tuple(_default(checkpoint, target, notice) for target in targets)


def _serves(name: str, device: str) -> bool:
    found = get_runtime(name).probe()
    return found.available and device in ("auto", *found.devices)


def _default(checkpoint: Path, target: str, notice: Callable[[str], None]) -> Artifact:
    precision = find_target(target).default_precision
    folder = ARTIFACTS_FOLDER / f"{checkpoint.stem}-{target}-{precision}"
    if folder.exists():
        return _exported(folder, checkpoint, notice)
    ARTIFACTS_FOLDER.mkdir(parents=True, exist_ok=True)
    with taking_turns(
        ARTIFACTS_FOLDER, lambda: notice(f"waiting for another process that exports to {ARTIFACTS_FOLDER}")
    ):
        if folder.exists():
            return _exported(folder, checkpoint, notice)
        notice(f"exporting the embedded weights to {folder}")
        return run_export(ExportOptions(checkpoint=checkpoint, target=target, precision=precision))


def _exported(folder: Path, checkpoint: Path, notice: Callable[[str], None]) -> Artifact:
    artifact = Artifact.load(folder)
    if artifact.passport.lineage.checkpoint_sha256 != file_sha256(checkpoint):
        raise InputError(f"{folder} was exported from other weights", hint="name the artifact to use, or remove it")
    notice(f"using {folder}, exported {artifact.passport.created_utc}")
    return artifact
