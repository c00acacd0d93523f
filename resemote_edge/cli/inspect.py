"""``resemote-edge inspect``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@json_option
def inspect(artifact: Path, as_json: bool) -> None:
    """Show the passport of ARTIFACT.

    The passport is the description that an export writes: the kind of the artifact, the labels, the input and output,
    the files with their hashes, the origin of the weights, and the results of verification. Every file is checked
    against it first.

    \b
    Example:
      resemote-edge inspect artifacts/resemotenet-base-fer2013-openvino-fp32
    """
    import msgspec

    from resemote_edge.artifacts.artifact import load_artifact
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.passport import passport_table

    passport = load_artifact(artifact).passport
    if as_json:
        echo_json({"kind": passport.kind, **msgspec.to_builtins(passport)})
    else:
        open_console().print(passport_table(passport))
