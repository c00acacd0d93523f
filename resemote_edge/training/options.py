"""TrainingOptions: the user's request, checked before torch is imported or data is read."""

from dataclasses import dataclass
from pathlib import Path

from resemote_edge.errors import InputError
from resemote_edge.training.config import RESEMOTENET, TrainingConfig, load_config

__all__ = ["TrainingOptions", "check_options"]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of a training run.

    Attributes:
        data: Dataset to train on; None for that of the run that is resumed.
        dataset: Kind of the dataset, or ``auto``.
        variant: Name of the variant in `resemote_edge.training.config.VARIANTS`.
        config: Recipe file on top of the variant's, or None.
        epochs: Number of epochs instead of the recipe's, or None.
        seed: Seed instead of the recipe's, or None.
        device: Device to train on: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        teachers: Checkpoints to learn from; several teach by the mean of their logits.
        record: Folder to keep the teachers' answers in, for other runs; None to keep none.
        replay: Folder of answers that another run recorded, instead of teachers; None for none.
        init: Checkpoint whose weights the run starts from; None for drawn ones.
        resume: Folder of a run to continue; None for a new run. All options but `data` and `device` are then the run's.
        out: Folder of a new run; None for ``runs/<name>``.
    """

    data: Path | None = None
    dataset: str = "auto"
    variant: str = "base"
    config: Path | None = None
    epochs: int | None = None
    seed: int | None = None
    device: str = "auto"
    teachers: tuple[Path, ...] = ()
    record: Path | None = None
    replay: Path | None = None
    init: Path | None = None
    resume: Path | None = None
    out: Path | None = None

    def recipe(self) -> TrainingConfig:
        """Make the recipe of a new run.

        Raises:
            InputError: The recipe cannot be used.
        """
        return load_config(self.variant, self.config, epochs=self.epochs, seed=self.seed)


def check_options(options: TrainingOptions, *, variant_named: bool = False) -> None:
    """Refuse options that contradict each other.

    Args:
        options: Options to check.
        variant_named: Whether the user named the variant.

    Raises:
        InputError: A resumed run was given another recipe, or a new run was given no data.
    """
    if options.resume is None:
        if options.data is None:
            raise InputError("no dataset was named", hint="pass --data (fer2013.zip, a folder), or --resume DIR")
        if options.record is not None and not options.teachers:
            raise InputError(
                "--record-teacher keeps the answers of teachers, and none was named", hint="pass --teacher"
            )
        if options.replay is not None and options.teachers:
            raise InputError("--replay-teacher takes the place of --teacher", hint="pass one of them")
        architecture = options.recipe().architecture
        if options.init is not None and architecture != RESEMOTENET:
            raise InputError(f"--init starts a ResEmoteNet, and this is a {architecture}", hint="leave it out")
        return
    named = {
        "--config": options.config,
        "--epochs": options.epochs,
        "--seed": options.seed,
        "--teacher": options.teachers or None,
        "--record-teacher": options.record,
        "--replay-teacher": options.replay,
        "--init": options.init,
        "--out": options.out,
        "--variant": options.variant if variant_named else None,
    }
    given = [name for name, value in named.items() if value is not None]
    if given:
        raise InputError(
            f"{given[0]} cannot be changed while a run goes on", hint="leave it out with --resume, or start a new run"
        )
