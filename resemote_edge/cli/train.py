"""``resemote-edge train``."""

import sys
from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Dataset to train on. May be left out with --resume.")
@click.option(
    "--dataset",
    type=click.Choice(["auto", "fer2013", "ferplus", "rafdb", "affectnet", "expw", "folder"]),
    default="auto",
    show_default=True,
    help="Kind of dataset, or auto to recognise it. folder is <class>/ or <split>/<class>/ with classes of your own.",
)
@click.option(
    "--variant",
    type=click.Choice(["base", "s", "xs", "nano", "vgg", "resnet"]),
    help="Network to train: ResEmoteNet of width 64 (base), 32 (s), 16 (xs) or 8 (nano), or a teacher (vgg, resnet).  "
    "[default: base]",
)
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with changes to the variant's recipe.")
@click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs.  [default: the recipe's]")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every random draw.  [default: the recipe's]")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Device to train on: cpu, cuda or cuda:0, or auto for the GPU if there is one.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    help="Checkpoint or embedded variant to learn from, besides the labels. Several may be given; the mean of their "
    "logits teaches.",
)
@click.option(
    "--record-teacher",
    "record",
    type=click.Path(path_type=Path),
    help="Folder to record the teachers' logits in, for --replay-teacher.",
)
@click.option(
    "--replay-teacher",
    "replay",
    type=click.Path(path_type=Path),
    help="Folder of recorded logits to learn from, in place of --teacher.",
)
@click.option(
    "--init", help="Checkpoint or embedded variant to start from. A narrower one is widened to the network's width."
)
@click.option("--resume", type=click.Path(path_type=Path), help="Folder of an interrupted run to continue.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the new run.  [default: runs/NAME]")
@click.option("--show-recipe", is_flag=True, help="Print the whole recipe as JSON, and exit.")
@json_option
def train(
    variant: str | None, teachers: tuple[str, ...], init: str | None, show_recipe: bool, as_json: bool, **options: Any
) -> None:
    """Train ResEmoteNet on a dataset.

    The epoch with the best accuracy on the validation split is kept. The test split is used once, at the end. The
    output folder gets the weights, which 'export' takes, a model card, learning curves and a log.

    Ctrl-C and SIGTERM save the run. --resume continues it, and the result is the same bit for bit on one CPU. If
    torchrun starts several processes, they share each batch.

    \b
    Example:
      resemote-edge train --data fer2013.zip --variant s --out runs/s
      resemote-edge train --resume runs/s
      resemote-edge train --data my-faces --variant s --init s --epochs 10
      resemote-edge train --data fer2013.zip --variant s --teacher base --teacher vgg.pt --record-teacher answers
      resemote-edge train --data fer2013.zip --variant xs --replay-teacher answers
      torchrun --nproc-per-node 2 -m resemote_edge train --data fer2013.zip
    """
    from resemote_edge.training.options import TrainingOptions, check_options
    from resemote_edge.weights import named_checkpoint

    request = TrainingOptions(
        variant=variant or "base",
        teachers=tuple(map(named_checkpoint, teachers)),
        init=None if init is None else named_checkpoint(init),
        **options,
    )
    if show_recipe:
        echo_json(request.recipe().to_dict())
        return
    check_options(request, variant_named=variant is not None)

    from resemote_edge.errors import needs

    with needs("train", "training"):
        from resemote_edge.training.command import run_training
    from resemote_edge.cli.views.training import Screen, result_facts, result_table

    with Screen() as screen:
        result = run_training(request, screen)
    if result.interrupted is not None:
        screen.notice(f"interrupted and saved; continue with: resemote-edge train --resume {result.folder}")
        sys.exit(128 + result.interrupted)
    if result.evaluation is None:  # not rank 0
        return
    if as_json:
        echo_json(result_facts(result))
    else:
        screen.console.print(result_table(result))
