"""``resemote-edge train``."""

import sys
from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The dataset; may be left out with --resume.")
@click.option(
    "--dataset",
    type=click.Choice(["auto", "fer2013", "ferplus", "rafdb", "affectnet", "expw", "folder"]),
    default="auto",
    show_default=True,
    help="Kind of dataset; folder is <class>/ or <split>/<class>/ with any classes.",
)
@click.option(
    "--variant",
    type=click.Choice(["base", "s", "xs", "nano", "vgg", "resnet"]),
    help="ResEmoteNet of width 64, 32, 16 or 8; vgg and resnet are teachers.  [default: base]",
)
@click.option("--config", type=click.Path(path_type=Path), help="TOML recipe on top of the variant's.")
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the recipe's.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:0; only auto chooses.")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    help="Checkpoint, or embedded variant, to learn from as well as from the labels; several teach together.",
)
@click.option(
    "--record-teacher",
    "record",
    type=click.Path(path_type=Path),
    help="Folder to keep the teachers' answers in, for --replay-teacher.",
)
@click.option(
    "--replay-teacher",
    "replay",
    type=click.Path(path_type=Path),
    help="Folder of recorded answers to learn from in place of --teacher.",
)
@click.option("--init", help="Checkpoint or embedded variant to start from, as wide or narrower.")
@click.option("--resume", type=click.Path(path_type=Path), help="Folder of a run to go on with.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the new run.  [default: runs/NAME]")
@click.option("--show-recipe", is_flag=True, help="Print the whole recipe as JSON, and stop.")
@json_option
def train(
    data: Path | None,
    dataset: str,
    variant: str | None,
    config: Path | None,
    epochs: int | None,
    seed: int | None,
    device: str,
    teachers: tuple[str, ...],
    record: Path | None,
    replay: Path | None,
    init: str | None,
    resume: Path | None,
    out: Path | None,
    show_recipe: bool,
    as_json: bool,
) -> None:
    """Train ResEmoteNet on --data.

    The validation split chooses the epoch; the test split is read once, at the end. Ctrl-C and SIGTERM save the run,
    and --resume goes on with it bit for bit. With torchrun, as many processes share each batch as it starts.

    \b
    Example:
      resemote-edge train --data fer2013.zip --variant s --out runs/s
      resemote-edge train --resume runs/s
      resemote-edge train --data my-faces --variant s --init s --epochs 10
      resemote-edge train --data fer2013.zip --variant s --teacher base --teacher vgg.pt --record-teacher answers
      resemote-edge train --data fer2013.zip --variant xs --replay-teacher answers
      torchrun --nproc-per-node 2 -m resemote_edge train --data fer2013.zip
    """
    from resemote_edge.training.options import TrainingOptions, check_options, show_config
    from resemote_edge.weights import named_checkpoint

    options = TrainingOptions(
        data=data,
        dataset=dataset,
        variant=variant or "base",
        config=config,
        epochs=epochs,
        seed=seed,
        device=device,
        teachers=tuple(named_checkpoint(teacher) for teacher in teachers),
        record=record,
        replay=replay,
        init=None if init is None else named_checkpoint(init),
        resume=resume,
        out=out,
    )
    if show_recipe:
        echo_json(show_config(options))
        return
    check_options(options, variant_named=variant is not None)

    from resemote_edge.errors import needs

    with needs("train", "training"):
        from resemote_edge.training.command import run_training
    from resemote_edge.cli.views.training import Screen, result_facts, result_table

    with Screen() as screen:
        result = run_training(options, screen)
    if result.interrupted is not None:
        screen.notice(f"interrupted and saved; go on with: resemote-edge train --resume {result.folder}")
        sys.exit(128 + result.interrupted)
    if result.evaluation is None:  # not rank 0
        return
    if as_json:
        echo_json(result_facts(result))
    else:
        screen.console.print(result_table(result))
