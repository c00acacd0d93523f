"""Contest: a comparison with other tools, in one TOML file."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from resemote_edge.artifacts.record import Name, Strict, read_toml, refuse_repeated
from resemote_edge.errors import InputError
from resemote_edge.experiments.peers import PEERS, own_network
from resemote_edge.runtimes.registry import RUNTIMES
from resemote_edge.runtimes.session import PrecisionHint
from resemote_edge.weights import embedded_checkpoint

__all__ = ["Contest", "RatioSpec", "Row", "TrainingStep", "choose_rows", "load_contest"]

CONTEST_SCHEMA = 1

_Count = Annotated[int, msgspec.Meta(ge=1, le=4096)]


class TrainingStep(Strict, frozen=True, kw_only=True):
    """A step of training instead of an inference.

    Attributes:
        form: Form of the network: ``reference`` as published, ``compact``, or ``patches`` (compact, small maps as
            matrix products).
        precision: Precision of the products.
        processes: Processes that share each batch, and the threads.
    """

    form: Literal["reference", "compact", "patches"]
    precision: Literal["fp32", "bf16"]
    processes: _Count = 1


class Row(Strict, frozen=True, kw_only=True):
    """A row that is measured: a peer, an artifact of ours, or a training step.

    Attributes:
        name: Name of the row, and of its folder while the contest runs.
        label: Label of the row, for people.
        peer: Name in `PEERS`; None for ours.
        recipe: Recipe of the export; None for a peer.
        runtime: Runtime that runs the artifact; None for a peer.
        hint: Precision hint of the session; for runtime ``openvino`` only.
        checkpoint: Variant of the embedded weights that is exported; None for the random network, and for a peer.
        training: Training step that is measured, if any; all other fields except name and label are then None.
    """

    name: Name
    label: str
    peer: str | None = None
    recipe: str | None = None
    runtime: str | None = None
    hint: PrecisionHint | None = None
    checkpoint: str | None = None
    training: TrainingStep | None = None

    @property
    def network(self) -> Literal["random", "embedded", "own", "untrained"]:
        """Network of the row: the random network, embedded trained weights, a peer's own, or one in training."""
        if self.training is not None:
            return "untrained"
        if self.checkpoint is not None:
            return "embedded"
        return "random" if own_network(self.peer) is None else "own"


class RatioSpec(Strict, frozen=True, kw_only=True):
    """A comparison in every cell: p50 of `against` over p50 of `ours`.

    Attributes:
        name: Name of the comparison, for people.
        ours: Name of one of our rows.
        against: Name of another row.
    """

    name: str
    ours: str
    against: str


class Contest(Strict, frozen=True, kw_only=True, rename={"rows": "row", "ratios": "ratio"}):
    """Rows to measure, and the comparisons between them.

    Attributes:
        schema: Schema of the file, `CONTEST_SCHEMA`.
        name: Name, which is the file's stem.
        description: Description in one sentence.
        width: Width of the random network, or of the one that is trained; None if there is no such row.
        seed: Seed of that network's weights, of the order of turns and of the bootstrap.
        batches: Crops per call.
        threads: Numbers of CPU threads.
        seconds: Time per cell (a batch size and a thread count) in which rounds begin.
        min_rounds: Smallest number of rounds per cell.
        warmup_runs: Number of untimed calls at the start of each turn.
        runs_per_turn: Number of timed calls of each turn.
        rows: Rows that are measured; ``[[row]]`` in the file.
        ratios: Comparisons; ``[[ratio]]`` in the file.
    """

    schema: int
    name: Name
    description: str
    width: Annotated[int, msgspec.Meta(ge=4, le=256, multiple_of=4)] | None = None
    seed: int = 0
    batches: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)]
    threads: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)]
    seconds: Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
    min_rounds: _Count = 10
    warmup_runs: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 3
    runs_per_turn: _Count = 10
    rows: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1)]
    ratios: tuple[RatioSpec, ...] = ()


def load_contest(path: Path) -> Contest:
    """Read and validate a contest.

    Raises:
        InputError: There is no such file, it is not TOML, a key is missing, unknown or of the wrong type, or a name
            does not exist.
    """
    hint = "pass a TOML file, such as those in benchmarks/contests"
    contest = read_toml(path, Contest, what="contest", schema=CONTEST_SCHEMA, hint=hint)
    for row in contest.rows:
        _check_row(row, path)
    refuse_repeated("row", (row.name for row in contest.rows), f"{path}: ")
    refuse_repeated("batch size", contest.batches, f"{path}: ")
    refuse_repeated("thread count", contest.threads, f"{path}: ")
    for ratio in contest.ratios:
        _check_ratio(ratio, contest, path)
    _check_width(contest, path)
    return contest


def choose_rows(contest: Contest, names: str) -> Contest:
    """Reduce the contest to some of its rows, and the ratios between those.

    Args:
        contest: Contest with all its rows.
        names: Names of rows, comma-separated.

    Raises:
        InputError: A name is not a row's.
    """
    wanted = [name.strip() for name in names.split(",")]
    known = [row.name for row in contest.rows]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InputError(f"contest {contest.name} has no row {unknown[0]!r}", hint=f"choose among {', '.join(known)}")
    return msgspec.structs.replace(
        contest,
        rows=tuple(row for row in contest.rows if row.name in wanted),
        ratios=tuple(ratio for ratio in contest.ratios if ratio.ours in wanted and ratio.against in wanted),
    )


def _check_width(contest: Contest, path: Path) -> None:
    random = [row.name for row in contest.rows if row.network in ("random", "untrained")]
    if random and contest.width is None:
        raise InputError(f"{path}: row {random[0]} runs a random network", hint="say its width, or name a checkpoint")
    if contest.width is not None and not random:
        raise InputError(f"{path}: width is that of the random network, which no row runs", hint="remove it")


def _check_row(row: Row, path: Path) -> None:
    at = f"{path}: row {row.name}"
    if row.training is not None:
        _check_training(row, at)
        return
    if (row.peer is None) == (row.recipe is None and row.runtime is None):
        raise InputError(f"{at} needs either a peer, or a recipe and a runtime")
    if row.peer is not None:
        if row.peer not in PEERS:
            raise InputError(f"{at}: unknown peer {row.peer!r}", hint=f"choose one of {', '.join(PEERS)}")
        if row.hint is not None:
            raise InputError(f"{at}: a hint belongs to a row with a recipe, not with a peer", hint="remove it")
        if row.checkpoint is not None:
            raise InputError(f"{at}: a checkpoint belongs to a row with a recipe, not with a peer", hint="remove it")
        return
    if row.recipe is None or row.runtime is None:
        raise InputError(
            f"{at} needs a recipe and a runtime, and has no {'recipe' if row.recipe is None else 'runtime'}"
        )
    if row.runtime not in RUNTIMES:
        raise InputError(f"{at}: unknown runtime {row.runtime!r}", hint=f"choose one of {', '.join(RUNTIMES)}")
    if row.hint is not None and row.runtime != "openvino":
        raise InputError(
            f"{at}: runtime {row.runtime} knows no precision hint", hint='remove it, or say runtime = "openvino"'
        )
    _check_checkpoint(row, at)


def _check_training(row: Row, at: str) -> None:
    others = [name for name in ("peer", "recipe", "runtime", "hint", "checkpoint") if getattr(row, name) is not None]
    if others:
        raise InputError(f"{at} is a training step and names a {others[0]}", hint="leave one of them out")


def _check_checkpoint(row: Row, at: str) -> None:
    if row.checkpoint is not None:
        try:
            embedded_checkpoint(row.checkpoint)
        except InputError as error:
            raise InputError(f"{at}: {error.reason}", hint=error.hint) from None


def _check_ratio(ratio: RatioSpec, contest: Contest, path: Path) -> None:
    known = [row.name for row in contest.rows]
    for name in (ratio.ours, ratio.against):
        if name not in known:
            raise InputError(
                f"{path}: ratio '{ratio.name}' names row {name!r}", hint=f"choose among {', '.join(known)}"
            )
